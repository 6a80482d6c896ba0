"""Real messages, where they are at hand: what must be read of them, at least.

The corpus is no part of the repository. Its own script reads the answers and counts.
"""

from __future__ import annotations

import json
import os
import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import kumo_handlers

if TYPE_CHECKING:
    from collections.abc import Iterator

BESIDE = Path(__file__).parents[1].parent / "shared" / "corpus"
CORPUS = Path(os.environ.get("KUMO_HANDLERS_CORPUS", BESIDE))
SCRIPT = CORPUS / "evaluate.py"

pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="the corpus is not here")

AT_LEAST = {
    "dsn.detected": 99.8,
    "dsn.recipients_exact": 99.5,
    "dsn.status": 99.5,
    "dsn.nonfailed_only_silent": 100,
    "nonstandard.detected": 97,
    "nonstandard.recipients_exact": 98,
    "arf.detected": 100,
    "arf.all_fields": 99,
    "arf.no_oob": 100,
    "negatives.clean": 100,
}


@pytest.fixture(scope="module")
def evaluate() -> Iterator[Any]:
    """The corpus's own script, as a module."""
    spec = spec_from_file_location("corpus_evaluate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    path, written = list(sys.path), sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path[:], sys.dont_write_bytecode = path, written


def scores(evaluate: Any, *, eol: str, variants: bool = False) -> Any:
    """What the script counts over all messages, their line ends changed to ``eol``."""
    lines = (CORPUS / "manifest.jsonl").read_text().splitlines()
    entries = [each for each in map(json.loads, lines) if ("variant" in each) is variants]
    found = {}
    for entry in entries:
        content = evaluate.eol((CORPUS / "corpus" / entry["file"]).read_bytes(), eol)
        records = kumo_handlers.parse_report(content)
        found[entry["file"]] = {"records": records, "error": None, "crash": None, "us": None}
    return evaluate.score(entries, found)[0]


@pytest.mark.parametrize("eol", ["asis", "lf", "crlf"])
def test_scores(evaluate: Any, eol: str) -> None:
    """Every figure that was promised, whatever the line ends; no exception."""
    found = scores(evaluate, eol=eol)
    short = {
        name: found[name]["pct"] for name, least in AT_LEAST.items() if found[name]["pct"] < least
    }
    assert short == {}


def test_variants(evaluate: Any) -> None:
    """Copies with one kind of line end, CR too: every one is read."""
    found = scores(evaluate, eol="asis", variants=True)
    detected = {name: value["pct"] for name, value in found.items() if name.endswith(".detected")}
    assert detected
    assert set(detected.values()) == {100.0}


def test_no_rule_names_the_corpus() -> None:
    """Rules are general: no address of a message stands in the code."""
    package = Path(kumo_handlers.__file__).parent
    code = "\n".join(path.read_text() for path in package.rglob("*.py")).lower()
    ours = set(re.findall(r"[\w.+-]+@[\w-]+\.[\w.-]+\w", code))
    theirs: set[str] = set()
    for path in (CORPUS / "corpus").rglob("*"):
        if path.is_file():
            text = path.read_bytes().decode("latin-1").lower()
            theirs.update(re.findall(r"[\w.+-]+@[\w-]+\.[\w.-]+\w", text))
    generic = re.compile(r"@(?:.*\.)?example(?:\.(?:com|org|net))?$")
    assert {each for each in ours & theirs if not generic.search(each)} == set()
