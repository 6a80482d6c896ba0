"""A Lua policy in a running app: its events at their places, over real sockets."""

from __future__ import annotations

import base64
import smtplib
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.pipeline import installation, rules
from kumo_handlers.pipeline.settings import Settings
from kumo_handlers.testing import make_bounce, make_letter
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "tests" / "policy" / "lua" / "policies" / "events.lua"
LETTER = make_letter("ann@example.com")


@pytest.fixture
def app(start: Callable[..., Any], tmp_path: Path) -> Any:
    """An app whose policy is a copy of events.lua."""
    path = tmp_path / "policy.lua"
    path.write_text(EVENTS.read_text())
    return start([], policy=str(path))


def marked(field: str, value: str, letter: bytes = LETTER) -> bytes:
    """A letter with a field that the policy looks for."""
    return f"{field}: {value}\r\n".encode() + letter


def test_accepted(app: Any) -> None:
    """Changed by the policy, and relayed so; what it set is in the record."""
    assert app.send("bob@example.net", "ann@example.com", LETTER).startswith("250")
    ((sender, recipient, content),) = app.queued()
    assert (sender, recipient) == ("bob@example.net", "ann@example.com")
    record = app.record()
    assert f"X-Seen: {record['id']}\r\n".encode() in content
    assert (record["type"], record["meta"]["campaign"]) == ("Reception", "spring")
    assert record["meta"]["site"] == "north"
    assert record["meta"]["seen"][0].startswith("parameters(127.0.0.1:0")


def test_rewritten(app: Any) -> None:
    """Sender, recipient and header are the policy's."""
    content = marked("X-At-Received", "rewrite")
    assert app.send("bob@example.net", "ann@example.com", content).startswith("250")
    ((sender, recipient, relayed),) = app.queued()
    assert (sender, recipient) == ("new@example.org", "else@example.org")
    assert b"X-At-Received" not in relayed
    assert b"X-Last: yes\r\n" in relayed


def test_discarded(app: Any) -> None:
    """The queue named null: accepted, logged, not relayed."""
    content = marked("X-At-Received", "null")
    assert app.send("bob@example.net", "ann@example.com", content).startswith("250")
    assert app.queued() == []
    record = app.record()
    assert (record["type"], record["queue"]) == ("Reception", "null")


def test_an_alias(app: Any) -> None:
    """One recipient becomes two, each with a copy."""
    content = marked("X-Alias", "1")
    assert app.send("bob@example.net", "ann@example.com", content).startswith("250")
    assert [recipient for _, recipient, _ in app.queued()] == ["one@example.com", "two@example.com"]


def test_one_refused_copy_refuses_the_message(app: Any) -> None:
    """As in KumoMTA: the sender has it still, for all of its recipients."""
    content = marked("X-At-Received", "bad")
    answer = app.send("bob@example.net", ["ann@example.com", "bad@example.com"], content)
    assert answer == "550 this one not"
    assert app.queued() == []
    assert {record["type"] for record in app.records()} == {"Rejection"}
    assert app.undeliverable() == []


@pytest.mark.parametrize(
    ("field", "value", "answer"),
    [
        ("X-At-Data", "reject", "451 4.7.1 come back"),
        ("X-At-Data", "crash", "421 4.3.0 mx.example.com technical difficulties"),
        ("X-At-Received", "refuse", "550 no thank you"),
        ("X-At-Received", "loop", "421 4.3.0 mx.example.com technical difficulties"),
    ],
)
def test_refused_after_data(app: Any, field: str, value: str, answer: str) -> None:
    """What the policy says is said; what it fails with is not."""
    assert app.send("b@example.net", "ann@example.com", marked(field, value)) == answer
    assert app.queued() == []


def test_bounces_are_logged(app: Any) -> None:
    """An entry that the script made is one for the handlers, too."""
    content = make_bounce("gone@nowhere.example")
    assert app.send("", "x@bounce.example", content).startswith("250")
    assert app.record()["type"] == "OOB"


def test_an_entry_for_one_client_alone(app: Any) -> None:
    """The route follows what was decided for this connection, not for anybody."""
    with app.client() as client:
        client.login("theirs.example", "tiger")
        client.mail("")
        assert client.rcpt("x@theirs.example")[0] == 250
        assert client.data(make_bounce("gone@nowhere.example"))[0] == 250
    assert app.record()["type"] == "OOB"


def test_in_the_session(app: Any) -> None:
    """EHLO, MAIL and RCPT: refused, and the session goes on."""
    client = smtplib.SMTP("127.0.0.1", app.receiver.addresses[0].port, timeout=20)
    assert client.ehlo("refuse.ehlo") == (550, b"no thank you")
    client.ehlo("client.example")
    assert b"SIZE 4000" in client.ehlo_resp
    assert client.mail("reject@example.net") == (451, b"4.7.1 come back")
    assert client.mail("bob@example.net")[0] == 250
    assert client.rcpt("stay@example.com") == (550, b"not now")
    assert client.rcpt("ann@elsewhere.example")[0] == 550
    assert client.rcpt("ann@example.com")[0] == 250
    client.quit()
    refused = rejections(app, 4)
    assert [record["response"]["command"] for record in refused] == [
        "EHLO refuse.ehlo",
        "MAIL FROM:<reject@example.net>",
        "RCPT TO:<stay@example.com>",
        "RCPT TO:<ann@elsewhere.example>",
    ]
    assert [record["response"]["code"] for record in refused] == [550, 451, 550, 550]
    assert [record["sender"] for record in refused] == ["", "reject@example.net"] + (
        ["bob@example.net"] * 2
    )
    assert [record["recipient"] for record in refused[:2]] == ["", ""]
    reasons = [record["meta"]["reason"] for record in refused]
    assert reasons[:3] == ["an event of the policy"] * 3
    assert "relay_hosts" in reasons[3]
    assert len({record["meta"]["policy"] for record in refused}) == 1


def test_at_connect(app: Any, tmp_path: Path) -> None:
    """Who is not wanted at all is in the log, though it said nothing."""
    path = tmp_path / "policy.lua"
    path.write_text(path.read_text().replace("conn_meta:get_meta 'at_connect'", "'refuse'"))
    app.receiver.reload()
    deadline = time.monotonic() + 10
    while not (said := dialogue(app, "QUIT")).startswith(b"550"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert said == b"550 no thank you\r\n"
    (record,) = rejections(app, 1)
    assert (record["response"]["command"], record["peer_address"]["addr"]) == (None, "127.0.0.1")
    assert (record["sender"], record["recipient"], record["queue"]) == ("", "", "")
    assert record["meta"]["reason"] == "an event of the policy"


def rejections(app: Any, count: int) -> list[dict[str, Any]]:
    """So many records of refusals: none of them is waited for by its reply."""
    until(lambda: len(app.records("Rejection")) >= count)
    found: list[dict[str, Any]] = app.records("Rejection")
    assert len(found) == count
    return found


def dialogue(app: Any, *lines: str) -> bytes:
    """All that the server says until it closes."""
    with socket.create_connection(("127.0.0.1", app.receiver.addresses[0].port), 10) as client:
        client.sendall("".join(f"{line}\r\n" for line in lines).encode())
        said = b""
        while received := client.recv(4096):
            said += received
    return said


def test_the_greeting_is_for_this_client(app: Any) -> None:
    """The dynamic parameters hold from the greeting on."""
    said = dialogue(app, "QUIT")
    assert said.startswith(b"220 mx.example.com for 127.0.0.1\r\n")


def test_disconnected(app: Any) -> None:
    """After a reply of any code; with a 421 behind it where the policy wants that."""
    said = dialogue(app, "EHLO x", "MAIL FROM:<close@example.net>")
    assert said.endswith(b"\r\n450 go away\r\n")
    said = dialogue(app, "EHLO x", "MAIL FROM:<follow@example.net>")
    after = b"421 4.7.0 mx.example.com disconnecting due to previous error\r\n"
    assert said.endswith(b"550 5.7.0 go away\r\n" + after)


def test_a_runaway_ends_its_own_session_only(app: Any) -> None:
    """The others are answered meanwhile and afterwards."""
    with app.client() as other:
        said = dialogue(app, "EHLO x", "MAIL FROM:<loop@example.net>")
        assert said.endswith(b"421 4.3.0 mx.example.com technical difficulties\r\n")
        assert other.mail("bob@example.net")[0] == 250
        assert other.rcpt("ann@example.com")[0] == 250


def test_authentication(app: Any) -> None:
    """By the script; the identities are the session's."""
    with app.client() as client:
        assert b"AUTH PLAIN" in client.ehlo_resp
        wrong = base64.b64encode(b"\0scott\0lion").decode()
        assert client.docmd("AUTH", f"PLAIN {wrong}")[0] == 535
        other = base64.b64encode(b"\0other\0x").decode()
        assert client.docmd("AUTH", f"PLAIN {other}")[0] == 235
        client.mail("bob@example.net")
        client.rcpt("ann@example.com")
        client.data(LETTER)
    assert app.record()["meta"]["authz_id"] == "boss"


def test_what_the_script_says_of_a_password(app: Any) -> None:
    """A refusal is its own, and a failure ends the session as at any other step."""
    refused = base64.b64encode(b"\0reject\0tiger").decode()
    assert b"\r\n535 no\r\n" in dialogue(app, "EHLO x", f"AUTH PLAIN {refused}", "QUIT")
    odd = base64.b64encode(b"\0odd\0tiger").decode()
    said = dialogue(app, "EHLO x", f"AUTH PLAIN {odd}")
    assert said.endswith(b"421 4.3.0 mx.example.com technical difficulties\r\n")


def test_reload(app: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A broken policy leaves the old one in force; a good one takes its place."""
    path = tmp_path / "policy.lua"
    good = path.read_text()
    path.write_text(good + "\nlocal x =")
    until(lambda: "stay as they were" in caplog.text)
    assert f"{path}:" in caplog.text
    assert app.send("bob@example.net", "ann@example.com", LETTER).startswith("250")
    path.write_text(good.replace("'example.com'", "'example.org'"))
    until(lambda: app.send("bob@example.net", "ann@example.org", LETTER).startswith("250"))


def test_lmtp_has_a_reply_for_each(start: Callable[..., Any], tmp_path: Path) -> None:
    """One copy is refused, the other accepted; an alias answers for whom it stands."""
    path = tmp_path / "policy.lua"
    text = EVENTS.read_text().replace("relay_hosts = {},", "relay_hosts = {}, protocol = 'lmtp',")
    path.write_text(text)
    app = start([], policy=str(path))
    replies = []
    for content in (marked("X-At-Received", "bad"), marked("X-Alias", "1")):
        with smtplib.LMTP("127.0.0.1", app.receiver.addresses[0].port) as client:
            client.ehlo("x")
            client.mail("bob@example.net")
            for recipient in ("ann@example.com", "bad@example.com"):
                client.rcpt(recipient)
            client.putcmd("data")
            client.getreply()
            client.send(content + b".\r\n")
            replies.append([client.getreply()[0] for _ in range(2)])
    assert replies == [[250, 550], [250, 250]]


def test_the_example_policy(start: Callable[..., Any], tmp_path: Path) -> None:
    """config/policy.lua says what config/settings.py says, and a little more."""
    path = tmp_path / "policy.lua"
    text = (ROOT / "config" / "policy.lua").read_text()
    path.write_text(text.replace(":2025'", ":0'").replace(":2026'", ":0'"))
    app = start([], policy=str(path), map_path={"/opt/kumomta/etc": str(ROOT / "config")})
    with app.client(1) as client:
        assert client.mail("x@banned.example") == (550, b"5.7.1 not from there")
        client.mail("bob@example.net")
        assert client.rcpt("ann@example.com")[0] == 250
        assert client.rcpt("x@campaign-7.bounce.example")[0] == 250
        assert client.rcpt("ann@elsewhere.example")[0] == 550


def test_routes_of_a_script(app: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """They say that the script says which; a recipient is matched by asking it."""
    from kumo_handlers.handlers import oob

    assert str(oob.START._salmon_settings["format"]).endswith("policy.lua says")
    from salmon.routing import Router

    names = {
        function.__module__
        for functions, _ in Router.match("x@bounce.example")
        for function in functions
    }
    assert "kumo_handlers.handlers.oob" in names
    del app, capsys


def test_a_policy_and_rules_are_one_too_many(tmp_path: Path) -> None:
    """Nobody could tell which of the two decides."""
    path = tmp_path / "policy.lua"
    path.write_text("")
    settings = Settings.read({"policy": str(path), "listener_domains": [{}]})
    with pytest.raises(ConfigurationError, match="beside listener_domains"):
        rules.load(settings)
    assert not installation.is_installed()


def test_wrong_settings() -> None:
    """The settings of a policy are checked as all others are."""
    with pytest.raises(ConfigurationError, match="map_path"):
        Settings.read({"policy": "x.lua", "map_path": ["a"]})
