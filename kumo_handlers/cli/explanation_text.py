"""An explanation as a page to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kumo_handlers.cli.columns import columns
from kumo_handlers.reports.report import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kumo_handlers.pipeline.prospect import Prospect
    from kumo_handlers.pipeline.rehearsal import Rehearsal
    from kumo_handlers.policy.explaining import Lookup, Rule
    from kumo_handlers.policy.remedy import Remedy
    from kumo_handlers.policy.situation import Situation

_GOES = {"relay": "relayed", "drop": "goes no further", "refuse": "refused after DATA"}


def lines(answer: dict[str, Any], situation: Situation) -> Iterator[str]:
    """The page. ``answer`` is what ``explain --json`` gives, not encoded yet."""
    accepted = answer["decision"] == "accept"
    verdict = f"accepted, by {answer['rule']}" if accepted else "refused"
    yield click.style(verdict, fg="green" if accepted else "red") + f": {answer['reply']}"
    if answer["refused_at"]:
        yield f"the policy's script refuses it at {answer['refused_at']}"
    yield ""
    yield f"listener {situation.session.local}, peer {situation.session.peer.host or 'unknown'}"
    yield from _lookup("recipient", str(situation.forward_path), answer["recipient"])
    yield from _lookup("sender", str(situation.reverse_path) or "<>", answer["sender"])
    yield from _rules(answer["rules"])
    yield from _prospects(answer["then"])
    if answer["content"] is not None:
        yield from _content(answer["content"])
    yield from _remedies(answer["remedies"])


def _lookup(who: str, address: str, lookup: Lookup) -> Iterator[str]:
    yield ""
    yield f"{who} {address}" + ("" if lookup.domain else ": no domain, so only * has an entry")
    rows = [
        (
            f'listener."{asked.section}"' if asked.section else "general",
            asked.key,
            asked.answer,
            asked.origin,
            ", ".join(f"{name} = {value}" for name, value in asked.options.items())
            or ("" if asked.answer == "nothing" else "all options off"),
        )
        for asked in lookup.asked
    ]
    yield from columns(rows) if rows else ("  no entry",)


def _rules(rules: Iterable[Rule]) -> Iterator[str]:
    yield ""
    yield "rules, the first that holds decides"
    yield from columns([(rule.name, "yes" if rule.holds else "no", rule.because) for rule in rules])


def _prospects(prospects: Iterable[Prospect]) -> Iterator[str]:
    rows = [
        (each.what, ", ".join(each.records) or "-", _GOES[each.then], each.because)
        for each in prospects
    ]
    if rows:
        yield ""
        yield "what becomes of a message, a bounce, a complaint: records, where it goes, why"
        yield from columns(rows)


def _content(rehearsal: Rehearsal) -> Iterator[str]:
    yield ""
    yield f"this message: {rehearsal.reply}"
    yield f"  {_read_by(rehearsal)}"
    outcome = rehearsal.outcome
    yield f"  {_GOES[outcome.then]}: {outcome.because}"
    yield from columns(
        [
            (each.type, f"{each.sender or '<>'} to {each.recipient}", str(each.response.code))
            for each in rehearsal.records
        ]
    )


def _read_by(rehearsal: Rehearsal) -> str:
    """Which stage read the message, and how far that is to be trusted."""
    match rehearsal.report:
        case None:
            return "no stage reads it as a report"
        case Unreadable(reason=reason):
            return f"a report nobody can read: {reason}"
        case report:
            return f"read by the stage {rehearsal.stage!r}, source {report.source}"


def _remedies(remedies: Iterable[Remedy]) -> Iterator[str]:
    for number, remedy in enumerate(remedies, 1):
        yield ""
        if number == 1:
            yield "the smallest changes that would accept it"
        where = f"at {remedy.where}" if remedy.where else "a new entry"
        yield f"  {number}. {remedy.effect} ({where})"
        yield from (f"       {line}" for line in remedy.lines)
