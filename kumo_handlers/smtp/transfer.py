"""MAIL, RCPT, DATA and RSET: one mail transaction after another (RFC 5321, 3.3)."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from kumo_handlers.errors import AddressError
from kumo_handlers.mail import address
from kumo_handlers.mail.reply import Reply
from kumo_handlers.mail.session import Envelope
from kumo_handlers.smtp import parameters, replies
from kumo_handlers.smtp.backend import Transaction
from kumo_handlers.smtp.chunks import ChunkReader, Chunks
from kumo_handlers.smtp.content import Content
from kumo_handlers.smtp.dots import DotReader
from kumo_handlers.smtp.events import Mail, Message, Recipient
from kumo_handlers.smtp.parameters import MailParameters, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.mail.address import Address
    from kumo_handlers.smtp.dialogue import Dialogue


_CHUNK: Final = re.compile(r"([0-9]{1,18})( +LAST)?", re.IGNORECASE)


def mail(talk: Dialogue, argument: str) -> None:
    """MAIL: begin a transaction."""
    if not talk.greeted:
        talk.complain(replies.SAY_HELLO_FIRST)
    elif talk.transaction is not None:
        talk.complain(replies.NESTED_MAIL)
    elif talk.messages >= talk.listener.max_messages_per_connection:
        talk.say(replies.too_many_messages(talk.listener.hostname))
    else:
        talk.messages += 1
        _begin(talk, argument)


def _begin(talk: Dialogue, argument: str) -> None:
    try:
        path, given = parameters.read_mail(argument, with_auth="AUTH" in talk.offers)
        reverse_path = _read_path(path, replies.BAD_SENDER, smtputf8=given.smtputf8)
    except ParameterError as error:
        talk.complain(error.reply)
        return
    # RFC 1870, 6.1: what is declared too big need not be sent at all.
    if given.declared_size is not None and given.declared_size > talk.listener.max_message_size:
        talk.say(replies.MESSAGE_TOO_BIG)
        return
    transaction = Transaction(
        talk.new_id(), talk.session, _envelope(reverse_path, given), talk.listener
    )
    talk.ask(Mail(then=partial(_begun, talk, transaction), transaction=transaction))


def _envelope(reverse_path: Address, given: MailParameters) -> Envelope:
    return Envelope(
        reverse_path=reverse_path,
        body_8bit=given.body_8bit,
        smtputf8=given.smtputf8,
        declared_size=given.declared_size,
    )


def _begun(talk: Dialogue, transaction: Transaction, answer: Reply | None) -> None:
    if answer is None or answer.accepts:
        talk.transaction = transaction
    talk.say(answer or replies.SENDER_OK)


def _read_path(path: str, otherwise: Reply, *, smtputf8: bool) -> Address:
    if not smtputf8 and not path.isascii():
        raise ParameterError(replies.NEEDS_SMTPUTF8)
    try:
        return address.parse(path)
    except AddressError as error:
        raise ParameterError(otherwise) from error


def recipient(talk: Dialogue, argument: str) -> None:
    """RCPT: one more recipient."""
    transaction = talk.transaction
    if transaction is None or talk.chunks is not None:
        talk.complain(replies.MAIL_FIRST if transaction is None else replies.CHUNKS_BEGUN)
        return
    envelope = transaction.envelope
    try:
        path = parameters.read_recipient(argument)
        forward_path = _read_path(path, replies.BAD_RECIPIENT, smtputf8=envelope.smtputf8)
    except ParameterError as error:
        talk.complain(error.reply)
        return
    if forward_path.is_null:  # only a reverse-path may be null (RFC 5321, 4.1.1.3)
        talk.complain(replies.BAD_RECIPIENT)
        return
    if len(envelope.forward_paths) >= talk.listener.max_recipients_per_message:
        talk.count_refused()
        talk.say(replies.TOO_MANY_RECIPIENTS)
        return
    then = partial(_received, talk, transaction, forward_path)
    talk.ask(Recipient(then=then, transaction=transaction, forward_path=forward_path))


def _received(
    talk: Dialogue, transaction: Transaction, forward_path: Address, answer: Reply | None
) -> None:
    talk.say(answer or replies.RECIPIENT_OK)
    if answer is not None and not answer.accepts:
        talk.count_refused()
        return
    envelope = transaction.envelope
    envelope = Envelope(
        envelope.reverse_path,
        (*envelope.forward_paths, forward_path),
        envelope.body_8bit,
        envelope.smtputf8,
        envelope.declared_size,
    )
    talk.transaction = Transaction(
        transaction.id, transaction.session, envelope, transaction.listener
    )


def data(talk: Dialogue, argument: str) -> None:
    """DATA: the content follows."""
    if argument:
        talk.complain(replies.NO_ARGUMENT_ALLOWED)
    elif (fault := _no_recipient(talk)) is not None:
        talk.complain(fault)
    elif talk.chunks is not None:  # RFC 3030, 2: DATA and BDAT do not mix
        talk.complain(replies.CHUNKS_BEGUN)
    else:
        content = Content(talk.listener)
        talk.read_with(DotReader(content), partial(_finish, talk, content))
        talk.say(replies.START_CONTENT)


def bdat(talk: Dialogue, argument: str) -> None:
    """BDAT: a chunk of content follows, or all of it (RFC 3030, 2)."""
    found = _CHUNK.fullmatch(argument)
    if found is None:
        # Where the chunk ends nobody knows: what follows cannot be told from commands.
        talk.say(replies.BAD_CHUNK)
        talk.closing = True
        return
    octets, is_last = int(found[1]), found[2] is not None
    fault = _chunk_fault(talk)
    if fault is None:
        chunks = talk.chunks = talk.chunks or Chunks(Content(talk.listener))
        reader = ChunkReader(octets, chunks)
        talk.read_with(reader, partial(_take_chunk, talk, chunks, octets, is_last=is_last))
    else:
        talk.read_with(ChunkReader(octets, None), partial(talk.complain, fault))


def _chunk_fault(talk: Dialogue) -> Reply | None:
    """Why a chunk would not be taken now."""
    return replies.NO_CHUNKS if talk.transaction is None else _no_recipient(talk)


def _no_recipient(talk: Dialogue) -> Reply | None:
    if talk.transaction is None:
        return replies.MAIL_FIRST
    if talk.transaction.envelope.forward_paths:
        return None
    # RFC 2033, 4.2: LMTP has a code of its own for it
    return replies.RECIPIENT_FIRST if talk.is_lmtp else replies.NO_VALID_RECIPIENTS


def _take_chunk(talk: Dialogue, chunks: Chunks, octets: int, *, is_last: bool) -> None:
    fault = chunks.content.fault
    if is_last:
        chunks.finish()
        _finish(talk, chunks.content)
    elif fault is not None:
        talk.end_transaction(lambda _: talk.say(fault))
    else:
        talk.say(replies.chunk_taken(octets))


def _finish(talk: Dialogue, content: Content) -> None:
    """The end of the content: ask what becomes of the message, or refuse it."""
    transaction = talk.transaction
    if transaction is None:
        return
    count = len(transaction.envelope.forward_paths)
    if (fault := content.fault) is not None:
        talk.end_transaction(lambda _: _conclude(talk, count, fault))
        return
    talk.transaction = talk.chunks = None
    then = partial(_conclude, talk, count)
    talk.ask(Message(then=then, transaction=transaction, content=bytes(content)))


def _conclude(talk: Dialogue, count: int, answer: Reply | Sequence[Reply]) -> None:
    """Say what became of the message: once in SMTP, in LMTP to each recipient (RFC 2033, 4.2)."""
    said = [answer] * count if isinstance(answer, Reply) else list(answer)
    # An answer that is missing must not leave the client waiting, nor sure of anything.
    said += [replies.NO_ANSWER] * (count - len(said))
    for reply in said[: count if talk.is_lmtp else 1]:
        if reply.accepts:
            talk.forgive()
        talk.say(reply)


def reset(talk: Dialogue, argument: str) -> None:
    """RSET: forget the transaction."""
    if argument:
        talk.complain(replies.NO_ARGUMENT_ALLOWED)
    elif talk.transaction is not None or talk.count_junk():
        talk.end_transaction(lambda _: talk.say(replies.RESET))
