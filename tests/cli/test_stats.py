"""``kumo-handlers stats``."""

from __future__ import annotations

import builtins
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from kumo_handlers.cli.stats import stats

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent.parent


def run(run_dir: Path, *words: str) -> Result:
    """The command on this log."""
    return CliRunner().invoke(stats, ["--run-dir", str(run_dir), *words])


def row(shown: str, name: str) -> list[str]:
    """The cells of a row."""
    (line,) = (line for line in shown.splitlines() if line.startswith(name))
    return re.split(r"\s{2,}", line.strip())


def test_tables(run_dir: Path) -> None:
    """Counts and rates, by domain, provider, class and hour, and a sum."""
    done = run(run_dir)
    assert done.exit_code == 0, done.output
    assert row(done.output, "gmail.com")[1:6] == ["8", "1", "12.5 %", "1", "12.50 %"]
    assert row(done.output, "nowhere.example")[1:4] == ["4", "2", "40.0 %"]
    assert row(done.output, "yahoo.com")[1:6] == ["0", "0", "-", "1", "-"]
    assert row(done.output, "Google")[1:3] == ["8", "1"]
    assert row(done.output, "SpamBlock")[2] == "1"
    assert row(done.output, "complaint: abuse")[4] == "2"
    assert "20 records: delivered 12, bounces 3 (23.1 %), complaints 2 (16.67 %)" in done.output


def test_one_table_and_its_limit(run_dir: Path) -> None:
    """What is left out is said."""
    shown = run(run_dir, "--by", "domain", "--limit", "1").output
    assert "gmail.com" in shown
    assert "and 2 more" in shown
    assert "nowhere.example" not in shown
    assert "Google" not in shown


def test_bars_are_in_proportion(run_dir: Path) -> None:
    """The longest is as wide as there is room."""
    shown = run(run_dir, "--by", "class").output
    assert "█" * 24 in shown
    assert shown.count("█" * 24) == 2  # two of InvalidRecipient, two complaints


def test_json(run_dir: Path) -> None:
    """All counts, hours by their start."""
    found = json.loads(run(run_dir, "--json").output)
    assert found["records"] == 20
    assert found["domain"]["nowhere.example"]["bounced"] == 2
    assert found["hour"] == {
        "1769853600": {
            "delivered": 12,
            "bounced": 1,
            "bounce_rate": 1 / 12,
            "complaints": 0,
            "complaint_rate": 0.0,
        },
        "1769857200": {
            "delivered": 0,
            "bounced": 2,
            "bounce_rate": 2.0,
            "complaints": 2,
            "complaint_rate": None,
        },
    }


@pytest.mark.parametrize(
    ("words", "records"),
    [(("--domain", "nowhere.example"), 2), (("--since", "2026-01-31T11:00+00:00"), 2)],
)
def test_filters(run_dir: Path, words: tuple[str, ...], records: int) -> None:
    """As those of `log`."""
    assert json.loads(run(run_dir, "--json", *words).output)["total"]["bounced"] == records


def test_page(write_log: Callable[..., Path], tmp_path: Path) -> None:
    """One page with a chart that is XML, tables, nothing from elsewhere, and nobody's markup."""
    hostile = {
        "type": "OOB",
        "sender": "",
        "recipient": "u@<script>\x1b&.example",
        "event_time": 0.0,
        "created_time": 0.0,
    }
    run_dir = write_log([hostile | {"event_time": 1_769_853_600.0}])
    page = tmp_path / "page.html"
    assert run(run_dir, "--html", str(page)).output == ""
    text = page.read_text()
    assert "<script>" not in text
    svg = text[text.index("<svg") : text.index("</svg>") + 6]
    words = [each.text for each in ET.fromstring(svg).iter() if each.text and each.text.strip()]  # noqa: S314 - our own
    assert "u@<script>"[2:] in "".join(filter(None, words))
    assert text.count("<table>") == 4
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_picture(run_dir: Path, tmp_path: Path) -> None:
    """A PNG with both colours in it, as much of each as there is to show."""
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "charts.png"
    assert run(run_dir, "--png", str(path)).exit_code == 0
    with image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.width == 1720
        found = {colour: count for count, colour in picture.getcolors(1 << 20)}
    red, blue = found[0xC0, 0x50, 0x4D], found[0x3B, 0x6E, 0xA5]
    assert red > blue > 1000


def test_picture_without_pillow(
    run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said what to install."""
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("PIL"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, "kumo_handlers.cli.chart_png", raising=False)
    monkeypatch.delattr("kumo_handlers.cli.chart_png", raising=False)
    done = run(run_dir, "--png", str(tmp_path / "x.png"))
    assert done.exit_code == 1
    assert "kumo-handlers[plots]" in done.stderr


def test_no_log(tmp_path: Path) -> None:
    """An error in words; an empty log is none."""
    assert "there is no log" in run(tmp_path).output
    (tmp_path / "log").mkdir()
    done = run(tmp_path)
    assert done.exit_code == 0
    assert "0 records" in done.output


def test_what_is_no_record(run_dir: Path) -> None:
    """It is said, and not counted."""
    (path,) = list((run_dir / "log").glob("*-110000.jsonl"))
    path.write_bytes(b"{}\n" + path.read_bytes())
    done = run(run_dir, "--json")
    assert "1 lines are no records" in done.stderr
    assert json.loads(done.stdout)["records"] == 20


def test_as_a_user_calls_it(run_dir: Path) -> None:
    """The real program, and quick to start."""
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from kumo_handlers.cli.main import main; main()"),
            *("stats", "--by", "provider", "--run-dir", str(run_dir)),
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Google" in done.stdout
    assert done.stderr == ""
