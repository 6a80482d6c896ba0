"""What a handler is given: Salmon's message, with the envelope as it was, parsed when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers import boot
from kumo_handlers.journal.record import Arrival
from kumo_handlers.mail.address import parse
from kumo_handlers.mail.session import Envelope, Peer, Session
from kumo_handlers.pipeline import installation
from kumo_handlers.pipeline.received_mail import ReceivedMail
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.listener_domain import ReportDisposition
from kumo_handlers.policy.relaying import RelayDisposition
from kumo_handlers.reports import cascade
from kumo_handlers.testing import make_bounce, make_letter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERP = "news+Bob=Example.net@Bounce.Example.com"


@pytest.fixture
def make(clean_router: None, settings_for: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Make a mail; the installation has the keys reports are judged by."""
    boot.configure(settings_for())

    def made(content: bytes, sender: str = "", **options: Any) -> ReceivedMail:
        arrival = Arrival(
            id="x",
            session=Session("s", Peer("192.0.2.9", 4000)),
            reverse_path=parse(sender),
            forward_path=parse(VERP),
            size=len(content),
            time=1.0,
        )
        disposition = RelayDisposition(relay=False, accepted=True, rule="log_oob", **options)
        return ReceivedMail(arrival, Envelope(), Listener(), disposition, content)

    yield made
    installation.forget()


def test_the_envelope_as_received(make: Callable[..., ReceivedMail]) -> None:
    """Salmon's would lower-case the token and put the From header for the null reverse-path."""
    mail = make(make_bounce("gone@nowhere.example"))
    assert (mail.From, mail.To, mail.Peer) == ("", VERP, ("192.0.2.9", 4000))


def test_all_that_salmon_offers(make: Callable[..., ReceivedMail]) -> None:
    """Headers, body, parts and bytes."""
    content = make_letter("bob@example.com")
    mail = make(content, "ann@elsewhere.example")
    assert mail["Subject"] == "A letter"
    assert "this is a letter" in mail.body()
    assert mail.all_parts() == []
    assert mail.Data is content
    assert not mail.is_bounce()
    assert "subject" in mail


def test_nothing_is_parsed_before_it_is_asked_for(
    make: Callable[..., ReceivedMail], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without log_oob and log_arf, the outcome reads nothing."""
    monkeypatch.setattr(cascade, "read", lambda *_, **__: pytest.fail("it was read"))
    mail = make(make_bounce("gone@nowhere.example"))
    assert mail.outcome.then == "refuse"
    assert "base" not in vars(mail)


def test_a_report_is_read_once(
    make: Callable[..., ReceivedMail], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many handlers ask."""
    read = cascade.read
    calls: list[bytes] = []
    monkeypatch.setattr(
        cascade, "read", lambda content, **more: calls.append(content) or read(content, **more)
    )
    mail = make(make_bounce("gone@nowhere.example"), log_oob=ReportDisposition.LOG)
    assert mail.outcome.logged == "OOB"
    assert mail.report is mail.report
    assert len(calls) == 1


def test_what_was_staged_is_taken_once(make: Callable[..., ReceivedMail]) -> None:
    """A second commit would log it twice."""
    mail = make(make_letter("bob@example.com"))
    mail.records.append("a record")  # type: ignore[arg-type] # nothing looks at it
    assert mail.take_staged().records == ("a record",)
    assert mail.take_staged().records == ()
    assert mail.records == ["a record"]
