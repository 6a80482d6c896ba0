"""One reply for all recipients, and what is committed with it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kumo_handlers.journal.record import Arrival, Record, RecordType, Response, rejection
from kumo_handlers.mail.address import parse
from kumo_handlers.mail.reply import Reply, reply
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.pipeline.chain import Handled
from kumo_handlers.pipeline.settlement import settle
from kumo_handlers.queue.unit import Unit

OK = reply(250, "2.0.0", "OK")
BUSY = reply(451, "4.3.0", "later")
NO = reply(550, "5.7.1", "no")


def mail(name: str) -> Any:
    """A mail for which nothing is staged yet."""
    arrival = Arrival(
        id=name,
        session=Session("s", Peer("192.0.2.1")),
        reverse_path=parse(""),
        forward_path=parse(f"{name}@example.com"),
        size=1,
        time=1.0,
    )
    records: list[Record] = []
    return SimpleNamespace(
        arrival=arrival,
        records=records,
        take_staged=lambda: Unit(records=tuple(records)),
        take_outgoing=list,
    )


@pytest.mark.parametrize(
    ("replies", "said", "committed", "failed"),
    [
        ([OK], OK, ["Reception"], 0),
        ([OK, OK], OK, ["Reception", "Reception"], 0),
        ([NO], NO, ["Rejection"], 0),
        ([NO, BUSY], BUSY, ["Rejection", "Rejection"], 0),
        ([BUSY], BUSY, ["Rejection"], 0),
        ([OK, BUSY], OK, ["Reception", "Rejection"], 1),
        ([NO, OK, BUSY], OK, ["Reception", "Rejection", "Rejection"], 2),
    ],
)
def test_smtp(replies: list[Reply], said: Reply, committed: list[str], failed: int) -> None:
    """250 if anyone was accepted; else a temporary failure before a permanent one."""
    mails = [mail(f"r{number}") for number in range(len(replies))]
    settled = settle(mails, [Handled(each) for each in replies], per_recipient=False)
    assert settled.replies == (said,)
    assert [record.type for record in settled.unit.records] == committed
    assert len(settled.failed) == failed


def test_lmtp() -> None:
    """Each recipient has its own reply: nobody is undeliverable."""
    settled = settle([mail("a"), mail("b")], [Handled(OK), Handled(NO)], per_recipient=True)
    assert settled.replies == (OK, NO)
    assert settled.failed == ()
    assert [record.type for record in settled.unit.records] == ["Reception", "Rejection"]


def test_a_transaction_that_ended_early() -> None:
    """Recipients behind the failure were not tried; their sender has them still."""
    settled = settle([mail("a"), mail("b")], [Handled(BUSY, "app.x")], per_recipient=False)
    assert settled.replies == (BUSY,)
    (record,) = settled.unit.records
    assert (record.type, record.meta["handler"]) == (RecordType.REJECTION, "app.x")


def test_a_refusal_that_was_staged_is_logged_once() -> None:
    """The record a handler made says more than one made from the reply."""
    refused = mail("a")
    refused.records.append(rejection(refused.arrival, Response.of(NO), site="staged"))
    settled = settle([refused], [Handled(NO)], per_recipient=False)
    assert [record.site for record in settled.unit.records] == ["staged"]
