"""The same handlers behind Salmon's own receivers, with real clients."""

from __future__ import annotations

import json
import smtplib
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from salmon import queue
from salmon._vendor import asyncore
from salmon.mail import MailRequest
from salmon.routing import Router
from salmon.server import LMTPReceiver, QueueReceiver, SMTPReceiver

from kumo_handlers import boot
from kumo_handlers.errors import StorageError
from kumo_handlers.pipeline import installation, stock
from kumo_handlers.testing import make_bounce, make_complaint, make_letter
from tests.waiting import books_are_written

from .conftest import load_handlers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Salmon's asyncore and Maildir leave sockets and files to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
LETTER = make_letter("bob@example.com")


class Stock:
    """An app behind a stock receiver."""

    def __init__(self, receiver: Any, client: type[smtplib.SMTP], run_dir: Path) -> None:
        self._port = receiver.socket.getsockname()[1]
        self._client = client
        self._run_dir = run_dir

    def send(self, sender: str, recipient: str, content: bytes) -> str:
        """Send one message; the reply after DATA."""
        with self._client("127.0.0.1", self._port, timeout=20) as client:
            client.ehlo_or_helo_if_needed()
            client.mail(sender)
            assert client.rcpt(recipient)[0] == 250
            code, text = client.data(content)
        return f"{code} {text.decode()}"

    def records(self) -> list[dict[str, Any]]:
        """The log."""
        books_are_written()
        return [
            json.loads(line)
            for path in sorted((self._run_dir / "log").glob("*.jsonl"))
            for line in path.read_text().splitlines()
        ]

    def contents(self) -> list[bytes]:
        """What is in the queue."""
        books_are_written()
        path = self._run_dir / "queue" / "spool.sqlite3"
        with closing(sqlite3.connect(path)) as database:
            return [row[0] for row in database.execute("SELECT content FROM content")]


@pytest.fixture(params=[(SMTPReceiver, smtplib.SMTP), (LMTPReceiver, smtplib.LMTP)])
def app(
    request: pytest.FixtureRequest,
    clean_router: None,
    settings_for: Callable[..., Any],
    tmp_path: Path,
) -> Iterator[Stock]:
    """Salmon's SMTPReceiver and LMTPReceiver, each with its client."""
    settings = settings_for()
    boot.configure(settings)
    load_handlers(settings.handlers)
    made, client = request.param
    receiver = made("127.0.0.1", 0)
    ended = threading.Event()

    def poll() -> None:
        while not ended.is_set():
            asyncore.loop(timeout=0.05, count=1)

    thread = threading.Thread(target=poll)
    thread.start()
    yield Stock(receiver, client, tmp_path / "run")
    ended.set()
    thread.join()
    asyncore.close_all(ignore_all=True)
    installation.forget()


def test_relayed_mail(app: Stock) -> None:
    """250 and durable, with its CRLF line ends again."""
    assert app.send("ann@elsewhere.example", "bob@example.com", LETTER).startswith("250")
    (content,) = app.contents()
    assert content.endswith(LETTER.rstrip(b"\r\n"))
    (record,) = app.records()
    assert record["type"] == "Reception"
    assert record["meta"] == {
        "policy": installation.current().policy.version,
        "rule": "relay_to",
        "listener": "",
        "local": "",
        "authz_id": None,
        "reverse_path": "ann@elsewhere.example",
    }


def test_refused_mail(app: Stock) -> None:
    """The decision falls after DATA, and is the same."""
    reply = app.send("ann@elsewhere.example", "carl@elsewhere.example", LETTER)
    assert reply.startswith("550 5.7.1 relaying not permitted for 127.0.0.1:")
    assert [record["type"] for record in app.records()] == ["Rejection"]


def test_a_bounce(app: Stock) -> None:
    """Logged, and no further: the reply says so."""
    reply = app.send("", "v@bounce.example.com", make_bounce("gone@nowhere.example"))
    assert reply.startswith("250 2.0.0 OK, logged")
    (record,) = app.records()
    assert (record["type"], record["recipient"]) == ("OOB", "gone@nowhere.example")


def test_a_complaint(app: Stock) -> None:
    """Logged as Feedback."""
    app.send("fbl@p.example", "c@fbl.example.com", make_complaint("emil@p.example"))
    assert [record["type"] for record in app.records()] == ["Feedback"]


def test_relay_from(app: Stock) -> None:
    """The envelope's sender opens the relay to its network; a header does not."""
    forged = make_letter("carl@far.example", "news@send.example.com")
    assert app.send("ann@elsewhere.example", "carl@far.example", forged).startswith("550")
    assert app.send("news@send.example.com", "carl@far.example", LETTER).startswith("250")


def test_what_cannot_be_stored(app: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Salmon would swallow the error and say 250: ours is a reply it passes on."""
    committer = installation.current().committer

    def fail(_: object) -> None:
        raise StorageError("I/O error")

    monkeypatch.setattr(committer, "commit_blocking", fail)
    assert app.send("ann@elsewhere.example", "bob@example.com", LETTER).startswith("451 4.3.0")


def test_an_unforeseen_error_refuses(app: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails inside a handler of ours never accepts."""
    monkeypatch.setattr(stock, "_make", lambda _: 1 / 0)
    assert app.send("ann@elsewhere.example", "bob@example.com", LETTER).startswith("451 4.3.0")


@pytest.fixture
def configured(clean_router: None, settings_for: Callable[..., Any]) -> Iterator[Any]:
    """Handlers loaded, and nothing that listens."""
    settings = settings_for()
    boot.configure(settings)
    load_handlers(settings.handlers)
    yield settings
    installation.forget()


def test_queue_receiver(configured: Any, tmp_path: Path) -> None:
    """Its peer is a folder: in no network, whatever relay_hosts says."""
    inbox = queue.Queue(str(tmp_path / "inbox"))
    Router.UNDELIVERABLE_QUEUE = queue.Queue(str(tmp_path / "undeliverable"))
    inbox.push(make_letter("bob@example.com"))
    inbox.push(make_letter("carl@far.example", "news@send.example.com"))
    receiver = QueueReceiver(str(tmp_path / "inbox"), sleep=0.01, workers=1)
    receiver.start(one_shot=True)
    receiver.workers.terminate()
    books_are_written()
    lines = b"".join(path.read_bytes() for path in (tmp_path / "run" / "log").glob("*.jsonl"))
    records = [json.loads(line) for line in lines.splitlines()]
    assert sorted(each["type"] for each in records) == ["Reception", "Rejection"]
    assert Router.UNDELIVERABLE_QUEUE.count() == 1


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("ann@elsewhere.example", "ann@elsewhere.example"),
        (None, ""),
        ("", ""),
        ("<>", ""),
    ],
)
def test_the_reverse_path(configured: Any, sender: str | None, expected: str) -> None:
    """Salmon replaces a null reverse-path by the From header; it is told apart and undone."""
    content = b"From: Mail Delivery <MAILER-DAEMON@Nowhere.example>\r\n\r\nhello\r\n"
    message = MailRequest(("192.0.2.9", 25), sender, "bob@example.com", content)
    assert str(stock.received(message).arrival.reverse_path) == expected


def test_handlers_find_the_same_attributes(configured: Any) -> None:
    """`report`, `records`, `disposition` and `envelope` stand on Salmon's own message."""
    message = MailRequest(
        ("192.0.2.9", 25), "", "v@bounce.example.com", make_bounce("gone@nowhere.example")
    )
    with pytest.raises(Exception, match="250"):
        Router.deliver(message)
    assert message.report.failures[0].recipient == "gone@nowhere.example"
    assert [record.type for record in message.records] == ["OOB"]
    assert message.disposition.rule == "log_oob"
    assert str(message.envelope.forward_paths[0]) == "v@bounce.example.com"
