"""A disk that is full, broken or read-only: refused with the reason, and it goes on by itself."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import sqlite3
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import StorageError, StorageFullError, UnwritableError
from kumo_handlers.queue.kept import KeptMail
from kumo_handlers.queue.unit import Unit

from .conftest import House

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kumo_handlers.journal.record import Record
    from kumo_handlers.queue.commit import Committer
    from kumo_handlers.queue.queued_mail import QueuedMail

MOUNT = shutil.which("mount")
UMOUNT = shutil.which("umount")


def run(*command: str | None) -> bool:
    """Whether a command of the system succeeded."""
    words = [word for word in command if word is not None]
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes, where we may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not MOUNT or not run(MOUNT, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)):
        pytest.skip("no permission to mount a tmpfs")
    yield folder
    run(UMOUNT, "-l", str(folder))


@pytest.fixture
def small_house(small_disk: Path) -> Iterator[House]:
    """A run folder on the small disk."""
    made = House(small_disk / "run")
    yield made
    made.close()


@contextmanager
def limited(kind: int, most: int) -> Iterator[None]:
    """The process may not go over a limit of the system."""
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


def fill(committer: Committer, mail: Callable[..., QueuedMail]) -> tuple[list[str], StorageError]:
    """Queue mail until it is refused: the ids of what was accepted, and why it ended."""
    accepted = []
    while True:
        one = mail(content=b"x" * 20_000 + b"\r\n")
        try:
            committer.commit_blocking(Unit(mails=(one,)))
        except StorageError as error:
            return accepted, error
        accepted.append(one.id)


def test_full_disk(small_house: House, mail: Callable[..., QueuedMail]) -> None:
    """452; what was accepted stands; when there is room again it goes on by itself."""
    ballast = small_house.run_dir.parent / "ballast"
    ballast.write_bytes(b"x" * 1_000_000)
    committer = small_house.open()
    accepted, error = fill(committer, mail)
    assert isinstance(error, StorageFullError)
    assert error.reply_code == 452
    assert accepted
    ballast.unlink()
    more, _ = fill(committer, mail)
    assert more
    committer.close()
    found = [name for (name,) in small_house.rows("SELECT id FROM message ORDER BY number")]
    assert found == accepted + more


def test_full_disk_for_the_log(
    tmp_path: Path, small_disk: Path, record: Callable[..., Record]
) -> None:
    """The log alone is on the full disk: no line is torn, and none is missing afterwards."""
    house = House(tmp_path / "run")
    house.run_dir.mkdir()
    (house.run_dir / "log").symlink_to(small_disk)
    committer = house.open()
    accepted = []
    while True:
        one = record(headers={"Subject": "x" * 50_000})
        try:
            committer.commit_blocking(Unit(records=(one,)))
        except StorageFullError:
            break
        accepted.append(one.id)
    assert next(small_disk.iterdir()).read_bytes().endswith(b"\n")
    assert run(MOUNT, "-o", "remount,size=4m", str(small_disk))
    one = record()
    committer.commit_blocking(Unit(records=(one,)))
    committer.close()
    assert house.ids() == [*accepted, one.id]


def test_full_disk_for_kept_messages(small_house: House, record: Callable[..., Record]) -> None:
    """A message that does not fit is refused whole, and leaves nothing behind."""
    committer = small_house.open()
    with pytest.raises(StorageFullError):
        committer.commit_blocking(
            Unit(records=(record(),), kept=(KeptMail("a", b"x" * 3_000_000),))
        )
    assert list((small_house.run_dir / "unparsed").iterdir()) == []
    committer.commit_blocking(Unit(records=(record(id="fits"),), kept=(KeptMail("b", b"x"),)))
    assert small_house.ids() == ["fits"]


def test_read_only_disk(
    small_disk: Path, small_house: House, record: Callable[..., Record]
) -> None:
    """451 while nothing can be written, and then it goes on."""
    committer = small_house.open()
    committer.commit_blocking(Unit(records=(record(id="before"),)))
    committer.close()
    assert run(MOUNT, "-o", "remount,ro", str(small_disk))
    with pytest.raises(StorageError) as caught:
        small_house.open()
    assert caught.value.reply_code == 451
    assert run(MOUNT, "-o", "remount,rw", str(small_disk))
    small_house.open().commit_blocking(Unit(records=(record(id="after"),)))
    assert small_house.ids() == ["before", "after"]


def test_error_of_the_disk(house: House, mail: Callable[..., QueuedMail]) -> None:
    """A write that the system refuses, half-way through a transaction."""
    committer = house.open()
    committer.commit_blocking(Unit(mails=(mail(id="before"),)))
    size = (house.run_dir / "queue" / "spool.sqlite3-wal").stat().st_size
    with limited(resource.RLIMIT_FSIZE, size + 10_000):
        accepted, error = fill(committer, mail)
    assert error.reply_code in (451, 452)
    committer.commit_blocking(Unit(mails=(mail(id="after"),)))
    found = [name for (name,) in house.rows("SELECT id FROM message ORDER BY number")]
    assert found == ["before", *accepted, "after"]


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_error_of_the_log(
    house: House, record: Callable[..., Record], call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails, every acknowledged line is in the log in the end, once."""
    committer = house.open()
    committer.commit_blocking(Unit(records=(record(id="before"),)))

    def broken(*_: object) -> int:
        raise OSError(errno.EIO, "injected")

    accepted = []
    with monkeypatch.context() as patch:
        patch.setattr(f"kumo_handlers.journal.segment.os.{call}", broken)
        for _ in range(5):
            one = record()
            try:
                committer.commit_blocking(Unit(records=(one,)))
            except StorageError:
                continue
            accepted.append(one.id)
    committer.commit_blocking(Unit(records=(record(id="after"),)))
    committer.close()
    assert house.ids() == ["before", *accepted, "after"]


def test_no_descriptor_left(house: House, record: Callable[..., Record]) -> None:
    """With every descriptor in use a message that needs one is refused, until one is free."""
    committer = house.open()
    kept = KeptMail("a", b"x")
    used = max(int(name) for name in os.listdir("/proc/self/fd")) + 1  # noqa: PTH208 - no Path: it would open one
    with limited(resource.RLIMIT_NOFILE, used), _all_taken(), pytest.raises(StorageError) as caught:
        committer.commit_blocking(Unit(records=(record(),), kept=(kept,)))
    assert caught.value.reply_code == 451
    committer.commit_blocking(Unit(records=(record(id="after"),), kept=(kept,)))
    assert house.ids() == ["after"]


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.DatabaseError("database disk image is malformed"),
        sqlite3.IntegrityError("nobody foresaw this"),
        ZeroDivisionError("nobody foresaw this"),
    ],
)
def test_error_while_nobody_waits(
    house: House,
    record: Callable[..., Record],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    """What fails between two commits is said, and the next message is answered all the same."""
    committer = house.open()

    def broken(*_: object) -> int:
        raise error

    with monkeypatch.context() as patch:
        committer.commit_blocking(Unit(records=(record(id="before"),)))
        patch.setattr("kumo_handlers.queue.books.Outbox.strike", broken)
        end = time.monotonic() + 5
        while str(error) not in caplog.text:
            assert time.monotonic() < end
            time.sleep(0.01)
    answered = threading.Thread(
        target=committer.commit_blocking, args=(Unit(records=(record(id="after"),)),), daemon=True
    )
    answered.start()
    answered.join(5)
    assert not answered.is_alive()
    assert house.ids() == ["before", "after"]


def test_malformed_file(house: House, mail: Callable[..., QueuedMail]) -> None:
    """A database that is rubbish refuses for now, and is not taken for a fault of the mail."""
    committer = house.open()
    committer.commit_blocking(Unit(mails=(mail(),)))
    committer.close()
    path = house.run_dir / "queue" / "spool.sqlite3"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(StorageError, match="malformed") as caught:
        house.open()
    assert not isinstance(caught.value, UnwritableError)


@contextmanager
def _all_taken() -> Iterator[None]:
    """Every descriptor there is."""
    taken = []
    try:
        while True:
            try:
                taken.append(os.open("/", os.O_RDONLY))
            except OSError:
                break
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
