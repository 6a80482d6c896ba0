"""The handlers of this package: which of them act on what, and where the chain ends."""

from __future__ import annotations

import importlib

import pytest
from salmon.server import SMTPError

from kumo_handlers.mail.session import Peer
from kumo_handlers.pipeline import staging
from kumo_handlers.pipeline.outcome import Logged, Outcome, Then
from kumo_handlers.pipeline.received_mail import ReceivedMail


def acted(name: str, outcome: Outcome, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the handler of that name asked for, given a mail with this outcome."""
    asked: list[str] = []
    for what in ("refuse", "log_report", "relay"):
        monkeypatch.setattr(staging, what, lambda _, what=what: asked.append(what))
    monkeypatch.setattr(staging, "drop", lambda: asked.append("drop"))
    mail = ReceivedMail.__new__(ReceivedMail)
    mail._outcome = outcome
    handler = importlib.import_module(f"kumo_handlers.handlers.{name}").START
    handler(mail, address="x", host="example.com")
    return asked


@pytest.mark.parametrize("logged", list(Logged))
@pytest.mark.parametrize("then", list(Then))
def test_each_does_its_part(logged: Logged, then: Then, monkeypatch: pytest.MonkeyPatch) -> None:
    """`gate` refuses, `arf` and `oob` log their own, `drop` drops, `relay` relays; nothing else."""
    outcome = Outcome(logged, then, "")
    feedback = logged in {Logged.FEEDBACK, Logged.UNREADABLE_FEEDBACK}
    bounce = logged in {Logged.OOB, Logged.NO_FAILURE, Logged.UNREADABLE_BOUNCE}
    expected = {
        "gate": ["refuse"] * (then is Then.REFUSE),
        "arf": ["log_report"] * feedback,
        "oob": ["log_report"] * bounce,
        "drop": ["drop"] * (then is Then.DROP),
        "relay": ["relay"] * (then is Then.RELAY),
    }
    found = {name: acted(name, outcome, monkeypatch) for name in expected}
    assert found == expected


def test_what_ends_a_chain() -> None:
    """Only an SMTPError does: `gate`'s refusal names the peer, `drop`'s is an acceptance."""
    with pytest.raises(SMTPError, match=r"^250 2\.0\.0 OK, logged$"):
        staging.drop()
    refusal = staging.smtp_error(staging.not_permitted(Peer("192.0.2.9", 4000)))
    assert str(refusal) == "550 5.7.1 relaying not permitted for 192.0.2.9:4000"
