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

from kumo_handlers.journal.reporting import Reading
from kumo_handlers.journal.sink import SinkOptions, open_sink
from kumo_handlers.pipeline import installation
from kumo_handlers.pipeline.installation import Installation
from kumo_handlers.pipeline.receiver import Receiver, require_loaded
from kumo_handlers.pipeline.settings import Commit, Settings
from kumo_handlers.policy import tables
from kumo_handlers.queue.commit import Committer
from kumo_handlers.queue.kept import KeptFolder
from kumo_handlers.queue.spool import Limits
from kumo_handlers.reports import classification

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from kumo_handlers.policy.base import Policy

_log = logging.getLogger(__name__)


def configure(module: ModuleType | Any) -> Installation:  # noqa: ANN401 - any namespace of settings
    """Load what ``config/settings.py`` says and put it in place.

    Raises `ConfigurationError` with every problem in settings, rules and rule files.
    """
    _mend_logging()
    settings = Settings.read(module)
    reading = Reading(classification.load(settings.classification))
    installed = Installation(
        settings,
        load_policy(settings),
        reading,
        lambda: _open_queue(settings, lambda: getattr(module, "relay", None)),
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
        lambda: load_policy(installed.settings),
        lambda: require_loaded(handlers, set(Router.HANDLERS)),
    )


def load_policy(settings: Settings) -> Policy:
    """The rules as they are now. Raises `ConfigurationError` with all that is wrong."""
    return tables.load(settings.listener_domains)


def _open_queue(
    settings: Settings, relay: Callable[[], Any]
) -> tuple[Committer, Callable[[], None]]:
    """The committer, and how it is closed."""
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
    return committer, committer.close


def _mend_logging() -> None:
    """Wake our loggers up.

    QUIRK: ``logging.config.fileConfig``, which every Salmon project calls in its boot module,
    silences each logger that exists by then, and ours do: settings import this package.
    """
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("kumo_handlers") and isinstance(logger, logging.Logger):
            logger.disabled = False
