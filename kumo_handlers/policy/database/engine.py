"""What a database is to the rest of the wing, and which ones there are.

Everything that reads asks these questions; adding an engine is a file and a row.
"""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from kumo_handlers import service
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.policy.database.columns import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from kumo_handlers.policy.database.columns import Key, Row
    from kumo_handlers.service import ServiceURL

_ENGINES: Final = {
    "postgresql": "kumo_handlers.policy.database.postgresql:PostgreSQL",
    "postgres": "kumo_handlers.policy.database.postgresql:PostgreSQL",
    "sqlite": "kumo_handlers.policy.database.sqlite:SQLite",
}
SCHEMES: Final = frozenset(_ENGINES)


class Version(msgspec.Struct, frozen=True):
    """How often the table was changed, in the order of the commits.

    Changes up to ``whole_since`` were too many to be listed: who knows less reads all of it.
    """

    number: int
    whole_since: int = 0


class Snapshot(Protocol):
    """The table as it is at one moment."""

    def version(self) -> Version:
        """How often it was changed until then."""

    def rows(self) -> Iterator[Row]:
        """Every row there is."""

    def changes(self, since: int) -> Iterator[tuple[bool, Row]]:
        """The rows that changed after version ``since``, and whether they are there now."""

    def put(self, batches: Iterable[Sequence[Row]], gone: Sequence[Key], *, many: bool) -> None:
        """Put rows in the place of those of the same key, and take out those that are ``gone``.

        Only where the snapshot is for writing. ``many`` are not listed one by one as changes:
        whoever follows the table reads all of it again.
        """


class Engine(Protocol):
    """A database with the table of rules.

    Each question raises `ConnectionError` where the database does not answer now, and
    `ConfigurationError` where it is not as it should be; neither shows a password.
    """

    name: str

    def version(self) -> Version:
        """How often the table was changed: cheap enough to be asked twice a second."""

    def snapshot(self, *, writing: bool = False) -> AbstractContextManager[Snapshot]:
        """One transaction; ``writing`` keeps other writers out until it is committed."""

    def create(self) -> None:
        """Make the table, and what keeps count of its changes, where they are not there."""

    def close(self) -> None:
        """Let go of the connection; the next question makes a new one."""


VERSION: Final = "SELECT version, whole_since FROM listener_domains_version"


def schema(engine: str) -> str:
    """The statements that make the table, and what keeps count of its changes."""
    return files(__package__).joinpath(f"{engine}.sql").read_text()


def select(columns: Iterable[str]) -> str:
    """The statement that reads every row; ``columns`` are those of the options."""
    return f"SELECT {', '.join(('section', 'domain', *columns))} FROM listener_domains"  # noqa: S608 - names of our own


def select_changes(columns: Iterable[str], mark: str) -> str:
    """The statement that reads the rows of the keys that were noted after the version ``mark``."""
    values = ", ".join(("noted.section", "noted.domain", *columns))
    return (
        f"SELECT now.domain IS NOT NULL, {values} FROM listener_domains_changes AS noted"  # noqa: S608 - as above
        " LEFT JOIN listener_domains AS now USING (section, domain)"
        f" WHERE noted.version > {mark}"
    )


def is_url(text: str) -> bool:
    """Whether a source of rules is a server or a database, not the path of a file.

    What has a password in it is one, if a broken one: a path would be shown in errors.
    """
    return "://" in text or text.startswith("sqlite:") or service.masked(text) != text


def open_engine(url: str | ServiceURL) -> Engine:
    """The database of a URL; nothing is connected yet. Raises `ConfigurationError`."""
    if isinstance(url, str):
        url = parse(url)
    module, _, name = _ENGINES[url.scheme].partition(":")
    engine: Engine = getattr(import_module(module), name)(url, title(url))
    return engine


def parse(text: str) -> ServiceURL:
    """Read the URL of a database with rules. Raises `ConfigurationError`."""
    try:
        return service.parse(text, SCHEMES)
    except ValueError as error:
        raise ConfigurationError(
            Problem(
                message=str(error),
                value=repr(service.masked(text)),
                expected="postgresql://USER:PASSWORD@HOST/DATABASE, or sqlite:PATH",
            )
        ) from None


def title(url: ServiceURL) -> str:
    """What stands in errors and origins where a file's name would."""
    return f"{url} table {TABLE}"


def no_table(name: str, reason: str) -> ConfigurationError:
    """The error of a database that was not prepared, or not with the columns of this version."""
    return ConfigurationError(
        Problem(
            message=f"cannot be read: {reason}", file=name, hint="kumo-handlers domains create URL"
        )
    )
