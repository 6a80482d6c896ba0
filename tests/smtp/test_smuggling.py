"""SMTP smuggling: the matrix of false ends of data, modes, ways to send content, and cuts.

Whatever stands between the first message and the commands hidden behind it, there is never a
second message, nor a reply to a hidden command.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.smtp.conftest import Line

NEWLINES = (b"\n", b"\r", b"\r\r", b"\n\r", b"\r\r\n", b"\r\n\n", b"\n\r\n", b"\r\n\0", b"\0\r\n")
DOTS = (b".", b"..", b"\0.", b".\0", b". ", b" .", b"")
# Ends that other servers have taken for one: all pairs of line ends that are not both CRLF, and
# CRLF with something beside the dot
ENDS = (*NEWLINES, b"\r\n")
FALSE_ENDS = sorted(
    end
    for end in {b"".join(parts) for parts in itertools.product(ENDS, DOTS, ENDS)}
    if b"\r\n.\r\n" not in end
)
HIDDEN = b"MAIL FROM:<evil@b.example>\r\nRCPT TO:<victim@d.example>\r\nDATA\r\nsmuggled\r\n.\r\n"
BEGIN = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"


@pytest.mark.parametrize("endings", ["Deny", "Allow", "Fix"])
def test_false_ends(endings: str, line: type[Line]) -> None:
    """Hundreds of false ends, each whole and cut in its middle."""
    for end in FALSE_ENDS:
        sent = BEGIN + b"DATA\r\nfirst" + end + HIDDEN
        middle = sent.index(end, len(BEGIN)) + len(end) // 2
        for pieces in ([sent], [sent[:middle], sent[middle:]]):
            wire = line(invalid_line_endings=endings)
            wire.send(*pieces)
            assert len(wire.backend.messages) == (endings != "Deny" or not has_bare(end)), end
            assert wire.output.count(b"\r\n354 ") == 1, end
            assert b"sender OK" not in wire.output.partition(b"354 ")[2], end


def has_bare(end: bytes) -> bool:
    """Whether a CR or LF stands alone."""
    rest = end.replace(b"\r\n", b"")
    return b"\r" in rest or b"\n" in rest


@pytest.mark.parametrize("endings", ["Deny", "Allow", "Fix"])
def test_false_ends_in_chunks(endings: str, line: type[Line]) -> None:
    """In a chunk not even the true end is one."""
    for end in (*FALSE_ENDS, b"\r\n.\r\n"):
        content = b"first" + end + HIDDEN
        wire = line(invalid_line_endings=endings)
        wire.send(BEGIN, b"BDAT %d LAST\r\n" % len(content), content)
        assert len(wire.backend.messages) == (endings != "Deny" or not has_bare(end)), end
        assert wire.output.count(b"sender OK") == 1, end


@pytest.mark.parametrize("command", [b"DATA\r\n", b"BDAT 5\r\n", b"BDAT 0\r\n"])
def test_content_after_chunks(command: bytes, line: type[Line]) -> None:
    """Changing from chunks to lines within one message is refused, and opens nothing."""
    wire = line()
    wire.send(BEGIN, b"BDAT 3\r\nabc", command)
    wire.send(
        b"x\r\n.\r\nBDAT 0 LAST\r\n" if command == b"DATA\r\n" else b"x\r\n.\nBDAT 0 LAST\r\n"
    )
    assert len(wire.backend.messages) <= 1
    assert b"354" not in wire.output


@pytest.mark.parametrize("size", [b"", b"-1", b"+5", b"0x5", b"5 5", b"5 LAST LAST", b"9" * 19])
def test_a_chunk_of_unknown_length(size: bytes, line: type[Line]) -> None:
    """Where its end is not known, nothing behind it is a command."""
    wire = line()
    said = wire.send(BEGIN, b"BDAT " + size + b"\r\n", HIDDEN)
    assert said.endswith(b"501 5.5.4 expected BDAT octets [LAST]\r\n")
    assert wire.connection.closing


def test_refused_chunks_are_no_commands(line: type[Line]) -> None:
    """Commands in a chunk that is not taken are read as octets and forgotten."""
    wire = line()
    wire.send(b"EHLO x\r\n")
    chunk = b"BDAT %d LAST\r\n" % len(HIDDEN) + HIDDEN
    assert wire.send(chunk) == b"503 5.5.1 no message to add to\r\n"
    assert wire.send(b"MAIL FROM:<a@b.example>\r\n", chunk).endswith(b"no valid recipients\r\n")
    assert not wire.backend.messages
