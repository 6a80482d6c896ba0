"""What was accepted, page by page."""

from __future__ import annotations

import errno
import fcntl
import os
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kumo_handlers.errors import StorageError, StorageFullError
from kumo_handlers.journal.record import Record, RecordType
from kumo_handlers.queue import daybook as module
from kumo_handlers.queue.daybook import Daybook
from kumo_handlers.queue.unit import Job, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kumo_handlers.queue.queued_mail import QueuedMail


@pytest.fixture
def daybook(tmp_path: Path) -> Iterator[Daybook]:
    """An empty one."""
    opened = Daybook(tmp_path / "daybook")
    assert list(opened.left_over(0)) == []
    yield opened
    opened.close()


def numbers(folder: Path, entered: int = 0) -> list[int]:
    """The pages that the next start would find."""
    return [page.number for page in Daybook(folder / "daybook").left_over(entered)]


def only_file(folder: Path) -> Path:
    """The one file there is."""
    [path] = (folder / "daybook").iterdir()
    return path


def test_everything_comes_back(
    daybook: Daybook,
    tmp_path: Path,
    record: Callable[..., Record],
    mail: Callable[..., QueuedMail],
) -> None:
    """Lines, keys and mails of a page, as they were handed in."""
    report = record(type=RecordType.OOB, report={"key": "k\udcff\0"})
    odd = mail(reverse_path="\udcff@x", recipients=("a@b", "\udcfe"), content=b"\0\xff\r\n")
    jobs = [Job(Unit(records=(record(), report), mails=(odd,))), Job(Unit(mails=(mail(),)))]
    page = daybook.write(jobs)
    [found] = Daybook(tmp_path / "daybook").left_over(0)
    assert found._replace(jobs=()) == page._replace(jobs=())
    for job, written in zip(found.jobs, jobs, strict=True):
        assert (job.lines, job.keys) == (written.lines, written.keys)
        assert job.unit.mails == written.unit.mails


def test_what_is_entered_is_passed_over(daybook: Daybook, tmp_path: Path) -> None:
    """The books say how far they are, and numbers go on from there."""
    for _ in range(3):
        daybook.write([])
    assert numbers(tmp_path, entered=2) == [3]
    again = Daybook(tmp_path / "daybook")
    assert list(again.left_over(7)) == []
    assert again.write([]).number == 8
    again.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_part_of_a_page(tmp_path: Path, record: Callable[..., Record], data: st.DataObject) -> None:
    """Cut anywhere, or with a byte changed: all is read, but where a length leads astray."""
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    opened = Daybook(folder / "daybook")
    ends = [0]
    for _ in range(3):
        opened.write([Job(Unit(records=(record(id="r"),)))])  # as long whenever it is made
        ends.append(only_file(folder).stat().st_size)
    opened.close()
    path = only_file(folder)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    is_cut = data.draw(st.booleans())
    if is_cut:
        del content[at:]
    else:
        content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    whole, begun = next((n, start) for n, (start, end) in enumerate(pairwise(ends)) if at < end)
    expected = list(range(1, whole + 1))
    if not is_cut and at - begun >= 4:  # behind its length
        expected += range(whole + 2, 4)
    assert numbers(folder) == expected


def test_damage_is_said(daybook: Daybook, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """How many bytes of which file."""
    daybook.write([])
    with only_file(tmp_path).open("ab") as file:
        file.write(b"torn")
    assert numbers(tmp_path) == [1]
    assert "4 bytes are passed over" in caplog.text


@pytest.mark.parametrize(
    ("behind", "left"),
    [(b"", []), (bytes(100), []), (b"torn", ["0000000000000001.damaged"])],
)
def test_what_was_passed_over_is_kept(
    daybook: Daybook, tmp_path: Path, behind: bytes, left: list[str]
) -> None:
    """It may have been accepted; but zeros, which a crash leaves of a write, are nothing."""
    daybook.write([])
    with only_file(tmp_path).open("ab") as file:
        file.write(behind)
    again = Daybook(tmp_path / "daybook")
    assert [page.number for page in again.left_over(0)] == [1]
    again.forget(1)
    assert [path.name for path in (tmp_path / "daybook").iterdir()] == left


def test_somebody_elses_file(daybook: Daybook, tmp_path: Path) -> None:
    """It is neither read nor removed."""
    (tmp_path / "daybook").mkdir()
    path = tmp_path / "daybook" / "notes.pages"
    path.write_text("mine")
    assert numbers(tmp_path) == []
    daybook.forget(0)
    assert path.exists()


def test_page_of_another_program(daybook: Daybook, tmp_path: Path) -> None:
    """What is whole and yet not understood stops the start, and names the file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_entry", lambda _: "something else")
        daybook.write([Job(Unit())])
    with pytest.raises(StorageError, match=r"\.pages: a page is not understood"):
        numbers(tmp_path)


@pytest.mark.parametrize("wrote", [0, 1, 20])
@pytest.mark.parametrize(
    ("code", "kind"), [(errno.EIO, StorageError), (errno.ENOSPC, StorageFullError)]
)
def test_write_that_fails(
    daybook: Daybook,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wrote: int,
    code: int,
    kind: type[StorageError],
) -> None:
    """Nothing of the page stands, and the next one has its number."""
    daybook.write([])
    write = os.write

    def broken(file: int, octets: Any) -> int:
        write(file, octets[:wrote])
        raise OSError(code, "injected")

    with monkeypatch.context() as patch:
        patch.setattr("kumo_handlers.journal.segment.os.write", broken)
        with pytest.raises(kind, match="injected"):
            daybook.write([])
    assert numbers(tmp_path) == [1]
    assert daybook.write([]).number == 2
    assert numbers(tmp_path) == [1, 2]


def test_files_are_begun_and_forgotten(
    daybook: Daybook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long file is followed by another, and goes when all of it is in the books."""
    monkeypatch.setattr(module, "MAX_SIZE", 1)
    for _ in range(3):
        daybook.write([])
    assert daybook.has_ended
    daybook.forget(1)
    assert numbers(tmp_path) == [2, 3]
    daybook.forget(3)
    assert numbers(tmp_path) == [3]  # it may be written to
    daybook.close()
    daybook.forget(3)
    assert not daybook.has_ended
    assert list((tmp_path / "daybook").iterdir()) == []


def test_file_taken_away(daybook: Daybook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noticed, and the next page begins another one."""
    monkeypatch.setattr(module, "_LOOK", 0)
    assert not daybook.is_lost()
    daybook.write([])
    assert not daybook.is_lost()
    only_file(tmp_path).unlink()
    assert daybook.is_lost()
    assert not daybook.is_lost()
    daybook.write([])
    assert numbers(tmp_path) == [2]


def test_file_that_cannot_be_looked_at(
    daybook: Daybook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Then it is not trusted any more."""
    monkeypatch.setattr(module, "_LOOK", 0)
    daybook.write([])

    def broken(*_: object) -> None:
        raise PermissionError("broken")

    with monkeypatch.context() as patch:
        patch.setattr("kumo_handlers.journal.segment.Segment.is_in_place", broken)
        assert daybook.is_lost()
    assert "another file is begun: broken" in caplog.text
    assert daybook.write([]).number == 2


@pytest.mark.parametrize("durable", [True, False])
def test_write_is_the_flush(tmp_path: Path, *, durable: bool) -> None:
    """A page is on the disk when it is written, but where that is not wanted."""
    daybook = Daybook(tmp_path / "daybook", durable=durable)
    daybook.write([])
    assert daybook._file is not None
    flags = fcntl.fcntl(daybook._file._file, fcntl.F_GETFL)
    assert bool(flags & os.O_DSYNC) is durable
    daybook.close()
