"""``get_listener_domain`` in Lua, as the answers of a policy."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from kumo_handlers.errors import ConfigurationError, PolicyError
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy.base import Found
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.lua.crossing import encode
from kumo_handlers.policy.lua.failure import RefusedError, ScriptError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.policy.lua.declarations import Declarations
    from kumo_handlers.policy.lua.occasion import Occasion
    from kumo_handlers.policy.lua.runtime import Runtime
    from kumo_handlers.policy.lua.scripts import Scripts

_log = logging.getLogger(__name__)


class LuaFound(Found, frozen=True, gc=False):
    """An answer of a script, and where the script made it."""

    script: str = ""
    line: int = 0


class LuaDomains:
    """Asks the script, for each domain and each connection anew."""

    def __init__(
        self, runtime: Runtime, scripts: Scripts, declared: Declarations, occasion: Occasion
    ) -> None:
        self._runtime = runtime
        self._scripts = scripts
        self._declared = declared
        self._occasion = occasion

    def find(self, domain: str, session: Session) -> Found | None:
        """What the script returns for a folded domain. Raises `PolicyError` where it fails."""
        runtime, occasion = self._runtime, self._occasion
        place = encode(session.local or session.listener)
        with runtime.lock:
            occasion.begin(session)
            try:
                answer = runtime.call_raw(runtime.find, encode(domain), place, encode(session.id))
                return self._found(domain, *answer) if answer and answer[0] else None
            except RefusedError as error:
                text = f"a domain cannot be refused: {error}"
                raise ScriptError(text, error.file, error.line) from error
            except ConfigurationError as error:
                raise PolicyError(str(error)) from error
            finally:
                occasion.end()

    def _found(self, domain: str, key: bytes, file: Any = None, line: Any = None) -> Found:  # noqa: ANN401 - as Lua has them
        options = self._declared.domains.get(key)
        if options is None:
            self._runtime.call("again")
            options = self._declared.domains[key]
        return LuaFound(options, domain, "", file.decode() if file else "", line or 0)

    def find_anywhere(self, domain: str) -> Iterator[Found]:
        """What the script returns on each listener, for a connection that nothing is known of.

        What it says of a connection that it knows may be something else; a script that cannot
        do without is passed over.
        """
        for listener in self._declared.listeners or (Listener(),):
            try:
                found = self.find(domain, _nobody(listener))
            except PolicyError as error:
                _log.debug("no answer for %s on %s: %s", domain, listener.listen, error)
                continue
            if found is not None:
                yield found

    def entries(self) -> Iterator[Found]:
        """None: a script has no list of its domains."""
        return iter(())

    def origin(self, found: Found) -> str:
        """``FILE:LINE`` of the call that made the answer."""
        if not isinstance(found, LuaFound) or not found.script:
            return ""
        return f"{self._scripts.path(found.script)}:{found.line}"


def _nobody(listener: Listener) -> Session:
    return Session("", Peer(""), listener.listen, listener.listen, listener.hostname, meta={})
