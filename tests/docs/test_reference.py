"""Nothing that a user can meet is undocumented: options, records, metrics, events, pages."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from kumo_handlers.journal import parsing
from kumo_handlers.journal.record import PeerAddress, Record, RecordType, Response
from kumo_handlers.pipeline.metrics import METRICS
from kumo_handlers.policy.lua.vocabulary import EVENTS
from kumo_handlers.reports import classification
from kumo_handlers.testing import make_bounce, make_complaint

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
RECORDS = (DOCS / "records.md").read_text()


def rows(text: str) -> set[str]:
    """What stands in code in the first column of the tables."""
    return {
        name
        for cell in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", cell)
    }


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one."""
    _, mark, rest = f"\n{text}".partition(f"\n## {heading}\n")
    assert mark, heading
    return rest.partition("\n## ")[0]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """docs/site/options.py."""
    spec = importlib.util.spec_from_file_location("options", DOCS / "site" / "options.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_options_are_up_to_date(generator: ModuleType) -> None:
    """The page is what is made of the declarations: ``python docs/site/options.py`` mends it."""
    assert (DOCS / "options.md").read_text() == generator.page()


def test_every_option_is_on_the_page(generator: ModuleType) -> None:
    """With its name, its help, and no two alike in one table."""
    for title, _, options in generator.TABLES:
        text = section(generator.page(), title)
        for option in options.values():
            assert f"`{option.name}`" in text
            assert option.help in text


def test_the_system_is_not_on_the_page(generator: ModuleType) -> None:
    """It is the same wherever it is made."""
    import socket

    assert socket.gethostname() not in (DOCS / "options.md").read_text()


@pytest.mark.parametrize(
    ("heading", "struct"),
    [
        ("Keys of a record", Record),
        ("Keys of `response`", Response),
        ("Keys of `peer_address`", PeerAddress),
    ],
)
def test_record_keys(heading: str, struct: type[msgspec.Struct]) -> None:
    """Each key has a row, and each row is a key."""
    names = {field.encode_name for field in msgspec.structs.fields(struct)}
    assert rows(section(RECORDS, heading)) == names


def test_record_types() -> None:
    """Each has a row."""
    assert rows(RECORDS.partition("## ")[0]) == {each.value for each in RecordType}


def read(content: bytes) -> dict[str, Any]:
    """The record of a message."""
    (record,) = parsing.read(content, classification.default())
    made: dict[str, Any] = msgspec.to_builtins(record)
    return made


BROKEN = (
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: message/delivery-status\r\n\r\nnothing\r\n--x--\r\n"
)


def test_report_keys() -> None:
    """What stands under `report` and `feedback_report` has its rows, and no more."""
    complaint = read(make_complaint("a@b.example"))
    found = set(complaint["report"])
    for content in (
        make_bounce("a@b.example"),
        make_bounce("a@b.example", action="delayed"),
        BROKEN,
    ):
        found |= set(read(content)["report"])
    assert rows(section(RECORDS, "Keys of `report`")) == found
    feedback = rows(section(RECORDS, "Keys of `feedback_report`"))
    assert feedback == set(complaint["feedback_report"])


def test_metrics() -> None:
    """Each metric has its row, with its type and its labels; and each row is a metric."""
    text = (DOCS / "metrics.md").read_text()
    for metric in METRICS.values():
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        assert f"| `{metric.name}` | {metric.kind} | {labels}{' ' if labels else ''}|" in text
    assert rows(text.partition("Worth an alarm")[0]) == {*METRICS}


def test_dashboard() -> None:
    """It asks for metrics that there are, and for every one of them."""
    dashboard = json.loads((DOCS / "grafana.json").read_text())
    asked = " ".join(each["expr"] for panel in dashboard["panels"] for each in panel["targets"])
    names = {f"kumo_handlers_{name}" for name in METRICS}
    found = {name.removesuffix("_bucket") for name in re.findall(r"kumo_handlers_\w+", asked)}
    assert found == names
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_events() -> None:
    """Every event that a policy in Lua may handle."""
    text = section((DOCS / "howto-kumomta.md").read_text(), "The policy")
    assert rows(text) == set(EVENTS)


def test_pages_lead_somewhere() -> None:
    """Every link to a page, or to a heading on it, and every page of the site."""
    for page in [*DOCS.glob("*.md"), ROOT / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
    for name in re.findall(r"([\w-]+\.md)", (DOCS / "site" / "mkdocs.yml").read_text()):
        assert (DOCS / name).exists(), name


def test_the_site_is_made(tmp_path: Path) -> None:
    """Strictly: a link or a heading that is not there is an error."""
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    done = subprocess.run(
        [*command, "--config-file", str(DOCS / "site" / "mkdocs.yml"), "--site-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "decisions_total" in (tmp_path / "metrics" / "index.html").read_text()
