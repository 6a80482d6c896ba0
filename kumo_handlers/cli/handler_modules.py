"""The modules that ``settings.handlers`` names, imported as Salmon would."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.handlers import arf, oob

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

# Salmon's mark on a function that handles mail, and the part of it that says which.
_MARK, _ROUTE = "_salmon_settings", "format"


def load(names: Iterable[str]) -> None:
    """Import them all. Raises `ConfigurationError` with every one that cannot be."""
    problems = []
    for name in names:
        try:
            import_module(name)
        except Exception as error:  # noqa: BLE001 - an app's module may fail with anything
            problems.append(
                Problem(
                    message="the handler cannot be imported",
                    option="handlers",
                    value=repr(name),
                    hint=f"{type(error).__name__}: {error}",
                )
            )
    if problems:
        raise ConfigurationError(problems)


def on_reports(names: Iterable[str]) -> set[str]:
    """Those of the app's modules that have a handler routed like one of our two on reports."""
    ours = {arf.__name__, oob.__name__}
    routes = {_route(module.START) for module in (arf, oob)}
    modules = {name: sys.modules[name] for name in names if name in sys.modules}
    return {
        name for name, module in modules.items() if name not in ours and _routes(module) & routes
    }


def _routes(module: ModuleType) -> set[object]:
    functions = (each for each in vars(module).values() if callable(each))
    return {_route(each) for each in functions if hasattr(each, _MARK)}


def _route(function: object) -> object:
    return getattr(function, _MARK).get(_ROUTE)
