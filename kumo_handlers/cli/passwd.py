"""``kumo-handlers passwd``: the password file that AUTH is checked by."""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path

import click

from kumo_handlers.cli.errors import explained
from kumo_handlers.cli.replacement import replacing


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("name")
@click.option("--delete", is_flag=True, help="Take the name out of the file.")
@click.option("--stdin", is_flag=True, help="Read the password from standard input, not a prompt.")
@explained
def passwd(file: Path, name: str, *, delete: bool, stdin: bool) -> None:
    """Set the password of NAME in FILE, which is made if it is not there.

    NAME is printable, without a colon, and does not begin with #.
    """
    from kumo_handlers.pipeline.authentication import Scrypt, read_passwords  # noqa: PLC0415 - lazily

    if not name.isprintable() or name != name.strip() or ":" in name or name[:1] in {"", "#"}:
        raise click.BadParameter("a name is printable, and has no colon", param_hint="NAME")
    known = read_passwords(str(file)) if file.exists() else {}
    if delete:
        if known.pop(name, None) is None:
            raise click.ClickException(f"{file}: {name} is not there")
    else:
        known[name] = Scrypt.make(_password(stdin=stdin))
    with replacing(file, mode=0o600) as replaced:
        replaced.writelines(f"{each}:{kept}\n" for each, kept in sorted(known.items()))


def _password(*, stdin: bool) -> str:
    if stdin:
        try:
            password = sys.stdin.buffer.readline().decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise click.UsageError("the password is not UTF-8, as clients send it") from error
    else:
        password = getpass("Password: ")
        if password != getpass("Once more: "):
            raise click.UsageError("the two are not the same")
    if not password:
        raise click.UsageError("the password is empty")
    return password
