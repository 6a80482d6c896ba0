"""Last of all: what may be relayed is queued for `settings.relay`."""

from kumo_handlers.pipeline import staging
from kumo_handlers.pipeline.outcome import Then
from kumo_handlers.pipeline.received_mail import ReceivedMail
from kumo_handlers.pipeline.routes import Route


@Route("every recipient, to be relayed")
def START(mail: ReceivedMail) -> None:
    """Queue the mail, as received, for the relay."""
    if mail.outcome.then is Then.RELAY:
        staging.relay(mail)
