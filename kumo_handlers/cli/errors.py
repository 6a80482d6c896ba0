"""How a command fails: the problems, each on its line, and exit status 1; never a traceback."""

from __future__ import annotations

import errno
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from kumo_handlers.errors import KumoHandlersError

if TYPE_CHECKING:
    from collections.abc import Callable

P_ = ParamSpec("P_")
R_ = TypeVar("R_")


def explained(command: Callable[P_, R_]) -> Callable[P_, R_]:
    """Show what went wrong as the user would want to read it."""

    @wraps(command)
    def run(*args: P_.args, **options: P_.kwargs) -> R_:
        try:
            return command(*args, **options)
        except KumoHandlersError as error:
            for line in str(error).splitlines():
                click.secho("error: ", fg="red", nl=False, err=True)
                click.echo(line, err=True)
            raise click.exceptions.Exit(1) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read has enough: click ends in silence
                raise
            raise click.ClickException(_said(error)) from error

    return run


def _said(error: OSError) -> str:
    """The file, where there is one, and what the system says of it."""
    reason = error.strerror or str(error)
    return reason if error.filename is None else f"{error.filename}: {reason}"
