"""How a call into a policy ends when it does not end well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.errors import PolicyError, Problem

if TYPE_CHECKING:
    from kumo_handlers.mail.reply import Reply


class ScriptError(PolicyError):
    """The script failed, was stopped, or ran out of memory: where, and what Lua said."""

    def __init__(self, text: str, file: str | None = None, line: int | None = None) -> None:
        self.problem = Problem(message=text, file=file, line=line)
        super().__init__(str(self.problem))


class RefusedError(Exception):
    """The script called ``kumo.reject`` or ``kumo.disconnect``: the reply that it asks for."""

    def __init__(self, reply: Reply, file: str | None = None, line: int | None = None) -> None:
        self.reply = reply
        self.file = file
        self.line = line
        super().__init__(str(reply))
