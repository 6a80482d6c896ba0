"""Bounces: delivery status notifications (RFC 3464), and what stands for one, are logged."""

from kumo_handlers.pipeline import staging
from kumo_handlers.pipeline.received_mail import ReceivedMail
from kumo_handlers.pipeline.routes import Route


@Route("recipients with log_oob", lambda options: options.log_oob.logs)
def START(mail: ReceivedMail) -> None:
    """Log a bounce, and keep one that nobody can read."""
    if mail.outcome.is_bounce:
        staging.log_report(mail)
