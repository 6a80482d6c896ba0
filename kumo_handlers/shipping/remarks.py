"""What is said of a destination that fares badly: enough, and not once for each record."""

from __future__ import annotations

import logging
import re
import time

log = logging.getLogger(__name__)

PAUSE = 60.0  # seconds between two lines that say the same
_MOST = 100  # reasons that are remembered; some have a number that is never the same
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def of(error: BaseException) -> str:
    """An error as a reason; of one that says nothing, its name in words: ``read error``."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {text}" if text else _CAPITAL.sub(" ", name).lower()


class Remarks:
    """On one destination, in the log."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_resting = False
        self._reasons: dict[str, float] = {}
        self._refused = 0
        self._refused_due = float("-inf")

    def resting(self, reason: str) -> None:
        """It takes nothing now: said once for each reason, until it takes records again.

        Where it does so for a moment only, once a minute.
        """
        self._is_resting = True
        if reason not in self._reasons:
            if len(self._reasons) >= _MOST:
                self._reasons.clear()
            self._reasons[reason] = time.monotonic()
            log.warning("%s takes no records: %s", self._name, reason)

    def good(self) -> None:
        """It took records."""
        if self._is_resting:
            self._is_resting = False
            log.warning("%s takes records again", self._name)
            since = time.monotonic() - PAUSE
            self._reasons = {why: at for why, at in self._reasons.items() if at > since}

    def refused(self, reason: str) -> None:
        """A record it will never take: the first is said, and then how many, once a minute."""
        self._refused += 1
        now = time.monotonic()
        if now < self._refused_due:
            return
        log.error(
            "%s will never take %s: %s",
            self._name,
            "a record, which is kept"
            if self._refused == 1
            else f"{self._refused} more records, which are kept; the last",
            reason,
        )
        self._refused = 0
        self._refused_due = now + PAUSE
