"""MAIL, RCPT, DATA and RSET: one mail transaction after another (RFC 5321, 3.3)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kumo_handlers.errors import AddressError
from kumo_handlers.mail import address
from kumo_handlers.mail.reply import Reply
from kumo_handlers.mail.session import Envelope
from kumo_handlers.smtp import parameters, replies
from kumo_handlers.smtp.backend import Transaction
from kumo_handlers.smtp.content import ContentReader
from kumo_handlers.smtp.events import Mail, Message, Recipient
from kumo_handlers.smtp.parameters import MailParameters, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.mail.address import Address
    from kumo_handlers.smtp.dialogue import Dialogue


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
        path, given = parameters.read_mail(argument)
        reverse_path = _read_path(path, replies.BAD_SENDER, smtputf8=given.smtputf8)
    except ParameterError as error:
        talk.complain(error.reply)
        return
    # RFC 1870, 6.1: what is declared too big need not be sent at all.
    if given.declared_size is not None and given.declared_size > talk.listener.max_message_size:
        talk.say(replies.MESSAGE_TOO_BIG)
        return
    transaction = Transaction(talk.new_id(), talk.session, _envelope(reverse_path, given))
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
    if transaction is None:
        talk.complain(replies.MAIL_FIRST)
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
    talk.transaction = Transaction(transaction.id, transaction.session, envelope)


def data(talk: Dialogue, argument: str) -> None:
    """DATA: the content follows."""
    if argument:
        talk.complain(replies.NO_ARGUMENT_ALLOWED)
    elif talk.transaction is None:
        talk.complain(replies.MAIL_FIRST)
    elif not talk.transaction.envelope.forward_paths:
        talk.complain(replies.NO_VALID_RECIPIENTS)
    else:
        listener = talk.listener
        talk.content = ContentReader(
            listener.max_message_size,
            listener.line_length_hard_limit,
            listener.invalid_line_endings,
        )
        talk.say(replies.START_CONTENT)


def finish(talk: Dialogue, reader: ContentReader) -> None:
    """The end of the content: ask what becomes of the message, or refuse it."""
    talk.content = None
    if (fault := reader.fault) is not None:
        talk.end_transaction(lambda _: talk.say(fault))
        return
    transaction, talk.transaction = talk.transaction, None
    if transaction is not None:
        then = partial(_finished, talk)
        talk.ask(Message(then=then, transaction=transaction, content=reader.content()))


def _finished(talk: Dialogue, answer: Reply | Sequence[Reply]) -> None:
    reply = answer if isinstance(answer, Reply) else next(iter(answer), replies.NO_ANSWER)
    if reply.accepts:
        talk.forgive()
    talk.say(reply)


def reset(talk: Dialogue, argument: str) -> None:
    """RSET: forget the transaction."""
    if argument:
        talk.complain(replies.NO_ARGUMENT_ALLOWED)
    elif talk.transaction is not None or talk.count_junk():
        talk.end_transaction(lambda _: talk.say(replies.RESET))
