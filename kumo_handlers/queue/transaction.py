"""One message to one server: MAIL, RCPT for each recipient, DATA (RFC 5321, 3.3).

Each recipient gets a `Result`: the reply that decided about it. The content is sent byte for
byte; where the server cannot take it so, it is not changed, and the mail fails with the reason.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from kumo_handlers.errors import RelayError
from kumo_handlers.mail import octets
from kumo_handlers.mail.reply import Reply, reply
from kumo_handlers.queue.claim import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kumo_handlers.queue.claim import Claim
    from kumo_handlers.queue.connection import Connection

# A dot that is alone on its line for servers that take a bare CR or LF for a line end: they
# would read what follows as commands (RFC 5321, 4.1.1.4 forbids it; some do it all the same).
_SMUGGLED = re.compile(rb"(?<!\r)\n\.[\r\n]|\r\.[\r\n]")
_START_INPUT = 354
_INTERMEDIATE = range(300, 400)
_CLOSING = 421


class Result(msgspec.Struct, frozen=True):
    """What became of one recipient. ``command`` is what the reply answered, None for no command.

    ``is_uncertain``: the server had the whole message, and its answer did not reach us.
    """

    entry: Entry
    reply: Reply
    command: str | None = None
    is_uncertain: bool = False


def broken(
    entries: Sequence[Entry], error: Exception, status: str = "4.4.2", *, uncertain: bool = False
) -> list[Result]:
    """No answer: try again (RFC 3463: 4.4.1 no answer from host, 4.4.2 bad connection)."""
    answer = reply(451, status, str(error))
    return [Result(entry, answer, is_uncertain=uncertain) for entry in entries]


def transact(
    connection: Connection,
    claim: Claim,
    entries: Sequence[Entry],
    before_content: Callable[[], None],
) -> list[Result]:
    """Try to deliver a claim to some of its recipients; a result for each of them.

    Raises `RelayError` while nobody was refused yet, so that another connection may be tried.
    ``before_content`` is called when the server is about to get the message.
    """
    if (refusal := _unsuited(connection, claim, entries)) is not None:
        return [Result(entry, refusal) for entry in entries]
    mail = _mail(connection, claim, entries)
    recipients = [_path(b"RCPT TO", entry.address) for entry in entries]
    reused = connection.transactions > 0
    connection.transactions += 1
    (first, *rest), trouble = _asked(connection, [mail, *recipients])
    if reused and first.code == _CLOSING:
        raise RelayError("the server closed the session while it was idle")
    if not first.accepts:
        _reset(connection, first)
        return [Result(entry, first, _text(mail)) for entry in entries]
    results = [
        Result(entry, answer, _text(line))
        for entry, answer, line in zip(entries, rest, recipients, strict=False)
    ]
    accepted = [result.entry for result in results if result.reply.accepts]
    refused = [result for result in results if not result.reply.accepts]
    if trouble is not None:
        if not refused:
            raise trouble
        return refused + broken([*accepted, *entries[len(rest) :]], trouble)
    if not accepted:
        _reset(connection, results[-1].reply)
        return refused
    return refused + _content(connection, claim, accepted, before_content)


def _asked(connection: Connection, lines: Sequence[bytes]) -> tuple[list[Reply], RelayError | None]:
    """The replies that came, one at least, and why there are no more.

    A server that refuses may go at once. What it said before that is said (RFC 5321, 3.8).
    """
    answers: list[Reply] = []
    try:
        for answer in connection.commands(lines):
            answers.append(answer)  # noqa: PERF402 - those before the error count
    except RelayError as error:
        if not answers:
            raise
        connection.close(politely=False)
        return answers, error
    return answers, None


def _content(
    connection: Connection,
    claim: Claim,
    accepted: Sequence[Entry],
    before_content: Callable[[], None],
) -> list[Result]:
    """DATA, the message, the final dot; LMTP answers for each recipient (RFC 2033, 4.2)."""
    is_sent = False
    results: list[Result] = []
    try:
        answer = connection.command(b"DATA")
        if answer.accepts:  # it took nothing yet: who says so is not to be believed
            connection.close(politely=False)
            return broken(accepted, RelayError(f"{answer.code} is no answer to DATA"))
        if answer.code != _START_INPUT:
            _reset(connection, answer)
            return [Result(entry, answer, "DATA") for entry in accepted]
        connection.require_silence()
        before_content()
        is_sent = True
        connection.send(dot_stuffed(claim.content), connection.timeouts.final_dot)
        if connection.protocol != "LMTP":
            answer = _verdict(connection)
            return [Result(entry, answer, ".") for entry in accepted]
        for entry in accepted:
            results.append(Result(entry, _verdict(connection), "."))  # noqa: PERF401 - as above
    except RelayError as error:
        connection.close(politely=False)
        return results + broken(accepted[len(results) :], error, uncertain=is_sent)
    return results


def _verdict(connection: Connection) -> Reply:
    """The reply to the message, which says that it was taken, or that it was not."""
    answer = connection.reply(connection.timeouts.final_dot)
    if answer.code in _INTERMEDIATE:
        raise RelayError(f"{answer.code} is no answer to a message")
    return answer


def _reset(connection: Connection, answer: Reply) -> None:
    """Leave the connection as it was before MAIL, or closed."""
    try:
        if answer.code == _CLOSING or not connection.command(b"RSET").accepts:
            connection.close(politely=False)
    except RelayError:
        connection.close(politely=False)


def dot_stuffed(content: bytes) -> bytes:
    """The content as it goes over the wire, its final dot included (RFC 5321, 4.5.2)."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    if content.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b".\r\n" if content.endswith(b"\r\n") or not content else b"\r\n.\r\n")


def _unsuited(connection: Connection, claim: Claim, entries: Sequence[Entry]) -> Reply | None:
    """Why this server cannot take this message as it is; None where it can."""
    features = connection.features
    limit = features.get("size", "")
    if limit.isdigit() and 0 < int(limit) < len(claim.content):
        text = f"the message has {len(claim.content)} octets, the relay takes {limit}"
        return reply(552, "5.3.4", text)  # RFC 1870, 6.1
    if not claim.content.isascii() and "8bitmime" not in features:
        return reply(554, "5.6.3", "the message has 8-bit lines, and the relay no 8BITMIME")
    if _needs_smtputf8(claim, entries) and "smtputf8" not in features:
        return reply(550, "5.6.7", "the message needs SMTPUTF8, and the relay has it not")
    if _SMUGGLED.search(claim.content):
        return reply(554, "5.6.0", "a bare CR or LF beside a lone dot cannot be relayed as it is")
    return None


def _needs_smtputf8(claim: Claim, entries: Sequence[Entry]) -> bool:
    """Whether an address or a header field is internationalised (RFC 6531, 3.4)."""
    if not claim.reverse_path.isascii() or any(not each.address.isascii() for each in entries):
        return True
    return claim.facts.smtputf8 and not claim.content.partition(b"\r\n\r\n")[0].isascii()


def _mail(connection: Connection, claim: Claim, entries: Sequence[Entry]) -> bytes:
    """MAIL with the parameters that are offered, and needed."""
    line = _path(b"MAIL FROM", claim.reverse_path)
    if "size" in connection.features:
        line += b" SIZE=%d" % len(claim.content)
    if "8bitmime" in connection.features and not claim.content.isascii():
        line += b" BODY=8BITMIME"
    if _needs_smtputf8(claim, entries):
        line += b" SMTPUTF8"
    return line


def _path(command: bytes, address: str) -> bytes:
    return b"%s:<%s>" % (command, octets.of_text(address))


def _text(line: bytes) -> str:
    return octets.to_text(line)
