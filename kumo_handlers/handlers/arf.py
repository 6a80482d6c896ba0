"""Complaints: feedback reports (RFC 5965) are logged."""

from kumo_handlers.pipeline import staging
from kumo_handlers.pipeline.received_mail import ReceivedMail
from kumo_handlers.pipeline.routes import Route


@Route("recipients with log_arf", lambda options: options.log_arf.logs)
def START(mail: ReceivedMail) -> None:
    """Log a feedback report, and keep one that nobody can read."""
    if mail.outcome.is_feedback:
        staging.log_report(mail)
