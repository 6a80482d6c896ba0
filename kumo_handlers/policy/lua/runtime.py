"""One Lua 5.4 in which a policy runs, with walls around it.

The environment that a policy sees is made in Lua (``prelude/``) from what is allowed; what is not
listed there does not exist. On this side: no builtins, no eval, no attribute of any Python
object, a bound on memory, and one fixed set of functions, given once, that take and give plain
values and never raise into Lua.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NoReturn

import msgspec
from lupa.lua54 import LuaError, LuaRuntime

from kumo_handlers.errors import ConfigurationError, KumoHandlersError
from kumo_handlers.mail.reply import Ending, EnhancedStatusCode, Reply
from kumo_handlers.policy.lua.crossing import decode, encode, from_lua, to_lua
from kumo_handlers.policy.lua.failure import RefusedError, ScriptError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kumo_handlers.policy.lua.scripts import Scripts

_log = logging.getLogger(__name__)
MAX_MEMORY: Final = 128 * 1024 * 1024
# The third argument of kumo.disconnect
_ENDINGS: Final[dict[object, Ending]] = {
    b"ForceDisconnect": Ending.AT_ONCE,
    b"FollowWith421": Ending.WITH_421,
}
# Where in the prelude a function of C was called: the policy's own line says more.
_OURS: Final = re.compile(r"^<\w+>:\d+: ")
_PARTS: Final = ("objects", "extras")


class Limits(msgspec.Struct, frozen=True):
    """What one call may spend: instructions of Lua, and seconds of the processor."""

    steps: int
    seconds: float


EVENT: Final = Limits(steps=5_000_000, seconds=0.5)
# A policy may build a table of a hundred thousand domains when it loads.
LOADING: Final = Limits(steps=1_000_000_000, seconds=20.0)


class Runtime:
    """A Lua with ``functions`` of ours and constant ``tables``. One call at a time."""

    def __init__(
        self,
        scripts: Scripts,
        functions: Mapping[str, Callable[..., Any]],
        tables: Mapping[str, object],
        raw_functions: Mapping[str, Callable[..., None]],
    ) -> None:
        """``raw_functions`` are given values as Lua has them."""
        self.lock = threading.RLock()
        self._scripts = scripts
        self._pending: list[ConfigurationError] = []
        self._lua = LuaRuntime(
            encoding=None,
            register_eval=False,
            register_builtins=False,
            unpack_returned_tuples=True,
            attribute_filter=_no_attribute,
            overflow_handler=float,
            max_memory=MAX_MEMORY,
        )
        doors: dict[bytes, Callable[..., Any]]
        doors = {encode(name): self._door(function) for name, function in functions.items()}
        for name, function in raw_functions.items():
            doors[encode(name)] = self._door(function, _as_is)
        # These two are asked often, and take and give numbers.
        doors |= {b"cpu": time.thread_time, b"clock": time.monotonic}
        host = {encode(name): self._table(value) for name, value in tables.items()}
        self._furnish(self._lua.table_from(doors | host))

    def _furnish(self, host: object) -> None:
        """Build the environment, part by part."""
        limits = self._table({"steps": EVENT.steps, "seconds": EVENT.seconds})
        box = self._part("sandbox", host, limits)
        matching = self._part("matching")
        self._part("patterns", box, matching)
        objects, extras = (self._part(name, host, box) for name in _PARTS)
        regex = self._part("regex", matching)
        calls = self._part("kumo", host, box, objects, extras, regex)
        self._calls = {decode(name): function for name, function in calls.items()}
        self._event, self._enter = box[b"event"], box[b"enter"]
        self.find = self._calls["find"]

    def _part(self, name: str, *given: object) -> Any:  # noqa: ANN401 - lupa has no types
        part = files("kumo_handlers.policy.lua") / "prelude" / f"{name}.lua"
        return self._lua.execute(part.read_bytes(), *given, name=f"@<{name}>".encode(), mode=b"t")

    def _table(self, value: object) -> Any:  # noqa: ANN401 - as above
        return to_lua(value, lambda made: self._lua.table_from(made, recursive=True))

    def _door(
        self, function: Callable[..., Any], read: Callable[[Any], Any] = from_lua
    ) -> Callable[..., tuple[Any, ...]]:
        """``function`` for Lua: plain values in and out, and an error is an answer."""

        def call(*given: object) -> tuple[Any, ...]:
            try:
                made = function(*map(read, given))
                results = made if isinstance(made, tuple) else (made,)
                return (True, *map(self._table, results))
            except ConfigurationError as error:
                return self._problem(error)
            except (KumoHandlersError, ValueError, TypeError, RecursionError) as error:
                return False, encode(str(error))
            except Exception as error:  # noqa: BLE001 - an object of Python's must not reach Lua
                _log.exception("a function of a policy failed")
                return False, encode(f"internal error: {type(error).__name__}")

        return call

    def _problem(self, error: ConfigurationError) -> tuple[bool, bytes, int]:
        """Keep an error that has more to say than its text, for when it comes back."""
        del self._pending[:-16]
        self._pending.append(error)
        return False, encode(str(error)), id(error)

    def call(self, name: str, *given: object, limits: Limits = EVENT) -> Any:  # noqa: ANN401
        """Call into the policy; the one value that comes back, or a tuple of several.

        Raises `RefusedError`, `ConfigurationError`, or `ScriptError`.
        """
        values = self.call_raw(self._calls[name], *map(self._table, given), limits=limits)
        read = tuple(map(from_lua, values))
        return read[0] if len(read) == 1 else read or None

    def call_raw(self, function: object, *given: object, limits: Limits = EVENT) -> tuple[Any, ...]:
        """As `call`, with values as Lua has them."""
        try:
            if limits is EVENT:
                answer = self._event(function, *given)
            else:
                answer = self._enter(limits.steps, limits.seconds, function, *given)
        except LuaError as error:
            raise ScriptError(f"{type(error).__name__}: {error}") from error
        if answer is True:
            return ()
        if answer[0] is True:
            return tuple(answer[1:])
        raise self._failure(*answer[1:])

    def _failure(self, kind: bytes, *said: Any) -> Exception:  # noqa: ANN401 - as above
        """The error that Lua gave as values."""
        if kind == b"reply":
            *asked, place, at = said
            if isinstance(place, bytes) and isinstance(at, int):
                return RefusedError(_reply(*asked), self._scripts.path(decode(place)), at)
            return RefusedError(_reply(*asked))
        if kind == b"problem":
            for error in self._pending:
                if id(error) == said[0]:
                    return ConfigurationError(error.problems)
        text, file, line = (*said, None, None)[:3]
        message = decode(text) if isinstance(text, bytes) else str(text)
        problem = self._scripts.placed(_OURS.sub("", message))
        if problem.file is None and file is not None:
            return ScriptError(problem.message, self._scripts.path(decode(file)), line)
        return ScriptError(problem.message, problem.file, problem.line)


def _as_is(value: object) -> object:
    return value


def _no_attribute(_object: object, name: object, is_setting: bool) -> NoReturn:  # noqa: FBT001 - lupa's
    del is_setting
    raise AttributeError(f"no attribute {name!r} for Lua")


def _reply(code: object, text: object, how: object) -> Reply:
    """The reply that ``kumo.reject(code, text)`` asks for."""
    if not isinstance(code, int) or not isinstance(text, bytes):
        raise ScriptError("a refusal without a code and a text")
    said = decode(text)
    status = EnhancedStatusCode.find(said)
    if status is not None:
        said = said.lstrip().removeprefix(str(status)).lstrip()
    return Reply(code, said, status, _ENDINGS.get(how, Ending.AS_CODED))
