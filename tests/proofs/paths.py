"""Envelope addresses of every kind that has opened a relay, each with its domain, read by hand.

The domain is in the form in which names are compared. None: no address, to be refused.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Path:
    """What stands between the angle brackets, and whose address it is."""

    text: str
    domain: str | None

    @property
    def is_null(self) -> bool:
        """Whether it is the null reverse-path, which is no forward-path."""
        return not self.text


MUNICH = "xn--mnchen-3ya.example"
# {0} is the domain the rules know; {1} is nobody's.
KINDS = (
    ("ann@{0}", True),
    ("Ann@{0}.", True),
    ("ann%far.example@{0}", True),
    ("ann%{0}@far.example", False),
    ("ann%{0}%{0}@far.example", False),
    ("@{0}:ann@far.example", False),
    ("@far.example,@other.example:ann@{0}", True),
    ("@far.example:ann%{0}@other.example", False),
    ('"ann@{0}"@far.example', False),
    ('"ann@far.example"@{0}', True),
    ('"ann@{0}>"@far.example', False),
    ('"ann\\"@{0}"@far.example', False),
    ("{0}!ann@far.example", False),
    ("far.example!ann@{0}", True),
    ("ann/{0}@far.example", False),
    ("ann@{0}.far.example", False),
    ("ann@far-{0}", False),
    ("ann+{0}=x@far.example", False),
    ("ann\u200b@{0}", True),
    ("ann\u00a0@{0}", True),
)
NO_ADDRESSES = (
    "ann@{0}@far.example",
    "ann@far.example@{0}",
    "ann@@{0}",
    "ann@{0} ",
    "ann @{0}",
    "ann@ {0}",
    "ann@far.example,bob@{0}",
    "ann@far.example;@{0}",
    '"ann@far.example@{0}',
    '"ann"@far.example"@{0}',
    "ann@{0}\u202e",
    "ann@\u200b.{0}",
    "ann@far.example\u2028@{0}",
    "ann@far.example\x85@{0}",
    "ann@{0}..",
    "ann@.{0}",
    "ann@{0}:25",
    "ann@{0}/",
    "@{0}",
    "@{0}:",
    "{0}",
    "ann@",
    "<ann@{0}",
    "ann@[{0}]",
)
# Spellings of a name as a reader, or a mail client, would see them.
SPELLINGS = (
    Path("ann@SEND.Example", "send.example"),
    Path("bob@tO.eXAMPLE", "to.example"),
    Path("ann@se\u00adnd.example", "send.example"),  # a soft hyphen, which UTS 46 drops
    Path("bob@t\u200bo.example", "to.example"),  # a zero width space, likewise
    Path("bob@\uff54\uff4f.example", "to.example"),  # full width letters are those letters
    Path("bob@to\u3002example", "to.example"),  # and the ideographic full stop is a dot
    Path("bob@t\u043e.example", "xn--t-1tb.example"),  # a Cyrillic letter is another one
    Path("bob@to.example\u0301", "to.xn--exampl-gva"),
    Path("ann@münchen.example", MUNICH),
    Path("ann@MÜNCHEN.Example", MUNICH),
    Path("ann@mu\u0308nchen.example", MUNICH),
    Path("ann@XN--MNCHEN-3ya.example", MUNICH),
    Path("ann@munchen.example", "munchen.example"),
    Path("ann@x.münchen.example", f"x.{MUNICH}"),
    Path("ann@[192.0.2.1]", "[192.0.2.1]"),
    Path("ann@[192.0.2.2]", "[192.0.2.2]"),
    Path("ann@192.0.2.1", "192.0.2.1"),
    Path("ann@[IPv6:2001:db8:0:0::25]", "[ipv6:2001:db8::25]"),
    Path("ann@[ipv6:2001:DB8::26]", "[ipv6:2001:db8::26]"),
    Path("ann@[192.0.2.300]", None),
    Path("ann@[192.0.2.1", None),
    Path("ann@[192.0.2.1]x", None),
    Path("ann@[010.0.0.5]", None),
    Path("", ""),
    Path("postmaster", ""),
    Path("POSTMASTER", ""),
    Path("postmaster@", None),
)
PLAIN = (
    *("auth.example", "both.example", "wild.example", "a.wild.example", "b.a.wild.example"),
    *("www.wild.example", "x.www.wild.example", "deep.wild.example", "x.deep.wild.example"),
    *("bounce.example", "fbl.example", "drop.example", "ignored.example", "far.example"),
    *("example", "to.example.example", "local.example", "inherits.example"),
)


def _of(domain: str) -> tuple[Path, ...]:
    # what is no name of the rules is nobody's: "" stands for no entry
    good = (
        Path(kind.format(domain), domain if is_its else _last(kind.format(domain)))
        for kind, is_its in KINDS
    )
    return (*good, *(Path(kind.format(domain), None) for kind in NO_ADDRESSES))


def _last(text: str) -> str:
    """What stands behind the last @: one that `KINDS` says is not the domain."""
    return text.rpartition("@")[2].lower()


ALL = tuple(Path(f"ann@{domain}", domain) for domain in PLAIN) + SPELLINGS
REVERSE_PATHS = ALL + _of("send.example")
FORWARD_PATHS = ALL + _of("to.example")
