"""A log for the commands that read one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BEGUN = 1_769_853_600.0  # 2026-01-31 10:00 UTC


def record(kind: str, recipient: object, seconds: float, **fields: object) -> dict[str, Any]:
    """A record of that type, so many seconds after the log was begun."""
    accepts = kind not in ("Rejection", "Bounce", "OOB")
    return {
        "type": kind,
        "id": "1",
        "sender": "news@bounce.example.com",
        "recipient": recipient,
        "response": {
            "code": 250 if accepts else 550,
            "enhanced_code": None,
            "content": "OK" if accepts else "5.1.1 No such user",
            "command": None,
        },
        "timestamp": int(BEGUN + seconds),
        "event_time": BEGUN + seconds,
        "created": int(BEGUN + seconds),
        "created_time": BEGUN + seconds,
        "bounce_classification": "InvalidRecipient" if not accepts else "Uncategorized",
        "feedback_report": None,
        "meta": {},
    } | fields


RECORDS = [
    *(record("Delivery", f"u{n}@gmail.com", n) for n in range(8)),
    *(record("Delivery", f"u{n}@nowhere.example", 10 + n) for n in range(4)),
    record("Reception", "u1@gmail.com", 20, meta={"rule": "relay_to"}),
    record("OOB", "u1@gmail.com", 30, report={"permanence": "permanent", "source": "rfc3464"}),
    record("OOB", "u2@nowhere.example", 3700, report={"permanence": "transient", "source": "text"}),
    record("Bounce", "u3@nowhere.example", 3800, bounce_classification="SpamBlock"),
    record(
        "Feedback",
        "complaints@fbl.example.com",
        3900,
        sender="fbl@yahoo.com",
        feedback_report={"feedback_type": "abuse", "original_rcpto_to": ["u4@gmail.com"]},
        report={"complaint": True, "source": "rfc5965"},
    ),
    record(
        "Feedback",
        "complaints@fbl.example.com",
        3901,
        sender="fbl@yahoo.com",
        feedback_report={"feedback_type": "abuse", "original_rcpto_to": []},
        report={"complaint": True, "source": "rfc5965"},
    ),
    record(
        "Feedback",
        "complaints@fbl.example.com",
        3902,
        sender="fbl@gmail.com",
        feedback_report={"feedback_type": "not-spam", "original_rcpto_to": ["u4@gmail.com"]},
        report={"complaint": False, "source": "rfc5965"},
    ),
    record("Rejection", [97, 64, 255], 4000, meta={"rule": "none"}),
]


@pytest.fixture
def write_log(tmp_path: Path) -> Callable[..., Path]:
    """Write records, those of each hour into a segment, and give the run directory back."""

    def write(records: list[dict[str, Any]] = RECORDS) -> Path:
        folder = tmp_path / "run" / "log"
        folder.mkdir(parents=True)
        for each in records:
            hour = int((each["event_time"] - BEGUN) // 3600)
            with (folder / f"20260131-{10 + hour}0000.jsonl").open("a") as file:
                file.write(json.dumps(each) + "\n")
        return tmp_path / "run"

    return write


@pytest.fixture
def run_dir(write_log: Callable[..., Path]) -> Path:
    """A run directory with a small log of two hours."""
    return write_log()
