"""Which policy a command is about: the options that say it, and how it is loaded."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.policy import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

    from kumo_handlers.pipeline.settings import Settings
    from kumo_handlers.policy.base import Policy
    from kumo_handlers.policy.listener import Listener

    Source = str | Mapping[str, Any]

# Where a Salmon project has its settings.
USUAL_SETTINGS = "config.settings"

C_ = TypeVar("C_", bound="Callable[..., object]")


class Choice(NamedTuple):
    """What the options say: files of rules, a module of settings, or both.

    A file whose name ends in ``.lua`` is a policy of its own. With files and settings, the rules
    are those of the files, and the listeners those of the settings.
    """

    files: tuple[str, ...] = ()
    settings: str | None = None

    def __bool__(self) -> bool:
        return bool(self.files or self.settings)


NOTHING = Choice()


class Chosen(NamedTuple):
    """A policy, and the listeners it is asked at; none where nothing says where to listen."""

    policy: Policy
    listeners: tuple[Listener, ...] = ()


def policy_options(command: C_) -> C_:
    """The options that choose a policy: ``files``, ``policy`` and ``settings`` of a command."""
    for option in (
        click.option(
            "--settings",
            metavar="MODULE",
            help="The settings of a Salmon project: its rules and its listeners.  "
            f"[default: {USUAL_SETTINGS}, if no rules are named]",
        ),
        click.option(
            "--listener-domains",
            "files",
            multiple=True,
            metavar="FILE",
            help="The rules, TOML or JSON. May be repeated; later files win.",
        ),
        click.option(
            "--policy", metavar="FILE", help="A KumoMTA policy in Lua: its rules, its listeners."
        ),
    ):
        command = option(command)
    return command


def choose(
    files: tuple[str, ...],
    policy: str | None,
    settings: str | None,
    otherwise: Choice = NOTHING,
) -> Choice:
    """What the options say; or else ``otherwise``, or else the settings of this folder's project.

    Raises `ConfigurationError` where there is nothing of all this.
    """
    given = Choice((*files, policy) if policy else files, settings) or otherwise
    if given:
        return given
    if not Path(*USUAL_SETTINGS.split(".")).with_suffix(".py").is_file():
        raise ConfigurationError(
            Problem(
                message="which rules?",
                expected="--listener-domains FILE, --policy FILE, or --settings MODULE",
                hint=f"there is no {USUAL_SETTINGS} in this folder",
            )
        )
    return Choice(settings=USUAL_SETTINGS)


def load(choice: Choice) -> Chosen:
    """Load what was chosen. Raises `ConfigurationError` with all that is wrong."""
    settings = read_settings(choice.settings) if choice.settings else None
    listeners = settings.listeners if settings else ()
    sources = choice.files or (settings.listener_domains if settings else ())
    policy = load_rules(sources)
    return Chosen(policy, policy.listeners or listeners)


def load_rules(sources: Sequence[Source]) -> Policy:
    """The policy that ``sources`` make: one script, or any number of tables.

    Raises `ConfigurationError` with all that is wrong.
    """
    if not any(is_script(source) for source in sources):
        return tables.load(sources)
    if len(sources) > 1:
        names = ", ".join(str(source) for source in sources)
        raise ConfigurationError(Problem(message="a Lua policy stands alone", value=names))
    from kumo_handlers.policy.lua import loading  # noqa: PLC0415 - most rules are tables

    return loading.load(str(sources[0]))


def is_script(source: Source) -> bool:
    """Whether rules are a policy in Lua."""
    return isinstance(source, str) and source.endswith(".lua")


def read_settings(name: str) -> Settings:
    """The settings of a module. Raises `ConfigurationError` with all that is wrong."""
    from kumo_handlers.pipeline.settings import Settings  # noqa: PLC0415 - rules alone are quicker

    return Settings.read(import_settings(name))


def import_settings(name: str) -> ModuleType:
    """The module itself, found from the current folder. Raises `ConfigurationError`."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return import_module(name)
    except Exception as error:  # a module of settings may do anything, and fail with anything
        raise ConfigurationError(
            Problem(
                message="cannot be imported",
                option="--settings",
                value=name,
                hint=f"{type(error).__name__}: {error}",
            )
        ) from error
