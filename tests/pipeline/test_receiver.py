"""From a client's bytes to the disk: real sockets, the replies, and what is there afterwards."""

from __future__ import annotations

import base64
import itertools
import os
import signal
import smtplib
import socket
import sys
import threading
import time
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

import click
import pytest
from salmon.routing import Router

from kumo_handlers import boot
from kumo_handlers.errors import ConfigurationError, StorageError, StorageFullError
from kumo_handlers.pipeline import installation
from kumo_handlers.queue import inspection
from kumo_handlers.queue.inspection import Choice
from kumo_handlers.reports import trace
from kumo_handlers.testing import make_bounce, make_complaint, make_letter
from tests.waiting import PATIENCE, books_are_written, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Start = Callable[..., Any]

LETTER = make_letter("bob@example.com")
IN_FORCE = 5.0  # seconds: a second is promised, and the machine may be busy


def test_mail_to_a_domain_that_is_relayed_to(start: Start) -> None:
    """250, a Reception, and in the queue byte for byte behind our trace headers."""
    app = start()
    assert app.send("ann@elsewhere.example", "bob@example.com", LETTER).startswith("250 2.0.0")
    record = app.record()
    assert (record["type"], record["size"]) == ("Reception", len(LETTER))
    assert record["meta"]["rule"] == "relay_to"
    ((sender, recipient, content),) = app.queued()
    assert (sender, recipient) == ("ann@elsewhere.example", "bob@example.com")
    headers = content.removesuffix(LETTER)
    assert headers.startswith(b"Received: from client.example ([127.0.0.1])\r\n")
    assert b"\r\nX-KumoRef: " in headers
    assert headers != content


def test_a_recipient_nobody_wrote_a_rule_for(start: Start) -> None:
    """550 at RCPT, naming the peer; the record has the reason, the peer does not."""
    app = start()
    reply = app.send("ann@elsewhere.example", "carl@elsewhere.example", LETTER)
    record = app.record()
    assert reply.startswith("550 5.7.1 relaying not permitted for 127.0.0.1:")
    assert record["type"] == "Rejection"
    assert record["response"]["command"] == "RCPT TO:<carl@elsewhere.example>"
    assert "relay_hosts" in record["meta"]["reason"]
    assert app.queued() == []


def test_two_recipients_with_different_rules(start: Start) -> None:
    """One transaction, one message, each recipient by its own rule."""
    app = start()
    bounce = make_bounce("gone@nowhere.example")
    reply = app.send("", ["v@bounce.example.com", "w@drop.example.com"], bounce)
    assert reply.startswith("250")
    assert [(each["type"], each["sender"]) for each in app.records()] == [
        ("OOB", "v@bounce.example.com"),
        ("OOB", "w@drop.example.com"),
    ]
    assert app.queued() == []


def test_recipients_share_a_copy(start: Start) -> None:
    """One message in the queue for all; each has records of its own, and no copy names another."""
    app = start()
    recipients = [f"blind{number}@example.com" for number in range(3)]
    assert app.send("ann@elsewhere.example", recipients, LETTER).startswith("250")
    queued = app.queued()
    assert [recipient for _, recipient, _ in queued] == recipients
    (content,) = {content for _, _, content in queued}
    assert content.endswith(LETTER)
    assert b"blind" not in content
    assert base64.b64encode(b"blind") not in content
    records = app.records("Reception")
    assert [record["recipient"] for record in records] == recipients
    assert len({record["id"] for record in records}) == 3
    assert {record["meta"]["transaction"] for record in records} == {records[0]["id"]}
    books_are_written()
    waiting = inspection.waiting(app.run_dir, Choice(everything=True))
    assert [each.id for each in waiting] == [record["id"] for record in records]


def test_a_copy_for_each_recipient(start: Start) -> None:
    """Where the listener wants it: then every trace header names its recipient."""
    headers = {"per_recipient": True}
    app = start(listeners=[{"listen": "127.0.0.1:0", "trace_headers": headers}])
    recipients = ["ann@example.com", "bob@example.com"]
    assert app.send("carl@elsewhere.example", recipients, LETTER).startswith("250")
    for recipient, (_, queued, content) in zip(recipients, app.queued(), strict=True):
        assert queued == recipient
        (found, _) = trace.find(message_from_bytes(content).items())
        assert found == {"recipient": recipient}


def test_a_refused_recipient_does_not_end_the_transaction(start: Start) -> None:
    """The accepted one gets the message."""
    app = start()
    with app.client() as client:
        client.mail("ann@elsewhere.example")
        assert client.rcpt("carl@elsewhere.example")[0] == 550
        assert client.rcpt("bob@example.com")[0] == 250
        assert client.data(LETTER)[0] == 250
    assert [recipient for _, recipient, _ in app.queued()] == ["bob@example.com"]


@pytest.mark.parametrize(
    ("recipient", "content", "kind"),
    [
        ("v@bounce.example.com", make_bounce("Gone@nowhere.example"), "OOB"),
        ("c@fbl.example.com", make_complaint("emil@provider.example"), "Feedback"),
    ],
    ids=["OOB", "Feedback"],  # the content, which has a date, would be a part of them
)
def test_reports_are_logged_and_go_no_further(
    start: Start, recipient: str, content: bytes, kind: str
) -> None:
    """250, one record, nothing in the queue."""
    app = start()
    assert app.send("", recipient, content).startswith("250 2.0.0")
    assert [record["type"] for record in app.records()] == [kind]
    assert app.queued() == []


def test_ordinary_mail_to_a_reports_address(start: Start) -> None:
    """Accepted at RCPT, for it might be a report; refused after DATA, for it is none."""
    app = start()
    reply = app.send("ann@elsewhere.example", "x@bounce.example.com", LETTER)
    assert reply.startswith("550 5.7.1 relaying not permitted for")
    assert [record["type"] for record in app.records()] == ["Rejection"]


def test_a_report_nobody_can_read_is_kept(start: Start) -> None:
    """Accepted, whole in run/unparsed, and the record says why and under which name."""
    app = start()
    broken = (
        b"From: MAILER-DAEMON@nowhere.example\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type="delivery-status";'
        b' boundary="b"\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n'
        b"Reporting-MTA: dns; x.example\r\n--b--\r\n"
    )
    assert app.send("", "v@bounce.example.com", broken).startswith("250")
    record = app.record()
    assert record["type"] == "Reception"
    assert record["report"]["error"]
    assert (app.run_dir / "unparsed" / record["report"]["kept"]).read_bytes() == broken


CRASH = """
    from salmon.routing import route, stateless

    @route("(address)@(host)", address=".+", host=".+")
    @stateless
    def START(message, address=None, host=None):
        if address.startswith("bad"):
            raise ValueError("secret reason")
"""


def test_a_handler_that_raises(start: Start) -> None:
    """451 without its reason, nothing kept; a record names the handler."""
    app = start(inbound=CRASH)
    reply = app.send("ann@elsewhere.example", "bad@example.com", LETTER)
    assert reply == "451 4.3.0 local error in processing"
    record = app.record()
    assert (record["type"], record["response"]["code"]) == ("Rejection", 451)
    assert record["meta"]["handler"].endswith("_inbound.START")
    assert app.queued() == []
    assert app.undeliverable() == []


def test_a_handler_that_raises_for_the_second_recipient(start: Start) -> None:
    """The first was accepted: 250, and the second's mail is in the undeliverable queue."""
    app = start(inbound=CRASH)
    reply = app.send("ann@elsewhere.example", ["bob@example.com", "bad@example.com"], LETTER)
    assert reply.startswith("250")
    assert [recipient for _, recipient, _ in app.queued()] == ["bob@example.com"]
    (kept,) = app.undeliverable()
    assert b"Delivered-To: bad@example.com\n" in kept
    assert kept.endswith(LETTER.replace(b"\r\n", b"\n"))
    assert sorted(record["type"] for record in app.records()) == ["Reception", "Rejection"]


def test_a_handler_that_raises_for_the_first_recipient(start: Start) -> None:
    """The sender can still be told, and has both: 451, nothing kept for anyone."""
    app = start(inbound=CRASH)
    reply = app.send("ann@elsewhere.example", ["bad@example.com", "bob@example.com"], LETTER)
    assert reply.startswith("451")
    assert app.queued() == []


def test_a_report_is_not_logged_when_a_later_handler_fails(start: Start) -> None:
    """The sender tries again: what was staged is forgotten, so it counts once."""
    app = start(
        reports="""
        from kumo_handlers.handlers import oob
        from salmon.routing import route_like, stateless
        seen = []

        @route_like(oob.START)
        @stateless
        def START(message, address=None, host=None):
            seen.append(message.records)
            if len(seen) == 1:
                raise OSError("database is locked")
        """
    )
    bounce = make_bounce("gone@nowhere.example")
    assert app.send("", "v@bounce.example.com", bounce).startswith("451")
    assert app.records("OOB") == []
    assert app.send("", "v@bounce.example.com", bounce).startswith("250")
    assert len(app.records("OOB")) == 1


def test_the_same_report_twice_is_logged_once(start: Start) -> None:
    """A sender that did not see our 250 sends again."""
    app = start()
    bounce = make_bounce("gone@nowhere.example")
    for _ in range(2):
        assert app.send("", "v@bounce.example.com", bounce).startswith("250")
    assert len(app.records("OOB")) == 1


def test_a_handler_chooses_the_reply(start: Start) -> None:
    """An SMTPError is said as it stands, its enhanced code told from its text."""
    app = start(
        inbound="""
        from salmon.routing import route, stateless
        from salmon.server import SMTPError

        @route("(address)@(host)", address=".+", host=".+")
        @stateless
        def START(message, address=None, host=None):
            raise SMTPError(554, "5.7.0 not today")
        """
    )
    reply = app.send("ann@elsewhere.example", "bob@example.com", LETTER)
    assert reply == "554 5.7.0 not today"
    assert app.record()["response"]["enhanced_code"] == {"class": 5, "subject": 7, "detail": 0}


@pytest.mark.parametrize(("code", "said"), [(250, 250), (354, 451), (99, 451)])
def test_a_handler_ends_the_mail(start: Start, code: int, said: int) -> None:
    """With 250 it took it, and the log says so; a code that is no reply is a failure."""
    app = start(
        inbound=f"""
        from salmon.routing import route, stateless
        from salmon.server import SMTPError

        @route("(address)@(host)", address=".+", host=".+")
        @stateless
        def START(message, address=None, host=None):
            raise SMTPError({code}, "taken")
        """
    )
    reply = app.send("ann@elsewhere.example", "bob@example.com", LETTER)
    assert reply.startswith(str(said))
    kind = "Reception" if said == 250 else "Rejection"
    assert (app.record()["type"], app.queued()) == (kind, [])


def test_handlers_with_states(start: Start) -> None:
    """Salmon's states work: the sender's first mail and its second go to different functions."""
    app = start(
        inbound="""
        from salmon.routing import route, route_like
        from salmon.server import SMTPError

        @route("(address)@(host)", address=".+", host=".+")
        def START(message, address=None, host=None):
            return SECOND

        @route_like(START)
        def SECOND(message, address=None, host=None):
            raise SMTPError(250, "second time")
        """
    )
    replies = [app.send("ann@elsewhere.example", "bob@example.com", LETTER) for _ in range(2)]
    assert replies == ["250 2.0.0 OK", "250 second time"]


def test_a_handler_that_blocks_holds_nobody_up(start: Start) -> None:
    """The listener greets and serves others meanwhile."""
    app = start(
        inbound="""
        import threading
        from salmon.routing import nolocking, route, stateless

        entered, go_on = threading.Event(), threading.Event()

        @route("slow@(host)", host=".+")
        @stateless
        @nolocking
        def START(message, host=None):
            entered.set()
            go_on.wait(60)
        """
    )
    (handler,) = [sys.modules[name] for name in Router.HANDLERS if name.endswith("_inbound")]
    slow = threading.Thread(target=app.send, args=("a@b.example", "slow@example.com", LETTER))
    slow.start()
    assert handler.entered.wait(PATIENCE)
    assert app.send("ann@elsewhere.example", "bob@example.com", LETTER).startswith("250")
    assert slow.is_alive()
    handler.go_on.set()
    slow.join()


def test_a_handler_that_hangs(start: Start) -> None:
    """data_processing_timeout: 451 4.4.5, nothing kept."""
    app = start(
        inbound="""
        import time
        from salmon.routing import nolocking, route, stateless

        @route("(address)@(host)", address=".+", host=".+")
        @stateless
        @nolocking
        def START(message, address=None, host=None):
            time.sleep(0.6)
        """,
        listeners=[
            {"listen": "127.0.0.1:0", "relay_hosts": [], "data_processing_timeout": "200ms"}
        ],
    )
    reply = app.send("ann@elsewhere.example", "bob@example.com", LETTER)
    assert reply == "451 4.4.5 data_processing_timeout exceeded"
    assert app.record()["meta"]["handler"].endswith("_inbound.START")
    time.sleep(0.8)  # until the handler has ended
    assert app.queued() == []


@pytest.mark.parametrize(
    ("sender", "recipient"),
    [
        ("", "news+Bob=Example.net@Bounce.Example.COM"),
        ("", '"quoted \\" part"@bounce.example.com'),
    ],
)
def test_the_envelope_is_kept_as_received(start: Start, sender: str, recipient: str) -> None:
    """Null reverse-path, mixed case, quotes: in the record as they came."""
    app = start()
    with app.client() as client:
        assert client.docmd("MAIL", f"FROM:<{sender}>")[0] == 250
        assert client.docmd("RCPT", f"TO:<{recipient}>")[0] == 250
        assert client.data(make_bounce("gone@nowhere.example"))[0] == 250
    assert app.records("OOB")[0]["sender"] == recipient


@pytest.mark.parametrize(
    ("key", "recipient"),
    [
        ("müller.example", "jürgen@müller.example"),
        ("xn--mller-kva.example", "jürgen@MÜLLER.example."),
        ("[192.0.2.1]", "ann@[192.0.2.1]"),
        ("*", "postmaster"),
    ],
)
def test_unusual_domains(start: Start, key: str, recipient: str) -> None:
    """IDN in either form, literals, and <postmaster>, which `*` alone matches."""
    app = start({key: {"relay_to": True}})
    with app.client() as client:
        assert client.docmd("MAIL", "FROM:<ann@elsewhere.example> SMTPUTF8")[0] == 250
        client.send(f"RCPT TO:<{recipient}>\r\n".encode())
        assert client.getreply()[0] == 250
        assert client.data(LETTER)[0] == 250
    assert [each for _, each, _ in app.queued()] == [recipient]


def test_the_sender_is_the_envelopes(start: Start) -> None:
    """A header that names send.example.com opens nothing."""
    app = start()
    forged = make_letter("carl@elsewhere.example", "news@send.example.com")
    reply = app.send("ann@elsewhere.example", "carl@elsewhere.example", forged)
    assert reply.startswith("550")
    reply = app.send("news@send.example.com", "carl@elsewhere.example", LETTER)
    assert reply.startswith("250")


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (StorageError("I/O error"), "451 4.3.0 cannot store the message now, try again later"),
        (StorageFullError("full"), "452 4.3.1 insufficient system storage"),
    ],
)
def test_what_cannot_be_stored_is_not_accepted(
    start: Start, monkeypatch: pytest.MonkeyPatch, error: StorageError, reply: str
) -> None:
    """The reply is the error's, and service resumes by itself."""
    app = start()

    async def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(installation.current().committer, "commit", fail)
        assert app.send("ann@elsewhere.example", "bob@example.com", LETTER) == reply
    assert app.send("ann@elsewhere.example", "bob@example.com", LETTER).startswith("250")


@pytest.mark.parametrize("mode", ["Allow", "Fix"])
def test_no_bare_line_end_leaves(start: Start, mode: str) -> None:
    """Where the listener lets them in, the relay still sees none: nothing to smuggle through."""
    app = start(
        listeners=[{"listen": "127.0.0.1:0", "relay_hosts": [], "invalid_line_endings": mode}]
    )
    with app.client() as client:
        client.mail("ann@elsewhere.example")
        client.rcpt("bob@example.com")
        client.docmd("DATA")
        client.send(b"Subject: x\r\n\r\none\n.\nMAIL FROM:<x@y.example>\r.\rtwo\r\n.\r\n")
        assert client.getreply()[0] == 250
    ((_, _, content),) = app.queued()
    assert content.endswith(b"\r\none\r\n.\r\nMAIL FROM:<x@y.example>\r\n.\r\ntwo\r\n")


def test_a_loop_ends(start: Start) -> None:
    """A hundred Received fields: 554, as RFC 5321, 6.3 asks."""
    app = start()
    content = b"Received: from a.example by b.example\r\n" * 100 + LETTER
    assert app.send("ann@elsewhere.example", "bob@example.com", content).startswith("554 5.4.6")
    assert app.send("a@b.example", "bob@example.com", content[41:]).startswith("250")


def test_changed_rules_take_effect(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Within a second; a file with errors changes nothing; mended, it does."""
    rules = tmp_path / "rules.toml"
    rules.write_text('["one.example"]\nrelay_to = true\n')
    app = start([str(rules)])

    def accepts(domain: str) -> bool:
        return app.send("a@b.example", f"x@{domain}", LETTER).startswith("250")

    assert accepts("one.example")
    assert not accepts("two.example")
    rules.write_text('["two.example"]\nrelay_to = true\n')
    until(lambda: accepts("two.example"), IN_FORCE)
    rules.write_text('["three.example"]\nrelay_too = true\n')
    until(lambda: "relay_too" in caplog.text)  # it was read, and is not taken
    assert accepts("two.example")
    rules.write_text('["three.example"]\nrelay_to = true\n')
    until(lambda: accepts("three.example"), IN_FORCE)


def test_changed_rules_of_classification(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They are loaded again too; with errors the old ones stay."""
    rules = tmp_path / "classes.toml"
    rules.write_text('[rules]\nInvalidRecipient = ["No such user"]\n')
    app = start(classification=[str(rules)])

    numbers = itertools.count(1)

    def class_of_next() -> str:
        bounce = make_bounce(f"gone{next(numbers)}@nowhere.example")
        assert app.send("", "v@bounce.example.com", bounce).startswith("250")
        return str(app.records("OOB")[-1]["bounce_classification"])

    assert class_of_next() == "InvalidRecipient"
    rules.write_text('[rules]\nPolicyRelated = ["No such user"]\n')
    until(lambda: class_of_next() == "PolicyRelated", IN_FORCE)
    rules.write_text('[rules]\nSpamBlock = ["("]\n')
    until(lambda: "SpamBlock" in caplog.text)  # it was read, and is not taken
    assert class_of_next() == "PolicyRelated"


def test_a_transaction_is_decided_by_one_version(start: Start, tmp_path: Path) -> None:
    """Rules that change between RCPT and DATA do not make the handlers disagree with RCPT."""
    rules = tmp_path / "rules.toml"
    rules.write_text('["bounce.example.com"]\nlog_oob = true\n')
    app = start([str(rules)])
    with app.client() as client:
        client.mail("")
        assert client.rcpt("v@bounce.example.com")[0] == 250
        rules.write_text('["other.example"]\nrelay_to = true\n')
        before = installation.current().policy.version
        until(lambda: installation.current().policy.version != before)
        assert client.data(make_bounce("gone@nowhere.example"))[0] == 250
    record = app.record()
    assert (record["type"], record["meta"]["policy"]) == ("OOB", before)


def test_stop_finishes_what_is_in_flight(start: Start) -> None:
    """A message in DATA is taken; an idle client is told 421."""
    app = start()
    idle, busy = app.client(), app.client()
    busy.mail("ann@elsewhere.example")
    busy.rcpt("bob@example.com")
    busy.docmd("DATA")
    stopping = threading.Thread(target=app.receiver.stop)
    stopping.start()
    assert idle.getreply()[0] == 421
    idle.close()
    busy.send(LETTER + b".\r\n")
    assert busy.getreply()[0] == 250
    stopping.join()
    assert len(app.queued()) == 1
    busy.close()


def test_a_port_that_is_taken(start: Start, settings_for: Start) -> None:
    """The error names the listener; nothing is left running."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}"):
            start(listeners=[{"listen": f"127.0.0.1:{port}"}])


def test_a_handler_that_was_not_loaded(clean_router: None, settings_for: Start) -> None:
    """Salmon only logs the ImportError; we do not start without the handler."""
    settings = settings_for()
    settings.handlers.insert(3, "app.handlers.misspelt")
    receiver = boot.receiver(settings)
    Router.load(settings.handlers[:3])
    with pytest.raises(ConfigurationError, match="misspelt"):
        receiver.start()
    installation.forget()


def test_a_handler_of_ours_that_is_missing(clean_router: None, settings_for: Start) -> None:
    """Without `relay` mail would be accepted and lost: we do not start."""
    settings = settings_for()
    settings.handlers.remove("kumo_handlers.handlers.relay")
    receiver = boot.receiver(settings)
    Router.load(settings.handlers)
    with pytest.raises(ConfigurationError, match=r"relay is missing: .* it is lost"):
        receiver.start()
    installation.forget()


def test_mail_that_no_handler_took(start: Start) -> None:
    """Routes that vanished under us accept nothing."""
    app = start()
    Router.clear_routes()
    assert app.send("ann@elsewhere.example", "bob@example.com", LETTER).startswith("451")
    assert app.record()["type"] == "Rejection"


def test_a_reload_that_fails(start: Start, tmp_path: Path) -> None:
    """With Router.RELOAD a handler that cannot be imported refuses all mail until it is mended."""
    app = start(inbound=CRASH)
    Router.RELOAD = True
    (module,) = tmp_path.glob("*_inbound.py")
    good = module.read_text()
    assert app.send("ann@elsewhere.example", "bob@example.com", LETTER).startswith("250")
    module.write_text("import no_such_module\n")
    assert app.send("ann@elsewhere.example", "bob@example.com", LETTER).startswith("451")
    module.write_text(good + "\n")
    assert app.send("ann@elsewhere.example", "bob@example.com", LETTER).startswith("250")


def test_a_handler_that_exits(start: Start) -> None:
    """SystemExit is an exception like another: 451, and the listener goes on."""
    app = start(inbound=CRASH.replace('ValueError("secret reason")', "SystemExit(3)"))
    assert app.send("ann@elsewhere.example", "bad@example.com", LETTER).startswith("451")
    assert app.send("ann@elsewhere.example", "bob@example.com", LETTER).startswith("250")


def test_a_policy_refusal_beside_an_accepted_recipient(start: Start) -> None:
    """It is logged and not kept: a stranger fills no disk."""
    app = start()
    reply = app.send("ann@elsewhere.example", ["x@bounce.example.com", "bob@example.com"], LETTER)
    assert reply.startswith("250")
    assert sorted(record["type"] for record in app.records()) == ["Reception", "Rejection"]
    assert app.undeliverable() == []


def test_the_undeliverable_queue_is_bounded(start: Start) -> None:
    """Full, the reply is 452 for all: the sender has the message still."""
    app = start(inbound=CRASH, max_unparsed_messages=1)
    both = ["bob@example.com", "bad@example.com"]
    assert app.send("ann@elsewhere.example", both, LETTER).startswith("250")
    assert app.send("ann@elsewhere.example", both, LETTER).startswith("452 4.3.1")
    assert (len(app.undeliverable()), len(app.queued())) == (1, 1)


def test_several_listeners(start: Start) -> None:
    """Each with its own name and relay_hosts."""
    app = start(
        listeners=[
            {"listen": "127.0.0.1:0", "hostname": "one.example", "relay_hosts": []},
            {"listen": "127.0.0.1:0", "hostname": "two.example", "relay_hosts": ["127.0.0.1"]},
        ]
    )
    replies = []
    for listener in (0, 1):
        with app.client(listener) as client:
            client.mail("ann@elsewhere.example")
            replies.append((client.ehlo_resp.split()[0], client.rcpt("x@far.example")[0]))
    assert replies == [(b"one.example", 550), (b"two.example", 250)]


def test_smtplib_sendmail(start: Start) -> None:
    """The way most Python programs send."""
    app = start()
    with app.client() as client, pytest.raises(smtplib.SMTPRecipientsRefused):
        client.sendmail("a@b.example", ["x@far.example"], LETTER)
    with app.client() as client:
        assert client.sendmail("a@b.example", ["bob@example.com"], LETTER) == {}


def test_a_signal_that_wakes_nobody(start: Start) -> None:
    """Who waits for the end minds it all the same: the interpreter only notes it."""
    receiver = start().receiver

    def send() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGUSR1)  # this thread takes it, for the main one does not
        time.sleep(0.2)

    before = signal.signal(signal.SIGUSR1, lambda *_: receiver.stop())
    late = threading.Timer(10, receiver.stop)
    late.start()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        begun = time.monotonic()
        threading.Thread(target=send).start()
        receiver.join()
        assert time.monotonic() - begun < 8
    finally:
        late.cancel()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        signal.signal(signal.SIGUSR1, before)


def test_the_command_that_starts_it_waits(start: Start) -> None:
    """As ``salmon start`` is one: with its main thread over, Python 3.12.0 lets nothing begin."""
    with click.Context(click.Command("start")):
        receiver = start().receiver
        threading.Timer(0.2, receiver.stop).start()
    assert "listeners" not in {thread.name for thread in threading.enumerate()}
