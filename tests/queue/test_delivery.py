"""What is queued is delivered, retried, and comes to exactly one end."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import StorageError, UnwritableError
from kumo_handlers.queue import inspection
from kumo_handlers.queue.greeting import Timeouts
from kumo_handlers.queue.inspection import Choice
from kumo_handlers.queue.queued_mail import Facts
from kumo_handlers.queue.schedule import RetrySchedule
from kumo_handlers.queue.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.queue.queued_mail import QueuedMail

    from .conftest import House, Post
    from .scripted_relay import ScriptedRelay

DROP, HANG = b"<drop>", b"<hang>"


def types(lines: list[dict[str, object]]) -> list[object]:
    """The types of records, in order."""
    return [line["type"] for line in lines]


def test_delivered_at_once(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """Without a wait, byte for byte, with one Delivery record, and then it is gone."""
    committer = house.open()
    post.start(committer, relay)
    content = b".dot\r\nSubject: x\r\n\r\n..\r\n.\r\nend\r\n"
    queued = mail(
        content=content,
        reverse_path="Bounce+Token=X@example.com",
        recipients=("User+Tag@Example.NET",),
        time=1704164645.5,
        facts=Facts(reception_protocol="ESMTP", nodeid="n1", meta={"policy": "v1"}),
    )
    begun = time.monotonic()
    committer.commit_blocking(Unit(mails=(queued,)))
    [line] = post.ends(1)
    assert time.monotonic() - begun < 0.9
    [received] = relay.received
    assert received.content == content
    assert received.mail == b"MAIL FROM:<Bounce+Token=X@example.com> SIZE=%d" % len(content)
    assert received.recipients == [b"RCPT TO:<User+Tag@Example.NET>"]
    assert line["type"] == "Delivery"
    assert line["id"] == queued.id
    assert line["sender"] == "Bounce+Token=X@example.com"
    assert line["recipient"] == "User+Tag@Example.NET"
    assert line["queue"] == "example.net"
    assert line["site"] == f"127.0.0.1:{relay.port}"
    assert line["size"] == len(content)
    assert line["response"]["code"] == 250
    assert line["response"]["content"] == "queued"
    assert line["response"]["command"] == "."
    assert line["peer_address"] == {"name": "127.0.0.1", "addr": "127.0.0.1"}
    assert line["created"] == 1704164645
    assert line["num_attempts"] == 1
    assert line["meta"] == {"policy": "v1"}
    assert (line["delivery_protocol"], line["reception_protocol"]) == ("ESMTP", "ESMTP")
    assert line["nodeid"] == "n1"
    assert house.rows("SELECT * FROM message") == []


def test_one_transaction_for_many_recipients(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """Each recipient has its own end, though they went together."""
    committer = house.open()
    relay.answers["RCPT"].extend([b"250 ok\r\n", b"550 5.1.1 unknown\r\n", b"450 4.2.1 later\r\n"])
    post.start(committer, relay)
    recipients = ("a@x.example", "b@x.example", "c@x.example")
    facts = Facts(ids=("a", "b", "c"))
    committer.commit_blocking(Unit(mails=(mail(recipients=recipients, facts=facts),)))
    lines = post.ends(3)
    assert all(line["recipient"] == f"{line['id']}@x.example" for line in lines)
    assert {(line["recipient"], line["type"]) for line in lines} == {
        ("a@x.example", "Delivery"),
        ("b@x.example", "Bounce"),
        ("c@x.example", "TransientFailure"),
        ("c@x.example", "Delivery"),
    }
    bounce = next(line for line in lines if line["type"] == "Bounce")
    assert bounce["response"]["enhanced_code"] == {"class": 5, "subject": 1, "detail": 1}
    assert bounce["response"]["command"] == "RCPT TO:<b@x.example>"
    assert len(relay.received) == 2


def test_what_a_server_has_to_take_at_once(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """A hundred recipients a transaction; who needs SMTPUTF8 goes apart, and fails alone."""
    relay.features = ("PIPELINING", "8BITMIME")
    committer = house.open()
    post.start(committer, relay)
    recipients = ("b\u00e9a@x.example", *(f"a{number}@x.example" for number in range(230)))
    committer.commit_blocking(Unit(mails=(mail(recipients=recipients),)))
    ends = {line["recipient"]: line["type"] for line in post.ends(231)}
    assert [len(received.recipients) for received in relay.received] == [100, 100, 30]
    assert ends.pop(recipients[0]) == "Bounce"
    assert set(ends.values()) == {"Delivery"}


@pytest.mark.parametrize(
    ("stage", "answer"),
    [
        ("connect", b"421 busy\r\n"),
        ("connect", b"554 no\r\n"),
        ("connect", DROP),
        ("connect", b"\xff\xfe garbage\r\n"),
        ("EHLO", DROP),
        ("MAIL", b"451 later\r\n"),
        ("MAIL", b"421 going\r\n"),
        ("MAIL", DROP),
        ("MAIL", HANG),
        ("MAIL", b"hello?\r\n"),
        ("MAIL", b"250-" + b"x" * 5000 + b"\r\n"),
        ("MAIL", b"250-no end\r\n" * 200),
        ("RCPT", b"452 full\r\n"),
        ("RCPT", DROP),
        ("DATA", b"451 later\r\n"),
        ("DATA", b"250 no, that is wrong\r\n"),
        ("DATA", DROP),
        ("DATA", HANG),
        (".", b"451 later\r\n"),
        (".", b"421 going\r\n"),
    ],
)
def test_what_may_pass_is_retried(
    house: House,
    post: Post,
    relay: ScriptedRelay,
    mail: Callable[..., QueuedMail],
    stage: str,
    answer: bytes,
) -> None:
    """One TransientFailure, then a Delivery; the relay took it once."""
    committer = house.open()
    relay.answers[stage].append(answer)
    if stage == "EHLO":
        relay.answers["HELO"].append(answer)
    post.start(committer, relay)
    committer.commit_blocking(Unit(mails=(mail(),)))
    lines = post.ends(1)
    assert types(lines) == ["TransientFailure", "Delivery"]
    assert lines[1]["num_attempts"] == 2
    assert [each.answer[:3] for each in relay.received if each.answer[:1] == b"2"] == [b"250"]
    assert "possible_duplicates" not in lines[1]["meta"]


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "."])
def test_what_is_refused_for_good_bounces(
    house: House,
    post: Post,
    relay: ScriptedRelay,
    mail: Callable[..., QueuedMail],
    stage: str,
) -> None:
    """One Bounce, no second attempt, and the connection is good for the next message."""
    committer = house.open()
    relay.answers[stage].append(b"550-5.7.1 no\r\n550 5.7.1 never\r\n")
    post.start(committer, relay, workers=1)
    committer.commit_blocking(Unit(mails=(mail(),)))
    [line] = post.ends(1)
    assert line["type"] == "Bounce"
    assert line["response"]["content"] == "no\nnever"
    committer.commit_blocking(Unit(mails=(mail(),)))
    assert types(post.ends(2)) == ["Bounce", "Delivery"]
    assert relay.connections == 1


@pytest.mark.parametrize("features", [("PIPELINING",), ()])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "."])
def test_refusal_of_a_server_that_goes_at_once(
    house: House,
    post: Post,
    relay: ScriptedRelay,
    mail: Callable[..., QueuedMail],
    stage: str,
    features: tuple[str, ...],
) -> None:
    """What it said before it closed the connection counts: no second attempt, and no rest."""
    committer = house.open()
    relay.features = features
    relay.answers[stage].append(b"550 5.7.1 never\r\n" + DROP)
    post.start(committer, relay, workers=1, back_off=RetrySchedule(first=60))
    committer.commit_blocking(Unit(mails=(mail(),)))
    [line] = post.ends(1)
    assert (line["type"], line["response"]["content"]) == ("Bounce", "never")
    committer.commit_blocking(Unit(mails=(mail(),)))
    assert types(post.ends(2)) == ["Bounce", "Delivery"]


def test_server_that_goes_between_recipients(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """Who was refused was refused; the others are tried again."""
    committer = house.open()
    relay.answers["RCPT"].extend([b"250 ok\r\n", b"550 5.1.1 unknown\r\n" + DROP])
    post.start(committer, relay, workers=1)
    recipients = ("a@x.example", "b@x.example", "c@x.example")
    committer.commit_blocking(Unit(mails=(mail(recipients=recipients),)))
    ends = sorted((line["recipient"], line["type"]) for line in post.ends(3))
    assert ends == [
        ("a@x.example", "Delivery"),
        ("a@x.example", "TransientFailure"),
        ("b@x.example", "Bounce"),
        ("c@x.example", "Delivery"),
        ("c@x.example", "TransientFailure"),
    ]


@pytest.mark.parametrize(
    ("stage", "answer"),
    [
        (".", b"250 ok\r\n250 ok\r\n"),
        (".", b"250 ok\r\n550 5.7.1 no\r\n"),
        ("MAIL", b"250 ok\r\n250 ok\r\n"),
        ("RCPT", b"250 ok\r\n250 ok\r\n"),
        ("DATA", b"354 go on\r\n354 go on\r\n"),
    ],
)
def test_server_that_answers_twice(
    house: House,
    post: Post,
    relay: ScriptedRelay,
    mail: Callable[..., QueuedMail],
    stage: str,
    answer: bytes,
) -> None:
    """No answer is taken for that to another message, or about another recipient."""
    committer = house.open()
    post.start(committer, relay, workers=1)
    relay.answers[stage].append(answer)
    committer.commit_blocking(Unit(mails=(mail(recipients=("a@x.example", "b@x.example")),)))
    post.ends(2)
    relay.choose = lambda verb: (
        b"550 5.1.1 unknown\r\n"
        if verb == "RCPT" and relay.commands[-1] == b"RCPT TO:<b@x.example>"
        else None
    )
    recipients = ("a@x.example", "b@x.example", "c@x.example")
    committer.commit_blocking(Unit(mails=(mail(id="next", recipients=recipients),)))
    lines = [line for line in post.ends(5) if line["id"] == "next"]
    assert {line["recipient"]: line["type"] for line in lines} == {
        "a@x.example": "Delivery",
        "b@x.example": "Bounce",
        "c@x.example": "Delivery",
    }
    assert [len(each.recipients) for each in relay.received] == [2, 2]


def test_verified_sender_is_told_once(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """A DSN from us goes the same way; when that is refused, it is the end of it."""
    committer = house.open()
    relay.choose = lambda stage: b"550 5.1.1 nobody here\r\n" if stage == "RCPT" else None
    post.start(committer, relay)
    committer.commit_blocking(Unit(mails=(mail(id="m", facts=Facts(verified_sender=True)),)))
    first, second = post.ends(2)
    assert (first["id"], first["type"]) == ("m", "Bounce")
    assert (second["type"], second["sender"], second["recipient"]) == (
        "Bounce",
        "",
        "a@example.com",
    )
    assert second["meta"] == {"notification_of": "m"}
    assert any(command.startswith(b"MAIL FROM:<> ") for command in relay.commands)
    assert house.rows("SELECT * FROM message") == []


def test_refusals_have_their_class(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """The rules that classify bounces classify these."""
    committer = house.open()
    relay.answers["RCPT"].append(b"550 5.1.1 user unknown\r\n")
    post.start(committer, relay)
    committer.commit_blocking(Unit(mails=(mail(),)))
    [line] = post.ends(1)
    assert line["bounce_classification"] == "InvalidRecipient"


@pytest.mark.parametrize("answer", [DROP, HANG, b"nonsense\r\n", b"354 what\r\n"])
def test_lost_answer_to_the_final_dot_is_counted(
    house: House,
    post: Post,
    relay: ScriptedRelay,
    mail: Callable[..., QueuedMail],
    answer: bytes,
) -> None:
    """It may have arrived: it is sent again, and both records say so."""
    committer = house.open()
    relay.answers["."].append(answer)
    post.start(committer, relay)
    committer.commit_blocking(Unit(mails=(mail(),)))
    failed, delivered = post.ends(1)
    assert failed["type"] == "TransientFailure"
    assert failed["meta"] == {"possibly_delivered": True}
    assert delivered["type"] == "Delivery"
    assert delivered["meta"] == {"possible_duplicates": 1}


def test_expires(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """When the next attempt would come too late there is none, and one Expiration."""
    committer = house.open()
    relay.choose = lambda stage: b"451 4.2.0 never mind\r\n" if stage == "RCPT" else None
    schedule = RetrySchedule(first=0.05, most=0.05, give_up=0.3)
    post.start(committer, relay, retry=schedule)
    committer.commit_blocking(Unit(mails=(mail(time=time.time()),)))
    lines = post.ends(1)
    assert Counter(types(lines))["Expiration"] == 1
    assert set(types(lines[:-1])) == {"TransientFailure"}
    assert len(lines) > 2
    assert "never mind" in lines[-1]["response"]["content"]
    assert house.rows("SELECT * FROM recipient") == []


def test_expires_while_the_relay_is_away(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """All that is too old expires, though only one message was tried."""
    committer = house.open()
    relay.stop()
    mails = tuple(mail(time=time.time() - 100) for _ in range(20))
    committer.commit_blocking(Unit(mails=mails))
    post.start(
        committer,
        relay,
        retry=RetrySchedule(give_up=50),
        back_off=RetrySchedule(first=30),
        workers=1,
    )
    lines = post.ends(20)
    assert Counter(types(lines)) == {"Expiration": 20, "TransientFailure": 1}


def test_relay_that_is_away_rests(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """While it rests mail only waits: it is not tried once for each message."""
    committer = house.open()
    relay.answers["connect"].append(b"421 away\r\n")
    post.start(committer, relay, workers=1, back_off=RetrySchedule(first=0.3, jitter=0))
    committer.commit_blocking(Unit(mails=tuple(mail() for _ in range(10))))
    lines = post.ends(10)
    assert Counter(types(lines)) == {"Delivery": 10, "TransientFailure": 1}
    assert relay.connections == 2


@pytest.mark.parametrize("refusals", [1, 2])
def test_a_person_ends_the_rest(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail], refusals: int
) -> None:
    """For one try: a relay that is mended is not waited for, one that is not is asked once."""
    committer = house.open()
    relay.answers["connect"].extend([b"421 away\r\n"] * refusals)
    post.start(committer, relay, workers=1, back_off=RetrySchedule(first=60))
    committer.commit_blocking(Unit(mails=tuple(mail() for _ in range(10))))
    for count in range(1, refusals + 1):
        _wait_until(lambda count=count: types(house.lines()) == ["TransientFailure"] * count)
        inspection.retry(house.run_dir, Choice(everything=True))
    lines = post.ends(10)
    assert Counter(types(lines)) == {"Delivery": 10, "TransientFailure": refusals}
    assert relay.connections == refusals + 1


def _wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_connection_is_reused(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """Many messages, one connection, until it is worn out."""
    committer = house.open()
    post.start(committer, relay, workers=1, transactions=8)
    committer.commit_blocking(Unit(mails=tuple(mail() for _ in range(20))))
    post.ends(20)
    assert relay.connections == 3


@pytest.mark.parametrize("answer", [DROP, b"421 idle too long\r\n"])
def test_stale_connection_is_no_attempt(
    house: House,
    post: Post,
    relay: ScriptedRelay,
    mail: Callable[..., QueuedMail],
    answer: bytes,
) -> None:
    """A server that closed an idle session is asked again on a new one."""
    committer = house.open()
    post.start(committer, relay, workers=1)
    committer.commit_blocking(Unit(mails=(mail(),)))
    post.ends(1)
    relay.answers["MAIL"].append(answer)
    committer.commit_blocking(Unit(mails=(mail(),)))
    lines = post.ends(2)
    assert types(lines) == ["Delivery", "Delivery"]
    assert [line["num_attempts"] for line in lines] == [1, 1]
    assert relay.connections == 2


def test_recipients_by_domain_without_a_relay(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """Without a relay each domain has its own server, and its own transaction."""
    committer = house.open()
    relay.hostname = None
    post.start(committer, relay)
    recipients = ("a@one.example", "b@two.example", "c@one.example")
    committer.commit_blocking(Unit(mails=(mail(recipients=recipients),)))
    post.ends(3)
    assert sorted(each.recipients for each in relay.received) == [
        [b"RCPT TO:<a@one.example>", b"RCPT TO:<c@one.example>"],
        [b"RCPT TO:<b@two.example>"],
    ]


def test_one_name_for_one_domain(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """However it is spelled, it is looked up in the form that DNS has, and logged so."""
    committer = house.open()
    relay.hostname = None
    asked = []

    def resolve(recipient: str) -> str:
        asked.append(recipient)
        return "127.0.0.1"

    relay.resolve_relay_host = resolve  # type: ignore[method-assign]
    post.start(committer, relay)
    spellings = ("a@M\u00fcnchen.example", "b@xn--mnchen-3ya.example", "c@XN--mnchen-3ya.example.")
    committer.commit_blocking(Unit(mails=(mail(recipients=spellings),)))
    lines = post.ends(3)
    assert {line["queue"] for line in lines} == {"xn--mnchen-3ya.example"}
    assert {line["recipient"] for line in lines} == set(spellings)
    assert set(asked) == {"postmaster@xn--mnchen-3ya.example"}


def test_restart_delivers_the_rest(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """What was queued is delivered by the next run."""
    committer = house.open()
    committer.commit_blocking(Unit(mails=(mail(), mail())))
    committer.close()
    post.start(house.open(), relay)
    assert types(post.ends(2)) == ["Delivery", "Delivery"]


def test_message_in_flight_at_a_crash_is_labelled(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """Only the one that was being handed over may be a duplicate."""
    committer = house.open()
    committer.commit_blocking(Unit(mails=(mail(id="first"), mail(id="second"))))
    path = house.run_dir / "queue" / "in-flight"
    path.write_bytes((2).to_bytes(8, "little"))
    post.start(committer, relay)
    lines = {line["id"]: line["meta"] for line in post.ends(2)}
    assert lines == {"first": {}, "second": {"possible_duplicates": 1}}


def test_stop_breaks_off_what_hangs(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """A stop does not wait for a relay that says nothing; the mail stays queued."""
    committer = house.open()
    relay.answers["MAIL"].append(HANG)
    delivery = post.start(committer, relay, workers=1, timeouts=Timeouts())
    committer.commit_blocking(Unit(mails=(mail(),)))
    while not relay.commands or not relay.commands[-1].startswith(b"MAIL"):
        time.sleep(0.01)
    begun = time.monotonic()
    delivery.stop(0.1)
    assert time.monotonic() - begun < 2
    assert house.rows("SELECT attempts FROM recipient") == [(1,)]


def test_error_of_ours_is_retried(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """Even what nobody foresaw ends in a retry, and not in a thread that is gone."""
    committer = house.open()
    relay.hostname = None
    calls = []

    def resolve(recipient: str) -> str:
        calls.append(recipient)
        if len(calls) == 1:
            raise ZeroDivisionError("nobody foresaw this")
        return "127.0.0.1"

    relay.resolve_relay_host = resolve  # type: ignore[method-assign]
    post.start(committer, relay)
    committer.commit_blocking(Unit(mails=(mail(),)))
    assert types(post.ends(1)) == ["TransientFailure", "Delivery"]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE message SET facts = x'7b22ff' WHERE number = 1",
        "UPDATE recipient SET domain = CAST(x'ff' AS TEXT) WHERE message = 1",
        # by hand, with the types that come first to mind
        'UPDATE message SET reverse_path = \'c@x.example\', facts = \'{"ids": ["a", "b"]}\'',
        "UPDATE recipient SET address = 'c@x.example', attempts = 'none', duplicates = x'00'",
        "UPDATE content SET content = 'Subject: x' || char(13, 10, 13, 10)",
        "UPDATE message SET created = 'yesterday', id = 5 WHERE number = 1",
    ],
)
def test_damaged_row(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail], damage: str
) -> None:
    """It is delivered with what is left of it, and the others are, too."""
    committer = house.open()
    recipients = ("a@x.example", "b@x.example")
    facts = Facts(ids=("a", "b"))
    committer.commit_blocking(Unit(mails=(mail(recipients=recipients, facts=facts), mail())))
    house.change(damage)
    post.start(committer, relay)
    assert types(post.ends(3)) == ["Delivery"] * 3


def test_queue_that_is_not_understood(
    house: House,
    post: Post,
    relay: ScriptedRelay,
    mail: Callable[..., QueuedMail],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is said, and looked at again: nothing ends in a thread that is gone."""
    committer = house.open()
    committer.commit_blocking(Unit(mails=(mail(),)))
    house.change("UPDATE recipient SET due = 'soon'")
    post.start(committer, relay)
    _wait_until(lambda: "the queue is not understood" in caplog.text)
    house.change("UPDATE recipient SET due = 0")
    assert types(post.ends(1)) == ["Delivery"]


def test_attempt_that_cannot_be_judged(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """It waits for the next start, unlike the mail behind it."""
    committer = house.open()
    relay.answers["RCPT"].append(b"550 5.1.1 unknown\r\n")
    post.start(committer, relay, workers=1)
    facts = Facts(verified_sender=True)
    committer.commit_blocking(Unit(mails=(mail(time=-1e300, facts=facts), mail())))
    assert types(post.ends(1)) == ["Delivery"]
    assert house.rows("SELECT message FROM recipient") == [(1,)]


def test_stray_bytes_in_a_refusal_for_now(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """A 4xx in somebody's old charset is a retry like any other, and shown in the queue."""
    committer = house.open()
    relay.answers["RCPT"].append(b"450 4.2.1 bo\xeete pleine\r\n")
    post.start(committer, relay, workers=1, retry=RetrySchedule(first=1.0, jitter=0))
    committer.commit_blocking(Unit(mails=(mail(),)))
    end = time.monotonic() + 5
    while house.rows("SELECT attempts FROM recipient") != [(1,)]:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert house.rows("SELECT response FROM recipient") == [("450 4.2.1 bo\\udceete pleine",)]
    failed, delivered = post.ends(1)
    assert bytes(failed["response"]["content"]) == b"bo\xeete pleine"
    assert (delivered["type"], delivered["num_attempts"]) == ("Delivery", 2)


def test_stray_bytes_in_a_refusal_for_good(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """A 5xx in somebody's old charset is a Bounce, and the sender is told in plain characters."""
    committer = house.open()
    relay.answers["RCPT"].append(b"550 5.1.1 \xe9tranger\r\n")
    post.start(committer, relay, workers=1)
    committer.commit_blocking(Unit(mails=(mail(facts=Facts(verified_sender=True)),)))
    bounced, told = post.ends(2)
    assert bounced["type"] == "Bounce"
    assert bytes(bounced["response"]["content"]) == b"\xe9tranger"
    assert told["type"] == "Delivery"
    assert b"550 5.1.1  tranger" in relay.received[0].content


def test_stray_bytes_in_the_last_answer(
    house: House, post: Post, relay: ScriptedRelay, mail: Callable[..., QueuedMail]
) -> None:
    """An Expiration that repeats them is written, too."""
    committer = house.open()
    relay.answers["RCPT"].append(b"450 4.2.1 bo\xeete pleine\r\n")
    post.start(committer, relay, workers=1, retry=RetrySchedule(give_up=50))
    committer.commit_blocking(Unit(mails=(mail(time=time.time() - 100),)))
    assert types(post.ends(1)) == ["TransientFailure", "Expiration"]


def test_end_that_cannot_be_written_holds_nobody_up(
    house: House,
    post: Post,
    relay: ScriptedRelay,
    mail: Callable[..., QueuedMail],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged whole and its entry waits, not tried again at once; other mail goes on."""
    committer = house.open()
    commit = committer.commit_blocking

    def refuse_records_of_the_first(unit: Unit) -> None:
        if any(each.id == "first" for each in unit.records):
            raise UnwritableError("a unit cannot be written: injected")
        commit(unit)

    monkeypatch.setattr(committer, "commit_blocking", refuse_records_of_the_first)
    post.start(committer, relay, workers=1, retry=RetrySchedule(first=60.0))
    commit(Unit(mails=(mail(id="first", recipients=("stuck@x.example",)),)))
    commit(Unit(mails=(mail(id="second"),)))
    assert [line["id"] for line in post.ends(1)] == ["second"]
    assert house.rows("SELECT attempts, duplicates, state FROM recipient") == [(1, 1, "queued")]
    [(due,)] = house.rows("SELECT due FROM recipient")
    assert due > time.time() + 30
    assert len(relay.received) == 2
    assert "stuck@x.example" in caplog.text


def test_disk_that_takes_no_outcome_is_asked_less_and_less(
    house: House,
    post: Post,
    relay: ScriptedRelay,
    mail: Callable[..., QueuedMail],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The reason is said once, and that it is over; delivered once, logged once."""
    committer = house.open()
    commit = committer.commit_blocking
    moments: list[float] = []

    def refuse_five(unit: Unit) -> None:
        moments.append(time.monotonic())
        if len(moments) <= 5:
            raise StorageError("no space: injected")
        commit(unit)

    monkeypatch.setattr(committer, "commit_blocking", refuse_five)
    post.start(committer, relay, unwritten=RetrySchedule(first=0.01, jitter=0.0))
    commit(Unit(mails=(mail(),)))
    assert types(post.ends(1)) == ["Delivery"]
    waits = [after - before for before, after in itertools.pairwise(moments)]
    assert [wait >= 0.01 * 2**n for n, wait in enumerate(waits)] == [True] * 5
    assert len(relay.received) == 1
    end = time.monotonic() + 5  # the record is there a moment before it is said
    while "is logged now" not in caplog.text and time.monotonic() < end:
        time.sleep(0.01)
    assert caplog.text.count("no space: injected") == 1
    assert caplog.text.count("is logged now") == 1
