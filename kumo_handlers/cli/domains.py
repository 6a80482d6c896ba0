"""``kumo-handlers domains``: rules in a table of a database, and the way there from files."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import click

from kumo_handlers.cli.errors import explained
from kumo_handlers.cli.progress import watched
from kumo_handlers.cli.replacement import replacing
from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy import tables, toml_text
from kumo_handlers.policy.database.difference import Difference
from kumo_handlers.policy.database.engine import open_engine
from kumo_handlers.policy.database.replica import Replica
from kumo_handlers.policy.merging import merge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kumo_handlers.policy.database.engine import Engine
    from kumo_handlers.policy.entries import Entries

T_ = TypeVar("T_")

_BATCH = 5_000  # rows between two steps of the bar


@click.group()
def domains() -> None:
    """Keep rules in a table of PostgreSQL or SQLite that many nodes read.

    URL is postgresql://USER:PASSWORD@HOST/DATABASE, or sqlite:PATH. PostgreSQL's client library
    takes the password from ~/.pgpass too, and then it is in no list of processes.
    """


@domains.command()
@click.argument("url")
@explained
def create(url: str) -> None:
    """Make the table, and what keeps count of its changes. What is there stays."""
    with closing(open_engine(url)) as engine:
        _answering(engine.create)
        click.echo(f"{engine.name}: version {_answering(engine.version).number}")


@domains.command("import")
@click.option("--replace", is_flag=True, help="Take out the rows that no FILE has.")
@click.argument("url")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@explained
def import_(url: str, files: tuple[str, ...], *, replace: bool) -> None:
    """Put the rules of TOML or JSON files into the table, which is made if it is not there.

    All of them or none, in one transaction. Only rows that differ are written, so nodes read what
    changed and no more.
    """
    with tables.collector_paused():
        entries = merge(tables.read(files).parts)
        with closing(open_engine(url)) as engine:
            _answering(engine.create)
            found = _answering(lambda: _put(engine, entries, replace=replace))
            click.echo(
                f"{engine.name}: {len(found.rows)} put, {len(found.gone)} taken out, "
                f"{found.same} as they were"
            )


def _answering(question: Callable[[], T_]) -> T_:
    """The answer of a database. Raises `ConfigurationError` where there is none."""
    try:
        return question()
    except ConnectionError as error:
        raise ConfigurationError(str(error)) from error


def _batches(items: Sequence[T_]) -> Iterator[Sequence[T_]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def _put(engine: Engine, entries: Entries, *, replace: bool) -> Difference:
    with engine.snapshot(writing=True) as now:
        found = Difference.of(now.rows(), entries, replace=replace)
        if found.rows or found.gone:
            batches = watched(_batches(found.rows), len(found.rows), "writing")
            now.put(batches, found.gone, many=found.is_long)
    return found


@domains.command()
@click.argument("url")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default="-")
@explained
def export(url: str, file: Path) -> None:
    """Write the rules of the table to FILE as TOML, or to standard output.

    FILE is replaced whole once all is written: with any error it stays as it is.
    """
    with closing(open_engine(url)) as engine, tables.collector_paused():
        replica = Replica(engine)
        replica.read_now()
    with replacing(file) if str(file) != "-" else click.open_file("-", "w") as written:
        _write(replica.entries, written)


def _write(entries: Entries, file: IO[str]) -> None:
    parts = (*sorted(entries.sections.items()), ("", entries.general))
    keys = [(section, key) for section, part in parts for key in sorted(part)]
    by_section = dict(parts)
    for batch in watched(_batches(keys), len(keys), "writing"):
        blocks = (
            "\n".join(toml_text.block(section, key, by_section[section][key].items()))
            for section, key in batch
        )
        file.write("".join(f"{block}\n\n" for block in blocks))
