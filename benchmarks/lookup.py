"""Finding handlers and deciding: the cost of a look-up, as tables and networks grow."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

from netaddr import IPSet
from salmon.routing import RoutingBase

from benchmarks.measure import measure, show
from kumo_handlers.mail import address
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.pipeline import routes
from kumo_handlers.pipeline.routes import Route
from kumo_handlers.policy import relaying, tables
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.networks import Networks

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (1_000, 10_000, 100_000)


def main() -> None:
    """Print the tables."""
    routes_by_size()
    flat()
    decision()
    networks()


def domains(count: int) -> dict[str, dict[str, Any]]:
    """A table of domains that log bounces, and one wildcard."""
    return {f"d{n}.example": {"log_oob": True} for n in range(count)} | {
        "*.wild.example": {"log_arf": True}
    }


def naive_router(count: int) -> RoutingBase:
    """One ``@route`` a domain, as a Salmon app would without this package."""
    router = RoutingBase()
    for number in range(count):
        router.register_route(rf"^(?P<address>.+)@d{number}\.example$", print)
    return router


def find(router: RoutingBase, recipient: str) -> Callable[[], object]:
    """All that Salmon does to find handlers."""
    return lambda: list(router.match(recipient))


def routes_by_size() -> None:
    """A route for each domain, beside one route for all of them."""
    for count in SIZES:
        policy = tables.load([domains(count)])
        ours = RoutingBase()
        for name in ("gate", "arf", "oob", "drop", "relay"):
            route = Route(name, lambda options: options.log_oob.logs)
            ours.ORDER.append(route.key)
            ours.REGISTERED[route.key] = (route, [print])
        recipient = f"someone@d{count // 2}.example"
        with routes.deciding_with(policy):
            cases = {
                "five routes of ours": find(ours, recipient),
                "a route for each domain": find(naive_router(count), recipient),
            }
            show(f"Salmon's Router, {count:,} domains", measure(cases, 5))


def flat() -> None:
    """The policy's own look-up from ten domains to a million, and the worst names."""
    session = Session("s", Peer("192.0.2.1"))
    cases = {}
    for count in (10, 1_000, 100_000, 1_000_000):
        policy = tables.load([domains(count)])
        cases[f"{count:,} domains, a hit"] = find_domain(policy, "d5.example", session)
        cases[f"{count:,} domains, a miss"] = find_domain(policy, "x.far.example", session)
    cases["1,000,000 domains, 127 labels"] = find_domain(policy, "a." * 126 + "b", session)
    show("look-up of a domain", measure(cases))


def find_domain(policy: tables.Tables, domain: str, session: Session) -> Callable[[], object]:
    """One look-up."""
    return lambda: policy.find(domain, session)


def decision() -> None:
    """The whole relay decision, addresses fresh each time."""
    blocks = [f"10.{n >> 8}.{n & 255}.0/25" for n in range(10_000)]
    rules = domains(100_000) | {"send.example": {"relay_from": blocks}}
    policy = tables.load([rules])
    listener = Listener(relay_hosts=Networks.parse(blocks[:2]))
    session = Session("s", Peer("192.0.2.1"))
    paths = itertools.cycle([f"u{n}@d{n * 97 % 100_000}.example" for n in range(5_000)])
    sender = address.parse("news@send.example")

    def decide() -> object:
        return relaying.decide(policy, listener, session, sender, address.parse(next(paths)))

    cases = {
        "reading the recipient's address": lambda: address.parse(next(paths)),
        "the same, and deciding": decide,
        "taking the host out by rpartition": lambda: next(paths).rpartition("@")[2],
    }
    show("relay decision, 100,000 domains, 10,000 CIDRs", measure(cases))


def networks() -> None:
    """Membership in 100,000 CIDRs, and building them."""
    random.seed(1)
    blocks = [f"{n % 200 + 1}.{n >> 8 & 255}.{n & 255}.0/26" for n in range(100_000)]
    ours, theirs = Networks.parse(blocks), IPSet(blocks)
    peers = itertools.cycle([f"{random.randrange(1, 220)}.7.9.{n}" for n in range(250)])  # noqa: S311 - no secret
    cases = {
        "Networks": lambda: next(peers) in ours,
        "netaddr.IPSet": lambda: next(peers) in theirs,
    }
    show("membership in 100,000 CIDRs", measure(cases))
    cases = {"Networks.parse": lambda: Networks.parse(blocks), "IPSet": lambda: IPSet(blocks)}
    show("building 100,000 CIDRs", measure(cases, 3))
