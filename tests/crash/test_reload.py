"""Rules swapped under load: a short run of the harness, and its judge sees each fault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.crash.test_account import script

if TYPE_CHECKING:
    from collections.abc import Callable

HARNESS = Path(__file__).with_name("reload.py")
FIRST, SECOND = (250, 250, 550), (550, 550, 250)
VERSIONS = {FIRST: "v1", SECOND: "v2"}


@pytest.mark.timeout(60)
def test_twenty_five_swaps(run: Callable[..., str]) -> None:
    """Nobody is refused, no decision is a mix, each swap is in force within a second."""
    printed = run("reload.py", "--swaps", "25", "--each", "8")
    assert "       0 transactions decided by a mix" in printed


def wrong_version(records: list[dict[str, Any]]) -> None:
    """One decision by the other set."""
    records[1]["meta"]["policy"] = "v2"


def wrong_reply(records: list[dict[str, Any]]) -> None:
    """The log says what was not said."""
    records[2]["response"]["code"] = 250


@pytest.mark.parametrize(
    ("codes", "spoil", "faults"),
    [
        (FIRST, lambda _: None, (0, 0, 0)),
        ((250, 550, 250), lambda _: None, (1, 3, 0)),
        (FIRST, wrong_version, (0, 1, 0)),
        (FIRST, wrong_reply, (0, 1, 0)),
        (FIRST, lambda records: records.pop(), (0, 1, 1)),
    ],
)
def test_each_fault_is_seen(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    codes: tuple[int, ...],
    spoil: Callable[[list[dict[str, Any]]], object],
    faults: tuple[int, ...],
) -> None:
    """A mix, a record of another version, a record that is not there."""
    monkeypatch.syspath_prepend(HARNESS.parent)
    harness = script("reload")
    records = [
        {
            "sender": "t1@src.example",
            "recipient": f"t1@{domain}",
            "response": {"code": code},
            "meta": {"policy": "v1"},
        }
        for domain, code in zip(harness.DOMAINS, codes, strict=True)
    ]
    spoil(records)
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "a.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
    traffic = harness.Traffic(0, answers={"t1": codes})
    found = harness.judge(tmp_path, traffic, VERSIONS)
    assert tuple(found.values())[1:] == faults
