"""The table of warnings: one function each, by the name it is known by."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.errors import Problem
from kumo_handlers.policy.advice import open_relay, options, reach, spelling
from kumo_handlers.policy.advice.place import place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kumo_handlers.policy.advice.subject import Finding, Subject

    Check = Callable[[Subject], Iterable[Finding]]

CHECKS: dict[str, Check] = {
    "open-relay-to": open_relay.to_everywhere,
    "open-relay-from": open_relay.from_everyone,
    "open-relay-hosts": open_relay.hosts_of_everyone,
    "no-entries": reach.no_entries,
    "bare-address": reach.bare_address,
    "hidden-by-sections": reach.hidden_by_sections,
    "unheard-section": reach.unheard_section,
    "was-hidden-in-kumomta": reach.used_to_be_hidden,
    "dropped-options": options.dropped,
    "inherits-nothing": options.inherits_nothing,
    "own-default": options.own_default,
    "one-letter-apart": spelling.one_letter_apart,
}
# More of one kind are counted, not shown: a file may have a hundred thousand of them.
MOST_SHOWN = 20


class Warned(msgspec.Struct, frozen=True):
    """One warning, and the name of its kind."""

    kind: str
    problem: Problem


def warnings(subject: Subject, file: str | None = None) -> Iterator[Warned]:
    """All there is to warn of, in the order of the table; ``file`` is that of the listeners."""
    for kind, check in CHECKS.items():
        findings = iter(check(subject))
        for finding in islice(findings, MOST_SHOWN):
            yield Warned(kind, place(subject, finding, file))
        more = sum(1 for _ in findings)
        if more:
            yield Warned(kind, Problem(message=f"{more} more like these are not shown"))
