"""How an option is declared, and how a table of options is read.

An option is declared once, as a field of the Struct that holds its value::

    relay_to: Annotated[bool, Declared(BOOL, "accept mail addressed to the domain")] = False

`declared` turns such a Struct into rows (name, kind, default, help) that TOML, Lua and Python
settings are read with, and that the commands and the documentation list. `read` checks a whole
table and reports all that is wrong with it, not only the first thing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers import service
from kumo_handlers.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LONGEST_SHOWN = 120

_log = logging.getLogger(__name__)


class Kind(msgspec.Struct, frozen=True):
    """A type of option: its name, what is expected of a value, and how a value is read.

    ``read`` takes what TOML, JSON, Lua or Python gave. It raises `ConfigurationError`, its
    problems saying value and hint, for what it cannot take. ``show`` writes a value for people.
    """

    name: str
    expected: str
    read: Callable[[Any], Any]
    show: Callable[[Any], str] = str


class Declared(msgspec.Struct, frozen=True):
    """What a field's annotation says of its option."""

    kind: Kind
    help: str


class Option(msgspec.Struct, frozen=True):
    """One option. Without ``effect`` it is accepted, whatever its value, and noted."""

    name: str
    kind: Kind
    help: str
    default: Any = None
    effect: bool = True

    @property
    def default_text(self) -> str:
        """The default as a person would write it."""
        return self.kind.show(self.default) if self.effect else ""


class Place(msgspec.Struct, frozen=True):
    """Where a table stands: as much of it as is known."""

    file: str | None = None
    line: int | None = None
    domain: str | None = None

    def problem(
        self,
        message: str,
        *,
        option: str | None = None,
        value: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> Problem:
        """A problem at this place."""
        return Problem(
            message=message,
            file=self.file,
            line=self.line,
            domain=self.domain,
            option=option,
            value=value,
            expected=expected,
            hint=hint,
        )


ANYTHING = Kind("any", "anything", lambda raw: raw)


def declared(struct: type[msgspec.Struct], **without_effect: str) -> dict[str, Option]:
    """The options of ``struct`` by name, and those that are accepted ``without_effect``."""
    options = {}
    for field in msgspec.structs.fields(struct):
        (said,) = field.type.__metadata__
        made = field.default_factory is not msgspec.NODEFAULT
        default = field.default_factory() if made else field.default
        options[field.name] = Option(field.name, said.kind, said.help, default)
    for name, text in without_effect.items():
        options[name] = Option(name, ANYTHING, text, effect=False)
    return options


def read(
    table: Mapping[str, Any], options: Mapping[str, Option], place: Place
) -> tuple[dict[str, Any], list[Problem]]:
    """The values of those options that ``table`` gives, and every problem with it."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, raw in table.items():
        option = options.get(name)
        if option is None:
            problems.append(_unknown(name, options, place))
        elif not option.effect:
            _note(name, option.help)
        else:
            try:
                values[name] = option.kind.read(raw)
            except ConfigurationError as error:
                problems += (_placed(problem, option, raw, place) for problem in error.problems)
    return values, problems


def read_strictly(
    table: Mapping[str, Any], options: Mapping[str, Option], place: Place
) -> dict[str, Any]:
    """As `read`, but raises `ConfigurationError` with all the problems there are."""
    values, problems = read(table, options, place)
    if problems:
        raise ConfigurationError(problems)
    return values


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """``Did you mean relay_to?``, where something known is close to ``word``, case aside."""
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), list(by_lower), n=1)
    return f"Did you mean {by_lower[close[0]]}?" if close else None


def shown(raw: object) -> str:
    """A raw value as it stands in the user's file, more or less: ``true`` is not ``True``.

    What looks like a password in it is hidden: a URL may have come to the wrong option.
    """
    text = str(raw).lower() if isinstance(raw, bool) else repr(service.masked_within(raw))
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def refuse(raw: object, hint: str | None = None) -> ConfigurationError:
    """The error of a value that its kind cannot take."""
    return ConfigurationError(Problem(message="wrong value", value=shown(raw), hint=hint))


def _placed(problem: Problem, option: Option, raw: object, place: Place) -> Problem:
    """A problem with a value, told where it is and of which option. Nested ones keep theirs."""
    inner = problem.option or ""
    joint = "." if inner and not inner.startswith("[") else ""
    return replace(
        problem,
        file=place.file,
        line=place.line,
        domain=place.domain,
        option=f"{option.name}{joint}{inner}",
        value=problem.value or (None if inner else shown(raw)),
        expected=problem.expected or (None if inner else option.kind.expected),
    )


def _unknown(name: str, options: Mapping[str, Option], place: Place) -> Problem:
    return place.problem(
        "unknown option",
        option=name,
        expected=f"one of {', '.join(sorted(options))}",
        hint=suggestion(name, options),
    )


@cache
def _note(name: str, text: str) -> None:
    """Say it once: ten thousand domains with a ``ttl`` are one note."""
    _log.info("%s is accepted and has no effect here: %s", name, text)
