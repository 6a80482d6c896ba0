"""Messages kept whole, within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import StorageError, StorageFullError
from kumo_handlers.queue.kept import KeptFolder, KeptMail

if TYPE_CHECKING:
    from pathlib import Path


def test_kept_under_the_id(tmp_path: Path) -> None:
    """Byte for byte, and nothing beside it."""
    folder = tmp_path / "unparsed"
    KeptFolder(folder).write([KeptMail("a", b"\xff\r\n"), KeptMail("b", b"")])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "a.eml": b"\xff\r\n",
        "b.eml": b"",
    }


@pytest.mark.parametrize("limits", [{"max_files": 2}, {"max_bytes": 25}])
def test_full_folder(tmp_path: Path, limits: dict[str, int]) -> None:
    """Over the limit none is kept; when somebody made room, it goes on."""
    folder = KeptFolder(tmp_path, **limits)
    folder.write([KeptMail("a", b"x" * 10), KeptMail("b", b"x" * 10)])
    with pytest.raises(StorageFullError, match="2 files, 20 bytes"):
        folder.write([KeptMail("c", b"x" * 10)])
    (tmp_path / "a.eml").unlink()
    folder.write([KeptMail("c", b"x" * 10)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.eml", "c.eml"]


def test_what_was_there_counts(tmp_path: Path) -> None:
    """A restart does not forget how full the folder is."""
    KeptFolder(tmp_path, max_files=1).write([KeptMail("a", b"")])
    with pytest.raises(StorageFullError):
        KeptFolder(tmp_path, max_files=1).write([KeptMail("b", b"")])


def test_all_or_none(tmp_path: Path) -> None:
    """When the second cannot be written the first is taken back."""
    (tmp_path / "b.eml").mkdir()
    with pytest.raises(StorageError):
        KeptFolder(tmp_path).write([KeptMail("a", b"x"), KeptMail("b", b"x")])
    assert [path.name for path in tmp_path.iterdir()] == ["b.eml"]
