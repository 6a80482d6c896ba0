"""The composition root: an app's settings in, everything below wired.

`configure` puts an installation in place, for tests, for ``salmon routes`` and behind Salmon's
own receivers; `receiver` does that and makes the listeners too.
"""

from __future__ import annotations

import atexit
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salmon.routing import Router

from kumo_handlers.broker.terms import BrokerURL
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.journal.sink import SinkOptions, open_sink
from kumo_handlers.pipeline import broker_check, installation, residents, rules, shipping_check
from kumo_handlers.pipeline.installation import Installation
from kumo_handlers.pipeline.receiver import Receiver, require_loaded
from kumo_handlers.pipeline.reload import Watched
from kumo_handlers.pipeline.rules import Rules
from kumo_handlers.pipeline.settings import Commit, Settings
from kumo_handlers.policy import source
from kumo_handlers.queue.commit import Committer
from kumo_handlers.queue.courier import DeliveryOptions
from kumo_handlers.queue.delivery import Delivery
from kumo_handlers.queue.kept import KeptFolder
from kumo_handlers.queue.schedule import RetrySchedule
from kumo_handlers.queue.spool import Limits
from kumo_handlers.reports import classification
from kumo_handlers.shipping.companion import Companion
from kumo_handlers.shipping.orders import Orders

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from kumo_handlers.policy.base import Policy
    from kumo_handlers.queue.destination import Relay
    from kumo_handlers.reports.classification import Classifier

_log = logging.getLogger(__name__)


def configure(module: ModuleType | Any) -> Installation:  # noqa: ANN401 - any namespace of settings
    """Load what ``config/settings.py`` says and put it in place.

    Raises `ConfigurationError` with every problem in settings, rules and rule files.
    """
    _mend_logging()
    settings = Settings.read(module)
    shipping_check.check(settings)
    ruled = Rules(settings)
    ruled.close()  # a process that starts may fork yet; who follows the rules connects again
    installed = Installation(
        settings,
        ruled.policy,
        _load_classifier(settings, ruled.policy),
        lambda installed: _open(installed, getattr(module, "relay", None)),
    )
    installed.watched = _watched(installed, ruled)
    installation.install(installed)
    atexit.register(installed.close)
    return installed


def receiver(module: ModuleType | Any) -> Receiver:  # noqa: ANN401 - any namespace of settings
    """`settings.receiver`: the listeners of ``config/settings.py``, to be started by Salmon.

    Where `settings.commit` is a broker's URL they hand over what they accept, and no handler is
    called here: `worker` is for that.
    """
    installed = configure(module)
    broker = broker_check.broker(installed.settings)
    if broker is None:
        return Receiver(installed, installed.watched, _handlers_of(module))
    engage = residents.handing_over(broker)
    return Receiver(installed, installed.watched, _nothing, engage=engage)


def worker(module: ModuleType | Any) -> Receiver:  # noqa: ANN401 - any namespace of settings
    """`settings.receiver` of a worker: takes accepted mail from the broker of `settings.commit`.

    Raises `ConfigurationError` where that is none.
    """
    installed = configure(module)
    broker = broker_check.broker(installed.settings)
    if broker is None:
        problem = Problem(
            message="a worker takes mail from a broker",
            option="commit",
            expected="amqp://USER:PASSWORD@HOST/",
        )
        raise ConfigurationError(problem)
    relay = getattr(module, "relay", None)
    engage = residents.working(broker, relay, _delivery_options(installed))
    return Receiver(installed, installed.watched, _handlers_of(module), engage=engage)


def _handlers_of(module: ModuleType | Any) -> Callable[[], None]:  # noqa: ANN401 - as above
    """What checks that Salmon loaded them."""
    handlers = tuple(getattr(module, "handlers", ()))
    return lambda: require_loaded(handlers, set(Router.HANDLERS))


def _nothing() -> None:
    """No handler is called here, so none has to be loaded."""


def _watched(installed: Installation, ruled: Rules) -> list[Watched]:
    """What is loaded again when its sources change."""
    settings = installed.settings

    def signature() -> object:
        found = ruled.signature()
        installed.counters.silent_databases = ruled.silent_databases
        return found

    def put_in_force() -> None:
        if ruled.policy.version != installed.policy.version:
            _log.info("new rules in force: %s", ruled.policy.version)
        installed.policy = ruled.policy

    def replace_policy() -> None:
        ruled.renew()
        put_in_force()

    def replace_all() -> None:
        ruled.read()
        put_in_force()

    def replace_classifier() -> None:
        installed.classifier = _load_classifier(settings, installed.policy)

    return [
        Watched("rules", signature, replace_policy, replace_all),
        Watched(
            "rules of classification",
            lambda: source.signature(rules.classification_files(settings, installed.policy)),
            replace_classifier,
        ),
    ]


def _load_classifier(settings: Settings, policy: Policy) -> Classifier:
    """The rules of classification: ours, those of the settings, those that the policy names."""
    return classification.load(rules.classification_files(settings, policy))


def _sink_options(installed: Installation) -> SinkOptions:
    """Where records go; a policy may say when a segment ends."""
    settings, events = installed.settings, installed.policy.events
    return SinkOptions(
        Path(settings.run_dir) / "log",
        (events and events.max_segment_duration) or settings.max_segment_duration,
        (events and events.max_segment_size) or settings.max_segment_size,
    )


def _open(installed: Installation, relay: Relay | None) -> tuple[Committer, Callable[[], None]]:
    """The committer, with shipping beside it, and how both are closed."""
    settings = installed.settings
    committer, close_queue = _open_queue(installed, relay)
    if not settings.ship:
        return committer, close_queue
    companion = Companion(Orders(str(Path(settings.run_dir).absolute()), settings.ship))

    def close() -> None:
        close_queue()
        companion.stop()

    return committer, close


def _open_queue(
    installed: Installation, relay: Relay | None
) -> tuple[Committer, Callable[[], None]]:
    """The committer, and how all of the queue is closed. Delivery runs where there is a relay."""
    settings = installed.settings
    run_dir = Path(settings.run_dir)
    options = _sink_options(installed)
    committer = Committer(
        run_dir,
        {name: open_sink(name, options) for name in settings.sinks},
        limits=Limits(settings.max_queue_size, settings.max_queue_messages),
        durable=settings.commit is not Commit.NONE,
        kept=KeptFolder(
            run_dir / "unparsed",
            max_files=settings.max_unparsed_messages,
            max_bytes=settings.max_unparsed_size,
        ),
    )
    committer.start()
    if relay is None:
        if not isinstance(settings.commit, BrokerURL):
            _log.warning("settings.relay is not set: mail to relay stays in the queue")
        return committer, committer.close
    delivery = Delivery(relay, committer, _delivery_options(installed), installed.classify)
    delivery.start()

    def close() -> None:
        delivery.stop(settings.stop_timeout)
        committer.close()

    return committer, close


def _delivery_options(installed: Installation) -> DeliveryOptions:
    settings = installed.settings
    return DeliveryOptions(
        retry=RetrySchedule(
            first=settings.retry_interval,
            most=settings.max_retry_interval,
            give_up=settings.max_age,
        ),
        ehlo_name=installed.listeners[0].hostname,
    )


def _mend_logging() -> None:
    """Wake our loggers up.

    QUIRK: ``logging.config.fileConfig``, which every Salmon project calls in its boot module,
    silences each logger that exists by then, and ours do: settings import this package.
    """
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("kumo_handlers") and isinstance(logger, logging.Logger):
            logger.disabled = False
