"""Lines of settings, found in the text of their module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.pipeline import setting_lines
from kumo_handlers.pipeline.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

MODULE = '''"""Settings."""
import os
max_age = "1d"
workers: int = 2
listeners = [
    {"listen": "127.0.0.1:2025"},
    dict(
        listen="127.0.0.1:2026",
        hostname="mail.example.com",
    ),
]
ship = (
    {
        "url": "https://hooks.example.com",
        "types": [
            "OOB",
        ],
    },
)
if os.environ.get("MANY"):
    workers = 8
else:
    nodeid = "a"

def helper():
    run_dir = "elsewhere"

max_age = "2d"
'''


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("listeners", 5),
        ("listeners[1]", 6),
        ("listeners[2].hostname", 9),
        # what is not there: the line of what it is missing in
        ("listeners[2].peer", 7),
        ("listeners[3].peer", 5),
        ("ship[1].types[1]", 16),
        # the last one counts, wherever it is
        ("max_age", 28),
        ("workers", 21),
        ("nodeid", 23),
        # a function's own
        ("run_dir", None),
        ("policy", None),
        ("tls_certificate of listener 127.0.0.1:2525", None),
        ("", None),
    ],
)
def test_find(option: str, line: int | None) -> None:
    """Each option at the place where it is written."""
    assert setting_lines.find(MODULE, option) == line


@pytest.mark.parametrize("text", ["", "listeners = [", "\0", "listeners, ship = read()"])
def test_nothing_to_find(text: str) -> None:
    """What is no module, or gives no such name, is no reason to fail."""
    assert setting_lines.find(text, "listeners[1].hostname") is None


def test_only_what_has_no_line(tmp_path: Path) -> None:
    """A problem of another file, or with a line of its own, stays as it is."""
    file = tmp_path / "settings.py"
    file.write_text(MODULE)
    problems = [
        Problem(message="bad", file=str(file), option="max_age"),
        Problem(message="bad", file=str(file), option="max_age", line=1),
        Problem(message="bad", file="rules.toml", option="max_age"),
        Problem(message="bad", file=str(file)),
    ]
    lines = [each.line for each in setting_lines.located(problems, str(file))]
    assert lines == [28, 1, None, None]


def test_no_file(tmp_path: Path) -> None:
    """Settings without a file, or with one that cannot be read, have no lines."""
    gone = str(tmp_path / "gone.py")
    problem = Problem(message="bad", file=gone, option="max_age")
    assert setting_lines.located([problem], gone) == (problem,)
    with pytest.raises(ConfigurationError, match="option max_age: wrong value"):
        Settings.read({"max_age": -1})
