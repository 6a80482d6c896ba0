"""What a policy is expected to decide, and whether it does.

An expectation is a table of text: a question, ``answer``, and as much of the rest as matters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.pipeline.outcome import Then
from kumo_handlers.pipeline.prospect import SAMPLES, prospects
from kumo_handlers.policy import objection, situation
from kumo_handlers.policy.kinds import STRINGS, TEXT
from kumo_handlers.policy.options import Kind, Option, Place, read_strictly, refuse
from kumo_handlers.policy.situation import Question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kumo_handlers.pipeline.prospect import Prospect
    from kumo_handlers.policy.base import Policy
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.policy.objection import Objection
    from kumo_handlers.policy.relaying import RelayDisposition

ANSWERS: Final = ("refuse", "accept")


def _read_kinds(raw: object) -> frozenset[str]:
    kinds: frozenset[str] = STRINGS.read(raw)
    if not kinds <= SAMPLES.keys():
        raise refuse(raw)
    return kinds


def _read_answer(raw: object) -> str:
    if raw not in ANSWERS:
        raise refuse(raw)
    return str(raw)


_KINDS: Final = Kind("list of kinds", f"a list of {', '.join(SAMPLES)}", _read_kinds)
OPTIONS: Final = {
    option.name: option
    for option in (
        Option("name", TEXT, "what the expectation is called, where it fails"),
        Option("peer", TEXT, "the client's IP, or IP:PORT"),
        Option("listener", TEXT, "IP:PORT the client connects to; by default the first listener"),
        Option("authz", TEXT, "who the client authenticated as"),
        Option("from", TEXT, "the envelope sender, <> for the null one"),
        Option("to", TEXT, "the recipient"),
        Option("answer", Kind("answer", "accept or refuse", _read_answer), "the reply to RCPT"),
        Option("rule", TEXT, "the rule that decides: relay_to, say, or none"),
        Option("log", _KINDS, "the reports that are logged"),
        Option("relay", _KINDS, "what is relayed"),
    )
}
_NEEDED: Final = ("peer", "from", "to", "answer")
_EXPECTED: Final[tuple[str, ...]] = ("answer", "rule", "log", "relay")


class Expectation(msgspec.Struct, frozen=True):
    """A question and what is expected: ``answer``, ``rule``, ``log``, ``relay``, where given."""

    question: Question
    expected: dict[str, Any]
    name: str
    place: Place = Place()


class Difference(msgspec.Struct, frozen=True):
    """One thing that is not as expected."""

    what: str
    expected: str
    actual: str


def read(table: Mapping[str, Any], place: Place) -> Expectation:
    """The expectation that a table says. Raises `ConfigurationError` with all that is wrong."""
    given = read_strictly(table, OPTIONS, place)
    missing = [name for name in _NEEDED if name not in given]
    if missing:
        raise ConfigurationError(place.problem(f"{' and '.join(missing)} must be said"))
    question = Question(
        peer=given["peer"],
        sender=given["from"],
        recipient=given["to"],
        listener=given.get("listener", ""),
        authz=given.get("authz"),
    )
    expected = {name: given[name] for name in _EXPECTED if name in given}
    name = given.get("name") or f"{given['from'] or '<>'} to {given['to']}"
    return Expectation(question, expected, name, place)


def of(
    question: Question, disposition: RelayDisposition, objects: Objection | None = None
) -> dict[str, Any]:
    """The table that expects what was decided, to be written down. Empty parts are left out."""
    asked = {
        "peer": question.peer,
        "listener": question.listener,
        "authz": question.authz,
        "from": question.sender or "<>",
        "to": question.recipient,
    }
    actual = decided(disposition, objects)
    if objects is not None or not disposition.accepted:
        actual = {"answer": actual["answer"]}
    return {name: given for name, given in asked.items() if given} | actual


def judge(
    expectation: Expectation, policy: Policy, listeners: Sequence[Listener]
) -> tuple[Difference, ...]:
    """What is not as expected. Raises as `situation.of` and ``policy.find`` do."""
    asked = situation.of(expectation.question, listeners, policy.events)
    actual = decided(asked.decide(policy), objection.find(policy, asked))
    return tuple(
        Difference(what, _shown(wanted), _shown(actual[what]))
        for what, wanted in expectation.expected.items()
        if actual[what] != wanted
    )


def decided(disposition: RelayDisposition, objects: Objection | None = None) -> dict[str, Any]:
    """The decision in the words of an expectation; ``objects`` refuses whatever it is."""
    found = () if objects else prospects(disposition)
    return {
        "answer": ANSWERS[disposition.accepted and objects is None],
        "rule": disposition.rule,
        "log": frozenset(each.what for each in found if _is_logged(each)),
        "relay": frozenset(each.what for each in found if each.then is Then.RELAY),
    }


def _is_logged(prospect: Prospect) -> bool:
    return bool({"OOB", "Feedback"} & set(prospect.records))


def _shown(given: object) -> str:
    if isinstance(given, frozenset):
        return ", ".join(sorted(given)) or "nothing"
    return str(given)
