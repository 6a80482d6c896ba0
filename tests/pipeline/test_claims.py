"""A queue whose messages are gone only when they were dealt with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from salmon.queue import Queue

from kumo_handlers.pipeline.claims import FOLDER, Claims
from kumo_handlers.testing import make_letter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Salmon's Maildir leaves files to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
LETTER = make_letter("bob@example.com")


@pytest.fixture
def stock(tmp_path: Path) -> Queue:
    """Salmon's own, with a message in it."""
    made = Queue(str(tmp_path / "queue"))
    made.push(LETTER)
    return made


@pytest.fixture
def claims(stock: Queue) -> Iterator[Claims]:
    """The same, with claims; what is deferred is due at once."""
    made = Claims(stock, later=0)
    yield made
    made.close()


def claimed(queue: Queue) -> list[str]:
    """The names of claimed messages."""
    found = os.walk(os.path.join(queue.dir, FOLDER))  # noqa: PTH118 - as Salmon has it
    return [name for _, _, names in found for name in names if not name.endswith(".lock")]


def test_a_message_is_kept_until_it_is_settled(claims: Claims) -> None:
    """Popped, it waits no more and is still there; settled, it is gone."""
    key, message = claims.pop()
    assert (len(claims), claimed(claims)) == (0, [key])
    assert message.To == "bob@example.com"
    claims.settle(message)
    assert claimed(claims) == []


def test_nothing_there(claims: Claims) -> None:
    """KeyError, which Salmon's loop understands."""
    claims.pop()
    with pytest.raises(KeyError):
        claims.pop()


def test_only_one_gets_it(stock: Queue) -> None:
    """Two processes, or what stands for them, that have looked at the same time."""
    first, second = Claims(stock), Claims(Queue(stock.dir))
    key = stock.mbox.keys()[0]
    assert second.get(key) is not None
    first.pop()
    with pytest.raises(KeyError):
        second.remove(key)
    first.close()
    second.close()


def test_in_cur_as_well(stock: Queue) -> None:
    """Where a mail reader has moved it to."""
    (name,) = os.listdir(os.path.join(stock.dir, "new"))  # noqa: PTH118, PTH208 - as Salmon has it
    os.rename(f"{stock.dir}/new/{name}", f"{stock.dir}/cur/{name}:2,S")  # noqa: PTH104 - likewise
    claims = Claims(stock)
    claims.settle(claims.pop()[1])
    assert len(claims) == 0
    claims.close()


def test_later(claims: Claims) -> None:
    """A deferred message comes back, whole."""
    _, message = claims.pop()
    claims.defer(message)
    assert len(claims) == 1
    _, again = claims.pop()
    assert again.Data == message.Data


CLAIM_AND_WAIT = """
import sys, time
from salmon.queue import Queue
from kumo_handlers.pipeline.claims import Claims
claims = Claims(Queue(sys.argv[1]))
claims.pop()
print("claimed", flush=True)
time.sleep(60)
"""


def test_a_process_that_dies(stock: Queue) -> None:
    """While it lives its claim holds; killed, what it had comes back."""
    command = [sys.executable, "-c", CLAIM_AND_WAIT, stock.dir]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"claimed\n"
        living = Claims(stock)
        assert len(living) == 0
        living.close()
        other.send_signal(signal.SIGKILL)
        other.wait()
    after = Claims(stock)
    assert len(after) == 1
    assert after.pop()[1].Data.endswith(b"this is a letter.\r\n")
    after.close()
