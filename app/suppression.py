"""Addresses not to write to again, in a file of SQLite, or in PostgreSQL for several nodes.

Meant to be copied. `settings.suppression` says where: `sqlite:PATH`, or a `postgresql://` URL.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any, NamedTuple

from config import settings
from kumo_handlers import service
from kumo_handlers.errors import ConfigurationError, Problem

SCHEMES = frozenset({"postgresql", "postgres", "sqlite"})
TTL = 60.0  # seconds that an answer is kept: a suppression of another node may be as late
MOST = 100_000  # answers kept at once
PAUSE = 1.0  # seconds for which a database that failed is not asked again
PATIENCE = 2  # seconds that an answer is waited for: of a table that somebody locked, say
_TABLE = """
CREATE TABLE IF NOT EXISTS suppression (
    address TEXT NOT NULL, why TEXT NOT NULL, at DOUBLE PRECISION NOT NULL, key TEXT NOT NULL,
    PRIMARY KEY (address, key)
)"""
_INDEX = "CREATE INDEX IF NOT EXISTS suppression_folded ON suppression (lower(address))"
_ADD = "INSERT INTO suppression VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_FIND = "SELECT why FROM suppression WHERE lower(address) = ? ORDER BY at LIMIT 1"
_CONNECTION = {"connect_timeout": PATIENCE, "tcp_user_timeout": PATIENCE * 1000}
_LIMIT = f"SET statement_timeout = '{PATIENCE}s'"


class Row(NamedTuple):
    """Why an address is suppressed. The same report again has the same ``key``."""

    address: str
    why: str
    at: float
    key: str


class UnavailableError(Exception):
    """The database does not answer: nobody knows, so nothing may be decided."""


class Suppressions:
    """The table. Threads may share it."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = _read(url)
        self._execute = self._sqlite if self._url.scheme == "sqlite" else self._postgresql
        self._clock = clock
        self._answers: dict[str, tuple[float, str | None]] = {}
        self._lock = threading.Lock()
        self._connection: Any = None
        self._failed_at: float | None = None  # None while it answers

    def add(self, rows: Iterable[Row]) -> None:
        """Remember ``rows``, each key once. Raises `UnavailableError`."""
        for row in rows:
            self._ask(_ADD, row)
            self._answers.pop(row.address.lower(), None)

    def why(self, address: str) -> str | None:
        """Why ``address`` is suppressed, whatever its case; None if it is not.

        One look into a dictionary for what was asked within `TTL`. Raises `UnavailableError`.
        """
        folded = address.lower()
        until, answer = self._answers.get(folded, (0.0, None))
        if until > self._clock():
            return answer
        found = self._ask(_FIND, (folded,))
        answer = found[0][0] if found else None
        with self._lock:
            self._answers.pop(folded, None)
            while len(self._answers) >= MOST:
                del self._answers[next(iter(self._answers))]  # the oldest
            self._answers[folded] = self._clock() + TTL, answer
        return answer

    def close(self) -> None:
        """Let go of the connection; the next question makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ask(self, statement: str, values: tuple[object, ...]) -> list[Any]:
        # Once it failed, one thread at a time finds out whether it answers, and none waits for it.
        if not self._lock.acquire(blocking=self._failed_at is None):
            raise self._silent()
        try:
            if self._failed_at is not None and self._clock() - self._failed_at < PAUSE:
                raise self._silent()
            found = self._execute(statement, values)
            self._failed_at = None
            return found
        finally:
            self._lock.release()

    def _silent(self) -> UnavailableError:
        return UnavailableError(f"{self._url} did not answer just now")

    def _sqlite(self, statement: str, values: tuple[object, ...]) -> list[Any]:
        path = self._url.text.removeprefix("sqlite:").removeprefix("//")
        try:
            with closing(sqlite3.connect(path, timeout=PATIENCE)) as database, database:
                for each in (_TABLE, _INDEX):
                    database.execute(each)
                return database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _postgresql(self, statement: str, values: tuple[object, ...]) -> list[Any]:
        psycopg = service.client("psycopg", "postgresql")
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._url.text, autocommit=True, **_CONNECTION)
                for each in (_LIMIT, _TABLE, _INDEX):
                    self._connection.execute(each)
            found = self._connection.execute(statement.replace("?", "%s"), values)
            return found.fetchall() if found.description else []
        except psycopg.Error as error:
            self.close()
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> UnavailableError:
        self._failed_at = self._clock()
        return UnavailableError(f"{self._url}: {service.without_secrets(str(error), self._url)}")


def _read(url: object) -> service.ServiceURL:
    """The setting. Its value may hold a password, so no error shows it."""
    try:
        if isinstance(url, str):
            return service.parse(url, SCHEMES)
        message = f"is no text but {type(url).__name__}"
    except ValueError as error:
        message = str(error)
    expected = "sqlite:PATH, or postgresql://USER:PASSWORD@HOST/DATABASE"
    raise ConfigurationError(Problem(option="suppression", message=message, expected=expected))


suppressions = Suppressions(settings.suppression)
