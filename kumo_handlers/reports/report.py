"""What a report says, once understood: a `DSN` (RFC 3464) or a `FeedbackReport` (RFC 5965).

Values only. Text that was not UTF-8 is kept with surrogate escapes, so that the record can show
its bytes. Each value says how it was obtained: `source` for the whole, `inferred` for the fields
that stood nowhere and were concluded from others.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Any

import msgspec

from kumo_handlers.mail.reply import EnhancedStatusCode
from kumo_handlers.reports import header_fields


class Source(StrEnum):
    """How a report was read, the most trustworthy first."""

    RFC3464 = "rfc3464"
    RFC5965 = "rfc5965"
    TOLERANT = "tolerant"
    X_FAILED_RECIPIENTS = "x-failed-recipients"
    FLUFL = "flufl"
    TEXT = "text"

    @property
    def is_standard(self) -> bool:
        """Whether the sender wrote report fields, well or badly, and did not leave us to guess."""
        return self in (Source.RFC3464, Source.RFC5965, Source.TOLERANT)


class Action(StrEnum):
    """RFC 3464, 2.3.3. Other words in use are read as the one they mean."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class TraceTrust(StrEnum):
    """What the signature of a trace header is worth."""

    SIGNED = "signed"
    UNSIGNED = "unsigned"
    BAD_SIGNATURE = "bad-signature"
    EXPIRED = "expired"


class Typed(msgspec.Struct, frozen=True, gc=False):
    """A field with a type, ``rfc822; a@example.com`` or ``dns; mx.example.com`` (RFC 3464, 2.1.2).

    ``type`` is lower case, and empty where the sender wrote none.
    """

    type: str
    value: str

    def __str__(self) -> str:
        return f"{self.type}; {self.value}" if self.type else self.value


class Returned(msgspec.Struct, frozen=True, dict=True):
    """The message that was sent, as far as the report gives it back.

    ``given`` is its header block as it came, or the fields that something else gives; ``trace``
    is the supplemental trace found in them. Few ask for all fields, so these wait.
    """

    given: bytes | header_fields.Headers = b""
    trace: dict[str, Any] | None = None
    trace_trust: TraceTrust | None = None

    @cached_property
    def headers(self) -> header_fields.Headers:
        """The header fields in order, unfolded."""
        return header_fields.read(self.given) if isinstance(self.given, bytes) else self.given

    def header(self, name: str) -> str | None:
        """The first header field of that name, in any case."""
        wanted = name.lower()
        if isinstance(self.given, bytes):
            return header_fields.first(self.given, self.given.lower(), wanted.encode())
        return next((value for key, value in self.given if key.lower() == wanted), None)


class RecipientStatus(msgspec.Struct, frozen=True, gc=False):
    """One recipient's group of a DSN (RFC 3464, 2.3). Dates are seconds since the epoch.

    ``reply_code`` is the SMTP code the remote server gave, where the diagnostic or the text says.
    ``inferred`` names the fields that were concluded and not read.
    """

    final_recipient: Typed | None = None
    original_recipient: Typed | None = None
    action: Action = Action.FAILED
    status: EnhancedStatusCode | None = None
    diagnostic_code: Typed | None = None
    reply_code: int | None = None
    remote_mta: Typed | None = None
    last_attempt_date: float | None = None
    will_retry_until: float | None = None
    final_log_id: str | None = None
    extensions: dict[str, list[str]] = {}
    inferred: tuple[str, ...] = ()

    @property
    def recipient(self) -> str | None:
        """The address that was written to: Original-Recipient, else Final-Recipient."""
        for field in (self.original_recipient, self.final_recipient):
            if field is not None and field.value:
                return field.value
        return None


class DSN(msgspec.Struct, frozen=True):
    """A delivery status notification (RFC 3464), or what stands for one."""

    source: Source
    recipients: tuple[RecipientStatus, ...]
    reporting_mta: Typed | None = None
    received_from_mta: Typed | None = None
    dsn_gateway: Typed | None = None
    arrival_date: float | None = None
    original_envelope_id: str | None = None
    extensions: dict[str, list[str]] = {}
    returned: Returned = Returned()
    remarks: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[RecipientStatus, ...]:
        """The recipients that were not reached.

        Where Action says delayed or delivered, that is no failure. A delay that is only told in
        prose counts, as a transient one: who writes such notices seldom writes another.
        """
        failed = [each for each in self.recipients if self._is_failure(each)]
        return tuple(failed)

    def _is_failure(self, each: RecipientStatus) -> bool:
        if each.action is Action.FAILED:
            return True
        is_told = each.action is Action.DELAYED and "action" in each.inferred
        return is_told and not self.source.is_standard


class FeedbackReport(msgspec.Struct, frozen=True):
    """A feedback report (RFC 5965, 3; RFC 6591 and RFC 6650 for auth-failure).

    ``feedback_type`` is lower case. Fields that may be repeated are tuples. ``arrival_date`` is
    seconds since the epoch.
    """

    source: Source
    feedback_type: str
    user_agent: str = ""
    version: str = ""
    arrival_date: float | None = None
    incidents: int | None = None
    original_envelope_id: str | None = None
    original_mail_from: str | None = None
    reporting_mta: Typed | None = None
    source_ip: str | None = None
    authentication_results: tuple[str, ...] = ()
    original_rcpt_to: tuple[str, ...] = ()
    reported_domain: tuple[str, ...] = ()
    reported_uri: tuple[str, ...] = ()
    extensions: dict[str, list[str]] = {}
    original_message: str | None = None
    returned: Returned = Returned()
    inferred: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def is_complaint(self) -> bool:
        """Whether a person complained: not for ``not-spam``, nor for ``auth-failure``."""
        return self.feedback_type not in ("not-spam", "auth-failure")


class Unreadable(msgspec.Struct, frozen=True):
    """It claims to be a report, and cannot be understood: why, in words for the log.

    ``claims`` is what its type or its text says it is: ``dsn`` or ``feedback``.
    """

    claims: str
    reason: str


Report = DSN | FeedbackReport | Unreadable
