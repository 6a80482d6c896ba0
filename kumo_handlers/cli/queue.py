"""``kumo-handlers queue``: see what waits for the relay, and decide about it.

All of it works beside a running app, which sees a change within a second, and without one.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kumo_handlers.cli.errors import explained
from kumo_handlers.journal.record import encode_json
from kumo_handlers.queue import inspection
from kumo_handlers.queue.inspection import Choice, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.queue.inspection import Whole

_run_dir = click.option(
    "--run-dir",
    type=click.Path(path_type=Path),
    default="run",
    show_default=True,
    help="Where records, the queue and kept messages are.",
)
# One line a recipient, for grep, and an id to be copied: the terminal breaks what is too long.
_WIDE = 1000
_json_lines = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.group()
def queue() -> None:
    """See and change what waits for the relay."""


def _chooses(command: Callable[..., None]) -> Callable[..., None]:
    """The options that choose messages."""
    for option in (
        click.argument("ids", nargs=-1, metavar="[ID]..."),
        click.option("--domain", "domains", multiple=True, help="All mail to it. May be repeated."),
        click.option("--all", "everything", is_flag=True, help="All mail there is."),
    ):
        command = option(command)
    return command


def _choice(ids: tuple[str, ...], domains: tuple[str, ...], *, everything: bool) -> Choice:
    if not (ids or domains or everything):
        raise click.UsageError("say which: an ID, --domain or --all")
    return Choice(ids, domains, everything)


@queue.command("list")
@click.option("--domain", "domains", multiple=True, help="Only mail to it. May be repeated.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    default=100,
    show_default=True,
    help="At most so many recipients.",
)
@_json_lines
@_run_dir
@explained
def list_(domains: tuple[str, ...], limit: int, run_dir: Path, *, as_json: bool) -> None:
    """Show the recipients that wait, the oldest first."""
    found = inspection.waiting(run_dir, Choice((), domains, not domains), limit)
    if as_json:
        for each in found:
            click.echo(encode_json(each))
        return
    _print(_table(found))
    counts = inspection.summary(run_dir)
    told = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    click.echo(f"{told or 'nothing'} in the queue, {len(found)} shown")
    if more := inspection.left_over(run_dir):
        click.echo(
            f"{more} more messages were accepted before the app was killed: it enters them"
            " when it starts"
        )


@queue.command()
@click.argument("name", metavar="ID")
@_json_lines
@_run_dir
@explained
def show(name: str, run_dir: Path, *, as_json: bool) -> None:
    """Show one message: its envelope, the state of each recipient, its header."""
    messages = _existing(run_dir, name)
    recipients = inspection.waiting(run_dir, Choice((name,)))
    if as_json:
        for message in messages:
            click.echo(encode_json(_described(message, recipients)))
        return
    for message in messages:
        click.echo(f"id          {message.id}")
        click.echo(f"sender      <{message.sender}>")
        click.echo(f"came in     {_ago(message.created)} ago")
        click.echo(f"size        {len(message.content)} bytes")
    _print(_table(recipients))
    for message in messages:
        header = message.content.partition(b"\r\n\r\n")[0].decode("utf-8", "backslashreplace")
        click.echo(_printable(header.replace("\r\n", "\n").expandtabs()))


@queue.command()
@_chooses
@_run_dir
@explained
def retry(
    ids: tuple[str, ...], domains: tuple[str, ...], run_dir: Path, *, everything: bool
) -> None:
    """Try these now, held or not, and though their server did not answer a moment ago."""
    choice = _choice(ids, domains, everything=everything)
    _done(run_dir, choice, inspection.retry, "due now")


@queue.command()
@_chooses
@_run_dir
@explained
def hold(
    ids: tuple[str, ...], domains: tuple[str, ...], run_dir: Path, *, everything: bool
) -> None:
    """Deliver these no more, until they are retried."""
    choice = _choice(ids, domains, everything=everything)
    _done(run_dir, choice, inspection.hold, "held")


@queue.command()
@_chooses
@click.confirmation_option(prompt="Drop mail that was accepted?")
@_run_dir
@explained
def drop(
    ids: tuple[str, ...], domains: tuple[str, ...], run_dir: Path, *, everything: bool
) -> None:
    """Give these up. A Bounce is logged by the app; the sender is not told."""
    choice = _choice(ids, domains, everything=everything)
    _done(run_dir, choice, inspection.drop, "dropped")


@queue.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write ID.eml, and ID.json with the envelope, into this folder.",
)
@_run_dir
@explained
def export(ids: tuple[str, ...], folder: Path | None, run_dir: Path) -> None:
    """Write messages as they would be sent; to standard output, or each into a file."""
    for name in ids:
        for message in _existing(run_dir, name):
            if folder is None:
                click.echo(message.content, nl=False)
                continue
            recipients = inspection.waiting(run_dir, Choice((name,)))
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.eml").write_bytes(message.content)
            (folder / f"{name}.json").write_bytes(encode_json(_described(message, recipients)))


def _done(run_dir: Path, choice: Choice, change: Callable[[Path, Choice], int], word: str) -> None:
    """Change what is chosen, and say how much that was. An ID that is not there is an error."""
    known = {each.id for each in inspection.waiting(run_dir, Choice(choice.ids))}
    count = change(run_dir, choice)
    click.echo(f"{count} {'recipient is' if count == 1 else 'recipients are'} {word}")
    if missing := [name for name in choice.ids if name not in known]:
        raise click.ClickException(f"not in the queue: {', '.join(missing)}")


def _print(table: Table) -> None:
    Console(soft_wrap=True, width=_WIDE).print(table)


def _existing(run_dir: Path, name: str) -> list[Whole]:
    found = inspection.whole(run_dir, name)
    if not found:
        raise click.ClickException(f"{name} is not in the queue")
    return found


def _described(message: Whole, recipients: list[Waiting]) -> dict[str, Any]:
    return {
        "id": message.id,
        "sender": message.sender,
        "created": message.created,
        "size": len(message.content),
        "facts": message.facts,
        "recipients": [msgspec.to_builtins(each) for each in recipients],
    }


def _table(found: list[Waiting]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("id", "age", "state", "tries", "next", "size", "recipient", "last answer"):
        table.add_column(column, overflow="fold")
    now = time.time()
    for each in found:
        due = "now" if each.due <= now else f"in {_span(each.due - now)}"
        table.add_row(
            Text(_printable(each.id)),
            _ago(each.created),
            each.state,
            str(each.attempts),
            due if each.state == "queued" else "",
            str(each.size),
            Text(_printable(each.recipient)),
            Text(_printable(each.response or "")),
        )
    return table


def _ago(moment: float) -> str:
    return _span(time.time() - moment)


def _span(seconds: float) -> str:
    """The time in its largest unit: ``5 min``."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _printable(text: str) -> str:
    """What strangers wrote, without what steers a terminal."""
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in text)
