"""Mail of ours to an address that is suppressed is refused; mail to us never is.

Meant to be copied: list it first among the handlers on inbound mail. Where the table cannot be
read, the reply is 451: the mail waits where it is, and nobody is written to by mistake.
"""

from salmon.routing import nolocking, route, stateless
from salmon.server import SMTPError

from app.suppression import suppressions
from kumo_handlers.pipeline.received_mail import ReceivedMail


@route("(address)@(host)", address=".+")
@stateless
@nolocking
def START(message: ReceivedMail, **_: str) -> None:
    """Refuse what goes elsewhere. What a domain's `relay_to` takes is for us."""
    found = message.disposition.found
    if found is not None and found.options.relay_to:
        return
    why = suppressions.why(str(message.To))
    if why is not None:
        raise SMTPError(550, f"5.7.1 suppressed ({why})")
