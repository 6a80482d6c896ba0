"""Changed rules take effect by themselves: within a second, whole or not at all.

The files and tables that something was loaded from are looked at twice a second, and all is loaded
again when asked. What cannot be loaded is logged, and what was loaded last stays in force until it
is mended.
"""

import logging
import threading
from collections.abc import Callable, Sequence

import msgspec

from kumo_handlers.errors import ConfigurationError

_log = logging.getLogger(__name__)
INTERVAL = 0.5  # seconds between two looks


class Watched(msgspec.Struct):
    """Something that was loaded: its name, what differs when it changed, how it is replaced.

    ``replace`` loads it and puts it in force, or raises and changes nothing. ``replace_all`` does
    so for whoever asks for it, where ``replace`` takes no more than what changed.
    """

    name: str
    signature: Callable[[], object]
    replace: Callable[[], None]
    replace_all: Callable[[], None] | None = None
    seen: object = None

    def look(self) -> None:
        """Take it for seen as it is now."""
        self.seen = self.signature()

    def check(self) -> None:
        """Replace it if it is not what was seen last."""
        before = self.seen
        self.look()
        if self.seen != before:
            self._try(self.replace, before)

    def check_all(self) -> None:
        """Replace it, whatever was seen."""
        self.look()
        self._try(self.replace_all or self.replace, None)

    def _try(self, replace: Callable[[], None], before: object) -> None:
        try:
            replace()
        except ConfigurationError as error:
            _log.error("the %s stay as they were, the new ones have errors:\n%s", self.name, error)
        except OSError as error:
            _log.error("the %s stay as they were: %s", self.name, error)
            self.seen = before  # no mistake of the user's: the next look tries again
        except Exception:  # noqa: BLE001 - the thread must go on watching
            _log.exception("the %s stay as they were, the new ones cannot be loaded", self.name)


class Reloader:
    """A thread that keeps what is watched up to date. ``done`` is told when it was asked to."""

    def __init__(self, watched: Sequence[Watched], done: Callable[[], None]) -> None:
        self._watched = watched
        self._done = done
        self._asked = threading.Event()
        for each in watched:
            each.look()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        # QUIRK: in Python 3.13 a thread that was made before a fork cannot be started behind it.
        self._thread = threading.Thread(target=self._run, name="reload", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def ask(self) -> None:
        """Load all of it again now, changed or not: what SIGHUP asks for."""
        self._asked.set()
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            was_asked = self._asked.is_set()
            self._asked.clear()
            for each in self._watched:
                (each.check_all if was_asked else each.check)()
            if was_asked:
                self._done()
            self._wake.wait(INTERVAL)
            self._wake.clear()
