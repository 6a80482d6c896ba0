"""Whether the order of ``settings.handlers`` loses mail, or hides it from the app's own handlers.

Each rule is a row: what stands in the wrong place, and what becomes of mail because of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kumo_handlers.errors import Problem
from kumo_handlers.pipeline import in_order

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

GATE, ARF, OOB, DROP, RELAY = in_order()
# (a handler of ours, what is lost without it)
_NEEDED: Final = (
    (GATE, "mail that must be refused is accepted"),
    (ARF, "complaints are accepted and never logged: they are lost"),
    (OOB, "bounces are accepted and never logged: they are lost"),
    (DROP, "reports that go no further are seen by the handlers of ordinary mail"),
    (RELAY, "mail to relay is accepted and never queued: it is lost"),
)
# (what must come first, what must come later, what happens otherwise)
_ORDER: Final = (
    (GATE, ARF, "reports are logged that are refused afterwards"),
    (GATE, OOB, "reports are logged that are refused afterwards"),
    (ARF, DROP, "complaints are dropped before they are logged: they are lost"),
    (OOB, DROP, "bounces are dropped before they are logged: they are lost"),
    (GATE, DROP, "mail is dropped that should be refused"),
    (DROP, RELAY, "the app's own handlers between them see reports that go no further"),
)


def missing(handlers: Sequence[str]) -> Iterator[Problem]:
    """The handlers of ours without which mail is lost, or let in."""
    for name, consequence in _NEEDED:
        if name not in handlers:
            yield _problem(name, f"is missing: {consequence}")


def check(handlers: Sequence[str], on_reports: Collection[str] = ()) -> Iterator[Problem]:
    """What is wrong with the order. ``on_reports`` are the app's modules that look at reports."""
    place = {name: at for at, name in enumerate(handlers)}
    for first, later, consequence in _ORDER:
        if place.get(first, 0) > place.get(later, len(handlers)):
            yield _problem(first, f"comes after {later}: {consequence}")
    for name, at in place.items():
        if name in on_reports and at > place.get(DROP, at):
            yield _problem(name, f"comes after {DROP}: it never sees a report that is dropped")
        if not _is_ours(name) and at < place.get(GATE, 0):
            yield _problem(name, f"comes before {GATE}: it sees mail that is refused afterwards")
        if handlers.count(name) > 1:
            yield _problem(name, "is named twice: Salmon loads it once, at its first place")


def _is_ours(name: str) -> bool:
    return name.rpartition(".")[0] == GATE.rpartition(".")[0]


def _problem(name: str, message: str) -> Problem:
    return Problem(
        message=f"{name} {message}",
        option="handlers",
        hint="kumo_handlers.pipeline(reports=[…], inbound=[…]) gives the order",
    )
