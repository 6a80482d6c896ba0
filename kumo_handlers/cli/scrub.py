"""``kumo-handlers scrub``: a report that can be attached to a bug report."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from kumo_handlers.cli.errors import explained
from kumo_handlers.reports import scrubbing


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Else standard output."
)
@explained
def scrub(file: BinaryIO, output: Path | None) -> None:
    """Replace addresses, names, hosts and the returned text of FILE, the same by the same.

    What comes out is read by this program as FILE is. Look it over before you show it: what
    stands in prose and is no address, no host and no name of the returned message is kept.
    """
    scrubbed = scrubbing.scrub(file.read())
    if output is None:
        click.echo(scrubbed, nl=False)
    else:
        output.write_bytes(scrubbed)
