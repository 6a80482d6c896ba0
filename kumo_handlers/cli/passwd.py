"""``kumo-handlers passwd``: the password file that AUTH is checked by."""

from __future__ import annotations

import os
import sys
from getpass import getpass
from pathlib import Path

import click

from kumo_handlers.cli.errors import explained


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("name")
@click.option("--delete", is_flag=True, help="Take the name out of the file.")
@click.option("--stdin", is_flag=True, help="Read the password from standard input, not a prompt.")
@explained
def passwd(file: Path, name: str, *, delete: bool, stdin: bool) -> None:
    """Set the password of NAME in FILE, which is made if it is not there."""
    from kumo_handlers.pipeline.authentication import Scrypt, read_passwords  # noqa: PLC0415 - lazily

    if not name.isprintable() or ":" in name or name.startswith("#"):
        raise click.BadParameter("a name is printable, and has no colon", param_hint="NAME")
    known = read_passwords(str(file)) if file.exists() else {}
    if delete:
        known.pop(name, None)
    else:
        known[name] = Scrypt.make(_password(stdin=stdin))
    _replace(file, "".join(f"{each}:{kept}\n" for each, kept in sorted(known.items())))


def _password(*, stdin: bool) -> str:
    if stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = getpass("Password: ")
        if password != getpass("Once more: "):
            raise click.UsageError("the two are not the same")
    if not password:
        raise click.UsageError("the password is empty")
    return password


def _replace(file: Path, text: str) -> None:
    """Whole or not at all, and for the owner's eyes alone."""
    unfinished = file.with_name(f".{file.name}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as written:
        written.write(text)
        written.flush()
        os.fsync(written.fileno())
    unfinished.replace(file)
