"""``kumo-handlers dead-letters``: they are shown, stay where they are, and are sent again."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import aiormq
import pytest

from kumo_handlers.broker import terms
from kumo_handlers.broker.publisher import Publisher
from kumo_handlers.broker.traffic import Traffic

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Spread

COMMAND = "from kumo_handlers.cli.main import main; main()"


@pytest.fixture
def project(spread: Spread, tmp_path: Path) -> Path:
    """An app whose broker has two dead letters, one of mail and one on its way to the relay."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "__init__.py").touch()
    (tmp_path / "config" / "settings.py").write_text(f"commit = {spread.url()!r}\n")
    asyncio.run(_bury(spread))
    return tmp_path


async def _bury(spread: Spread) -> None:
    url = terms.read(spread.url())
    publisher = Publisher(url, Traffic(lambda _: None))
    await publisher.start()
    for name, queue in (("m1", "mail"), ("m2", "relay")):
        content = name.encode() * 3
        whole = url.terms.queue(queue)
        await publisher.bury(whole, content, name, attempts=5, reason=f"why\x1b[31m {name}")
    await publisher.stop()


def run(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, "dead-letters", *words],
        cwd=project,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )


def held(spread: Spread, queue: str) -> list[tuple[bytes, dict[str, Any]]]:
    """Content and headers of what a queue has, which it has no more."""
    return asyncio.run(_held(spread, queue))


async def _held(spread: Spread, queue: str) -> list[tuple[bytes, dict[str, Any]]]:
    connection = await aiormq.connect(spread.broker.url)
    channel = await connection.channel()
    found = []
    while (got := await channel.basic_get(f"{spread.prefix}.{queue}", no_ack=True)).delivery_tag:
        found.append((got.body, dict(got.header.properties.headers or {})))
    await connection.close()
    return found


def test_they_are_shown(spread: Spread, project: Path) -> None:
    """As often as somebody looks; nothing in them steers the terminal."""
    for _ in range(2):
        done = run(project, "list")
        assert done.returncode == 0, done.stderr
        head, first, second, total = done.stdout.splitlines()
        assert head.split() == ["id", "queue", "tries", "size", "reason"]
        assert first.split()[:4] == ["m1", f"{spread.prefix}.mail", "5", "6"]
        assert second.split()[:2] == ["m2", f"{spread.prefix}.relay"]
        assert "\x1b" not in first
        assert total == "2 dead letters, 2 shown"
    done = run(project, "list", "--json", "--limit", "1")
    assert json.loads(done.stdout)["reason"] == "why\x1b[31m m1"


def test_one_is_sent_again(spread: Spread, project: Path) -> None:
    """To where it came from, as new; the other one stays; an id that is not there is said."""
    done = run(project, "retry", "m2", "m3")
    assert (done.returncode, done.stdout) == (1, "1 sent again\n")
    assert done.stderr == "Error: no dead letters: m3\n"
    [(content, headers)] = held(spread, "relay")
    assert (content, "x-attempts" in headers) == (b"m2m2m2", False)
    assert held(spread, "mail") == []
    assert [content for content, _ in held(spread, "dead")] == [b"m1m1m1"]


def test_all_are_sent_again(spread: Spread, project: Path) -> None:
    """And then there are none."""
    assert run(project, "retry").returncode == 2
    assert run(project, "retry", "--all").stdout == "2 sent again\n"
    assert len(held(spread, "mail")) == len(held(spread, "relay")) == 1
    assert run(project, "list").stdout.splitlines()[1:] == ["0 dead letters, 0 shown"]


def test_no_broker(tmp_path: Path) -> None:
    """None in the settings, none that answers: a line each, and no password."""
    (tmp_path / "none.py").write_text("commit = 'durable'\n")
    done = run(tmp_path, "list", "--settings", "none")
    assert (done.returncode, "there is no broker" in done.stderr) == (1, True)
    (tmp_path / "away.py").write_text("commit = 'amqp://ann:geheim@127.0.0.1:1/'\n")
    done = run(tmp_path, "list", "--settings", "away")
    assert (done.returncode, "the broker at amqp://ann:***@127.0.0.1:1/" in done.stderr) == (
        1,
        True,
    )
    assert "geheim" not in done.stderr
    assert "Traceback" not in done.stderr
