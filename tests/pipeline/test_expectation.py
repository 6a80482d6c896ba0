"""Expectations: what they say, what is expected of a decision, and what is not as expected."""

from __future__ import annotations

from typing import Any

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.pipeline import expectation
from kumo_handlers.pipeline.expectation import Difference, judge, read
from kumo_handlers.policy import situation, tables
from kumo_handlers.policy.options import Place

HERE = Place(file="expected.toml", line=3)
POLICY = tables.load(
    [{"example.com": {"relay_to": True, "log_oob": "LogThenDrop"}, "b.example": {"log_oob": True}}]
)
TABLE: dict[str, Any] = {
    "peer": "192.0.2.1",
    "from": "<>",
    "to": "bob@example.com",
    "answer": "accept",
    "rule": "relay_to",
    "log": ["bounce"],
    "relay": ["message", "complaint"],
}


def differences(**changed: object) -> tuple[Difference, ...]:
    """What is not as the table, with some of it changed, expects."""
    return judge(read(TABLE | changed, HERE), POLICY, ())


def test_as_expected() -> None:
    """All of it is."""
    assert differences() == ()


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"answer": "refuse"}, Difference("answer", "refuse", "accept")),
        ({"rule": "log_oob"}, Difference("rule", "log_oob", "relay_to")),
        ({"log": []}, Difference("log", "nothing", "bounce")),
        ({"log": ["bounce", "complaint"]}, Difference("log", "bounce, complaint", "bounce")),
        ({"relay": ["message"]}, Difference("relay", "message", "complaint, message")),
    ],
)
def test_not_as_expected(changed: dict[str, Any], difference: Difference) -> None:
    """What differs, what was expected and what is."""
    assert differences(**changed) == (difference,)


def test_what_is_not_said_does_not_matter() -> None:
    """Question and answer are enough."""
    few = {name: TABLE[name] for name in ("peer", "from", "to", "answer")}
    assert judge(read(few, HERE), POLICY, ()) == ()


@pytest.mark.parametrize("recipient", ["x@example.com", "x@b.example", "x@nowhere.example"])
def test_what_was_decided_is_what_is_expected(recipient: str) -> None:
    """A decision written down, and read again, holds."""
    question = situation.Question(peer="192.0.2.1", sender="", recipient=recipient)
    decided = situation.of(question).decide(POLICY)
    table = expectation.of(question, decided)
    assert judge(read(table, HERE), POLICY, ()) == ()
    assert table["answer"] == ("accept" if decided.accepted else "refuse")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"answer": "maybe"}, "option answer: wrong value, got 'maybe'; expected accept or refuse"),
        ({"log": ["bounces"]}, "option log: wrong value, got ['bounces']; expected a list of"),
        ({"form": "x"}, "option form: unknown option"),
    ],
)
def test_what_is_no_expectation(changed: dict[str, Any], message: str) -> None:
    """The error says file, line, option, value and what was expected."""
    with pytest.raises(ConfigurationError) as caught:
        read(TABLE | changed, HERE)
    assert f"expected.toml:3: {message}" in str(caught.value)


def test_what_must_be_said() -> None:
    """Without a question there is no answer."""
    with pytest.raises(ConfigurationError) as caught:
        read({"from": "", "answer": "refuse"}, HERE)
    assert str(caught.value) == "expected.toml:3: peer and to must be said"
