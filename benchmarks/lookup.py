"""Finding handlers and deciding: the cost of a look-up, as tables and networks grow."""

from __future__ import annotations

import itertools
import random
from importlib import import_module
from typing import TYPE_CHECKING, Any

from netaddr import IPSet, cidr_merge
from salmon.routing import RoutingBase

import kumo_handlers
from benchmarks.measure import measure, show
from kumo_handlers.mail import address
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.pipeline import routes
from kumo_handlers.policy import relaying, tables
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.networks import Networks

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (1_000, 10_000, 100_000)


def main() -> None:
    """Print the tables."""
    routes_by_size()
    decision()
    networks()


def domains(count: int) -> dict[str, dict[str, Any]]:
    """A table of domains that log bounces, and one wildcard."""
    return {f"d{n}.example": {"log_oob": True} for n in range(count)} | {
        "*.wild.example": {"log_arf": True}
    }


def recipients(count: int) -> list[str]:
    """A thousand addresses, spread over so many domains."""
    return [f"u{n}@d{n * count // 1000}.example" for n in range(1000)]


def naive_router(count: int) -> RoutingBase:
    """One ``@route`` a domain, as a Salmon app would without this package."""
    router = RoutingBase()
    for number in range(count):
        router.register_route(rf"^(?P<address>.+)@d{number}\.example$", print)
    return router


def our_router() -> RoutingBase:
    """The routes of this package's five handlers."""
    router = RoutingBase()
    for name in kumo_handlers.pipeline():
        handler = import_module(name).START
        key = handler._salmon_settings["format"]  # noqa: SLF001 - Salmon's own mark
        router.ORDER.append(key)
        router.REGISTERED[key] = (key.route, [handler])
    return router


def finding(router: RoutingBase, addresses: list[str]) -> Callable[[], object]:
    """All that Salmon does to find handlers, another recipient each time."""
    each = itertools.cycle(addresses)
    return lambda: list(router.match(next(each)))


def found_by_policy(
    router: RoutingBase, addresses: list[str], policy: tables.Tables
) -> Callable[[], object]:
    """The same with our routes, and the policy put in force for each mail."""
    each = itertools.cycle(addresses)

    def find() -> object:
        with routes.deciding_with(policy):
            return list(router.match(next(each)))

    return find


def routes_by_size() -> None:
    """A route for each domain, beside our five for all of them."""
    for count in SIZES:
        policy, ours, addresses = tables.load([domains(count)]), our_router(), recipients(count)
        with routes.deciding_with(policy):
            cases = {
                "our five routes": finding(ours, addresses),
                "the same, the policy put in force each time": found_by_policy(
                    ours, addresses, policy
                ),
                "the same recipient again": finding(ours, addresses[500:501]),
                "a route for each domain": finding(naive_router(count), addresses),
            }
            show(f"Salmon's Router, {count:,} domains", measure(cases, 5))


def asking(policy: tables.Tables, names: list[str]) -> Callable[[], object]:
    """One look-up of a domain, another one each time."""
    session, each = Session("s", Peer("192.0.2.1")), itertools.cycle(names)
    return lambda: policy.find(next(each), session)


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
    blocks = cidrs(100_000)
    ours, theirs = Networks.parse(blocks), IPSet(blocks)
    peers = itertools.cycle([f"{random.randrange(1, 220)}.7.9.{n}" for n in range(250)])  # noqa: S311 - no secret
    cases = {
        "Networks": lambda: next(peers) in ours,
        "netaddr.IPSet": lambda: next(peers) in theirs,
    }
    show("membership in 100,000 CIDRs", measure(cases))
    cases = {
        "Networks.parse": lambda: Networks.parse(blocks),
        "netaddr.cidr_merge": lambda: cidr_merge(blocks),
        "netaddr.IPSet": lambda: IPSet(blocks),
    }
    show("building 100,000 CIDRs", measure(cases, 5))


def cidrs(count: int) -> list[str]:
    """So many blocks, no two alike."""
    return [f"{n % 200 + 1}.{n >> 8 & 255}.{n & 255}.0/26" for n in range(count)]
