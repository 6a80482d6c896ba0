"""What handlers find when they are called: the one installation of this process.

Salmon's handlers are modules, imported once and again on reload; what they need cannot live in
them. It stands here, put in place by `boot` before the first mail.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from kumo_handlers.errors import ConfigurationError, StorageError
from kumo_handlers.pipeline.counters import Counters
from kumo_handlers.pipeline.reload import Reloader
from kumo_handlers.queue.commit import Committer
from kumo_handlers.reports.trace import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kumo_handlers.pipeline.reload import Watched
    from kumo_handlers.pipeline.settings import Settings
    from kumo_handlers.policy.base import Policy
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.queue.remote import RemoteCommitter
    from kumo_handlers.reports.classification import Classifier


class Installation:
    """Policy, settings and queue of this process.

    ``policy`` is replaced whole when its files change; whoever needs one version for longer than
    a look-up keeps it in a variable. The queue is opened when it is first needed, so that
    looking at routes or running an app's tests touches no file. ``watched`` is what is to be
    loaded again when its files change, by whoever runs for long.
    """

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        classifier: Classifier,
        open_queue: Callable[[Installation], tuple[Committer, Callable[[], None]]],
    ) -> None:
        self.settings = settings
        self.policy = policy
        self.classifier = classifier
        self.trace_keys = Keys.read(settings.trace_keys, settings.trace_max_age)
        self.counters = Counters()
        self.watched: Sequence[Watched] = ()
        self._reloader: Reloader | None = None
        self._open_queue = open_queue
        self._committer: Committer | RemoteCommitter | None = None
        self._close_queue: Callable[[], None] | None = None
        self._opening = threading.Lock()

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Where to listen: as the policy says, or else the settings."""
        return self.policy.listeners or self.settings.listeners

    @property
    def stock_listener(self) -> Listener:
        """The listener whose options hold behind one of Salmon's own receivers."""
        return self.listeners[0]

    def classify(self, line: str) -> str:
        """The class of ``CODE ENHANCED TEXT``, by the rules in force."""
        return self.classifier.classify(line)

    @property
    def committer(self) -> Committer | RemoteCommitter:
        """What makes records and mail durable. Raises `StorageError` if it cannot be opened."""
        if self._committer is None:
            with self._opening:
                if self._committer is None:
                    self._committer, self._close_queue = self._open_queue(self)
        return self._committer

    def follow(self) -> None:
        """Load what is watched again when it changes, until this is closed."""
        if self._reloader is None:
            self._reloader = Reloader(self.watched, _nobody)
            self._reloader.start()

    @property
    def queue(self) -> Committer:
        """The committer where it is this process's own. Raises `StorageError` where it is not."""
        committer = self.committer
        if isinstance(committer, Committer):
            return committer
        raise StorageError("another process has the queue")

    def hand_in(self, committer: RemoteCommitter) -> None:
        """Have another process commit: this one was forked, and opens no queue of its own."""
        self._committer = committer

    def close(self) -> None:
        """Commit what waits, and let go of the queue. The next use opens it again."""
        if self._reloader is not None:
            self._reloader.stop()
            self._reloader = None
        with self._opening:
            close, self._close_queue, self._committer = self._close_queue, None, None
        if close is not None:
            close()


def _nobody() -> None:
    """Nobody asks for a reload, and so nobody is told of one."""


_installed: list[Installation] = []


def install(installation: Installation) -> None:
    """Put ``installation`` in place of the one before, if there was one."""
    forget()
    _installed.append(installation)


def forget() -> None:
    """Close the installation, and be without one."""
    while _installed:
        _installed.pop().close()


def is_installed() -> bool:
    """Whether `current` has something to give."""
    return bool(_installed)


def current() -> Installation:
    """The installation. Raises `ConfigurationError` where nobody configured one."""
    if not _installed:
        raise ConfigurationError(
            "kumo_handlers is not configured: call kumo_handlers.receiver(settings), or "
            "kumo_handlers.configure(settings), in config/boot.py and config/testing.py"
        )
    return _installed[0]
