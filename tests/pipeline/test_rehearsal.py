"""What is explained is what the running listener does, whatever the rules and whoever asks."""

from __future__ import annotations

import socket
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any, Self

import msgspec
import pytest

from kumo_handlers.mail.session import Peer
from kumo_handlers.pipeline import installation
from kumo_handlers.pipeline.prospect import prospects
from kumo_handlers.pipeline.rehearsal import rehearse
from kumo_handlers.pipeline.replies import not_permitted
from kumo_handlers.policy import objection, situation, tables
from kumo_handlers.policy.explaining import explain
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.lua import loading
from kumo_handlers.policy.options import Place
from kumo_handlers.policy.situation import Question, Situation
from kumo_handlers.reports import classification
from kumo_handlers.smtp.replies import RECIPIENT_OK
from kumo_handlers.testing import make_bounce, make_complaint, make_letter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kumo_handlers.policy.base import Policy
    from kumo_handlers.policy.tables import Tables

    Start = Callable[..., Any]

POLICIES, CLIENTS, ENVELOPES = 300, 4, 10
PEERS = ("127.0.0.9", "10.0.0.1", "10.1.0.1", "192.0.2.1", "2001:db8::1")
LOCALS = ("127.0.0.1:25", "10.9.9.9:25", "192.0.2.9:587")
NAMES = ("example.com", "a.example.com", "b.a.example.com", "example.net", "x.example.net")
KEYS = (*NAMES, "*.example.com", "*.a.example.com", "*.net", "*")
BLOCKS = ("10.0.0.0/8", "10.0.0.1", "192.0.2.0/24", "2001:db8::/32", "any", "127.0.0.9")
REPORTS = (True, False, "LogThenDrop", "LogThenRelay")
LISTENER = {
    "listen": "127.0.0.1:0",
    "relay_hosts": ["127.0.0.9", "10.1.0.0/16"],
    "peer": {"127.0.0.1": {"allow_xclient": True}},
    "via": {"192.0.2.9": {"relay_hosts": ["192.0.2.0/24"]}},
}


def some_part(random: Random) -> dict[str, Any]:
    """Entries with some options."""
    return {
        key: {
            name: value
            for name, value in (
                ("relay_to", random.random() < 0.5),
                ("relay_from", random.sample(BLOCKS, random.randrange(3))),
                ("log_oob", random.choice(REPORTS)),
                ("log_arf", random.choice(REPORTS)),
            )
            if random.random() < 0.4
        }
        for key in random.sample(KEYS, random.randrange(6))
    }


def some_policy(random: Random) -> Tables:
    """Rules with sections."""
    sections = {local: some_part(random) for local in LOCALS if random.random() < 0.5}
    return tables.load([some_part(random) | ({"listener": sections} if sections else {})])


class Client:
    """A client that XCLIENT makes another one, somewhere else."""

    def __init__(self, port: int, peer: str, local: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._file = self._socket.makefile("rb")
        host, _, to = local.rpartition(":")
        prefix = "IPV6:" if ":" in peer else ""
        self._say("EHLO client.example", replies=2)
        named = f"XCLIENT ADDR={prefix}{peer} PORT=4025 DESTADDR={host} DESTPORT={to}"
        (self.greeting,) = self._say(named)
        if self.greeting.startswith("220"):
            self._say("EHLO client.example")

    def ask(self, envelopes: list[tuple[str, str]]) -> list[str]:
        """The reply to RCPT for each envelope."""
        return [recipient for _, recipient in self.ask_twice(envelopes)]

    def ask_twice(self, envelopes: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The replies to MAIL and to RCPT for each envelope."""
        commands = [
            f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nRSET"
            for sender, recipient in envelopes
        ]
        said = self._say("\r\n".join(commands), replies=3 * len(envelopes))
        return list(zip(said[::3], said[1::3], strict=True))

    def send(self, sender: str, recipient: str, content: bytes) -> str:
        """The reply after DATA."""
        self._say(f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA", replies=3)
        self._socket.sendall(content + b".\r\n")
        return self._read()

    def _say(self, commands: str, replies: int = 1) -> list[str]:
        self._socket.sendall(f"{commands}\r\n".encode())
        return [self._read() for _ in range(replies)]

    def _read(self) -> str:
        line = self._file.readline().decode().rstrip()
        while line[3:4] == "-":
            line = self._file.readline().decode().rstrip()
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture
def app(start: Start) -> Any:
    """A listener behind a proxy that may say for whom it speaks."""
    return start(listeners=[LISTENER])


def port_of(app: Any) -> int:
    """Where it listens."""
    return int(app.receiver.addresses[0].port)


def put_in_force(policy: Policy) -> None:
    """As a reload does."""
    installation.current().policy = policy


def situation_of(
    peer: str, local: str, sender: str, recipient: str, policy: Policy | None = None
) -> Situation:
    """The same question, asked of `explain`. The proxy's listener is everywhere."""
    question = Question(
        peer=str(Peer(peer, 4025)), listener=local, sender=sender, recipient=recipient
    )
    listener = Listener.read(LISTENER, Place())
    events = policy.events if policy else None
    return situation.of(question, [msgspec.structs.replace(listener, listen=local)], events)


def test_explain_agrees_with_the_listener(app: Any) -> None:
    """Thousands of random questions: the reply is the one explained, word for word."""
    random = Random(20260131)  # noqa: S311 - the same cases each time
    accepted = 0
    for _ in range(POLICIES):
        policy = some_policy(random)
        put_in_force(policy)
        for _ in range(CLIENTS):
            peer, local = random.choice(PEERS), random.choice(LOCALS)
            envelopes = [some_envelope(random) for _ in range(ENVELOPES)]
            with Client(port_of(app), peer, local) as client:
                replies = client.ask(envelopes)
            for envelope, reply in zip(envelopes, replies, strict=True):
                at = situation_of(peer, local, *envelope)
                why = explain(policy, at)
                accepted += why.accepted
                expected = RECIPIENT_OK if why.accepted else not_permitted(at.session.peer)
                assert reply == str(expected), (peer, local, envelope, why)
    total = POLICIES * CLIENTS * ENVELOPES
    assert total / 5 < accepted < total * 4 / 5  # both answers were given


SCRIPT = """
local kumo = require 'kumo'
kumo.on('smtp_server_get_dynamic_parameters', function(listener, conn_meta)
  if conn_meta:get_meta('received_from'):find('^10%.0%.') then
    return { relay_hosts = { '10.0.0.0/16' } }
  end
  if conn_meta:get_meta('received_from'):find('127.0.0.1:', 1, true) then
    return { relay_hosts = { 'any' }, peer = { ['127.0.0.1'] = { allow_xclient = true } } }
  end
end)
kumo.on('smtp_server_connection_accepted', function(conn_meta)
  if conn_meta:get_meta('received_from'):find('2001:db8', 1, true) then
    kumo.reject(554, '5.7.1 not from there')
  end
end)
kumo.on('smtp_server_mail_from', function(sender)
  if sender.domain == 'x.example.net' then kumo.reject(451, '4.7.1 later') end
end)
kumo.on('smtp_server_rcpt_to', function(recipient)
  if recipient.domain == 'a.example.com' then kumo.reject(550, '5.1.1 nobody') end
end)
kumo.on('get_listener_domain', function(domain, listener)
  if domain == 'b.a.example.com' and listener ~= '127.0.0.1:25' then return nil end
  return kumo.make_listener_domain { relay_to = domain:find('com$') ~= nil }
end)
"""


def test_explain_agrees_where_a_script_decides(app: Any, tmp_path: Path) -> None:
    """Every client, place, sender and recipient there is: the first refusal is the one told."""
    path = tmp_path / "policy.lua"
    path.write_text(SCRIPT)
    policy = loading.load(path)
    put_in_force(policy)
    seen = set()
    for peer, local in product(PEERS[:-1], LOCALS):
        envelopes = [(f"s@{sender}", f"r@{to}") for sender, to in product(NAMES, NAMES)]
        with Client(port_of(app), peer, local) as client:
            said = client.ask_twice(envelopes)
        for envelope, (mail, recipient) in zip(envelopes, said, strict=True):
            at = situation_of(peer, local, *envelope, policy=policy)
            objects = objection.find(policy, at)
            seen.add(objects.step if objects else at.decide(policy).rule)
            if objects is not None:
                assert str(objects.reply) == (mail if objects.step == "MAIL FROM" else recipient)
            else:
                accepted = at.decide(policy).accepted
                assert recipient == str(
                    RECIPIENT_OK if accepted else not_permitted(at.session.peer)
                )
    assert seen == {"MAIL FROM", "RCPT TO", "relay_hosts", "relay_to", "none"}
    at = situation_of(PEERS[-1], LOCALS[0], "", "r@example.com", policy=policy)
    objects = objection.find(policy, at)
    assert objects is not None
    assert objects.step == "the connection"
    with Client(port_of(app), PEERS[-1], LOCALS[0]) as client:
        assert client.greeting == str(objects.reply)


def some_envelope(random: Random) -> tuple[str, str]:
    """A sender, perhaps the null one, and a recipient."""
    return random.choice(["", f"s@{random.choice(NAMES)}"]), f"r@{random.choice(NAMES)}"


CONTENTS = {
    "message": make_letter("r@example.com"),
    "bounce": make_bounce("gone@nowhere.example"),
    "complaint": make_complaint("emil@provider.example"),
}


def test_rehearsals_agree_with_what_happens(app: Any) -> None:
    """After DATA: the reply, and the types of the records, for mail of each kind."""
    random = Random(20260201)  # noqa: S311 - the same cases each time
    seen = set()
    for number in range(200):
        policy = some_policy(random)
        put_in_force(policy)
        peer, local = random.choice(PEERS), random.choice(LOCALS)
        what = random.choice(list(CONTENTS))
        sender, recipient = some_envelope(random)
        recipient = f"r{number}{recipient[1:]}"
        at = situation_of(peer, local, sender, recipient)
        disposition = at.decide(policy)
        if not disposition.accepted:
            continue
        with Client(port_of(app), peer, local) as client:
            reply = client.send(sender, recipient, CONTENTS[what])
        told = rehearse(at, disposition, CONTENTS[what], classification.default(), 0.0)
        logged = sorted(
            each["type"]
            for each in app.records()
            if recipient in (each["recipient"], each["sender"])
        )
        assert reply == str(told.reply)
        assert logged == sorted(each.type for each in told.records)
        (prospect,) = [each for each in prospects(disposition) if each.what == what]
        assert prospect.then == told.outcome.then
        assert sorted(prospect.records) == logged
        seen.add((what, prospect.then))
    assert len(seen) >= 7  # each kind came to most of the ends there are


def test_other_line_ends_are_the_listeners() -> None:
    """A file from an editor has line feeds; what the listener is given has not."""
    at = situation_of("192.0.2.1", LOCALS[0], "", "r@example.com")
    policy = tables.load([{"example.com": {"log_oob": True}}])
    content = CONTENTS["bounce"]
    told = [
        rehearse(at, at.decide(policy), each, classification.default(), 0.0)
        for each in (content, content.replace(b"\r\n", b"\n"))
    ]
    assert told[0].records == told[1].records
    assert told[0].stage == "delivery-status part"


def test_a_report_nobody_can_read_is_kept() -> None:
    """The rehearsal keeps nothing, and says that the listener would."""
    at = situation_of("192.0.2.1", LOCALS[0], "", "r@example.com")
    policy = tables.load([{"example.com": {"log_oob": True}}])
    content = CONTENTS["bounce"].partition(b"Final-Recipient")[0]
    content = content.replace(b"gone@nowhere.example", b"somebody")
    told = rehearse(at, at.decide(policy), content, classification.default(), 0.0)
    assert told.outcome.is_unreadable
    (record,) = told.records
    assert isinstance(record.report, dict)
    assert record.report["kept"] == "the whole message"
