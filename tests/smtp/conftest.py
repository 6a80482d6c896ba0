"""A backend that decides by what the addresses say, and a driver of the core without sockets."""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.errors import PolicyError
from kumo_handlers.mail.reply import Reply, of_error, reply
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.options import Place
from kumo_handlers.smtp import replies
from kumo_handlers.smtp.credentials import Credentials, Identities
from kumo_handlers.smtp.events import (
    Authenticate,
    Connected,
    Event,
    Hello,
    Mail,
    Message,
    Recipient,
    Reset,
    StartTLS,
)
from kumo_handlers.smtp.protocol import Connection
from kumo_handlers.smtp.server import Server

try:
    import uvloop
except ImportError:
    uvloop = None

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from kumo_handlers.mail.address import Address
    from kumo_handlers.smtp.backend import Backend, Transaction
    from kumo_handlers.smtp.credentials import Authenticator

LOOPS = ["asyncio", "uvloop"] if uvloop else ["asyncio"]
PEER = Peer("192.0.2.7", 40001)


class ScriptedBackend:
    """Decides by local parts: ``refused``, ``broken``; keeps all it was told."""

    def __init__(self) -> None:
        self.messages: list[tuple[Transaction, bytes]] = []
        self.resets: list[Transaction] = []
        self.sessions: list[Session] = []
        self.closed_sessions: list[Session] = []

    def connected(self, session: Session) -> Reply | None:
        """Everybody is welcome."""
        self.sessions.append(session)
        return None

    def hello(self, session: Session) -> Reply | None:
        """All but ``unwelcome``."""
        return reply(550, "5.7.1", "go away") if session.client_name == "unwelcome" else None

    def mail(self, transaction: Transaction) -> Reply | None:
        """All but ``refused@...``; ``broken@...`` raises."""
        return self._decide(transaction.envelope.reverse_path, transaction)

    def recipient(self, transaction: Transaction, forward_path: Address) -> Reply | None:
        """All but ``refused@...``; ``broken@...`` raises."""
        return self._decide(forward_path, transaction)

    async def message(self, transaction: Transaction, content: bytes) -> Reply | Sequence[Reply]:
        """All; ``X-Broken`` raises."""
        return self.take(transaction, content)

    def take(self, transaction: Transaction, content: bytes) -> Reply | Sequence[Reply]:
        """What `message` does; in LMTP, ``later@...`` is not now."""
        if content.startswith(b"X-Broken"):
            raise RuntimeError("secret reason")
        self.messages.append((transaction, content))
        taken, later = reply(250, "2.0.0", f"OK ids={transaction.id}"), reply(451, "4.2.0", "later")
        if not transaction.session.protocol.startswith("LMTP"):
            return taken
        paths = transaction.envelope.forward_paths
        return [later if path.local_part == "later" else taken for path in paths]

    def reset(self, transaction: Transaction) -> None:
        """Remember it."""
        self.resets.append(transaction)

    def closed(self, session: Session) -> None:
        """Remember it."""
        self.closed_sessions.append(session)

    def _decide(self, path: Address, transaction: Transaction) -> Reply | None:
        if path.local_part == "refused":
            peer = transaction.session.peer
            return reply(550, "5.7.1", f"relaying not permitted for {peer}")
        if path.local_part == "broken":
            raise PolicyError("secret reason")
        return None


def _identify(given: Credentials) -> Identities | None:
    """Everybody's password is ``secret``."""
    if given.password != "secret":  # noqa: S105 - no more than that
        return None
    return Identities(given.authz_id or given.authn_id, given.authn_id)


class Line:
    """A client on a wire without a network: what is sent in, and what comes back."""

    def __init__(self, *, offers: frozenset[str] = frozenset(), **options: object) -> None:
        listener = Listener.read({"hostname": "mx.test", "banner": "ready", **options}, Place())
        count = itertools.count(1)
        self.backend = ScriptedBackend()
        session = Session("s1", PEER, listener.listen, "192.0.2.1:25", listener.hostname, meta={})
        self.connection = Connection(listener, session, lambda: f"t{next(count)}", offers)
        self.tls_event: StartTLS | None = None
        self.output = self._drive()

    def send(self, *chunks: bytes) -> bytes:
        """Send pieces, one after another; all that was said in return."""
        said = b""
        for chunk in chunks:
            self.connection.receive(chunk)
            said += self._drive()
        self.output += said
        return said

    def encrypt(self) -> None:
        """The handshake that STARTTLS asked for is done."""
        assert self.tls_event is not None
        self.connection.answer(self.tls_event, {"tls_cipher": "NONE"})
        self.tls_event = None

    def hang_up(self) -> bytes:
        """Say that nothing more will come."""
        self.connection.receive_end()
        said = self._drive()
        self.output += said
        return said

    def _drive(self) -> bytes:
        while (event := self.connection.next_event()) is not None:
            if isinstance(event, StartTLS):
                self.tls_event = event
                break
            try:
                answer = self._ask(event)
            except Exception as error:  # noqa: BLE001 - as the real driver
                answer = of_error(error, "mx.test")
            self.connection.answer(event, answer)
        return self.connection.take_output()

    def _ask(self, event: Event[Any]) -> object:
        match event:
            case Connected() | Hello():
                ask = self.backend.hello if isinstance(event, Hello) else self.backend.connected
                return ask(event.session)
            case Mail():
                return self.backend.mail(event.transaction)
            case Recipient():
                return self.backend.recipient(event.transaction, event.forward_path)
            case Message():
                return self.backend.take(event.transaction, event.content)
            case Authenticate():
                return _identify(event.credentials) or replies.BAD_CREDENTIALS
        assert isinstance(event, Reset)
        return self.backend.reset(event.transaction)


@asynccontextmanager
async def serve(
    backend: Backend,
    authenticator: Authenticator | None = None,
    *,
    grace: float = 1,
    **options: object,
) -> AsyncIterator[Server]:
    """A listener on a free port of the loopback."""
    table = {"listen": "127.0.0.1:0", "hostname": "mx.test", "banner": "ready", **options}
    server = Server(Listener.read(table, Place()), backend, authenticator)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(grace)


Serving = Callable[..., "AbstractAsyncContextManager[Server]"]


@pytest.fixture
def serving() -> Serving:
    """Runs a listener, on options of the test's choice."""
    return serve


@pytest.fixture(params=LOOPS)
def loop_name(request: pytest.FixtureRequest) -> str:
    """Run the test on asyncio's own loop, and on uvloop's where that is installed."""
    return str(request.param)


@pytest.fixture
def scripted_backend() -> type[ScriptedBackend]:
    """The backend's class."""
    return ScriptedBackend


@pytest.fixture(scope="session")
def line() -> type[Line]:
    """The class of a client without a network; its options are a listener's."""
    return Line


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that are coroutines, each on a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.function):
        return None
    names = inspect.signature(pyfuncitem.function).parameters
    test = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    on_uvloop = pyfuncitem.funcargs.get("loop_name") == "uvloop"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if on_uvloop else None) as runner:
        runner.run(test)
    return True


Identify = Callable[["Credentials"], "Identities | None"]


@pytest.fixture
def identify() -> Identify:
    """Who has which password."""
    return _identify
