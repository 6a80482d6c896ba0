"""Who is there: the conversations of a listener, all of them and by address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

Member = TypeVar("Member")


class Census(Generic[Member]):
    """Conversations and the host of each; ``""`` is a host like any other here.

    Who was refused is there until it hangs up, and takes nobody's place meanwhile: it has no host.
    """

    def __init__(self) -> None:
        self._hosts: dict[Member, str | None] = {}
        self._counts: dict[str, int] = {}
        self.admitted = 0

    def __len__(self) -> int:
        return len(self._hosts)

    def __iter__(self) -> Iterator[Member]:
        # Whoever goes through it ends conversations on the way.
        return iter(tuple(self._hosts))

    def enter(self, member: Member, host: str) -> None:
        """A member is there, or turned out to be from another host."""
        self.leave(member)
        self._hosts[member] = host
        self._counts[host] = self._counts.get(host, 0) + 1
        self.admitted += 1

    def refuse(self, member: Member) -> None:
        """A member is told that there is no place for it."""
        self.leave(member)
        self._hosts[member] = None

    def leave(self, member: Member) -> None:
        """A member is gone."""
        host = self._hosts.pop(member, None)
        if host is None:
            return
        self.admitted -= 1
        self._counts[host] -= 1
        if not self._counts[host]:
            del self._counts[host]

    def count(self, host: str) -> int:
        """How many members ``host`` has."""
        return self._counts.get(host, 0)
