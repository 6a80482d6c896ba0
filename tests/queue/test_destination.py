"""Where a message goes next."""

from __future__ import annotations

import pytest
from dns.resolver import NXDOMAIN, NoNameservers

from kumo_handlers.errors import RelayError
from kumo_handlers.queue.destination import Destination, NoDestination, find, name_of

from .scripted_relay import ScriptedRelay


class Resolving(ScriptedRelay):
    """No relay is set: the recipient's mail exchanger is asked for."""

    answer: str | Exception = ""

    def resolve_relay_host(self, To: str) -> str:  # noqa: N803 - Salmon's name
        """What the test says; Salmon takes the domain from an address."""
        assert To.endswith("@x.example")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def resolving(answer: str | Exception) -> Resolving:
    """A relay that resolves to this."""
    relay = Resolving(hostname=None, port=25)
    relay.answer = answer
    return relay


def test_relay_that_is_set() -> None:
    """All mail goes there, and rests together."""
    relay = ScriptedRelay(hostname="relay.example", port=587)
    found = find(relay, "x.example")
    assert found == Destination("relay.example:587", "relay.example", 587)
    assert found.site == "relay.example:587"
    assert name_of(relay, "x.example") == name_of(relay, "y.example")


def test_mail_exchanger() -> None:
    """Without a relay each domain has its own, and rests alone."""
    relay = resolving("mx.x.example.")
    assert find(relay, "x.example") == Destination("x.example", "mx.x.example", 25)
    assert name_of(relay, "x.example") != name_of(relay, "y.example")


@pytest.mark.parametrize(("answer", "status"), [(NXDOMAIN(), "5.1.2"), (".", "5.1.10")])
def test_domain_that_takes_no_mail(answer: str | Exception, status: str) -> None:
    """It is final: the domain is not there, or says so itself (RFC 7505)."""
    found = find(resolving(answer), "x.example")
    assert isinstance(found, NoDestination)
    assert str(found.reply.status) == status
    assert found.reply.code // 100 == 5


@pytest.mark.parametrize(
    ("domain", "host"), [("[192.0.2.1]", "192.0.2.1"), ("[ipv6:2001:db8::1]", "2001:db8::1")]
)
def test_address_literal(domain: str, host: str) -> None:
    """It is the server's own address (RFC 5321, 4.1.3): nobody is asked."""
    assert find(resolving(OSError("never asked")), domain) == Destination(domain, host, 25)


def test_postmaster_of_nowhere() -> None:
    """Without a relay there is no server for an address without a domain."""
    assert isinstance(find(resolving(OSError("never asked")), ""), NoDestination)


@pytest.mark.parametrize("error", [NoNameservers(), OSError("no network")])
def test_look_up_that_fails(error: Exception) -> None:
    """It may work later."""
    with pytest.raises(RelayError, match=r"x\.example cannot be looked up"):
        find(resolving(error), "x.example")
