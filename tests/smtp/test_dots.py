"""Content: against an oracle that reads line by line, whatever the pieces."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.policy.listener import LineEndings, Listener
from kumo_handlers.smtp import replies
from kumo_handlers.smtp.content import Content
from kumo_handlers.smtp.dots import DotReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kumo_handlers.mail.reply import Reply

    Result = tuple[bytes, Reply | None, bytes] | None

MAX_SIZE, MAX_LINE = 60, 12
# Mostly the octets that matter, so that every combination of them comes up
RAW = st.lists(
    st.sampled_from(
        [b"\r\n", b"\r", b"\n", b".", b"\r\n.", b"\r\n.\r\n", b"a", b"abcdefgh", b"\0"]
    ),
    max_size=30,
).map(b"".join)
MODES = st.sampled_from(LineEndings)


def limits(size: int, line: int, endings: LineEndings) -> Listener:
    """A listener with these limits."""
    return Listener(
        max_message_size=size, line_length_hard_limit=line, invalid_line_endings=endings
    )


def read_by_lines(raw: bytes, endings: LineEndings) -> Result:
    """The oracle: (content, fault, rest), or None where the content does not end."""
    lines, rest, ended = [], raw, False
    while not ended and b"\r\n" in rest:
        line, _, rest = rest.partition(b"\r\n")
        ended = line == b"."
        if not ended:
            lines.append(line.removeprefix(b".") + b"\r\n")
    if not ended:
        return None
    content = b"".join(lines)
    fault = replies.MESSAGE_TOO_BIG if len(content) > MAX_SIZE else None
    fixed = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    has_bare = bool(re.search(rb"\r(?!\n)|(?<!\r)\n", content))
    if endings is LineEndings.FIX:
        content = fixed
    line_end = b"\n" if endings is LineEndings.ALLOW else b"\r\n"
    room = MAX_LINE + 2 - len(line_end)
    if not fault and any(len(line) > room for line in content.split(line_end)):
        fault = replies.LINE_TOO_LONG
    if not fault and has_bare and endings is LineEndings.DENY:
        fault = replies.BAD_LINE_ENDINGS
    return content, fault, rest


def read_in_pieces(raw: bytes, endings: LineEndings, cuts: Iterable[int]) -> Result:
    """What the reader makes of it, in the form of the oracle."""
    content = Content(limits(MAX_SIZE, MAX_LINE, endings))
    reader = DotReader(content)
    edges = [0, *sorted(cuts), len(raw)]
    for start, end in itertools.pairwise(edges):
        rest = reader.feed(raw[start:end])
        if rest is not None:
            return bytes(content), content.fault, rest + raw[end:]
    return None


@given(raw=RAW, endings=MODES, cuts=st.lists(st.integers(0, 60), max_size=6))
def test_agrees_with_the_oracle(raw: bytes, endings: LineEndings, cuts: Sequence[int]) -> None:
    """End, content, fault and rest are those of a reader that goes line by line."""
    cuts = [min(cut, len(raw)) for cut in cuts]
    expected = read_by_lines(raw, endings)
    found = read_in_pieces(raw, endings, cuts)
    if expected is not None and expected[1] is not None:
        # content with a fault is not kept
        expected = (b"", *expected[1:])
    assert found == expected


@given(raw=RAW, endings=MODES)
def test_octet_by_octet(raw: bytes, endings: LineEndings) -> None:
    """The finest cut there is makes no difference."""
    whole = read_in_pieces(raw, endings, [])
    assert read_in_pieces(raw, endings, range(len(raw))) == whole


@pytest.mark.parametrize("size", [10_000, 1_000_000])
def test_content_too_big_is_not_kept(size: int) -> None:
    """What cannot be accepted costs no memory."""
    content = Content(limits(9_999, 998, LineEndings.DENY))
    reader = DotReader(content)
    line = b"x" * 98 + b"\r\n"
    for _ in range(size // len(line)):
        assert reader.feed(line) is None
    assert reader.feed(b"\r\n.\r\n") == b""
    assert content.fault is replies.MESSAGE_TOO_BIG
    assert not bytes(content)


@pytest.mark.parametrize(("length", "fault"), [(998, None), (999, replies.LINE_TOO_LONG)])
@pytest.mark.parametrize("before", [b"", b"a\r\n", b"y" * 998 + b"\r\n"])
def test_longest_line(length: int, fault: Reply | None, before: bytes) -> None:
    """998 octets are a line, 999 are too many, and a stuffed dot does not count."""
    content = Content(limits(10_000, 998, LineEndings.DENY))
    reader = DotReader(content)
    reader.feed(before + b".." + b"x" * (length - 1) + b"\r\n.\r\n")
    assert content.fault is fault
