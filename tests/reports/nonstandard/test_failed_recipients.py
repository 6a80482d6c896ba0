"""The header field that names the recipients."""

from __future__ import annotations

from kumo_handlers.reports import mime
from kumo_handlers.reports.nonstandard import failed_recipients
from kumo_handlers.reports.report import Source

NOTICE = "\n\nIt could not be delivered:\n\n  bob@dest.example\n    550 5.2.2 full\n"


def test_several_fields_and_lists() -> None:
    """Each batch has its own field; each field may hold several."""
    header = "X-Failed-Recipients: ann@dest.example,\n bob@dest.example\n"
    header += "X-Failed-Recipients: <c@d.example>"
    dsn = failed_recipients.read(mime.Message((header + NOTICE).encode()))
    assert dsn is not None
    assert dsn.source is Source.X_FAILED_RECIPIENTS
    named = [each.recipient for each in dsn.recipients]
    assert named == ["ann@dest.example", "bob@dest.example", "c@d.example"]
    assert str(dsn.recipients[1].status) == "5.2.2"


def test_nothing_to_read() -> None:
    """Without the field, or without an address in it, it is another stage's."""
    assert failed_recipients.read(mime.Message(b"From: MAILER-DAEMON@x" + NOTICE.encode())) is None
    assert failed_recipients.read(mime.Message(b"X-Failed-Recipients: ?" + NOTICE.encode())) is None
