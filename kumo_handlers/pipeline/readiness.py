"""What systemd is told about this process, where it wants to know: sd_notify(3).

``Type=notify`` waits for READY; ``Type=notify-reload`` for RELOADING and READY again;
``WatchdogSec=`` for a sign of life, which the event loop gives: one that hangs gives none.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_log = logging.getLogger(__name__)


class Readiness:
    """The way to whoever supervises us; where there is nobody, nothing is said."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._watchdog = _watchdog(environ)

    def ready(self, status: str) -> None:
        """Started, or reloaded; ``status`` is one line for ``systemctl status``."""
        self._say("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """The rules are being read again."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """No more clients are taken."""
        self._say("STOPPING=1", "STATUS=finishing what is in flight")

    async def live(self) -> None:
        """Give signs of life, twice as often as they are expected, until cancelled."""
        while self._watchdog is not None:
            self._say("WATCHDOG=1")
            await asyncio.sleep(self._watchdog / 2)

    def _say(self, *lines: str) -> None:
        if not self._address:
            return
        # @ stands for the zero octet of a name in the abstract namespace: unix(7)
        address = self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifier:
                notifier.connect(address)
                notifier.send("\n".join(lines).encode())
        except OSError as error:
            _log.warning("systemd cannot be told %s: %s", lines[0], error)


def _watchdog(environ: Mapping[str, str]) -> float | None:
    """Seconds within which a sign of life is expected from this process: sd_watchdog_enabled(3)."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdigit() or int(microseconds) == 0:
        return None
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 1_000_000
