"""Where the messages of this wing are, and how the line ends of the world look."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

MESSAGES = Path(__file__).parent / "messages"
LINE_ENDS = {"lf": b"\n", "crlf": b"\r\n", "cr": b"\r"}


@pytest.fixture(params=sorted(LINE_ENDS))
def line_end(request: pytest.FixtureRequest) -> bytes:
    """One of the three line ends that messages are stored with."""
    return LINE_ENDS[request.param]


@pytest.fixture(scope="session")
def messages() -> Path:
    """The folder with the messages of this wing."""
    return MESSAGES


def expectations(folder: str) -> dict[str, Any]:
    """What is expected of each message in a folder."""
    return tomllib.loads((MESSAGES / folder / "expected.toml").read_text("utf-8"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for ``dsn_case`` and the like runs once for each message of the folder."""
    for folder in ("dsn", "arf", "unreadable"):
        if f"{folder}_case" in metafunc.fixturenames:
            cases = expectations(folder)
            metafunc.parametrize(f"{folder}_case", cases.items(), ids=list(cases))
    if "ordinary_case" in metafunc.fixturenames:
        paths = sorted((MESSAGES / "ordinary").glob("*.eml"))
        metafunc.parametrize("ordinary_case", paths, ids=[path.stem for path in paths])
