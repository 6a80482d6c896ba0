"""Sets of networks against the standard library, and the blocks that are refused."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy.networks import Networks

# Few bits, so that random blocks and random hosts meet.
V4 = st.integers(0, 255).map(lambda low: f"10.0.{low & 3}.{low}")
V6 = st.integers(0, 255).map(lambda low: str(ipaddress.IPv6Address((0x20010DB8 << 96) | low)))


@st.composite
def blocks(draw: st.DrawFn) -> str:
    """A valid block around one of those hosts."""
    if draw(st.booleans()):
        host, narrowest = draw(V4), 32
    else:
        host, narrowest = draw(V6), 128
    prefix = draw(st.integers(narrowest - 9, narrowest) | st.integers(0, narrowest))
    return str(ipaddress.ip_network(f"{host}/{prefix}", strict=False))


@given(st.lists(blocks(), max_size=12), V4 | V6)
def test_membership_is_that_of_the_standard_library(texts: list[str], host: str) -> None:
    """A host is in the set if, and only if, one of the blocks holds it."""
    address = ipaddress.ip_address(host)
    holding = [ipaddress.ip_network(text) for text in texts]
    networks = Networks.parse(texts)
    assert (host in networks) == any(address in network for network in holding)


@given(st.lists(blocks(), min_size=1, max_size=12), V4 | V6)
def test_source_is_the_narrowest_block(texts: list[str], host: str) -> None:
    """The block named is one that was written, holds the host, and no written one is narrower."""
    source = Networks.parse(texts).source_of(host)
    address = ipaddress.ip_address(host)
    holding = [text for text in texts if address in ipaddress.ip_network(text)]
    if not holding:
        assert source is None
    else:
        assert source in holding
        assert len({ipaddress.ip_network(source).prefixlen, max(map(_prefix, holding))}) == 1


def _prefix(text: str) -> int:
    return ipaddress.ip_network(text).prefixlen


@pytest.mark.parametrize(
    ("host", "block", "inside"),
    [
        ("::ffff:10.0.0.1", "10.0.0.0/8", True),
        ("10.0.0.1", "::ffff:10.0.0.0/104", True),
        ("10.0.0.1", "::ffff:0:0/96", True),
        ("10.0.0.1", "::/0", False),
        ("::1", "0.0.0.0/0", False),
        ("10.0.0.1", "any", True),
        ("2001:db8::1", "any", True),
        ("fe80::1%eth0", "fe80::/10", True),
        ("", "any", False),
        ("localhost", "any", False),
        ("/run/lmtp.sock", "any", False),
        ("10.0.0.1\0", "any", False),
        ("10.0.0", "any", False),
        ("010.0.0.1", "any", False),
    ],
)
def test_which_family_an_address_is_of(host: str, block: str, inside: bool) -> None:  # noqa: FBT001 - a column of the table
    """A mapped address is an IPv4 one, and what is no address is nowhere."""
    assert (host in Networks.parse([block])) is inside


@pytest.mark.parametrize(
    ("block", "hint"),
    [
        ("192.168.1.1/24", "Did you mean 192.168.1.0/24?"),
        ("2001:db8::1/32", "Did you mean 2001:db8::/32?"),
        ("10.0.0.0/33", None),
        ("10.0.0.0/-1", None),
        ("10.0.0.0/08", "Did you mean 10.0.0.0/8?"),
        ("10.0.0.0/\u0668", None),
        ("10.0.0.0/", None),
        ("10.0.0/8", None),
        ("example.com", None),
        ("Any", None),
        ("", None),
        ("fe80::1%eth0", None),
    ],
)
def test_what_is_no_block_is_refused(block: str, hint: str | None) -> None:
    """Host bits, odd prefixes and names are refused, with a suggestion where there is one."""
    with pytest.raises(ConfigurationError) as caught:
        Networks.parse(["127.0.0.1", block])
    (problem,) = caught.value.problems
    assert (problem.value, problem.hint) == (repr(block), hint)


def test_all_wrong_blocks_are_named() -> None:
    """One error for all of them."""
    with pytest.raises(ConfigurationError) as caught:
        Networks.parse(["x", "10.0.0.0/8", "y"])
    assert [problem.value for problem in caught.value.problems] == ["'x'", "'y'"]


def test_a_value_like_any_other() -> None:
    """Equal when the same blocks were written, false when none was, never a string's equal."""
    assert Networks.parse(["::1"]) == Networks.parse(["::1"]) != Networks.parse(["::2"])
    assert hash(Networks.parse(["::1"])) == hash(Networks.parse(["::1"]))
    assert Networks.parse(["any"])
    assert not Networks.parse([])
    assert object() not in Networks.parse(["any"])
    assert repr(Networks.parse(["::1"])) == "Networks(['::1'])"
