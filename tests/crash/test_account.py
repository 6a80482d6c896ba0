"""The accountant of the crash test sees each fault it is there to see."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType


def script(name: str) -> ModuleType:
    """A module of the harness, which is a folder of scripts."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"crash_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


ACCOUNT, LOAD = script("account"), script("load")
RELAYED, BOUNCE, UNREADABLE = "m3", "m4", "m1"


def line(kind: str, sender: str, recipient: str, **fields: Any) -> dict[str, Any]:
    """A record, as far as it is looked at."""
    taken = {"type": kind, "sender": sender, "recipient": recipient, "id": "i", "meta": {}}
    return taken | fields


RECEIVED = line("Reception", "m3@src.example", "m3.0@relay.example")
DELIVERED = line("Delivery", "m3@src.example", "m3.0@relay.example")
OOB = line("OOB", "m4@oob.example", "m4@dest.example")
KEPT = line("Reception", "", "m1@kept.example", id="k")
ALL = [RECEIVED, DELIVERED, OOB, KEPT]
NO_FAULT = dict.fromkeys(
    (
        "acknowledged, but missing",
        "records logged twice",
        "recipients without exactly one end",
        "delivered twice, and not labelled",
        "torn lines",
    ),
    0,
)


def faults(
    folder: Path, records: list[dict[str, Any]], *, taken: int = 1, torn: bytes = b""
) -> dict[str, int]:
    """The account of three messages, all acknowledged, with these records in the log."""
    (folder / "log").mkdir()
    (folder / "unparsed").mkdir()
    (folder / "unparsed" / "k.eml").touch()
    (folder / "app.log").touch()
    lines = b"".join(json.dumps(each).encode() + b"\n" for each in records)
    (folder / "log" / "a.jsonl").write_bytes(lines + torn)
    load = LOAD.Load()
    for number in (1, 3, 4):
        mail = LOAD._make(number)
        load.sent[mail.name] = mail
        load.acknowledged.add(mail.name)
    found: dict[str, int] = ACCOUNT.Account(
        folder, load, Counter({"m3.0@relay.example": taken})
    ).faults()
    return found


def test_nothing_is_wrong(tmp_path: Path) -> None:
    """All that was acknowledged is there, once."""
    assert faults(tmp_path, ALL) == NO_FAULT


@pytest.mark.parametrize(
    ("records", "more", "fault"),
    [
        ([DELIVERED, OOB, KEPT], {}, "acknowledged, but missing"),
        ([RECEIVED, DELIVERED, KEPT], {}, "acknowledged, but missing"),
        ([RECEIVED, DELIVERED, OOB], {}, "acknowledged, but missing"),
        (ALL, {"taken": 0}, "acknowledged, but missing"),
        ([*ALL, OOB], {}, "records logged twice"),
        ([*ALL, RECEIVED], {}, "records logged twice"),
        ([RECEIVED, OOB, KEPT], {}, "recipients without exactly one end"),
        ([*ALL, DELIVERED | {"type": "Bounce"}], {}, "recipients without exactly one end"),
        (ALL, {"taken": 2}, "delivered twice, and not labelled"),
        (ALL, {"torn": b'{"type'}, "torn lines"),
    ],
)
def test_each_fault_is_seen(
    tmp_path: Path, records: list[dict[str, Any]], more: dict[str, Any], fault: str
) -> None:
    """One fault, and no other is reported."""
    assert faults(tmp_path, records, **more) == NO_FAULT | {fault: 1}


def test_labelled_duplicate_is_no_fault(tmp_path: Path) -> None:
    """A record that says the message may have been delivered before is honest."""
    labelled = DELIVERED | {"meta": {"possible_duplicates": 1}}
    assert faults(tmp_path, [RECEIVED, labelled, OOB, KEPT], taken=2) == NO_FAULT
