"""The end of what goes no further: a report that is logged, and not to be relayed."""

from kumo_handlers.pipeline import staging
from kumo_handlers.pipeline.outcome import Then
from kumo_handlers.pipeline.received_mail import ReceivedMail
from kumo_handlers.pipeline.routes import Route


@Route(
    "recipients with log_arf or log_oob",
    lambda options: options.log_arf.logs or options.log_oob.logs,
)
def START(mail: ReceivedMail) -> None:
    """Accept what is logged and goes nowhere; handlers behind this one do not see it."""
    if mail.outcome.then is Then.DROP:
        staging.drop()
