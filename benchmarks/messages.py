"""Messages of one's own, as they are or filled up: the reader beside the standard library's.

    python -m benchmarks.messages FOLDER --fill 51200

For each message the time of `email.message_from_bytes` and a walk is divided by that of the reader.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from statistics import median, quantiles

import click

from benchmarks.measure import measure
from benchmarks.parsing import walk
from kumo_handlers.reports import cascade

ROUNDS = 3
LINE = b"a line of an ordinary letter, and no more."


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--fill", default=0, help="Add lines until a message has so many bytes.")
@click.option("--reverse-path", default=None, help="The envelope's; not known if left out.")
def main(folder: Path, fill: int, reverse_path: str | None) -> None:
    """Print how many times the reader's time the standard library takes for the files of FOLDER."""
    ratios = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        content = filled(path.read_bytes(), fill)
        ours, theirs = measure(
            {
                "ours": partial(cascade.read, content, reverse_path=reverse_path),
                "email": partial(walk, content),
            },
            ROUNDS,
        )
        ratios.append(theirs.seconds / ours.seconds)
    low, _, high = quantiles(ratios, n=4)
    click.echo(
        f"{len(ratios)} messages: median {median(ratios):.2f} times, quarters {low:.2f}, {high:.2f}"
    )


def filled(content: bytes, size: int) -> bytes:
    """The message, with lines behind it until it has about that size."""
    line = LINE + (b"\r\n" if b"\r\n" in content else b"\n")
    return content + line * (max(size - len(content), 0) // len(line))


if __name__ == "__main__":
    main()
