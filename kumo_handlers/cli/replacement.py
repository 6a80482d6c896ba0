"""A file that is put in the place of another: whole, on disk, or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from kumo_handlers.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(path: Path, mode: int = 0o666) -> Iterator[TextIO]:
    """Write what ``path`` is to hold; with any error it stays as it is, or is not made.

    It keeps its owner and permissions; where there is none yet, they are ``mode`` without the
    umask. What is no file, such as ``/dev/stdout``, is written to. Raises `ConfigurationError`
    where it cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("w", encoding="utf-8") as file:
                yield file
        else:
            yield from _written(path.resolve(), mode)
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise ConfigurationError(Problem(message=message, file=str(path))) from error


def _written(path: Path, mode: int) -> Iterator[TextIO]:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
            _keep(path, descriptor)
            file.flush()
            os.fsync(descriptor)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _keep(path: Path, descriptor: int) -> None:
    """Owner and permissions of what is replaced: whoever reads it can read it again."""
    try:
        before = path.stat()
    except FileNotFoundError:
        return
    with suppress(PermissionError):
        os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, before.st_mode & 0o7777)
