"""Changed rules take effect by themselves: within a second, whole or not at all.

The files of the policy in force are looked at twice a second, and at once when asked. What
cannot be loaded is logged, and the last good policy stays in force until the file is mended.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy import source

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.pipeline.installation import Installation
    from kumo_handlers.policy.base import Policy

_log = logging.getLogger(__name__)
INTERVAL = 0.5  # seconds between two looks


class Reloader:
    """A thread that keeps the policy of an installation up to date."""

    def __init__(self, installed: Installation, load: Callable[[], Policy]) -> None:
        self._installed = installed
        self._load = load
        self._seen = source.signature(installed.policy.files)
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="reload", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def ask(self) -> None:
        """Load again now, changed or not: what SIGHUP asks for."""
        self._seen = ()
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            self.check()
            self._wake.wait(INTERVAL)
            self._wake.clear()

    def check(self) -> None:
        """Load the rules if their files are not what they were."""
        now = source.signature(self._installed.policy.files)
        if now == self._seen:
            return
        self._seen = now
        try:
            policy = self._load()
        except ConfigurationError as error:
            _log.error("the rules stay as they were, the new ones have errors:\n%s", error)
            return
        except Exception:  # noqa: BLE001 - the thread must go on watching
            _log.exception("the rules stay as they were, the new ones cannot be loaded")
            return
        if policy.version != self._installed.policy.version:
            _log.info("new rules in force: %s", policy.version)
        self._installed.policy = policy
