"""Who shares a copy of a message, and what stands on top of it."""

from __future__ import annotations

from email import message_from_bytes
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from kumo_handlers.journal.record import Arrival
from kumo_handlers.mail.address import parse
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.pipeline.dispatch import Outgoing, dispatch
from kumo_handlers.policy.listener import Listener, TraceHeaders
from kumo_handlers.queue.queued_mail import QueuedMail
from kumo_handlers.reports import trace
from kumo_handlers.reports.report import TraceTrust

if TYPE_CHECKING:
    from collections.abc import Sequence

KEYS = trace.Keys.read({"2023": "a secret of sixteen bytes"})
LETTER = b"Subject: x\r\n\r\nbody\r\n"


def outgoing(
    number: int, content: bytes = LETTER, headers: TraceHeaders | None = None, **meta: Any
) -> Outgoing:
    """The mail of one of several recipients of a message."""
    arrival = Arrival(
        id=f"id{number}",
        session=Session("s", Peer("192.0.2.9"), hostname="mx.example", meta={"campaign": "spring"}),
        reverse_path=parse("ann@src.example"),
        forward_path=parse(f"Secret{number}@dest.example"),
        size=1,
        time=1_700_000_000.0 + number,
        meta={"transaction": "t", "rule": "relay_to"} | meta,
    )
    mail = QueuedMail.of(arrival, (str(arrival.forward_path),), content, verified_sender=True)
    listener = Listener(trace_headers=headers or TraceHeaders())
    return Outgoing(mail, arrival, listener, KEYS)


def found(mail: QueuedMail) -> trace.Trace:
    """What the trace header of a queued mail says."""
    return trace.find(message_from_bytes(mail.content).items(), KEYS, mail.time)


def recipients(mails: Sequence[QueuedMail]) -> list[list[str]]:
    """The numbers of those who share each mail."""
    return [[name.partition("@")[0][-1] for name in mail.recipients] for mail in mails]


def test_one_copy_for_all() -> None:
    """In it nobody is named, and the transaction is; each keeps the id of its records."""
    headers = TraceHeaders(include_meta_names=frozenset({"campaign"}))
    (mail,) = dispatch([outgoing(number, headers=headers) for number in (1, 2, 3)])
    assert recipients([mail]) == [["1", "2", "3"]]
    assert (mail.id, mail.facts.ids) == ("id1", ("id1", "id2", "id3"))
    assert mail.content.endswith(LETTER)
    assert b"ecret" not in mail.content
    assert found(mail) == ({"transaction": "t", "campaign": "spring"}, TraceTrust.SIGNED)
    assert message_from_bytes(mail.content)["Received"].split("; ")[0].endswith("id id1")


def test_alone() -> None:
    """A copy for one names it, as ever."""
    (mail,) = dispatch([outgoing(1)])
    assert mail.facts.ids == ()
    assert found(mail) == ({"recipient": "Secret1@dest.example"}, TraceTrust.SIGNED)
    assert b"for <Secret1@dest.example>" in mail.content
    assert dispatch([]) == ()


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        (outgoing(2), [["1", "2", "3"]]),
        (outgoing(2, bytes(bytearray(LETTER))), [["1", "2", "3"]]),
        (outgoing(2, LETTER + b"more\r\n"), [["1", "3"], ["2"]]),
        (outgoing(2, rule="relay_hosts"), [["1", "3"], ["2"]]),
        (outgoing(2, headers=TraceHeaders(per_recipient=True)), [["1", "3"], ["2"]]),
    ],
)
def test_what_tells_recipients_apart(other: Outgoing, shared: list[list[str]]) -> None:
    """Content, metadata, a listener that wants it so; what is told apart is named."""
    mails = dispatch([outgoing(1), other, outgoing(3)])
    assert recipients(mails) == shared
    for mail in mails[1:]:
        assert found(mail)[0] == {"recipient": "Secret2@dest.example"}


def test_another_sender() -> None:
    """A policy may have changed it for one of them."""
    first, second = outgoing(1), outgoing(2)
    changed = msgspec.structs.replace(second.mail, reverse_path="bob@src.example")
    mails = dispatch([first, msgspec.structs.replace(second, mail=changed)])
    assert [mail.reverse_path for mail in mails] == ["ann@src.example", "bob@src.example"]
