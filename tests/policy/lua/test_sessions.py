"""Many sessions through one policy, their events interleaved: each sees its own, memory is flat."""

from __future__ import annotations

import gc
import random
import threading
from typing import TYPE_CHECKING

from kumo_handlers.mail.address import Address
from kumo_handlers.mail.session import Peer, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.policy.lua.policy import LuaPolicy

SESSIONS = 25_000
AT_ONCE = 50
POLICY = """
local kumo = require 'kumo'
kumo.on('smtp_server_ehlo', function(name, meta)
  meta:set_meta('name', name)
end)
kumo.on('smtp_server_mail_from', function(sender, meta)
  assert(meta:get_meta 'name' == sender.user, 'another session')
  meta:set_meta('sender', sender.email)
end)
kumo.on('get_listener_domain', function(domain, listener, meta)
  assert(meta:get_meta 'sender' == meta:get_meta 'name' .. '@example.net', 'another session')
  local host = meta:get_meta('received_from'):match '^[%d.]+'
  return kumo.make_listener_domain { relay_from = { host } }
end)
"""


def talk(policy: LuaPolicy, number: int) -> list[Callable[[], None]]:
    """The events of one session, each to be called when its turn comes; the last one first."""
    host = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    name = f"client-{number}"
    session = Session(str(number), Peer(host, 25), client_name=name, meta={})

    def hello() -> None:
        assert policy.events.hello(session) is None

    def mail() -> None:
        assert policy.events.mail(session, Address(name, "example.net")) is None

    def find() -> None:
        found = policy.find("example.com", session)
        assert found is not None
        assert found.options.relay_from.blocks == (host,)
        assert session.meta == {"name": name, "sender": f"{name}@example.net"}

    return [find, mail, hello]


def test_sessions_do_not_mix(policy: Callable[..., LuaPolicy]) -> None:
    """25,000 of them, fifty at a time, in any order; and no session leaves 16 bytes behind."""
    made = policy(POLICY)
    dice = random.Random(4)  # noqa: S311 - an order, no secret
    memory = []
    open_sessions: list[list[Callable[[], None]]] = []
    number = 0
    while number < SESSIONS or open_sessions:
        while len(open_sessions) < AT_ONCE and number < SESSIONS:
            open_sessions.append(talk(made, number))
            number += 1
            if number in (SESSIONS // 4, SESSIONS):
                memory.append(used_memory(made))
        at = dice.randrange(len(open_sessions))
        open_sessions[at].pop()()
        if not open_sessions[at]:
            open_sessions[at] = open_sessions[-1]
            open_sessions.pop()
    assert memory[1] - memory[0] < 16 * (SESSIONS - SESSIONS // 4)


def used_memory(policy: LuaPolicy) -> int:
    """The bytes that the policy's Lua holds."""
    gc.collect()
    runtime = policy.events._runtime
    runtime._lua.gccollect()
    return int(runtime._lua.get_memory_used())


def test_threads_do_not_mix(policy: Callable[..., LuaPolicy]) -> None:
    """Stock receivers and routes ask from threads of their own."""
    made = policy(POLICY)
    failures: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for number in range(first, first + 500):
                for event in reversed(talk(made, number)):
                    event()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test says it
            failures.append(error)

    threads = [threading.Thread(target=work, args=(first * 1000,)) for first in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
