"""One message to one server, and what it cannot take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.queue.claim import Claim, Entry
from kumo_handlers.queue.connection import Connection
from kumo_handlers.queue.destination import Destination
from kumo_handlers.queue.greeting import Timeouts
from kumo_handlers.queue.queued_mail import Facts
from kumo_handlers.queue.transaction import dot_stuffed, transact

from .scripted_relay import EVERYTHING, ScriptedRelay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kumo_handlers.queue.transaction import Result

PLAIN = b"Subject: x\r\n\r\nbody\r\n"


def claim(
    *addresses: str, content: bytes = PLAIN, sender: str = "a@b.example", **facts: bool
) -> Claim:
    """A claimed message."""
    entries = tuple(
        Entry("m1", position, address, "x.example", 0, 0)
        for position, address in enumerate(addresses)
    )
    return Claim(1, "m1", sender, content, 0.0, Facts(**facts), entries)  # type: ignore[arg-type]


def attempt(relay: ScriptedRelay, one: Claim) -> list[Result]:
    """Deliver it over a connection of its own."""
    destination = Destination("", "127.0.0.1", relay.port)
    connection = Connection(relay, destination, Timeouts(1, 1, 1), "here.example")
    results = transact(connection, one, one.entries, lambda: None)
    connection.close()
    return results


def without(feature: str) -> tuple[str, ...]:
    """All extensions but one."""
    return tuple(each for each in EVERYTHING if not each.startswith(feature))


@pytest.fixture
def lmtp() -> Iterator[ScriptedRelay]:
    """A relay that speaks LMTP."""
    started = ScriptedRelay(lmtp=True).start()
    yield started
    started.stop()


def test_lmtp_answers_for_each_recipient(lmtp: ScriptedRelay) -> None:
    """RFC 2033, 4.2: one reply after the final dot for each accepted recipient."""
    lmtp.answers["."].extend([b"250 2.0.0 ok\r\n", b"552 5.2.2 full\r\n"])
    lmtp.answers["RCPT"].extend([b"250 ok\r\n", b"550 5.1.1 unknown\r\n", b"250 ok\r\n"])
    results = attempt(lmtp, claim("a@x.example", "b@x.example", "c@x.example"))
    assert {(each.entry.address, each.reply.code) for each in results} == {
        ("a@x.example", 250),
        ("b@x.example", 550),
        ("c@x.example", 552),
    }
    assert lmtp.commands[0] == b"lhlo here.example"


def test_lmtp_that_breaks_off_between_answers(lmtp: ScriptedRelay) -> None:
    """Who was answered stands; only the rest is uncertain."""
    lmtp.answers["."].extend([b"250 ok\r\n", b"<drop>"])
    first, second = attempt(lmtp, claim("a@x.example", "b@x.example"))
    assert (first.reply.code, first.is_uncertain) == (250, False)
    assert (second.reply.code, second.is_uncertain) == (451, True)


@pytest.mark.parametrize("pipelining", [True, False])
def test_all_recipients_refused(relay: ScriptedRelay, *, pipelining: bool) -> None:
    """Then there is no DATA, and the transaction is reset."""
    relay.features = EVERYTHING if pipelining else without("PIPELINING")
    relay.answers["RCPT"].extend([b"550 no\r\n", b"450 later\r\n"])
    results = attempt(relay, claim("a@x.example", "b@x.example"))
    assert [each.reply.code for each in results] == [550, 450]
    assert [command[:4] for command in relay.commands[1:]] == [
        b"MAIL",
        b"RCPT",
        b"RCPT",
        b"RSET",
        b"QUIT",
    ]


@pytest.mark.parametrize(
    ("feature", "one", "code", "status"),
    [
        ("8BIT", claim("a@x.example", content=b"\r\n\xc3\xa9\r\n"), 554, "5.6.3"),
        ("SMTPUTF8", claim("\u00e9@x.example"), 550, "5.6.7"),
        ("SMTPUTF8", claim("a@x.example", sender="\u00e9@x.example"), 550, "5.6.7"),
        (
            "SMTPUTF8",
            claim("a@x.example", content=b"Subject: \xc3\xa9\r\n\r\n\r\n", smtputf8=True),
            550,
            "5.6.7",
        ),
    ],
)
def test_what_the_server_does_not_offer(
    relay: ScriptedRelay, feature: str, one: Claim, code: int, status: str
) -> None:
    """Content is never changed to fit: the mail fails, and the reason is said."""
    relay.features = without(feature)
    [result] = attempt(relay, one)
    assert (result.reply.code, str(result.reply.status)) == (code, status)
    assert relay.received == []
    relay.features = EVERYTHING
    [result] = attempt(relay, one)
    assert result.reply.code == 250
    assert relay.received[0].content == one.content


def test_parameters_only_where_offered_and_needed(relay: ScriptedRelay) -> None:
    """An old server is told nothing that it does not know."""
    relay.features = ()
    attempt(relay, claim("a@x.example", smtputf8=True, body_8bit=True))
    relay.features = EVERYTHING
    attempt(relay, claim("\u00e9@x.example", content=b"\r\n\xff\r\n"))
    assert [each.mail for each in relay.received] == [
        b"MAIL FROM:<a@b.example>",
        b"MAIL FROM:<a@b.example> SIZE=5 BODY=8BITMIME SMTPUTF8",
    ]


def test_too_large_for_the_server(relay: ScriptedRelay) -> None:
    """RFC 1870, 6.1: not even tried."""
    relay.features = ("SIZE 10",)
    [result] = attempt(relay, claim("a@x.example"))
    assert (result.reply.code, str(result.reply.status)) == (552, "5.3.4")
    relay.features = ("SIZE 0",)  # RFC 1870, 3: no fixed maximum
    [result] = attempt(relay, claim("a@x.example"))
    assert result.reply.code == 250


@pytest.mark.parametrize(
    "content", [b"x\n.\r\nMAIL FROM:<>\r\n", b"x\n.\nMAIL\r\n", b"x\r.\rMAIL\r\n", b"x\r.\r\nM\r\n"]
)
def test_nothing_is_smuggled(relay: ScriptedRelay, content: bytes) -> None:
    """What a lenient server would take for the end of the message is not sent."""
    [result] = attempt(relay, claim("a@x.example", content=content))
    assert (result.reply.code, str(result.reply.status)) == (554, "5.6.0")


@pytest.mark.parametrize("content", [b"a\nb\rc\r\n", b"x\n.y\r\n", b"", b"no end"])
def test_odd_line_ends_are_sent_as_they_are(relay: ScriptedRelay, content: bytes) -> None:
    """Byte for byte; only what has no line end at its end gets one, for the dot to stand alone."""
    [result] = attempt(relay, claim("a@x.example", content=content))
    assert result.reply.code == 250
    assert relay.received[0].content == (content and content.removesuffix(b"\r\n") + b"\r\n")


@given(st.lists(st.sampled_from([b".", b"..", b"a", b".a", b"", b"a."]), max_size=8))
def test_dots_come_back(lines: list[bytes]) -> None:
    """RFC 5321, 4.5.2: the receiver's rule undoes ours, and the end is where we put it."""
    content = b"".join(line + b"\r\n" for line in lines)
    sent = dot_stuffed(content).split(b"\r\n")
    assert sent[-2:] == [b".", b""]
    assert b"." not in sent[:-2]
    assert b"".join(line.removeprefix(b".") + b"\r\n" for line in sent[:-2]) == content


def test_many_recipients_in_groups(relay: ScriptedRelay) -> None:
    """A thousand recipients fill no buffer on the way."""
    one = claim(*(f"user{number}@x.example" for number in range(1000)))
    results = attempt(relay, one)
    assert len(results) == 1000
    assert len(relay.received[0].recipients) == 1000
