"""First of all: what nothing lets in is refused, and no handler behind this one sees it."""

from kumo_handlers.pipeline import staging
from kumo_handlers.pipeline.outcome import Then
from kumo_handlers.pipeline.received_mail import ReceivedMail
from kumo_handlers.pipeline.routes import Route


@Route("every recipient, to be refused or let through")
def START(mail: ReceivedMail) -> None:
    """Refuse what is neither a report that is wanted nor mail that may be relayed."""
    if mail.outcome.then is Then.REFUSE:
        staging.refuse(mail)
