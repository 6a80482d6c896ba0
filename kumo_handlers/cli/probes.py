"""What can be tried at a listener from outside, and what it means if it works.

No probe leaves mail behind but those of smuggling, which need a recipient that is accepted.
"""

from __future__ import annotations

import smtplib
import ssl
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from kumo_handlers.cli.wire import NAME, TIMEOUT, Wire, accepts
from kumo_handlers.policy import situation
from kumo_handlers.policy.situation import Question

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kumo_handlers.cli.wire import Target
    from kumo_handlers.policy.base import Policy
    from kumo_handlers.policy.listener import Listener

# RFC 2606, 2: nobody has these names.
SENDER = "selftest@sender.invalid"
_STRANGER = "selftest@recipient.invalid"
# What some server somewhere took for the end of the content (RFC 5321, 4.1.1.4 knows one).
ENDINGS = (
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\n.\r",
    b"\r\n\x00.\r\n",
)
_OK = 250
_AT_ONCE = 50  # recipients to a transaction


class Verdict(StrEnum):
    """What came of a probe."""

    PASS = "pass"  # noqa: S105 - no secret
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class Finding(NamedTuple):
    """One line of the table."""

    what: str
    verdict: Verdict
    detail: str


def open_relay(target: Target) -> Finding:
    """Whether a stranger may write to a stranger, in any of the ways that were ever let through."""
    what = "relays for anyone"
    with Wire(target) as wire:
        name = wire.greeting.split()[1] if len(wire.greeting.split()) > 1 else "localhost"
        wire.hello()
        plain = [(SENDER, _STRANGER), ("", _STRANGER), (f"postmaster@{name}", _STRANGER)]
        routed = [
            (SENDER, f"@{name}:{_STRANGER}"),
            (SENDER, f"{_STRANGER.replace('@', '%')}@{name}"),
            (SENDER, f'"{_STRANGER}"@{name}'),
        ]
        for sender, recipient in plain + routed[:1]:
            if accepts(_recipient(wire, sender, recipient)):
                ours = wire.ends[0]
                hint = f"is {ours} in relay_hosts? --source asks from another address"
                return Finding(
                    what, Verdict.FAIL, f"<{sender}> to <{recipient}> is accepted; {hint}"
                )
        for sender, recipient in routed[1:]:
            if accepts(_recipient(wire, sender, recipient)):
                return Finding(
                    what,
                    Verdict.WARN,
                    f"<{recipient}> is accepted: does what is behind read the local part?",
                )
    return Finding(what, Verdict.PASS, f"{len(plain) + len(routed)} ways are refused")


def _recipient(wire: Wire, sender: str, recipient: str) -> str:
    """The reply to RCPT, of a transaction that goes no further."""
    reply = wire.ask(f"MAIL FROM:<{sender}>")
    if accepts(reply):
        reply = wire.ask(f"RCPT TO:<{recipient}>")
    wire.ask("RSET")
    return reply


def smuggling(target: Target, recipient: str) -> Finding:
    """Whether anything but CR LF . CR LF ends a message: a second one could hide in the first."""
    what = "smuggling"
    if not recipient:
        return Finding(what, Verdict.SKIP, "--to ADDRESS names a recipient that is accepted")
    settled = []
    for ending in ENDINGS:
        with Wire(target) as wire:
            wire.hello()
            wire.ask(f"MAIL FROM:<{SENDER}>")
            refused = wire.ask(f"RCPT TO:<{recipient}>")
            if not accepts(refused):
                return Finding(what, Verdict.SKIP, f"<{recipient}> is not accepted: {refused}")
            wire.ask("DATA")
            wire.send(_letter(recipient) + ending + b"NOOP\r\n\r\n.\r\nQUIT\r\n")
            replies = wire.rest()
        # One for the message, one for QUIT. A third answers what was still content.
        if len(replies) > 2:  # noqa: PLR2004 - see above
            return Finding(what, Verdict.FAIL, f"{ending!r} ends a message: {replies}")
        settled.append(replies[0] if replies else "no reply")
    told = ", ".join(sorted({reply.partition(" ")[0] for reply in settled}))
    return Finding(what, Verdict.PASS, f"{len(ENDINGS)} endings are none; the replies: {told}")


def _letter(recipient: str) -> bytes:
    return f"From: <{SENDER}>\r\nTo: <{recipient}>\r\nSubject: selftest\r\n\r\nselftest".encode()


def starttls(target: Target) -> Finding:
    """Whether TLS begins, and the session goes on in it."""
    what = "STARTTLS"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP(target.host, target.port, NAME, TIMEOUT, target.source_address) as client:
        if client.ehlo()[0] != _OK:
            client.ehlo_msg = "lhlo"
            client.ehlo()
        if not client.has_extn("starttls"):
            return Finding(what, Verdict.FAIL, "not offered")
        in_the_clear = client.has_extn("auth")
        try:
            client.starttls(context=context)
            client.ehlo()
        except (smtplib.SMTPException, OSError) as error:
            return Finding(what, Verdict.FAIL, f"offered, and fails: {error}")
        connection = client.sock
        assert isinstance(connection, ssl.SSLSocket)  # noqa: S101 - starttls made it one
        cipher = connection.cipher() or ("no cipher",)
        told = f"{connection.version()}, {cipher[0]}"
    if in_the_clear:
        return Finding(what, Verdict.WARN, f"{told}; but AUTH is offered before it")
    return Finding(what, Verdict.PASS, told)


def injection(target: Target) -> Finding:
    """Whether what was sent before TLS is read after it (CVE-2011-0411)."""
    what = "commands before TLS"
    with Wire(target) as wire:
        wire.hello()
        wire.send(b"STARTTLS\r\nNOOP\r\n")
        reply = wire.reply()
        if not accepts(reply):
            return Finding(what, Verdict.SKIP, f"no TLS: {reply}")
        try:
            wire.encrypt()
            wire.send(b"QUIT\r\n")
        except OSError:
            return Finding(what, Verdict.PASS, "end the connection")
        replies = wire.rest()
    if len(replies) > 1:
        return Finding(what, Verdict.FAIL, f"are obeyed: {replies}")
    return Finding(what, Verdict.PASS, "are forgotten")


class Expected(NamedTuple):
    """One recipient, and whether the policy accepts it here."""

    recipient: str
    accepted: bool


def expectations(
    target: Target, policy: Policy, listeners: Sequence[Listener], limit: int
) -> list[Expected]:
    """What the policy says about an address of each domain it names.

    Raises `ConfigurationError` where it declares no listener there.
    """
    with Wire(target) as wire:
        peer, local = wire.ends
    asked = []
    for name in islice(_names(policy), limit):
        question = Question(peer=peer, listener=local, sender=SENDER, recipient=f"selftest@{name}")
        at = situation.of(question, listeners)
        asked.append(Expected(question.recipient, at.decide(policy).accepted))
    return asked


def _names(policy: Policy) -> Iterator[str]:
    """A name for each entry, once; below a wildcard, one that hardly has an entry of its own."""
    seen = set()
    for found in policy.entries():
        name = found.key
        if name.startswith("*"):
            name = f"selftest-{len(name)}{name[1:]}" if name != "*" else "selftest.invalid"
        if name not in seen:
            seen.add(name)
            yield name


def domains(target: Target, asked: Sequence[Expected]) -> Iterator[Finding]:
    """Each domain that does not answer as the policy says; or that all do."""
    wrong = 0
    for start in range(0, len(asked), _AT_ONCE):
        with Wire(target) as wire:
            wire.hello()
            wire.ask(f"MAIL FROM:<{SENDER}>")
            for each in asked[start : start + _AT_ONCE]:
                reply = wire.ask(f"RCPT TO:<{each.recipient}>")
                if accepts(reply) is not each.accepted:
                    wrong += 1
                    wanted = "accepted" if each.accepted else "refused"
                    yield Finding(
                        "listener domains",
                        Verdict.FAIL,
                        f"<{each.recipient}> should be {wanted}: {reply}",
                    )
    if not wrong:
        yield Finding("listener domains", Verdict.PASS, f"{len(asked)} answer as the policy says")
