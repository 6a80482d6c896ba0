"""Every event of a session: what it is given, what it may answer, what becomes of its failures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from kumo_handlers.errors import PolicyError
from kumo_handlers.mail.address import parse
from kumo_handlers.mail.reply import Ending, Reply
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy.lua.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.policy.lua.policy import LuaPolicy

POLICIES = Path(__file__).parent / "policies"
CONTENT = b"Subject: hello\r\nX-Other: 1\r\n\r\nbody\r\n"


@pytest.fixture(scope="module")
def talker() -> LuaPolicy:
    """The policy that says what each event was given."""
    return load(POLICIES / "events.lua")


@pytest.fixture
def client() -> Session:
    """A connection to its listener."""
    return Session(
        "7",
        Peer("192.0.2.1", 99),
        "127.0.0.1:0",
        "127.0.0.1:2525",
        hostname="mx.example.com",
        client_name="client.example",
        meta={"site": "north"},
    )


def seen(client: Session) -> Any:
    """What the events noted."""
    return client.meta["seen"]


def message(policy: LuaPolicy, client: Session, *recipients: str, content: bytes = CONTENT) -> Any:
    """A message for these recipients."""
    paths = [parse(each) for each in recipients or ("Ann@Example.COM",)]
    return policy.events.message("m1", client, parse("bob@example.net"), paths, content)


def test_in_their_order(talker: LuaPolicy, client: Session) -> None:
    """Each with KumoMTA's arguments; what one sets in the metadata the next one has."""
    events = talker.events
    listener = events.listener(client, talker.listeners[0])
    assert (listener.banner, listener.max_message_size) == ("for 192.0.2.1", 4000)
    assert listener.meta == {"site": "north"}
    assert events.connected(client) is None
    assert events.hello(client) is None
    assert events.authenticate(client, "", "scott", "tiger") == ("scott", "scott")
    assert events.mail(client, parse("Bob@Example.NET")) is None
    assert talker.find("example.com", client) is not None
    assert events.recipient(client, parse("ann@example.com")) is None
    whole = message(talker, client)
    assert events.data(client, whole) is None
    copy = whole.copy("m2", whole.recipients[0])
    assert events.received(client, copy) is None
    assert seen(client) == [
        "parameters(127.0.0.1:0, north)",
        "accepted(ESMTP)",
        "ehlo(client.example)",
        "auth(scott, scott, tiger)",
        "mail(Bob, example.net, Bob@Example.NET)",
        "domain(example.com)",
        "rcpt(ann@example.com)",
        f"data(1, {len(CONTENT)})",
        "received(Ann@Example.COM, bob@example.net)",
    ]


def test_the_null_reverse_path(talker: LuaPolicy, client: Session) -> None:
    """It is an address whose parts are empty."""
    assert talker.events.mail(client, parse("")) is None
    assert seen(client) == ["mail(, , )"]


@pytest.mark.parametrize(
    ("word", "said", "ending"),
    [
        ("reject", "451 4.7.1 come back", Ending.AS_CODED),
        ("refuse", "550 no thank you", Ending.AS_CODED),
        ("close", "450 go away", Ending.AT_ONCE),
        ("follow", "550 5.7.0 go away", Ending.WITH_421),
        ("stay", "550 not now", Ending.AS_CODED),
    ],
)
def test_refusals(talker: LuaPolicy, client: Session, word: str, said: str, ending: Ending) -> None:
    """kumo.reject and kumo.disconnect at each event, with the reply that they ask for."""
    events = talker.events
    client.meta["at_connect"] = word
    named = msgspec.structs.replace(client, client_name=f"{word}.ehlo")
    at_data = message(talker, client, content=b"X-At-Data: %s\r\n\r\n" % word.encode())
    received = message(talker, client, content=b"X-At-Received: %s\r\n\r\n" % word.encode())
    for reply in (
        events.connected(client),
        events.hello(named),
        events.mail(client, parse(f"{word}@example.net")),
        events.recipient(client, parse(f"{word}@example.com")),
        events.data(client, at_data),
        events.received(client, received),
    ):
        assert reply is not None
        assert (str(reply), reply.ending) == (said, ending)
        assert reply.closes is (ending is not Ending.AS_CODED)


@pytest.mark.parametrize("word", ["crash", "loop"])
def test_failures(talker: LuaPolicy, client: Session, word: str) -> None:
    """An error in any event is the policy's, with its line; the next event works."""
    events = talker.events
    client.meta["at_connect"] = word
    named = msgspec.structs.replace(client, client_name=f"{word}.ehlo")
    at_data = message(talker, client, content=b"X-At-Data: %s\r\n\r\n" % word.encode())
    for fail in (
        lambda: events.connected(client),
        lambda: events.hello(named),
        lambda: events.mail(client, parse(f"{word}@example.net")),
        lambda: talker.find(f"{word}.domain", client),
        lambda: events.recipient(client, parse(f"{word}@example.com")),
        lambda: events.data(client, at_data),
    ):
        with pytest.raises(PolicyError, match=r"events.lua:\d+: (attempt to index|runs for too)"):
            fail()
        assert events.hello(client) is None


@pytest.mark.parametrize(
    ("authz", "authn", "password", "expected"),
    [
        ("", "scott", "tiger", ("scott", "scott")),
        ("boss", "scott", "tiger", ("boss", "scott")),
        ("", "scott", "lion", None),
        ("", "other", "", ("boss", "clerk")),
        ("", "reject", "tiger", Reply(535, "no")),
    ],
)
def test_authentication(
    talker: LuaPolicy,
    client: Session,
    authz: str,
    authn: str,
    password: str,
    expected: tuple[str, str] | Reply | None,
) -> None:
    """True, false, the identities, or a refusal; without an authz_id it is the authn_id."""
    assert talker.events.authenticate(client, authz, authn, password) == expected


def test_an_odd_answer_authenticates_nobody(talker: LuaPolicy, client: Session) -> None:
    """A text is not true."""
    with pytest.raises(PolicyError, match=r"events.lua:\d+: .*, neither true nor false"):
        talker.events.authenticate(client, "", "odd", "tiger")


def test_changes_of_a_message(talker: LuaPolicy, client: Session) -> None:
    """Header, sender, recipients and metadata; the rest of its bytes stay."""
    content = b"Subject: caf\xe9\r\nX-At-Received: rewrite\r\nX-Other: \xff\r\n\r\n.body\r\n"
    changed = message(talker, client, content=content)
    assert talker.events.received(client, changed) is None
    assert changed.content == (
        b"X-Seen: m1\r\nSubject: caf\xe9\r\nX-Other: \xff\r\nX-Last: yes\r\n\r\n.body\r\n"
    )
    assert str(changed.sender) == "new@example.org"
    assert list(map(str, changed.recipients)) == ["else@example.org"]
    assert changed.meta["campaign"] == "spring"
    assert not changed.is_discarded


def test_discarded(talker: LuaPolicy, client: Session) -> None:
    """The queue named null."""
    changed = message(talker, client, content=b"X-At-Received: null\r\n\r\n")
    talker.events.received(client, changed)
    assert changed.is_discarded


def test_an_alias(talker: LuaPolicy, client: Session) -> None:
    """One recipient may become several."""
    changed = message(talker, client, content=b"X-Alias: 1\r\n\r\n")
    talker.events.data(client, changed)
    assert list(map(str, changed.recipients)) == ["one@example.com", "two@example.com"]


def test_objects_end_with_their_event(policy: Callable[..., LuaPolicy]) -> None:
    """A script that keeps them is told so, and never sees another session's."""
    made = policy(
        "local kumo = require 'kumo'\nlocal first, letter\n"
        "kumo.on('smtp_server_ehlo', function(name, meta)\n"
        "  first = first or meta\n  meta:set_meta('name', name)\n  first:get_meta 'name'\nend)\n"
        "kumo.on('smtp_server_message_received', function(msg)\n"
        "  letter = letter or msg\n  letter:id()\nend)"
    )
    clients = [Session(str(n), Peer("192.0.2.1"), client_name=f"c{n}", meta={}) for n in (1, 2)]
    assert made.events.hello(clients[0]) is None
    with pytest.raises(PolicyError, match="conn_meta is used outside of its event"):
        made.events.hello(clients[1])
    assert clients[1].meta == {"name": "c2"}
    letters = [
        made.events.message(each, clients[0], parse("a@b.c"), [parse("d@e.f")], b"\r\n")
        for each in ("m1", "m2")
    ]
    assert made.events.received(clients[0], letters[0]) is None
    with pytest.raises(PolicyError, match="the message is used outside of its event"):
        made.events.received(clients[0], letters[1])


def test_events_without_a_handler(policy: Callable[..., LuaPolicy], client: Session) -> None:
    """Nothing happens, and nobody authenticates."""
    events = policy("").events
    assert events.connected(client) is None
    assert events.authenticate(client, "", "a", "b") is None
    assert not events.authenticates
    assert not events.sees_messages


@pytest.mark.parametrize(
    "returned",
    ["'x'", "{ lisen = 1 }", "{ listen = '0:25' }", "{ peer = 1 }", "kumo.reject(550, 'no')"],
)
def test_wrong_parameters(policy: Callable[..., LuaPolicy], client: Session, returned: str) -> None:
    """What is no option for one connection ends it."""
    made = policy(
        "local kumo = require 'kumo' kumo.start_esmtp_listener { listen = '127.0.0.1:0' }\n"
        f"kumo.on('smtp_server_get_dynamic_parameters', function() return ({returned}) end)"
    )
    with pytest.raises(PolicyError, match=r"policy\.lua:2: ") as caught:
        made.events.listener(client, made.listeners[0])
    assert "smtp_server_get_dynamic_parameters" in str(caught.value)


def test_parameters_by_local_address(policy: Callable[..., LuaPolicy], client: Session) -> None:
    """A `via` of the event counts as one that was declared."""
    made = policy(
        "local kumo = require 'kumo' kumo.start_esmtp_listener { listen = '127.0.0.1:0' }"
        "kumo.on('smtp_server_get_dynamic_parameters', function(listener)\n"
        " return { via = { ['10.0.0.1'] = { hostname = 'mx.one.example', relay_hosts = {} } } }\n"
        "end)"
    )
    listener = made.events.listener(client, made.listeners[0])
    assert listener.seen_by("192.0.2.1", "10.0.0.1").hostname == "mx.one.example"
    assert not listener.seen_by("192.0.2.1", "10.0.0.1").relay_hosts
