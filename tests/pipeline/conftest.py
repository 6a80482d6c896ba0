"""An app in a temporary folder: real listeners, real handlers, a real disk."""

from __future__ import annotations

import importlib
import json
import smtplib
import sqlite3
import sys
import textwrap
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from salmon.routing import Router

import kumo_handlers
from kumo_handlers import boot
from kumo_handlers.pipeline import installation
from tests.waiting import books_are_written, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kumo_handlers.pipeline.receiver import Receiver

RULES: dict[str, Any] = {
    "example.com": {"relay_to": True},
    "bounce.example.com": {"log_oob": True},
    "fbl.example.com": {"log_arf": True},
    "drop.example.com": {"log_oob": "LogThenDrop", "log_arf": "LogThenDrop", "relay_to": True},
    "send.example.com": {"relay_from": ["127.0.0.0/8"]},
}


class App:
    """A started app, and what it left on disk."""

    def __init__(self, receiver: Receiver, run_dir: Path) -> None:
        self.receiver = receiver
        self.run_dir = run_dir

    def client(self, listener: int = 0) -> smtplib.SMTP:
        """A client that has said hello."""
        client = smtplib.SMTP("127.0.0.1", self.receiver.addresses[listener].port, timeout=20)
        client.ehlo("client.example")
        return client

    def send(self, sender: str, recipients: list[str] | str, content: bytes) -> str:
        """Send one message; the reply that settled it."""
        with self.client() as client:
            client.mail(sender)
            for each in [recipients] if isinstance(recipients, str) else recipients:
                code, text = client.rcpt(each)
            if code < 300:
                code, text = client.data(content)
        return f"{code} {text.decode()}"

    def records(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The log, in its order."""
        books_are_written()
        return [
            record
            for path in sorted((self.run_dir / "log").glob("*.jsonl"))
            for record in map(json.loads, path.read_text().splitlines())
            if kind in (None, record["type"])
        ]

    def record(self) -> dict[str, Any]:
        """The only record there is, as soon as there is one."""
        (only,) = until(self.records)
        return only

    def queued(self) -> list[tuple[str, str, bytes]]:
        """Reverse-path, recipient and content of each entry in the queue."""
        books_are_written()
        path = self.run_dir / "queue" / "spool.sqlite3"
        query = (
            "SELECT reverse_path, address, content FROM message"
            " JOIN recipient ON recipient.message = number"
            " JOIN content ON content.message = number ORDER BY number, position"
        )
        with closing(sqlite3.connect(path)) as database:
            return [(str(a, "utf-8"), str(b, "utf-8"), c) for a, b, c in database.execute(query)]

    def undeliverable(self) -> list[bytes]:
        """What is in the undeliverable queue."""
        return [path.read_bytes() for path in (self.run_dir / "undeliverable" / "new").glob("*")]


@pytest.fixture
def clean_router() -> Iterator[None]:
    """Salmon's Router, which is one for the process, as it was before."""
    before = (dict(Router.REGISTERED), list(Router.ORDER), dict(Router.HANDLERS))
    Router.clear_routes()
    Router.HANDLERS.clear()
    yield
    Router.clear_routes()
    Router.REGISTERED.update(before[0])
    Router.ORDER.extend(before[1])
    Router.HANDLERS.clear()
    Router.HANDLERS.update(before[2])
    Router.STATE_STORE.clear()
    Router.UNDELIVERABLE_QUEUE = None
    Router.RELOAD = False


def load_handlers(names: list[str]) -> None:
    """What `Router.load` does in a fresh process: each is imported in its turn."""
    for name in names:
        if name in sys.modules:
            importlib.reload(sys.modules[name])
        Router.load([name])


@pytest.fixture
def settings_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Make settings; ``reports`` and ``inbound`` are the source of the app's own handlers."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(
        rules: object = RULES, reports: str | None = None, inbound: str | None = None, **more: Any
    ) -> Any:
        names: dict[str, list[str]] = {}
        for place, source in (("reports", reports), ("inbound", inbound)):
            if source is not None:
                name = f"{tmp_path.name.replace('-', '_')}_{place}"
                (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
                names[place] = [name]
        given = {
            "listener_domains": rules if isinstance(rules, list) else [rules],
            "listeners": [{"listen": "127.0.0.1:0", "relay_hosts": []}],
            "run_dir": str(tmp_path / "run"),
            "handlers": kumo_handlers.pipeline(**names),
            "relay": None,
        }
        return SimpleNamespace(**(given | more))

    return make


@pytest.fixture
def start(
    clean_router: None, settings_for: Callable[..., Any], tmp_path: Path
) -> Iterator[Callable[..., App]]:
    """Start an app with these settings; it is stopped at the end."""
    started: list[Receiver] = []

    def make(*args: object, **more: object) -> App:
        settings = settings_for(*args, **more)
        receiver = boot.receiver(settings)
        load_handlers(settings.handlers)
        receiver.start()
        started.append(receiver)
        return App(receiver, tmp_path / "run")

    yield make
    for receiver in started:
        receiver.stop()
    installation.forget()
