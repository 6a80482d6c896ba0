"""Records for a person at a terminal."""

from __future__ import annotations

import io
import logging
from typing import Any

import msgspec
import pytest

from kumo_handlers.journal.terminal import Terminal, readable


def record(**fields: object) -> dict[str, Any]:
    """A record as it is read back from a line."""
    return {
        "type": "Rejection",
        "sender": "a@example.com",
        "recipient": "b@example.net",
        "response": {"code": 550, "content": "relaying not permitted"},
        "meta": {},
    } | fields


def test_one_readable_line() -> None:
    """Type, sender, recipient, reply."""
    assert readable(record()).plain == (
        "Rejection        <a@example.com> → <b@example.net>  550 relaying not permitted"
    )


def test_rule_is_shown() -> None:
    """The rule that decided stands at the end."""
    assert readable(record(meta={"rule": "relay_to"})).plain.endswith("  [relay_to]")


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ("a\x1b[2J@b", "<a�[2J@b>"),
        ([97, 255, 64], r"<a\xff@>"),
        ("é@b", "<é@b>"),
    ],
)
def test_nothing_steers_the_terminal(sender: object, shown: str) -> None:
    """Control characters and bytes are shown, and not sent."""
    assert shown in readable(record(sender=sender)).plain


def test_lines_are_printed() -> None:
    """One line a record, and no markup read in what peers wrote."""
    out = io.StringIO()
    sink = Terminal(out)
    line = msgspec.json.encode(record(sender="[red]x[/red]@b")) + b"\n"
    sink.append(line + line)
    assert out.getvalue().count("<[red]x[/red]@b>") == 2
    assert out.getvalue().count("\n") == 2


class Gone(io.StringIO):
    """A terminal that was closed."""

    def write(self, _: str) -> int:
        """Fail as a closed terminal does."""
        raise BrokenPipeError("closed")


def test_terminal_that_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, and mail goes on."""
    sink = Terminal(Gone())
    line = msgspec.json.encode(record()) + b"\n"
    with caplog.at_level(logging.WARNING):
        sink.append(line)
        sink.append(line)
    assert caplog.text.count("no longer shown") == 1
