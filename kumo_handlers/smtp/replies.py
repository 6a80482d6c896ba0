"""The replies that the listener gives of itself, each written once.

Codes are RFC 5321's (4.2), enhanced codes RFC 3463's and those of the IANA registry it opened.
"""

from __future__ import annotations

from functools import lru_cache

from kumo_handlers.mail.reply import Reply, reply

OK = reply(250, "2.0.0", "OK")
RESET = reply(250, "2.0.0", "OK, nothing is pending")
SENDER_OK = reply(250, "2.1.0", "sender OK")
RECIPIENT_OK = reply(250, "2.1.5", "recipient OK")
START_CONTENT = Reply(354, "send the message, end with CRLF.CRLF")
CANNOT_VERIFY = reply(252, "2.5.2", "cannot VRFY, but will take mail and try")
HELP = reply(214, "2.0.0", "see RFC 5321")

LINE_TOO_LONG = reply(500, "5.2.3", "line too long")
CONTROL_CHARACTER = reply(500, "5.5.2", "control character in command")
UNFINISHED_LINE = reply(500, "5.5.2", "a command ends with CRLF")
UNRECOGNIZED = reply(500, "5.5.2", "command unrecognized")
NOT_IMPLEMENTED = reply(502, "5.5.1", "command not implemented")
NO_ARGUMENT_ALLOWED = reply(501, "5.5.4", "no argument allowed")
NAME_REQUIRED = reply(501, "5.5.4", "say a host name or an address literal")
SAY_HELLO_FIRST = reply(503, "5.5.1", "say hello first")
MAIL_FIRST = reply(503, "5.5.1", "MAIL first")
RECIPIENT_FIRST = reply(503, "5.5.1", "RCPT first")
NO_VALID_RECIPIENTS = reply(554, "5.5.1", "no valid recipients")
NESTED_MAIL = reply(503, "5.5.1", "a transaction is under way")
MAIL_SYNTAX = reply(501, "5.5.2", "expected MAIL FROM:<reverse-path>")
RECIPIENT_SYNTAX = reply(501, "5.5.2", "expected RCPT TO:<forward-path>")
BAD_SENDER = reply(501, "5.1.7", "bad reverse-path syntax")
BAD_RECIPIENT = reply(501, "5.1.3", "bad forward-path syntax")
# RFC 6531, 3.5 and 4.: the code where a mailbox needs an extension the client did not ask for.
NEEDS_SMTPUTF8 = reply(553, "5.6.7", "a non-ASCII address needs SMTPUTF8")
PARAMETER_UNKNOWN = reply(555, "5.5.4", "parameter not recognized or not implemented")
PARAMETER_SYNTAX = reply(501, "5.5.4", "bad parameter")

NOT_NOW = reply(503, "5.5.1", "not now")
LMTP_ONLY = reply(500, "5.5.1", "this is LMTP: say LHLO")
NOT_A_TRUSTED_PROXY = reply(550, "5.7.1", "you may not speak for others")

READY_FOR_TLS = reply(220, "2.0.0", "ready for TLS")
TLS_ACTIVE = reply(503, "5.5.1", "TLS is active")
# RFC 4954, 4 and 6; enhanced codes as it gives them
AUTHENTICATED = reply(235, "2.7.0", "authenticated")
TLS_REQUIRED = reply(538, "5.7.11", "encryption required for authentication")
UNKNOWN_MECHANISM = reply(504, "5.5.4", "authentication mechanism not offered")
AUTH_CANCELLED = reply(501, "5.7.0", "authentication cancelled")
BAD_BASE64 = reply(501, "5.5.2", "cannot decode the response")
BAD_CREDENTIALS_SYNTAX = reply(501, "5.5.2", "malformed credentials")
BAD_CREDENTIALS = reply(535, "5.7.8", "authentication credentials invalid")
CANNOT_AUTHENTICATE = reply(454, "4.7.0", "temporary authentication failure")

BAD_CHUNK = reply(501, "5.5.4", "expected BDAT octets [LAST]")
# RFC 3030, 2: what follows a chunk that was refused
NO_CHUNKS = reply(503, "5.5.1", "no message to add to")
CHUNKS_BEGUN = reply(503, "5.5.1", "the message was begun with BDAT")
MESSAGE_TOO_BIG = reply(552, "5.3.4", "message too big")
BAD_LINE_ENDINGS = reply(552, "5.6.0", "message data must use CRLF for line endings")
TOO_MANY_RECIPIENTS = reply(452, "4.5.3", "too many recipients")
NO_ANSWER = reply(451, "4.3.0", "local error in processing")
PROCESSING_TIMEOUT = reply(451, "4.4.5", "data_processing_timeout exceeded")


def greeting(hostname: str, banner: str) -> Reply:
    """``220 HOSTNAME BANNER``; the code of a greeting takes no enhanced one (RFC 2034, 3)."""
    return Reply(220, f"{hostname} {banner}".rstrip())


def goodbye(hostname: str) -> Reply:
    """The end as the client asked for it."""
    return reply(221, "2.0.0", f"{hostname} closing connection")


def too_many_connections(hostname: str) -> Reply:
    """More clients than `max_connections`."""
    return reply(421, "4.3.2", f"{hostname} too many concurrent sessions. Try later")


def too_many_messages(hostname: str) -> Reply:
    """More MAIL commands than `max_messages_per_connection`."""
    return reply(421, "4.5.3", f"{hostname} too many messages in one session")


def too_many_errors(hostname: str) -> Reply:
    """A client that does not speak the protocol, or only guesses addresses."""
    return reply(421, "4.7.0", f"{hostname} too many errors")


def too_much_junk(hostname: str) -> Reply:
    """A client that keeps the line busy and sends no mail."""
    return reply(421, "4.7.0", f"{hostname} too many commands without a message")


def too_many_from_peer(hostname: str) -> Reply:
    """More clients of one address than `max_connections_per_peer`."""
    return reply(421, "4.7.0", f"{hostname} too many concurrent sessions from your address")


def not_a_trusted_proxy(hostname: str) -> Reply:
    """A PROXY header would be needed, and would not be believed."""
    return reply(421, "4.7.1", f"{hostname} takes connections through its proxies only")


def no_proxy_header(hostname: str) -> Reply:
    """What came first was no PROXY header."""
    return reply(421, "4.7.1", f"{hostname} expected a PROXY header")


def chunk_taken(octets: int) -> Reply:
    """BDAT without LAST (RFC 3030, 2)."""
    return reply(250, "2.0.0", f"{octets} octets received")


def not_smtp(hostname: str) -> Reply:
    """A client of another protocol, made to send its request here."""
    return reply(421, "4.7.0", f"{hostname} this is not SMTP")


def idle_too_long(hostname: str) -> Reply:
    """Nothing, or too little, came for `client_timeout` (RFC 5321, 4.5.3.2.7)."""
    return reply(421, "4.4.2", f"{hostname} timed out waiting for you")


def disconnecting(hostname: str) -> Reply:
    """What a policy refused ends the session too (RFC 5321, 3.8)."""
    return reply(421, "4.7.0", f"{hostname} disconnecting due to previous error")


def shutting_down(hostname: str) -> Reply:
    """The listener stops (RFC 5321, 3.8)."""
    return reply(421, "4.3.2", f"{hostname} shutting down")


@lru_cache(maxsize=1024)
def encoded(answer: Reply) -> bytes:
    """The bytes of a reply. Most replies are said over and over."""
    return answer.encode()
