"""``kumo-handlers parse``: what a message would leave in the log."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from kumo_handlers.cli.errors import explained
from kumo_handlers.cli.mailbox_files import messages
from kumo_handlers.journal import parsing
from kumo_handlers.journal.record import Record, RecordType, encode
from kumo_handlers.reports import classification
from kumo_handlers.reports.classification import UNCATEGORIZED, Classifier

_LINE_END = re.compile(rb"\r\n|\r|\n")
_ENDS = {"lf": b"\n", "crlf": b"\r\n"}


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE|MAILDIR|MBOX]...")
@click.option("--explain", "as_page", is_flag=True, help="A page to read, in place of JSON lines.")
@click.option(
    "--batch",
    is_flag=True,
    help="Read file names from standard input, and write one JSON object for each.",
)
@click.option(
    "--classification",
    "rule_files",
    multiple=True,
    metavar="FILE",
    help="Rules that are asked before our own. May be repeated.",
)
@click.option(
    "--line-ends",
    type=click.Choice(("asis", "lf", "crlf")),
    default="asis",
    envvar="PEER_EOL",
    help="With --batch: change the line ends first, for measuring.",
)
@explained
def parse(
    files: tuple[str, ...],
    rule_files: tuple[str, ...],
    line_ends: str,
    *,
    as_page: bool,
    batch: bool,
) -> None:
    """Show the log records of bounces and complaints, as JSON lines. Other mail gives none.

    Without FILE the message is read from standard input.
    """
    # Our own rules alone are loaded when the first bounce is met.
    classifier = classification.load(rule_files) if rule_files else None
    if batch and (files or as_page):
        raise click.UsageError("--batch reads names from standard input, and makes no page")
    if batch:
        _batch(classifier, _ENDS.get(line_ends))
        return
    for name, content in messages(files):
        (_page if as_page else _lines)(name, content, classifier)


def _lines(name: str, content: bytes, classifier: Classifier | None) -> None:
    """The records of one message on standard output, what there is to say beside them on error."""
    records = parsing.read(content, classifier)
    for record in records:
        click.echo(encode(record))
    if not records:
        click.echo(f"{name}: neither a bounce nor a complaint", err=True)
    for record in records:
        if note := _note(record):
            click.echo(f"{name}: {note}", err=True)


def _note(record: Record) -> str | None:
    """What a person should know about a record: not understood, or not classified."""
    report = record.report if isinstance(record.report, dict) else {}
    if "error" in report:
        return f"claims to be a report ({report['claims']}), not understood: {report['error']}"
    if record.type is RecordType.OOB and record.bounce_classification == UNCATEGORIZED:
        said = f"{record.response.code} {record.response.content}".strip()
        return f"{record.recipient}: {UNCATEGORIZED}, no rule knows {said!r}"
    return None


def _page(name: str, content: bytes, classifier: Classifier | None) -> None:
    """The page of one message."""
    from kumo_handlers.journal.explanation import explain  # noqa: PLC0415 - only pages need it

    click.echo(f"{name}\n{explain(content, classifier or classification.default())}\n")


def _batch(classifier: Classifier | None, line_end: bytes | None) -> None:
    """One answer for each name, whatever happens: it is what a long run is trusted with."""
    for line in sys.stdin.buffer:
        if name := line.rstrip(b"\r\n"):
            answer = _answer(name, classifier, line_end)
            sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
            sys.stdout.buffer.flush()


def _answer(name: bytes, classifier: Classifier | None, line_end: bytes | None) -> dict[str, Any]:
    """``file``, ``records``, ``error``, and ``us``: the microseconds that reading took."""
    answer: dict[str, Any] = {"file": name.decode("utf-8", "replace"), "records": []}
    start = time.perf_counter()
    try:
        content = Path(os.fsdecode(name)).read_bytes()
        if line_end is not None:
            content = _LINE_END.sub(lambda _: line_end, content)
        start = time.perf_counter()
        records = parsing.read(content, classifier)
        answer["us"] = round((time.perf_counter() - start) * 1e6, 1)
        answer["records"] = [msgspec.Raw(encode(record)) for record in records]
        answer["error"] = None
    except Exception as error:  # noqa: BLE001 - said in the answer; the next file is asked for
        answer["us"] = round((time.perf_counter() - start) * 1e6, 1)
        answer["error"] = f"{type(error).__name__}: {error}"
    return answer
