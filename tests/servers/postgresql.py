"""A PostgreSQL of the tests' own: its own folder, its own port; the system's is not touched.

`with postgresql() as server:` starts one and takes all of it away again. It listens on loopback
only, and wants a password, so that a test can see whether that password is shown to anybody.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALL = "PostgreSQL is not installed: apt-get install postgresql"
USER = "mail"
PASSWORD = "never-to-be-shown"  # noqa: S105 - that of a server which lives as long as a test
PATIENCE = 30.0  # seconds for a start, and for a stop


def missing() -> str | None:
    """What to say where there is no PostgreSQL; None where there is one."""
    return None if _programs() else INSTALL


class Server:
    """One PostgreSQL. ``url`` is that of its first database, password and all."""

    def __init__(self, programs: Path, folder: Path, settings: dict[str, str]) -> None:
        self.port = free_port()
        self._programs = programs
        self._folder = folder
        self._settings = settings | {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
        }
        self._account = _account()
        self._postmaster: subprocess.Popen[bytes] | None = None
        self._create()

    @property
    def url(self) -> str:
        """The database that every server has."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """A database of this server."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """The postmaster's; 0 before the first start."""
        return self._postmaster.pid if self._postmaster else 0

    def start(self) -> None:
        """Start it, on the port it had before, and wait until it answers."""
        settings = [word for pair in self._settings.items() for word in ("-c", "=".join(pair))]
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self._postmaster is None or self._postmaster.poll() is not None:
                # one that was killed leaves children behind for a moment, and refuses a second
                self._postmaster = self._spawn("postgres", "-D", str(self._data), *settings)
            if self._answers():
                return
            time.sleep(0.02)
        self.kill()
        raise TimeoutError(f"PostgreSQL did not start: {self.log()[-2000:]}")

    def stop(self) -> None:
        """Stop it as an administrator would, without waiting for clients."""
        if self._postmaster is None or self._postmaster.poll() is not None:
            return
        self._postmaster.send_signal(signal.SIGINT)
        try:
            self._postmaster.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """``kill -9`` of the postmaster and of each of its children."""
        if self._postmaster is None:
            return
        children = _children(self._postmaster.pid)
        self._postmaster.kill()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._postmaster.wait(PATIENCE)

    def log(self) -> str:
        """What the server said."""
        return (self._folder / "log").read_text(errors="replace")

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new, empty database, dropped afterwards."""
        name = f"test_{secrets.token_hex(6)}"
        self._tell(f"CREATE DATABASE {name}")
        yield self.url_of(name)
        self._tell(f"DROP DATABASE {name} WITH (FORCE)")

    def _tell(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _create(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        if self._account is not None:
            account = pwd.getpwnam(self._account)
            for path in (self._folder, password):
                os.chown(path, account.pw_uid, account.pw_gid)
        options = ("--no-sync", "--no-locale", "--encoding=UTF8", "--auth=scram-sha-256")
        names = (f"--username={USER}", f"--pwfile={password}", "-D", str(self._data))
        if self._spawn("initdb", *options, *names).wait(PATIENCE):
            raise OSError(f"initdb failed: {self.log()[-2000:]}")

    def _spawn(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self._programs / program), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,  # an interrupt from the keyboard is for the test alone
                user=self._account,
                group=self._account and pwd.getpwnam(self._account).pw_gid,
                extra_groups=[] if self._account else None,
            )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgresql(**settings: str) -> Iterator[Server]:
    """A server that runs, with more settings of ``postgresql.conf``; gone afterwards.

    Nothing is synced to the disk unless ``fsync="on"`` is asked for: what a ``kill -9`` may lose
    is the same either way, for the machine stays up. Whoever measures asks for it.
    """
    programs = _programs()
    if programs is None:
        raise FileNotFoundError(INSTALL)
    usual = {"fsync": "off", "shared_buffers": "128MB", "max_connections": "100"}
    with tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as folder:
        server = Server(programs, Path(folder), usual | settings)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``: the newest of Debian's, or that on the path."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    there = shutil.which("initdb")
    if there:
        found.append(Path(there).resolve())
    return found[-1].parent if found else None


def _account() -> str | None:
    """Who it runs as: root may not; whoever else runs the tests may."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    return None


def _children(pid: int) -> list[int]:
    """The processes that have ``pid`` for a parent: those of PostgreSQL leave its group."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # the name in parentheses may hold spaces: proc(5)
            if int(status.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(status.parent.name))
    return found
