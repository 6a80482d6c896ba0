"""Salmon's own receivers, mended, with real clients; and as they are, where that is the point."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from salmon import queue
from salmon._vendor import asyncore
from salmon.routing import Router
from salmon.server import LMTPReceiver, QueueReceiver, SMTPError, SMTPReceiver

import kumo_handlers
from kumo_handlers.errors import ConfigurationError
from kumo_handlers.pipeline import installation
from kumo_handlers.testing import make_letter

from .conftest import load_handlers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Salmon's asyncore and Maildir leave sockets and files to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
ENVELOPE = b"MAIL FROM:<ann@elsewhere.example>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n"


def close(receiver: Any) -> None:
    """What a stock receiver's own ``close`` does not do."""
    asyncore.close_all(ignore_all=True)
    receiver.socket.close()


@contextmanager
def running(receiver: Any) -> Iterator[Any]:
    """A receiver with its loop."""
    ended = threading.Event()

    def poll() -> None:
        while not ended.is_set():
            asyncore.loop(timeout=0.05, count=1, use_poll=True)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield receiver
    finally:
        ended.set()
        thread.join()
        close(receiver)


@pytest.fixture
def taken(clean_router: None, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The messages that come to the Router."""
    messages: list[Any] = []
    monkeypatch.setattr(Router, "deliver", messages.append)
    return messages


def converse(receiver: Any, hello: bytes, content: bytes) -> bytes:
    """Send a message, all commands in one go; what was said in return."""
    with socket.create_connection(receiver.socket.getsockname(), timeout=10) as client:
        reader = client.makefile("rb")
        said = reader.readline()
        client.sendall(hello + b" c.test\r\n")
        while not (line := reader.readline()).startswith(b"250 "):
            said += line
        client.sendall(ENVELOPE)
        said += reader.readline() + reader.readline() + reader.readline()
        client.sendall(content + b"\r\n.\r\nQUIT\r\n")
        return said + reader.read()


def test_changed_rules(clean_router: None, settings_for: Any, tmp_path: Path) -> None:
    """In force within a second, and none with errors; until the installation is closed."""
    file = tmp_path / "rules.toml"
    file.write_text('["example.com"]\nrelay_to = true\n')
    settings = settings_for([str(file)])
    installed = kumo_handlers.configure(settings)
    load_handlers(settings.handlers)
    letter = make_letter("bob@example.com").removesuffix(b"\r\n")
    try:
        with running(kumo_handlers.mend(SMTPReceiver("127.0.0.1", 0))) as receiver:
            assert b"\r\n250 " in converse(receiver, b"EHLO", letter)
            before = installed.policy.version
            file.write_text("[")
            time.sleep(0.6)
            assert installed.policy.version == before
            file.write_text('["example.org"]\nrelay_to = true\n')
            changed = time.monotonic()
            while installed.policy.version == before:
                assert time.monotonic() < changed + 1
                time.sleep(0.01)
            assert b"\r\n550 5.7.1 " in converse(receiver, b"EHLO", letter)
    finally:
        installation.forget()
    assert "reload" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(("made", "hello"), [(SMTPReceiver, b"EHLO"), (LMTPReceiver, b"LHLO")])
def test_a_client_that_sends_in_one_go(taken: list[Any], made: Any, hello: bytes) -> None:
    """Mended, the replies do not wait for each other."""
    with running(kumo_handlers.mend(made("127.0.0.1", 0))) as receiver:
        began = time.monotonic()
        for _ in range(10):
            said = converse(receiver, hello, b"Subject: x\r\n\r\nhello")
        assert time.monotonic() - began < 10 * 0.03, "as shipped it is 0.04 s for each"
    assert said.rstrip().rpartition(b"\n")[2].startswith(b"221 ")
    assert len(taken) == 10


@pytest.mark.parametrize("made", [SMTPReceiver, LMTPReceiver])
def test_clients_that_come_together(made: Any) -> None:
    """Two hundred connect while nobody accepts; of the 5 that Salmon asks for, most would wait."""
    receiver = kumo_handlers.mend(made("127.0.0.1", 0))
    address = receiver.socket.getsockname()
    with ExitStack() as clients:
        for _ in range(200):
            clients.enter_context(socket.create_connection(address, timeout=0.5))
    close(receiver)


@pytest.mark.parametrize(("made", "hello"), [(SMTPReceiver, b"EHLO"), (LMTPReceiver, b"LHLO")])
def test_lines_with_a_dot(taken: list[Any], made: Any, hello: bytes) -> None:
    """RFC 5321, 4.5.2: one dot is the client's, and goes; Salmon's LMTP leaves it."""
    with running(kumo_handlers.mend(made("127.0.0.1", 0))) as receiver:
        converse(receiver, hello, b"Subject: x\r\n\r\n..\r\n...two\r\na.b")
    (message,) = taken
    assert message.Data == b"Subject: x\n\n.\n..two\na.b"


def test_a_unix_socket(tmp_path: Path, taken: list[Any]) -> None:
    """Has no Nagle to be switched off."""
    receiver = LMTPReceiver(socket=str(tmp_path / "lmtp"))
    assert kumo_handlers.mend(receiver) is receiver
    close(receiver)


def test_what_is_no_receiver() -> None:
    """It is said, instead of doing nothing."""
    with pytest.raises(ConfigurationError, match="expected one of Salmon's receivers"):
        kumo_handlers.mend("127.0.0.1:25")


class Outcomes:
    """Stands for the Router: does what the recipient's local part says."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, message: Any) -> None:
        """250 and 550 are replies; ``later`` is put off once; ``bad`` fails."""
        name = message.To.partition("@")[0]
        self.seen.append(name)
        if name == "bad":
            raise ValueError(name)
        if name == "later" and self.seen.count(name) > 1:
            return
        raise SMTPError({"dropped": 250, "refused": 550, "later": 451}[name], name)


@pytest.fixture
def outcomes(clean_router: None, monkeypatch: pytest.MonkeyPatch) -> Outcomes:
    """In place of the Router."""
    made = Outcomes()
    monkeypatch.setattr(Router, "deliver", made)
    return made


def run_queue(folder: Path, *names: str, undeliverable: bool = True) -> QueueReceiver:
    """A mended QueueReceiver that has worked off messages for ``names``."""
    inbox = queue.Queue(str(folder / "inbox"))
    if undeliverable:
        Router.UNDELIVERABLE_QUEUE = queue.Queue(str(folder / "undeliverable"))
    for name in names:
        inbox.push(make_letter(f"{name}@example.com"))
    receiver = kumo_handlers.mend(QueueReceiver(str(folder / "inbox"), sleep=0.01, workers=1))
    receiver.start(one_shot=True)
    receiver.workers.terminate()
    return receiver


def left(folder: Path) -> int:
    """How many messages are in the queue's folders, waiting or claimed."""
    return sum(path.is_file() and path.suffix != ".lock" for path in (folder / "inbox").rglob("*"))


@pytest.mark.parametrize(
    ("name", "undeliverable", "remaining"),
    [("dropped", 0, 0), ("refused", 1, 0), ("bad", 1, 0), ("later", 0, 1)],
)
def test_queue_receiver(
    outcomes: Outcomes, tmp_path: Path, name: str, undeliverable: int, remaining: int
) -> None:
    """2xx is done, 4xx stays for later, 5xx and a failure are undeliverable."""
    receiver = run_queue(tmp_path, name)
    assert Router.UNDELIVERABLE_QUEUE.count() == undeliverable
    assert left(tmp_path) == remaining
    receiver.queue.close()


def test_what_was_put_off(outcomes: Outcomes, tmp_path: Path) -> None:
    """The next start tries again."""
    run_queue(tmp_path, "later").queue.close()
    run_queue(tmp_path).queue.close()
    assert outcomes.seen == ["later", "later"]
    assert left(tmp_path) == 0


def test_nowhere_to_keep_it(outcomes: Outcomes, tmp_path: Path) -> None:
    """Without an undeliverable queue a refused message stays where it is."""
    run_queue(tmp_path, "refused", undeliverable=False).queue.close()
    assert left(tmp_path) == 1


def test_mended_twice(tmp_path: Path) -> None:
    """The second time changes nothing."""
    receiver = kumo_handlers.mend(QueueReceiver(str(tmp_path / "inbox"), workers=1))
    first = receiver.queue
    assert kumo_handlers.mend(receiver).queue is first
    receiver.workers.terminate()
    first.close()


def test_settings_that_only_ours_can_follow(
    clean_router: None, settings_for: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Are named; the usual settings are not."""
    settings = settings_for([])
    settings.workers, settings.metrics = 2, "127.0.0.1:0"
    kumo_handlers.configure(settings)
    try:
        close(kumo_handlers.mend(SMTPReceiver("127.0.0.1", 0)))
    finally:
        installation.forget()
    said = [each for each in caplog.messages if "behind Salmon's own receivers" in each]
    assert [each.split()[2] for each in said] == ["workers", "metrics"]
