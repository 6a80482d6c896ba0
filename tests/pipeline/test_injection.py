"""Injection through the whole house: what a client writes stays inside the value that it is in.

CR, LF, NUL, ESC and Unicode's line ends, raw and in each encoding that something decodes, in
commands, headers and the fields of reports: one reply a command, one record a message, one line a
record, no second header of ours, and no control character in the program's log.
"""

from __future__ import annotations

import itertools
import json
import logging
import re
import socket
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

RAW = ("\0", "\x1b[2J", "\x7f", "\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1e")
ENCODED = (
    "=?utf-8?q?a=0D=0AX-Evil:_1=0D=0A=0D=0Ab?=",
    "=?utf-8?b?DQoyNTAgT0sNCg==?=",
    "=?utf-8?q?=00=1B[2J=E2=80=A8?=",
    "+0D+0A250+20OK",
    "\\x{0D}\\x{0A}X-Evil: 1",
    "%0D%0A250 OK",
    "\r\n X-Evil: 1",
    '{"_@_": "\\n"}',
)
BARE = ("\r", "\n", "\r250 OK", "\nX-Evil: 1", "\n\n{}")
COMMANDS = (
    "EHLO a{}b",
    "HELO {}",
    "MAIL FROM:<a{}@b.example> SMTPUTF8",
    'MAIL FROM:<"a{}"@b.example> SMTPUTF8',
    "MAIL FROM:<a@b{}.example> SMTPUTF8",
    "MAIL FROM:<a@b.example> SIZE={}",
    "MAIL FROM:<a@b.example> BODY={}",
    "MAIL FROM:<a@b.example> {}",
    "NOOP {}",
    "VRFY {}",
    "AUTH {}",
    "AUTH PLAIN {}",
    "XCLIENT ADDR={}",
    "XFORWARD ADDR=203.0.113.7 PORT={}",
    "XFORWARD ADDR={}",
    "{}",
)
BOUNCE = """\
From: Mail System <MAILER-DAEMON@far.example>\r
Subject: {1}Undelivered\r
Message-ID: <{2}n{0}@far.example>\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b{3}"\r
\r
--b{3}\r
\r
It was not delivered.\r
--b{3}\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx{4}.far.example\r
Original-Envelope-Id: e{5}\r
X-Any{6}: {6}\r
\r
Original-Recipient: rfc822; {7}gone{0}@far.example\r
Final-Recipient: rfc822; gone{0}{8}@far.example\r
Action: failed{9}\r
Status: 5.1.1 {10}\r
Remote-MTA: dns; {11}\r
Diagnostic-Code: smtp; 550 5.1.1 {12} no such user\r
\r
--b{3}\r
Content-Type: message/rfc822\r
\r
Message-ID: <{13}original{0}@b.example>\r
X-KumoRef: {14}\r
Subject: {15}\r
\r
hello\r
--b{3}--\r
"""
COMPLAINT = """\
From: <fbl@provider.example>\r
Subject: {1}\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r
\r
--b\r
\r
A complaint.\r
--b\r
Content-Type: message/feedback-report\r
\r
Feedback-Type: abuse\r
User-Agent: {2}Agent/1\r
Version: 1{3}\r
Original-Mail-From: <ann{4}@b.example>\r
Original-Rcpt-To: <emil{0}{5}@provider.example>\r
Arrival-Date: {6}\r
Source-IP: 192.0.2.1{7}\r
Reported-Domain: {8}.example\r
Reported-URI: {9}\r
Authentication-Results: {10}\r
X-Any: {11}\r
\r
--b\r
Content-Type: message/rfc822\r
\r
From: <ann@b.example>\r
Message-ID: <{12}original{0}@b.example>\r
X-Loop{13}: {13}\r
Subject: {14}\r
\r
hello\r
--b--\r
"""
LETTER = """\
From: {1} <ann@b.example>\r
To: {2} <bob@d.example>\r
Subject: {3}\r
Message-ID: <{4}@b.example>\r
X-Number: {0}\r
\r
hello {5}\r
"""
ECHO = """
    from salmon.routing import route, stateless
    from salmon.server import SMTPError

    @route("(address)@(host)", address=".+", host="echo[.]example")
    @stateless
    def START(message, address=None, host=None):
        raise SMTPError(554, "5.7.0 " + str(message["Subject"]))
"""
RULES = {
    "d.example": {"relay_to": True},
    "echo.example": {"relay_to": True},
    "bounce.example": {"log_oob": True},
    "fbl.example": {"log_arf": True},
}
OURS = re.compile(
    rb"Received: from [!-~]+ \(\[[!-~]+\]\)\r\n"
    rb"\tby [!-~]+ \(kumo_handlers\) with [A-Z]+ id [!-~]+\r\n"
    rb"\tfor <[!-~]+>; [ -~]+\r\n"
    rb"X-KumoRef: [!-~]+(?:\r\n[ \t][!-~]+)*\r\n"
)
REPLY = re.compile(rb"[2-5]\d\d[ -][\x20-\x7e]*")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def talk(port: int, *sent: bytes) -> list[bytes]:
    """Send it all, and QUIT; the last line of each reply after the greeting and before the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(b"EHLO client.example\r\n" + b"".join(sent) + b"QUIT\r\n")
        *lines, last = client.makefile("rb").read().split(b"\r\n")
    assert last == b""
    assert all(REPLY.fullmatch(line) for line in lines), lines
    replies = [line for line in lines if line[3:4] == b" "]
    assert [replies[0][:4], replies[1][:4], replies[-1][:4]] == [b"220 ", b"250 ", b"221 "]
    return replies[2:-1]


def message(sender: str, recipient: str, content: bytes) -> bytes:
    """One transaction, all of it at once."""
    content = content.replace(b"\r\n.", b"\r\n..")
    return (
        f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode() + content + b".\r\n"
    )


def written(template: str, evils: Sequence[str]) -> list[bytes]:
    """The template with each of ``evils`` in each of its places, and a number for each."""
    places = 1 + max(int(place) for place in re.findall(r"\{(\d+)\}", template))
    messages = []
    for number, (place, evil) in enumerate(itertools.product(range(1, places), evils)):
        values = ["" if each != place else evil for each in range(places)]
        values[0] = str(number)
        messages.append(template.format(*values).encode())
    return messages


def lines_of(app: Any, count: int) -> list[dict[str, Any]]:
    """The log, line by line, once ``count`` lines are there."""
    deadline = time.monotonic() + 10
    octets = b""
    while time.monotonic() < deadline and octets.count(b"\n") < count:
        octets = b"".join(path.read_bytes() for path in (app.run_dir / "log").glob("*.jsonl"))
        time.sleep(0.02)
    assert not re.search(rb"[\x00-\x09\x0b-\x1f]", octets)
    return [json.loads(line) for line in octets.split(b"\n")[:-1]]


def no_control(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing that was logged can move a terminal's cursor, or begin a line."""
    for record in caplog.records:
        assert not CONTROL.search(record.getMessage()), record


def test_commands(start: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    """One reply to each; and refusals of recipients are one line each in the log."""
    caplog.set_level(logging.DEBUG)
    listener = {
        "listen": "127.0.0.1:0",
        "relay_hosts": [],
        "allow_auth_without_tls": True,
        "peer": {"127.0.0.1": {"allow_xclient": True}},
    }
    app = start(RULES, listeners=[listener], authenticate=lambda _name, _word: True)
    port = app.receiver.addresses[0].port
    evils = (*RAW, *(evil for evil in (*ENCODED, *BARE) if "\r\n" not in evil))
    refused = 0
    for evil, place in itertools.product(evils, COMMANDS):
        replies = talk(port, place.replace("{}", evil).encode() + b"\r\n")
        assert len(replies) == 1, (evil, place, replies)
    for evil in evils:
        name = b64encode(f"\0ann{evil}\0word".encode())
        (reply,) = talk(port, b"AUTH PLAIN " + name + b"\r\n")
        assert reply[:1] == b"5" or not CONTROL.search(evil), evil
        for path in (f"x{evil}@far.example", f'"{evil}"@far.example', f"x@{evil}.example"):
            mail = b"MAIL FROM:<a@b.example> SMTPUTF8\r\n"
            _, reply = talk(port, mail, b"RCPT TO:<" + path.encode() + b">\r\n")
            refused += reply.startswith(b"550 5.7.1 relaying")
    assert refused > 5
    assert [line["type"] for line in lines_of(app, refused)] == ["Rejection"] * refused
    no_control(caplog)


def test_fields_of_reports(start: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    """One record a report, on one line, whatever stands in its fields."""
    caplog.set_level(logging.DEBUG)
    app = start(RULES)
    count = 0
    for template, recipient in ((BOUNCE, "v@bounce.example"), (COMPLAINT, "c@fbl.example")):
        for content in written(template, (*RAW, *ENCODED)):
            port = app.receiver.addresses[0].port
            replies = talk(port, message("", recipient, content))
            assert len(replies) == 4, (replies, content)
            count += 1
    lines = lines_of(app, count)
    assert len(lines) == count
    kinds = [line["type"] for line in lines]
    assert min(kinds.count("OOB"), kinds.count("Feedback")) > 100
    assert set(kinds) <= {"OOB", "Feedback", "Reception", "Rejection"}
    no_control(caplog)


def test_headers(start: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    """Ours are two, on top, and the message below them is as it came, but for bare line ends."""
    caplog.set_level(logging.DEBUG)
    listeners = [
        {"listen": "127.0.0.1:0", "relay_hosts": [], "invalid_line_endings": "Allow"},
    ]
    app = start(RULES, listeners=listeners)
    contents = written(LETTER, (*RAW, *ENCODED, *BARE))
    for content in contents:
        port = app.receiver.addresses[0].port
        assert talk(port, message("a@b.example", "bob@d.example", content))[-1][:3] == b"250"
    assert [line["type"] for line in lines_of(app, len(contents))] == ["Reception"] * len(contents)
    relayed = [content for _, _, content in app.queued()]
    for sent, content in zip(contents, relayed, strict=True):
        ours = OURS.match(content)
        assert ours is not None, content
        assert content[ours.end() :] == re.sub(rb"\r\n|\r|\n", b"\r\n", sent)
    no_control(caplog)


def test_replies_of_handlers(start: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    """A handler that repeats what a message says gives one reply, of the code that it chose."""
    caplog.set_level(logging.DEBUG)
    app = start(RULES, inbound=ECHO)
    contents = written(LETTER, (*RAW, *ENCODED))
    for content in contents:
        port = app.receiver.addresses[0].port
        replies = talk(port, message("a@b.example", "bob@echo.example", content))
        assert [reply[:3] for reply in replies] == [b"250", b"250", b"354", b"554"]
    assert len(lines_of(app, len(contents))) == len(contents)
    no_control(caplog)
