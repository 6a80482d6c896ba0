"""What can go wrong, and the reply each becomes at the peer.

    KumoHandlersError
    ├── AddressError            what stands between the angle brackets is no address
    ├── ConfigurationError      settings, a policy file or a rule file: every problem at once
    ├── PolicyError             a look-up failed inside the policy; nobody is let in by accident
    ├── RelayError              the relay was not reached, or broke off: the queue tries again
    ├── ReportError             claims to be a bounce or a complaint and cannot be understood
    └── StorageError            a record or a message could not be made durable
        ├── StorageFullError    ... because the disk, the queue or the folder is full
        └── UnwritableError     ... because of what it holds: the next try would fail, too

The reply is generic on purpose: the peer learns what to do, the log learns why. ``str(error)``
never reaches the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class KumoHandlersError(Exception):
    """The root. What nobody foresaw is a local error: try again later (RFC 5321, 4.2.2)."""

    reply_code: ClassVar[int] = 451
    reply_status: ClassVar[str] = "4.3.0"
    reply_text: ClassVar[str] = "local error in processing"


class AddressError(KumoHandlersError, ValueError):
    """A path that does not follow RFC 5321, 4.1.2."""

    reply_code = 501
    reply_status = "5.1.3"
    reply_text = "bad address syntax"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in what the user wrote: where, what stands there, what was expected."""

    message: str
    file: str | None = None
    line: int | None = None
    domain: str | None = None
    option: str | None = None
    value: str | None = None
    expected: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        subject = ", ".join(
            f"{name} {text if text.isprintable() else repr(text)}"
            for name, text in (("domain", self.domain), ("option", self.option))
            if text is not None
        )
        text = ": ".join(part for part in (place, subject, self.message) if part)
        if self.value is not None:
            text += f", got {self.value}"
        if self.expected is not None:
            text += f"; expected {self.expected}"
        if self.hint is not None:
            text += f" ({self.hint})"
        return text


class ConfigurationError(KumoHandlersError):
    """What the user wrote cannot be used. Carries every problem found, not only the first."""

    def __init__(self, problems: Sequence[Problem] | Problem | str) -> None:
        if isinstance(problems, str):
            problems = Problem(message=problems)
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PolicyError(KumoHandlersError):
    """A look-up failed inside (a Lua error, say): the session ends, nothing is accepted."""

    reply_code = 421
    reply_status = "4.3.0"
    reply_text = "technical difficulties"


class RelayError(KumoHandlersError):
    """The server we relay to was not reached, or broke off. Never seen by the peer."""


class ReportError(KumoHandlersError):
    """A message that says it is a report, and cannot be understood: the reason, for the log."""


class StorageError(KumoHandlersError):
    """Not on disk, so not acknowledged."""

    reply_status = "4.3.0"
    reply_text = "cannot store the message now, try again later"


class StorageFullError(StorageError):
    """No room (RFC 3463, 4.3.1: mail system full)."""

    reply_code = 452
    reply_status = "4.3.1"
    reply_text = "insufficient system storage"


class UnwritableError(StorageError):
    """The database cannot hold this one thing, and works for others: to try again is in vain."""
