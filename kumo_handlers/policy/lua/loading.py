"""A policy is loaded: the file, then ``pre_init``, ``init`` and ``validate_config``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from kumo_handlers.errors import ConfigurationError, PolicyError
from kumo_handlers.policy import tables
from kumo_handlers.policy.lua import toolbox
from kumo_handlers.policy.lua.declarations import Declarations
from kumo_handlers.policy.lua.domains import LuaDomains
from kumo_handlers.policy.lua.events import LuaEvents
from kumo_handlers.policy.lua.failure import RefusedError, ScriptError
from kumo_handlers.policy.lua.occasion import Occasion
from kumo_handlers.policy.lua.policy import LuaPolicy
from kumo_handlers.policy.lua.runtime import LOADING, Runtime
from kumo_handlers.policy.lua.scripts import Scripts
from kumo_handlers.policy.lua.vocabulary import ASIDE, EVENTS, HELPERS, HELPERS_ASIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_log = logging.getLogger(__name__)
_scripts_log = logging.getLogger("kumo_handlers.policy.lua.script")
_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}
_BEGINNING: Final = ("pre_init", "init", "validate_config")


def load(main: str | Path, path_map: Mapping[str, str] | None = None) -> LuaPolicy:
    """Load the policy in the file ``main``; ``path_map`` says what stands for a path in it.

    Raises `ConfigurationError` with the file and the line.
    """
    scripts = Scripts(str(main), path_map or {})
    occasion, declared = Occasion(), Declarations(scripts)
    runtime = Runtime(
        scripts,
        _functions(scripts, declared, occasion),
        {
            "aside": dict.fromkeys(ASIDE, True),
            "events": dict.fromkeys(EVENTS, True),
            "package_path": scripts.package_path,
        },
        # the options of a domain are known by a text that may be no UTF-8
        {"make_domain": declared.make_domain},
    )
    registered, helper = _run(runtime, scripts, declared)
    scripts.seal()
    events = LuaEvents(runtime, occasion, declared, scripts, registered)
    return LuaPolicy(
        scripts,
        declared,
        _domains(runtime, scripts, declared, occasion, registered, helper),
        events,
    )


def _run(
    runtime: Runtime, scripts: Scripts, declared: Declarations
) -> tuple[frozenset[str], int | None]:
    """Run the file and the events of the beginning. The events it handles, and its tables."""
    source = scripts.read(scripts.main)
    try:
        runtime.call("run", source, scripts.name(scripts.mapped(scripts.main)), limits=LOADING)
        for event in _BEGINNING:
            runtime.call("fire", event, limits=LOADING)
        runtime.call("loaded")
        names, helper = _pair(runtime.call("registered"))
    except ScriptError as error:
        raise ConfigurationError(error.problem) from error
    except (RefusedError, PolicyError, ValueError) as error:
        raise ConfigurationError(f"{scripts.main}: {error}") from error
    if declared.failed:
        raise ConfigurationError(declared.failed)
    return frozenset(names), helper


def _pair(answer: Any) -> tuple[list[str], int | None]:  # noqa: ANN401 - as Lua answers
    """Names and a number, of which the second may be missing."""
    names, number = answer if isinstance(answer, tuple) else (answer, None)
    return list(names), number


def _domains(
    runtime: Runtime,
    scripts: Scripts,
    declared: Declarations,
    occasion: Occasion,
    registered: frozenset[str],
    helper: int | None,
) -> LuaDomains | tables.Tables:
    if helper is not None:
        return declared.tables[helper]
    if "get_listener_domain" in registered:
        return LuaDomains(runtime, scripts, declared, occasion)
    return tables.load(())


def _functions(
    scripts: Scripts, declared: Declarations, occasion: Occasion
) -> dict[str, Callable[..., Any]]:
    """All that a script can call into: the one fixed set."""

    def log(level: str, text: str, file: str | None = None, line: int | None = None) -> None:
        _scripts_log.log(_LEVELS[level], "%s:%s: %s", scripts.path(file), line, text)

    def note(name: str, file: str | None = None, line: int | None = None) -> None:
        _log.info("%s:%s: %s has no effect here", scripts.path(file), line, name)

    def find_module(name: str, path: str) -> tuple[object, ...]:
        is_helper = name.startswith(HELPERS)
        if is_helper and name.removeprefix(HELPERS) in HELPERS_ASIDE:
            return ("aside",)
        found = scripts.find_module(name, path)
        if found is None and not is_helper:
            raise ValueError(f"module {name!r} not found: looked in {path}")
        return found or ("unknown",)

    return {
        **toolbox.FUNCTIONS,
        "json_load": toolbox.loading(toolbox.json_parse, scripts.read),
        "toml_load": toolbox.loading(toolbox.toml_parse, scripts.read),
        "start_listener": declared.start_listener,
        "setup": declared.setup,
        "ask_tables": declared.ask_tables,
        "local_logs": declared.local_logs,
        "bounce_classifier": declared.bounce_classifier,
        "validation_failed": declared.validation_failed,
        "get_meta": occasion.get_meta,
        "set_meta": occasion.set_meta,
        "message": occasion.on_message,
        "find_module": find_module,
        "log": log,
        "note": note,
    }
