"""``--map-path``: what stands, on this machine, for a path that a policy in Lua names."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

from kumo_handlers.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    Pairs = tuple[tuple[str, str], ...]

C_ = TypeVar("C_", bound="Callable[..., object]")


def map_path_option(command: C_) -> C_:
    """The option; a command is given ``map_path``, the texts as they are, for `pairs`."""
    return click.option(
        "--map-path",
        "map_path",
        multiple=True,
        metavar="FROM=TO",
        help="What stands for a path that the policy names. May be repeated.",
    )(command)


def pairs(texts: tuple[str, ...]) -> Pairs:
    """The two paths of each ``FROM=TO``. Raises `ConfigurationError`."""
    return tuple(_pair(text) for text in texts)


def _pair(text: str) -> tuple[str, str]:
    start, equals, instead = text.partition("=")
    if not (start and equals and instead):
        raise ConfigurationError(
            Problem(message="wrong value", option="--map-path", value=text, expected="FROM=TO")
        )
    return start, instead
