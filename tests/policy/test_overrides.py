"""`peer` and `via`: options by address."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.options import Place
from kumo_handlers.policy.overrides import Overrides

BLOCKS = st.lists(
    st.tuples(st.sampled_from(["10.1.2.3", "10.1.255.0", "2001:db8::7"]), st.integers(0, 32)).map(
        lambda pair: str(ip_network(f"{pair[0]}/{pair[1]}", strict=False))
    ),
    unique=True,
    max_size=8,
)
HOSTS = st.sampled_from(["10.1.2.3", "10.1.2.2", "10.1.255.1", "192.0.2.1", "2001:db8::8", "::1"])


@given(blocks=BLOCKS, host=HOSTS)
def test_all_blocks_that_hold_the_address(blocks: list[str], host: str) -> None:
    """Each adds its options, and of two that say the same the longer prefix wins."""
    overrides = Overrides({block: {"banner": block, block: True} for block in blocks})
    holding = [block for block in blocks if ip_address(host) in ip_network(block)]
    found = overrides.find(host)
    assert found.keys() - {"banner"} == set(holding)
    longest = max(holding, key=lambda block: ip_network(block).prefixlen, default=None)
    assert found.get("banner") == longest


@pytest.mark.parametrize("host", ["", "localhost", "10.0.0.0/8"])
def test_no_address_is_in_no_block(host: str) -> None:
    """Not even in ``any``."""
    assert Overrides({"any": {"banner": "x"}}).find(host) == {}


def test_peer_comes_after_via_and_meta_is_gathered() -> None:
    """Metadata of all blocks is there, other options of the last one."""
    listener = Listener.read(
        {
            "meta": {"a": 1, "b": 1, "c": 1},
            "via": {"192.0.2.1": {"banner": "via", "meta": {"b": 2, "c": 2}}},
            "peer": {"::ffff:10.0.0.0/104": {"banner": "peer", "meta": {"c": 3}}},
        },
        Place(),
    )
    seen = listener.seen_by("10.1.2.3", "192.0.2.1")
    assert seen.banner == "peer"
    assert seen.meta == {"a": 1, "b": 2, "c": 3}
    assert listener.seen_by("11.1.2.3", "192.0.2.1").banner == "via"
    assert listener.seen_by("11.1.2.3", "192.0.2.2") is listener


@pytest.mark.parametrize(
    ("options", "host", "trusted"),
    [
        ({}, "127.0.0.1", False),
        ({"allow_xclient": True}, "127.0.0.1", True),
        ({"allow_xclient": True}, "192.0.2.1", False),
        ({"allow_xclient": True, "relay_hosts": ["192.0.2.0/24"]}, "192.0.2.1", True),
        ({"peer": {"192.0.2.1": {"allow_xclient": True}}}, "192.0.2.1", True),
        ({"peer": {"192.0.2.1": {"allow_xclient": True}}}, "192.0.2.2", False),
        ({"allow_xclient": True, "peer": {"any": {"allow_xclient": False}}}, "127.0.0.1", False),
        ({"allow_xclient": True, "listen": "unix:/run/x"}, "", True),
        ({"allow_xclient": True}, "", False),
    ],
)
def test_trust(options: dict[str, object], host: str, *, trusted: bool) -> None:
    """A listener-wide switch does not let the whole world choose its address."""
    assert Listener.read(options, Place()).trusts("allow_xclient", host, "192.0.2.9") is trusted


def test_all_that_is_wrong_is_said_at_once() -> None:
    """With the block and the option it is about."""
    table = {
        "peer": {"10.0.0.1/8": {"bannr": "x", "client_timeout": "soon"}, "any": {"listen": ""}}
    }
    with pytest.raises(ConfigurationError) as caught:
        Listener.read(table, Place())
    said = str(caught.value)
    assert "peer.'10.0.0.1/8'" in said
    assert "Did you mean 10.0.0.0/8?" in said
    assert "Did you mean banner?" in said
    assert "peer.'10.0.0.1/8'.client_timeout" in said
    assert "peer.'any'.listen" in said
