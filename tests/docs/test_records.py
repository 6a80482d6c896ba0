"""The page about records, against the records."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kumo_handlers.journal.parsing import read
from kumo_handlers.journal.record import PeerAddress, Record, RecordType, Response

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "records.md").read_text()
MESSAGES = ROOT / "tests" / "journal" / "messages"


def documented(heading: str) -> list[str]:
    """The first column of the table under a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def logged(name: str) -> list[Record]:
    """The records of a sample."""
    return list(read((MESSAGES / name).read_bytes()))


@pytest.mark.parametrize(
    ("heading", "struct"),
    [
        ("Keys of a record", Record),
        ("Keys of `response`", Response),
        ("Keys of `peer_address`", PeerAddress),
    ],
)
def test_keys(heading: str, struct: type[msgspec.Struct]) -> None:
    """Every key is documented, in the order in which it is written, and no other."""
    assert documented(heading) == [field.encode_name for field in msgspec.structs.fields(struct)]


def test_types() -> None:
    """Every type of record."""
    table = PAGE.partition("\n| type |")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(RecordType)


def test_feedback_keys() -> None:
    """Every key of a complaint, in its order."""
    (found,) = logged("complaint.eml")
    assert found.feedback_report is not None
    assert documented("Keys of `feedback_report`") == list(found.feedback_report)


def test_report_keys() -> None:
    """Every key that stands under ``report`` in any record of ours."""
    written: set[str] = set()
    for path in MESSAGES.glob("*.eml"):
        for record in logged(path.name):
            report: Any = record.report
            written |= set(report)
    assert set(documented("Keys of `report`")) == written
