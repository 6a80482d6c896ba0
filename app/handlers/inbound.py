"""Answer mail to one address.

Meant to be copied: list it among the handlers on inbound mail, between `drop` and `relay`.
"""

from salmon.routing import nolocking, route, stateless

from config import settings
from kumo_handlers.pipeline.received_mail import ReceivedMail


@route("hello@(host)")
@stateless
@nolocking
def START(message: ReceivedMail, host: str) -> None:
    """Answer a person. A bounce or another machine's answer gets none (RFC 3834, 2)."""
    if message.From and "auto-submitted" not in message:
        settings.relay.reply(
            message,
            From=f"hello@{host}",
            Subject=f"Re: {message['subject'] or 'your mail'}",
            Body="Hello! Your mail arrived.\n",
        )
