"""The page about reports, against what it describes."""

from __future__ import annotations

import re
from pathlib import Path

import tomli

from kumo_handlers.reports import cascade, classification, permanence
from kumo_handlers.reports.report import Source, TraceTrust

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reports.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_stages() -> None:
    """The stages in their order; each source is in the table."""
    table = rows("Stages")
    assert [row[0] for row in table if row[0]] == [name for name, _ in cascade.STAGES]
    sources = {found for row in table for found in re.findall(r"`([^`]+)`", row[2])}
    assert sources == set(Source)


def test_permanence() -> None:
    """The table in the code, row by row: the verdict and its reason."""
    shown = [(row[3], row[4]) for row in rows("Permanent or transient")]
    assert shown == [(row.permanence or "none", row.reason) for row in permanence.TABLE]


def test_trust() -> None:
    """Every word about a signature."""
    assert [row[0].strip("`") for row in rows("The trace header")] == list(TraceTrust)


def test_the_rule_file_that_is_shown_is_one() -> None:
    """It can be loaded, and does what is said."""
    sample = PAGE.partition("```toml\n")[2].partition("```")[0]
    assert tomli.loads(sample)
    rules = classification.Classifier(classification.read(sample, "sample.toml"))
    assert rules.classify("550 5.1.1 no such user here") == "InvalidRecipient"
    assert str(classification.MAX_TEXT) in PAGE
