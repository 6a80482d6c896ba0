"""The files of a policy: where they are, what they hold, and what they are called in messages.

What is read while the policy loads makes its version and is watched. A file that an event reads
later is read again whenever it changed, and is not part of the version.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.policy import source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kumo_handlers.policy.source import Stamp

MAX_SIZE: Final = 64 * 1024 * 1024
# Lua shortens the name of a chunk beyond this, from its front.
_LONGEST_NAME: Final = 55
_MODULE: Final = re.compile(r"[\w-]+(?:[./][\w-]+)*")
_LATE_FILES: Final = 256


class Scripts:
    """The files that belong to the policy ``main``. ``path_map`` says what stands for a path."""

    def __init__(self, main: str, path_map: Mapping[str, str]) -> None:
        self.main = main
        # The longest first: /opt/kumomta/etc before /opt/kumomta.
        self._path_map = sorted(path_map.items(), key=lambda pair: len(pair[0]), reverse=True)
        self._read: dict[str, bytes] = {}
        self._late: dict[str, tuple[Stamp, bytes]] = {}
        self._sealed = False
        self._paths: dict[str, str] = {}

    @property
    def package_path(self) -> str:
        """Where ``require`` looks, as ``package.path`` says it."""
        folder = Path(self.main).parent
        kumomta = Path("/opt/kumomta")
        folders = (folder, kumomta / "etc" / "policy", kumomta / "etc", kumomta / "share")
        return ";".join(f"{each}/?.lua;{each}/?/init.lua" for each in folders)

    @property
    def files(self) -> tuple[str, ...]:
        """What was read until the policy was loaded."""
        return tuple(self._read)

    @property
    def digest(self) -> str:
        """A hash of all that."""
        parts = (hashlib.sha256(content).digest() for content in self._read.values())
        return hashlib.sha256(b"".join(parts)).hexdigest()

    def seal(self) -> None:
        """The policy is loaded: what is read from now on is read late."""
        self._sealed = True

    def mapped(self, path: str) -> str:
        """The file that stands for ``path``."""
        for start, instead in self._path_map:
            if path == start or path.startswith(start.rstrip("/") + "/"):
                return instead.rstrip("/") + path[len(start.rstrip("/")) :]
        return path

    def read(self, path: str) -> bytes:
        """The content of a file. Raises `ConfigurationError` where it cannot be read."""
        file = self.mapped(path)
        if not self._sealed:
            if file not in self._read:
                self._read[file] = _content(file)
            return self._read[file]
        before = source.stamp(file)
        known = self._late.get(file)
        if known is None or known[0] != before:
            if len(self._late) >= _LATE_FILES:
                self._late.clear()
            known = self._late[file] = before, _content(file)
        return known[1]

    def name(self, file: str) -> str:
        """What messages of Lua call a file."""
        name = file
        if len(name) > _LONGEST_NAME:
            name = f"{len(self._paths)}:{Path(file).name}"[-_LONGEST_NAME:]
        self._paths[name] = file
        return name

    def path(self, name: str | None) -> str | None:
        """The file that messages of Lua call ``name``."""
        return self._paths.get(name, name) if name else None

    def placed(self, text: str) -> Problem:
        """A message of Lua as a problem: ``FILE:LINE: what is wrong``."""
        for name, file in self._paths.items():
            if text.startswith(f"{name}:"):
                line, colon, rest = text[len(name) + 1 :].partition(": ")
                if colon and line.isdigit():
                    return Problem(message=rest, file=file, line=int(line))
        return Problem(message=text)

    def find_module(self, name: str, package_path: str) -> tuple[str, bytes] | None:
        """The name and content of the module that ``require(name)`` asks for."""
        if not _MODULE.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a module")
        for template in package_path.split(";"):
            path = template.replace("?", name.replace(".", "/"))
            file = self.mapped(path)
            if template.endswith(".lua") and Path(file).is_file():
                return self.name(file), self.read(path)
        return None


def _content(file: str) -> bytes:
    stamp = source.stamp(file)
    if stamp is not None and stamp[1] > MAX_SIZE:
        raise ConfigurationError(Problem(message="is too large for a policy", file=file))
    if stamp is not None and not Path(file).is_file():
        raise ConfigurationError(Problem(message="is no file", file=file))
    return source.content(file)
