"""Which policy a command is about: the options that say it, and how it is loaded."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import click
import msgspec

from kumo_handlers.cli.mapped_paths import map_path_option, pairs
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.pipeline import rules
from kumo_handlers.pipeline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from kumo_handlers.cli.mapped_paths import Pairs
    from kumo_handlers.policy.base import Policy
    from kumo_handlers.policy.listener import Listener

# Where a Salmon project has its settings.
USUAL_SETTINGS = "config.settings"

C_ = TypeVar("C_", bound="Callable[..., object]")


class Choice(NamedTuple):
    """What the options say: files of rules, a module of settings, or both.

    A file whose name ends in ``.lua`` is a policy of its own. With files and settings, the rules
    are those of the files, and the listeners those of the settings. ``map_path`` is for a script,
    beside what the settings say.
    """

    files: tuple[str, ...] = ()
    settings: str | None = None
    map_path: Pairs = ()

    def __bool__(self) -> bool:
        return bool(self.files or self.settings)


NOTHING = Choice()


class Chosen(NamedTuple):
    """A policy, and the listeners it is asked at; none where nothing says where to listen.

    ``classification`` are the rule files by which bounces are classified, beside our own.
    """

    policy: Policy
    listeners: tuple[Listener, ...] = ()
    classification: tuple[str, ...] = ()


def policy_options(command: C_) -> C_:
    """The options that choose a policy: ``files``, ``policy``, ``settings`` and ``map_path``."""
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
        map_path_option,
    ):
        command = option(command)
    return command


def choose(
    files: tuple[str, ...],
    policy: str | None,
    settings: str | None,
    map_path: tuple[str, ...] = (),
    otherwise: Choice = NOTHING,
) -> Choice:
    """What the options say; or else ``otherwise``, or else the settings of this folder's project.

    Raises `ConfigurationError` where there is nothing of all this.
    """
    mapped = pairs(map_path)
    given = Choice((*files, policy) if policy else files, settings) or otherwise
    if given:
        return given._replace(map_path=mapped)
    if not Path(*USUAL_SETTINGS.split(".")).with_suffix(".py").is_file():
        raise ConfigurationError(
            Problem(
                message="which rules?",
                expected="--listener-domains FILE, --policy FILE, or --settings MODULE",
                hint=f"there is no {USUAL_SETTINGS} in this folder",
            )
        )
    return Choice((), USUAL_SETTINGS, mapped)


def load(choice: Choice) -> Chosen:
    """Load what was chosen. Raises `ConfigurationError` with all that is wrong."""
    settings = read_settings(choice.settings) if choice.settings else Settings()
    settings = with_rules(settings, choice)
    policy = rules.load(settings)
    listeners = settings.listeners if choice.settings else ()
    return Chosen(
        policy, policy.listeners or listeners, rules.classification_files(settings, policy)
    )


def with_rules(settings: Settings, choice: Choice) -> Settings:
    """The settings with the rules of ``choice`` in place of their own, if it names any.

    Raises `ConfigurationError` for a script that does not stand alone.
    """
    files = choice.files
    mapped = settings.map_path | dict(choice.map_path)
    settings = msgspec.structs.replace(settings, map_path=mapped)
    if not files:
        return settings
    if not any(map(is_script, files)):
        return msgspec.structs.replace(settings, listener_domains=files, policy=None)
    if len(files) > 1:
        raise ConfigurationError(
            Problem(message="a policy in Lua stands alone", value=", ".join(files))
        )
    return msgspec.structs.replace(settings, listener_domains=(), policy=files[0])


def is_script(file: str) -> bool:
    """Whether a file of rules is a policy in Lua."""
    return file.endswith(".lua")


def read_settings(name: str) -> Settings:
    """The settings of a module. Raises `ConfigurationError` with all that is wrong."""
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
