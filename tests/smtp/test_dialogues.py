"""Dialogues as files, replayed whole, line by line, and cut at every byte.

A file begins with ``#`` and what it shows, then ``@ option = value`` for the listener (TOML), then
the dialogue: ``C:`` a line of the client, ``c:`` bytes of the client with Python's escapes and no
line end, ``S:`` a line of the server, ``M:`` content that was taken (with escapes), ``R:`` a
transaction that was reset, ``T:`` the handshake that STARTTLS asked for is done, ``E:`` the client
sends no more, ``X:`` the server hangs up. ``& STARTTLS`` and ``& AUTH`` say what the driver can do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import tomli

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.smtp.conftest import Line

FOLDER = Path(__file__).parent / "dialogues"
FILES = sorted(FOLDER.glob("*.txt"))


class Dialogue(NamedTuple):
    """One file: the listener's options, and steps of (kind, bytes)."""

    options: dict[str, Any]
    steps: tuple[tuple[str, bytes], ...]

    def all(self, *kinds: str) -> bytes:
        """The bytes of all steps of these kinds."""
        return b"".join(content for kind, content in self.steps if kind in kinds)

    def segments(self) -> list[bytes]:
        """What the client sends up to each handshake, and after the last one."""
        segments = [b""]
        for kind, content in self.steps:
            if kind in "Cc":
                segments[-1] += content
            elif kind == "T":
                segments.append(b"")
        return segments

    def replay(self, wire: Line, segments: list[list[bytes]]) -> None:
        """Send the pieces of each segment, with a handshake between two."""
        for number, pieces in enumerate(segments):
            if number:
                wire.encrypt()
            wire.send(*pieces)
        if self.count("E"):
            wire.hang_up()
        assert wire.output == self.all("S"), segments
        check_end(self, wire)

    def count(self, kind: str) -> int:
        """How many steps of this kind there are."""
        return sum(step == kind for step, _ in self.steps)


def read(path: Path) -> Dialogue:
    """Read a dialogue file."""
    lines = path.read_text("utf-8").splitlines()
    options = tomli.loads("\n".join(line[2:] for line in lines if line.startswith("@ ")))
    offers = frozenset(line[2:] for line in lines if line.startswith("& "))
    return Dialogue(options | {"offers": offers}, tuple(_steps(lines)))


def _steps(lines: Iterable[str]) -> Iterable[tuple[str, bytes]]:
    for line in lines:
        kind, text = line[:1], line[3:]
        if kind in "CS":
            yield kind, text.encode() + b"\r\n"
        elif kind in "cMREXT" and line:
            yield kind, text.encode("latin-1").decode("unicode_escape").encode("latin-1")
        else:
            assert not line or kind in "#@&", line


def check_end(dialogue: Dialogue, wire: Line) -> None:
    """What the backend got and whether the server hung up are as the file says."""
    assert [content for _, content in wire.backend.messages] == [
        content for kind, content in dialogue.steps if kind == "M"
    ]
    assert len(wire.backend.resets) == dialogue.count("R")
    assert wire.connection.closing == bool(dialogue.count("X"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
class TestDialogues:
    """Each file, replayed in each way."""

    def test_line_by_line(self, path: Path, line: type[Line]) -> None:
        """Each reply comes when its command is there, not before and not after."""
        dialogue = read(path)
        wire = line(**dialogue.options)
        expected, said = b"", wire.output
        for kind, content in dialogue.steps:
            if kind == "S":
                expected += content
            elif kind in "Cc":
                assert said == expected
                expected, said = b"", wire.send(content)
            elif kind == "T":
                wire.encrypt()
            elif kind == "E":
                said += wire.hang_up()
        assert said == expected
        check_end(dialogue, wire)

    def test_all_at_once(self, path: Path, line: type[Line]) -> None:
        """A client that waits for nothing gets the same replies."""
        dialogue = read(path)
        dialogue.replay(line(**dialogue.options), [[whole] for whole in dialogue.segments()])

    def test_cut_at_every_byte(self, path: Path, line: type[Line]) -> None:
        """Two pieces, wherever the cut is; and every byte on its own."""
        dialogue = read(path)
        whole = dialogue.segments()
        longest = max(map(len, whole))
        for at in range(1, longest):
            cut = [[segment[:at], segment[at:]] for segment in whole]
            dialogue.replay(line(**dialogue.options), cut)
        octets = [[segment[at : at + 1] for at in range(len(segment))] for segment in whole]
        dialogue.replay(line(**dialogue.options), octets)


def test_there_are_dialogues() -> None:
    """A folder that moved would make the tests above pass by being none."""
    assert len(FILES) > 10
