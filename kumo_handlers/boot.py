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

from kumo_handlers.journal.sink import SinkOptions, open_sink
from kumo_handlers.pipeline import installation
from kumo_handlers.pipeline.installation import Installation
from kumo_handlers.pipeline.receiver import Receiver, require_loaded
from kumo_handlers.pipeline.reload import Watched
from kumo_handlers.pipeline.settings import Commit, Settings
from kumo_handlers.policy import tables
from kumo_handlers.queue.commit import Committer
from kumo_handlers.queue.courier import DeliveryOptions
from kumo_handlers.queue.delivery import Delivery
from kumo_handlers.queue.kept import KeptFolder
from kumo_handlers.queue.schedule import RetrySchedule
from kumo_handlers.queue.spool import Limits
from kumo_handlers.reports import classification

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from kumo_handlers.policy.base import Policy
    from kumo_handlers.queue.destination import Relay

_log = logging.getLogger(__name__)


def configure(module: ModuleType | Any) -> Installation:  # noqa: ANN401 - any namespace of settings
    """Load what ``config/settings.py`` says and put it in place.

    Raises `ConfigurationError` with every problem in settings, rules and rule files.
    """
    _mend_logging()
    settings = Settings.read(module)
    installed = Installation(
        settings,
        load_policy(settings),
        classification.load(settings.classification),
        lambda installed: _open_queue(installed, getattr(module, "relay", None)),
    )
    installation.install(installed)
    atexit.register(installed.close)
    return installed


def receiver(module: ModuleType | Any) -> Receiver:  # noqa: ANN401 - any namespace of settings
    """`settings.receiver`: the listeners of ``config/settings.py``, to be started by Salmon."""
    installed = configure(module)
    handlers = tuple(getattr(module, "handlers", ()))
    return Receiver(
        installed,
        _watched(installed),
        lambda: require_loaded(handlers, set(Router.HANDLERS)),
    )


def _watched(installed: Installation) -> list[Watched]:
    """What is loaded again when its files change."""
    settings = installed.settings

    def replace_policy() -> None:
        policy = load_policy(settings)
        if policy.version != installed.policy.version:
            _log.info("new rules in force: %s", policy.version)
        installed.policy = policy

    def replace_classifier() -> None:
        installed.classifier = classification.load(settings.classification)

    return [
        Watched("rules", lambda: installed.policy.files, replace_policy),
        Watched("rules of classification", lambda: settings.classification, replace_classifier),
    ]


def load_policy(settings: Settings) -> Policy:
    """The rules as they are now. Raises `ConfigurationError` with all that is wrong."""
    return tables.load(settings.listener_domains)


def _open_queue(
    installed: Installation, relay: Relay | None
) -> tuple[Committer, Callable[[], None]]:
    """The committer, and how all of the queue is closed. Delivery runs where there is a relay."""
    settings = installed.settings
    run_dir = Path(settings.run_dir)
    options = SinkOptions(run_dir / "log", settings.max_segment_duration, settings.max_segment_size)
    committer = Committer(
        run_dir,
        {name: open_sink(name, options) for name in settings.sinks},
        limits=Limits(settings.max_queue_size, settings.max_queue_messages),
        durable=settings.commit is Commit.DURABLE,
        kept=KeptFolder(
            run_dir / "unparsed",
            max_files=settings.max_unparsed_messages,
            max_bytes=settings.max_unparsed_size,
        ),
    )
    committer.start()
    if relay is None:
        _log.warning("settings.relay is not set: mail to relay stays in the queue")
        return committer, committer.close
    delivery = Delivery(relay, committer, _delivery_options(settings), installed.classify)
    delivery.start()

    def close() -> None:
        delivery.stop(settings.stop_timeout)
        committer.close()

    return committer, close


def _delivery_options(settings: Settings) -> DeliveryOptions:
    return DeliveryOptions(
        retry=RetrySchedule(
            first=settings.retry_interval,
            most=settings.max_retry_interval,
            give_up=settings.max_age,
        ),
        ehlo_name=settings.listeners[0].hostname,
    )


def _mend_logging() -> None:
    """Wake our loggers up.

    QUIRK: ``logging.config.fileConfig``, which every Salmon project calls in its boot module,
    silences each logger that exists by then, and ours do: settings import this package.
    """
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("kumo_handlers") and isinstance(logger, logging.Logger):
            logger.disabled = False
