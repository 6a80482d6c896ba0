"""The state machine under input that nobody would send, and under some that attackers do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kumo_handlers.smtp import replies

if TYPE_CHECKING:
    from kumo_handlers.mail.reply import Reply
    from tests.smtp.conftest import Line

WELL_FORMED = re.compile(rb"(?:\d{3}-[\x20-\x7e]*\r\n)*\d{3} [\x20-\x7e]*\r\n")
WORDS = [
    b"EHLO x\r\n",
    b"HELO x\r\n",
    b"MAIL FROM:<a@b.example>\r\n",
    b"MAIL FROM:<>  SIZE=10\r\n",
    b"RCPT TO:<c@d.example>\r\n",
    b"RCPT TO:<refused@d.example>\r\n",
    b"DATA\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"QUIT\r\n",
    b"hello\r\n",
    b".\r\n",
    b"\r\n",
    b"\r",
    b"\n",
    b".",
    b"\x00",
    b"\x1b",
    b"\xc3\xa9",
    b" ",
    b"<",
    b'"',
]
INPUT = st.lists(st.sampled_from(WORDS) | st.binary(max_size=4), max_size=40)
MODES = st.sampled_from(["Deny", "Allow", "Fix"])
# One message's content and what would be the second message if its end came early
SECOND = b"MAIL FROM:<evil@b.example>\r\nRCPT TO:<victim@d.example>\r\nDATA\r\nsmuggled\r\n.\r\n"
# Everything near the end of data that is not it
FALSE_END = (
    st.lists(
        st.sampled_from([b"\r", b"\n", b".", b"\x00", b" ", b"\r\r", b"..", b"\r\n"]), max_size=7
    )
    .map(b"".join)
    .filter(lambda end: b"\r\n.\r\n" not in b"\r\n" + end + SECOND[:4])
)


@given(chunks=INPUT, endings=MODES)
def test_any_input(chunks: list[bytes], endings: str, line: type[Line]) -> None:
    """No exception; every reply is well-formed; the pieces make no difference."""
    wire = line(invalid_line_endings=endings, line_length_hard_limit=60)
    wire.send(*chunks)
    whole = line(invalid_line_endings=endings, line_length_hard_limit=60)
    whole.send(b"".join(chunks))
    assert re.fullmatch(rb"(?:%s)+" % WELL_FORMED.pattern, wire.output)
    assert wire.output == whole.output
    assert wire.backend.messages == whole.backend.messages


@given(end=FALSE_END, endings=MODES, cut=st.integers(0, 150))
@settings(max_examples=300)
def test_one_end_of_data_makes_one_message(
    end: bytes, endings: str, cut: int, line: type[Line]
) -> None:
    """What looks like the end of content and is not never lets a second message in."""
    wire = line(invalid_line_endings=endings)
    wire.send(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
    content = b"first\r\n" + end + SECOND
    wire.send(content[:cut], content[cut:])
    assert len(wire.backend.messages) <= 1
    assert all(
        str(transaction.envelope.reverse_path) == "a@b.example"
        for transaction, _ in wire.backend.messages
    )


@given(
    junk=st.binary(max_size=30),
    command=st.sampled_from([b"EHLO ", b"MAIL FROM:<", b"RCPT TO:<", b"VRFY ", b""]),
)
def test_no_octet_makes_a_second_reply(junk: bytes, command: bytes, line: type[Line]) -> None:
    """One line, one reply, whatever stands in it."""
    wire = line()
    wire.send(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n")
    said = wire.send(command + junk.replace(b"\r\n", b"") + b"\r\n")
    assert WELL_FORMED.fullmatch(said)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (b"NOOP \xff", replies.UNRECOGNIZED),
        (b"NOOP \xff\x7f", replies.CONTROL_CHARACTER),
        (b"\x01\xff", replies.CONTROL_CHARACTER),
        (b"NOOP \t", replies.CONTROL_CHARACTER),
        ("NOOP \u2028\u00a0".encode(), replies.OK),
        # what is RSET in upper case, in Unicode
        ("R\u017fet".encode(), replies.UNRECOGNIZED),
    ],
)
def test_what_is_no_printable_ascii(command: bytes, said: Reply, line: type[Line]) -> None:
    """Control characters are refused first, then what is no UTF-8, or no command in ASCII."""
    assert line().send(command + b"\r\n").endswith(said.encode())


def test_nothing_is_read_beyond_an_unanswered_event(line: type[Line]) -> None:
    """A command behind an event that was not answered waits."""
    wire = line()
    connection = wire.connection
    connection.receive(b"EHLO x\r\nNOOP\r\n")
    event = connection.next_event()
    assert connection.waiting
    assert connection.next_event() is None
    assert connection.take_output() == b""
    assert connection.buffered == len(b"NOOP\r\n")
    connection.answer(event, None)
    assert connection.next_event() is None
    assert connection.take_output().endswith(b"250 2.0.0 OK\r\n")


def test_a_shut_connection_reads_no_more(line: type[Line]) -> None:
    """After a last reply of the driver's nothing is answered."""
    wire = line()
    wire.connection.shut(replies.shutting_down("mx.test"))
    wire.connection.receive(b"NOOP\r\n")
    assert wire.connection.next_event() is None
    assert wire.connection.take_output() == b"421 4.3.2 mx.test shutting down\r\n"


@pytest.mark.parametrize("refused", [9_999, 10_000])
def test_a_harvester_is_sent_away(refused: int, line: type[Line]) -> None:
    """Recipients refused without end are an attack on the list of those there are."""
    wire = line()
    wire.send(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n")
    said = wire.send(b"RCPT TO:<refused@d.example>\r\n" * refused)
    assert said.endswith(b"421 4.7.0 mx.test too many errors\r\n") == (refused == 10_000)
    assert wire.connection.closing == (refused == 10_000)


def test_an_accepted_message_forgives_mistakes(line: type[Line]) -> None:
    """The limits are for a client that brings no mail."""
    wire = line()
    message = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nhello\r\n.\r\n"
    wire.send(b"EHLO x\r\n" + (b"WHAT\r\n" * 19 + message) * 3)
    assert len(wire.backend.messages) == 3
    assert not wire.connection.closing


def test_meta_is_that_of_the_client(line: type[Line]) -> None:
    """What a block says of a proxy is not kept for the client that it speaks for."""
    wire = line(
        meta={"all": 1},
        peer={
            "192.0.2.7": {"allow_xclient": True, "meta": {"trusted": True}},
            "203.0.113.0/24": {"meta": {"pool": "a"}},
        },
    )
    meta = wire.connection.session.meta
    meta["of a policy"] = 1
    assert meta == {"all": 1, "trusted": True, "of a policy": 1}
    wire.send(b"XCLIENT ADDR=203.0.113.5\r\n")
    assert wire.connection.session.meta == {"all": 1, "pool": "a", "of a policy": 1}
    wire.send(b"EHLO x\r\nXFORWARD ADDR=198.51.100.1\r\n")
    assert wire.connection.session.meta == {"all": 1, "of a policy": 1}


def test_auth_needs_ehlo(line: type[Line]) -> None:
    """Who said HELO was not told that there is AUTH."""
    wire = line(offers=frozenset(("AUTH",)), allow_auth_without_tls=True)
    wire.send(b"HELO x\r\n")
    assert wire.send(b"AUTH PLAIN AGEAc2VjcmV0\r\n") == b"503 5.5.1 say hello first\r\n"
