"""How much waits, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kumo_handlers.queue.commit import Committer
from kumo_handlers.queue.depth import Depth
from kumo_handlers.queue.queued_mail import QueuedMail
from kumo_handlers.queue.spool import EntryKey, Limits
from kumo_handlers.queue.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kumo_handlers.queue.unit import Job


def mail(name: str, time: float) -> QueuedMail:
    """Five octets for one recipient."""
    return QueuedMail(
        id=name, reverse_path="", recipients=("a@b.example",), content=b"12345", time=time
    )


@pytest.fixture
def committer(tmp_path: Path) -> Iterator[Committer]:
    """A queue with nothing in it, and room for two messages."""
    committer = Committer(tmp_path, {}, limits=Limits(max_messages=2))
    committer.start()
    yield committer
    committer.close()


def test_depth(committer: Committer) -> None:
    """Messages, bytes, and the first that came and is still there."""
    assert committer.depth() == Depth(0, 0, None)
    committer.commit_blocking(Unit(mails=(mail("one", 100.0),)))
    committer.commit_blocking(Unit(mails=(mail("two", 50.0),)))
    assert committer.depth() == Depth(2, 10, 100.0)
    committer.commit_blocking(Unit(finished=(EntryKey(1, 0),)))
    assert committer.depth() == Depth(1, 5, 50.0)


def test_who_counts_is_told(committer: Committer) -> None:
    """Of each job once, with its error if it has one, and when it was submitted."""
    told: list[Sequence[Job]] = []
    committer.on_committed = told.append
    committer.submit(Unit(mails=(mail("one", 1.0), mail("two", 1.0), mail("three", 1.0))))
    committer.submit(Unit(mails=(mail("one", 1.0),)))
    committer.close()
    jobs = [job for some in told for job in some]
    assert [job.error is None for job in jobs] == [False, True]
    assert 0 < jobs[0].since <= jobs[1].since


def test_who_counts_may_fail(committer: Committer, caplog: pytest.LogCaptureFixture) -> None:
    """Mail goes on without it."""

    def fail(_: Sequence[Job]) -> None:
        raise ZeroDivisionError("cannot count")

    committer.on_committed = fail
    for number in range(2):
        committer.commit_blocking(Unit(mails=(mail(str(number), 1.0),)))
    committer.close()
    assert [each.getMessage() for each in caplog.records] == [
        "what was committed is not counted"
    ] * 2
