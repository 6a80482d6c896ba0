"""Wrong passwords, counted by address: whoever guesses has to wait, and in the end is not heard.

Limits in one connection alone would invite a guesser to open another one.
"""

from __future__ import annotations

from typing import Final

# Seconds that the first wrong password costs; each further one costs twice as much.
FIRST_DELAY: Final = 1.0
LONGEST_DELAY: Final = 15.0
# Wrong passwords before an address is refused without being asked, until it was quiet so long
MAX_GUESSES: Final = 20
FORGET_AFTER: Final = 600.0
# Addresses remembered; the one that was quiet longest is forgotten first.
MAX_HOSTS: Final = 10_000


class Guesses:
    """The wrong passwords of late. Times are seconds of whatever clock the caller has."""

    def __init__(self) -> None:
        self._by_host: dict[str, tuple[int, float]] = {}

    def note(self, host: str, now: float) -> float:
        """A wrong password came from ``host``; how long its reply is to wait."""
        count = self._count(host, now) + 1
        self._by_host.pop(host, None)
        self._by_host[host] = (count, now)
        if len(self._by_host) > MAX_HOSTS:
            del self._by_host[next(iter(self._by_host))]
        return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** (count - 1))

    def are_too_many(self, host: str, now: float) -> bool:
        """Whether ``host`` is not to be asked for passwords now."""
        return self._count(host, now) >= MAX_GUESSES

    def forgive(self, host: str) -> None:
        """The right password came from ``host``."""
        self._by_host.pop(host, None)

    def _count(self, host: str, now: float) -> int:
        count, last = self._by_host.get(host, (0, now))
        return count if now - last < FORGET_AFTER else 0
