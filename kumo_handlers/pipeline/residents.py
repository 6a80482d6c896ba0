"""Who lives on the event loop of a `Receiver`: listeners, or what takes mail from a broker."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Protocol

from kumo_handlers.broker.publisher import Publisher
from kumo_handlers.broker.subscription import Subscription
from kumo_handlers.broker.terms import RELAY
from kumo_handlers.pipeline.authentication import Asking, PasswordFile, Scripted
from kumo_handlers.pipeline.carriage import Carriage
from kumo_handlers.pipeline.handover import HandOver
from kumo_handlers.pipeline.installation import Installation
from kumo_handlers.pipeline.intake import Intake
from kumo_handlers.pipeline.onward import Onward
from kumo_handlers.pipeline.work import Work
from kumo_handlers.pipeline.workforce import shares
from kumo_handlers.smtp.server import Server

if TYPE_CHECKING:
    from kumo_handlers.broker.terms import BrokerURL
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.queue.courier import DeliveryOptions
    from kumo_handlers.queue.destination import Relay
    from kumo_handlers.smtp.backend import Backend
    from kumo_handlers.smtp.credentials import Authenticator


class Resident(Protocol):
    """Started in order, stopped in the reverse order."""

    async def start(self) -> None:
        """Begin."""

    async def stop(self, grace: float) -> None:
        """End, within ``grace`` seconds."""


Engage = Callable[[Installation, Executor], list[Resident]]


def listening(installed: Installation, threads: Executor) -> list[Resident]:
    """Listeners that handle what they accept, and commit it to this disk."""
    return _servers(installed, threads, lambda listener: Intake(listener, installed, threads))


def handing_over(url: BrokerURL) -> Engage:
    """Listeners that commit what they accept to a broker."""

    def engage(installed: Installation, threads: Executor) -> list[Resident]:
        publisher = Publisher(url, installed.counters.traffic)
        servers = _servers(
            installed,
            threads,
            lambda listener: HandOver(listener, installed, threads, publisher),
        )
        return [publisher, *servers]

    return engage


def working(url: BrokerURL, relay: Relay | None, options: DeliveryOptions) -> Engage:
    """No listeners: what others handed over is taken from the broker, and mail to relay too.

    Without a ``relay`` the latter waits there for a worker that has one.
    """

    def engage(installed: Installation, threads: Executor) -> list[Resident]:
        traffic, terms = installed.counters.traffic, url.terms
        publisher = Publisher(url, traffic)
        onward = Onward(publisher)
        work = Work(installed, threads, onward)
        queues = [terms.queue(each) for each in terms.taken if each != RELAY]
        engaged: list[Resident] = [publisher, Subscription(url, queues, work.take, traffic)]
        if relay is not None and RELAY in terms.taken:
            carriage = Carriage(installed, relay, onward, options)
            letters = Subscription(url, [terms.queue(RELAY)], carriage.take, traffic)
            engaged += [carriage, letters]
        return engaged

    return engage


def _servers(
    installed: Installation, threads: Executor, backend: Callable[[Listener], Backend]
) -> list[Resident]:
    authenticator = _authenticator(installed, threads)
    return [
        Server(listener, backend(listener), authenticator)
        for listener in shares(installed.listeners, installed.settings.workers)
    ]


def _authenticator(installed: Installation, threads: Executor) -> Authenticator | None:
    """Who checks credentials; None, and AUTH is not offered, where nobody does."""
    settings, events = installed.settings, installed.policy.events
    if settings.authenticate is not None:
        return Asking(settings.authenticate, threads)
    if settings.password_file is not None:
        return PasswordFile(settings.password_file, threads)
    if events is not None and events.authenticates:
        return Scripted(installed)
    return None
