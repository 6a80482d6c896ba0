"""Who may authenticate: names in a password file, or whoever a function of the app's says.

A password file has a line for each name, ``NAME:scrypt$N$R$P$SALT$HASH`` (RFC 7914), salt and
hash in base64; ``kumo-handlers passwd`` writes it. It is read again when it changes.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.policy import source
from kumo_handlers.smtp.credentials import Identities

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from kumo_handlers.mail.reply import Reply
    from kumo_handlers.mail.session import Session
    from kumo_handlers.pipeline.installation import Installation
    from kumo_handlers.smtp.credentials import Credentials

# 16 MiB and some 50 ms for each guess (RFC 7914, 2; OWASP asks for no less)
_COST, _BLOCK, _PARALLEL = 1 << 14, 8, 1
_MOST_MEMORY = 128 * 1024 * 1024
_EXPECTED = "NAME:scrypt$N$R$P$SALT$HASH, as kumo-handlers passwd writes it"


class Scrypt(msgspec.Struct, frozen=True):
    """One password, as it is kept."""

    cost: int
    block: int
    parallel: int
    salt: bytes
    digest: bytes

    @classmethod
    def make(cls, password: str) -> Scrypt:
        """Keep ``password``, with a salt of its own."""
        salt = os.urandom(16)
        return cls(
            _COST, _BLOCK, _PARALLEL, salt, _derive(password, salt, _COST, _BLOCK, _PARALLEL)
        )

    @classmethod
    def read(cls, text: str) -> Scrypt:
        """Read what ``str`` gives. Raises ValueError."""
        scheme, cost, block, parallel, salt, digest = text.split("$")
        if scheme != "scrypt":
            raise ValueError(scheme)
        return cls(int(cost), int(block), int(parallel), _decode(salt), _decode(digest))

    def __str__(self) -> str:
        numbers = f"{self.cost}${self.block}${self.parallel}"
        return f"scrypt${numbers}${_encode(self.salt)}${_encode(self.digest)}"

    def __repr__(self) -> str:
        return "Scrypt(…)"

    def is_of(self, password: str) -> bool:
        """Whether it was made of ``password``. Takes its time."""
        derived = _derive(password, self.salt, self.cost, self.block, self.parallel)
        return hmac.compare_digest(derived, self.digest)


def _derive(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=cost, r=block, p=parallel, maxmem=_MOST_MEMORY, dklen=32
    )


def _encode(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _decode(text: str) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)


class PasswordFile:
    """Names and passwords in a file. Whoever proves to be a name acts as that name alone."""

    def __init__(self, path: str, threads: Executor) -> None:
        """Raises `ConfigurationError` with every line that cannot be read."""
        self._path = path
        self._threads = threads
        self._stamp = source.stamp(path)
        self._known = read_passwords(path)
        # for names that are not there, so that an answer takes as long for them
        self._nobody = Scrypt.make(os.urandom(16).hex())

    async def authenticate(self, session: Session, credentials: Credentials) -> Identities | None:
        """Check a password in a worker thread: it takes some 50 ms of a core."""
        del session
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._check, credentials)

    def _check(self, credentials: Credentials) -> Identities | None:
        name = credentials.authn_id
        self._refresh()
        kept = self._known.get(name, self._nobody)
        proved = kept.is_of(credentials.password) and name in self._known
        if not proved or credentials.authz_id not in ("", name):
            return None
        return Identities(name, name)

    def _refresh(self) -> None:
        """Read the file again if it changed. A broken one is an error: nobody is let in."""
        stamp = source.stamp(self._path)
        if stamp != self._stamp:
            self._known = read_passwords(self._path)
            self._stamp = stamp


class Asking:
    """A function of the app's: ``authenticate(authn_id, password) -> bool``."""

    def __init__(self, is_right: Callable[[str, str], bool], threads: Executor) -> None:
        self._is_right = is_right
        self._threads = threads

    async def authenticate(self, session: Session, credentials: Credentials) -> Identities | None:
        """Ask it, in a worker thread: it may look into a database."""
        del session
        name = credentials.authn_id
        if credentials.authz_id not in ("", name):
            return None
        loop = asyncio.get_running_loop()
        right = await loop.run_in_executor(
            self._threads, self._is_right, name, credentials.password
        )
        return Identities(name, name) if right is True else None


class Scripted:
    """The event ``smtp_server_auth_plain`` of the policy in force."""

    def __init__(self, installed: Installation) -> None:
        self._installed = installed

    async def authenticate(
        self, session: Session, credentials: Credentials
    ) -> Identities | Reply | None:
        """Ask the script, here: it is quick, or it is stopped."""
        events = self._installed.policy.events
        if events is None:
            return None
        found = events.authenticate(
            session, credentials.authz_id, credentials.authn_id, credentials.password
        )
        return Identities(*found) if isinstance(found, tuple) else found


def read_passwords(path: str) -> dict[str, Scrypt]:
    """The names of a password file. Raises `ConfigurationError`, naming no password."""
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(Problem(message=f"cannot be read: {error}", file=path)) from error
    known: dict[str, Scrypt] = {}
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, kept = line.partition(":")
        try:
            known[name] = Scrypt.read(kept.strip())
        except ValueError:
            problems.append(
                Problem(message="wrong line", file=path, line=number, expected=_EXPECTED)
            )
    if problems:
        raise ConfigurationError(problems)
    return known
