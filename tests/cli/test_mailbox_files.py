"""Messages from files, Maildirs and mboxes."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.cli.mailbox_files import messages
from kumo_handlers.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

MBOX = (
    b"From a@x.example Tue Sep  3 10:00:00 2024\nSubject: one\n\nText\n>From here\n"
    b"From nobody, in 2024 or later\n\n"
    b"From MAILER-DAEMON Tue Sep  3 10:00:00 2024\r\nSubject: two\n\n>>From there\n"
)


def test_file(tmp_path: Path) -> None:
    """One message, its bytes as they are."""
    path = tmp_path / "a.eml"
    path.write_bytes(b"Subject: x\r\n\r\n>From me\n\nFrom you 2024\n")
    assert list(messages([str(path)])) == [(str(path), path.read_bytes())]


def test_mbox(tmp_path: Path) -> None:
    """Its messages, numbered, without separators; quoted lines as they were."""
    path = tmp_path / "inbox"
    path.write_bytes(MBOX)
    assert list(messages([str(path)])) == [
        (
            f"{path}:1",
            b"Subject: one\n\nText\nFrom here\nFrom nobody, in 2024 or later\n\n",
        ),
        (f"{path}:2", b"Subject: two\n\n>From there\n"),
    ]


def test_maildir(tmp_path: Path) -> None:
    """New messages and seen ones; what is still being written is not read."""
    for folder in ("new", "cur", "tmp"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1").write_bytes(folder.encode())
    (tmp_path / "new" / ".hidden").touch()
    assert [content for _, content in messages([str(tmp_path)])] == [b"new", b"cur"]


def test_folder_that_is_no_maildir(tmp_path: Path) -> None:
    """It is said what was expected."""
    with pytest.raises(ConfigurationError, match="no Maildir"):
        list(messages([str(tmp_path)]))


@pytest.mark.parametrize("names", [(), ("-",)])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    """Without a name, or by a dash."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"x: y\n")))
    assert list(messages(names)) == [("standard input", b"x: y\n")]
