"""The listener over real sockets."""

from __future__ import annotations

import asyncio
import smtplib
import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.mail.reply import Reply, reply

if TYPE_CHECKING:
    from kumo_handlers.mail.session import Session
    from kumo_handlers.smtp.backend import Transaction
    from kumo_handlers.smtp.server import Server
    from tests.smtp.conftest import ScriptedBackend, Serving

MESSAGE = b"Subject: hello\r\n\r\n.a line\r\n"
MAIL = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"


class Client:
    """A client that says what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, server: Server) -> Client:
        """Connect, and take the greeting as it is."""
        peer = server.sockname
        return cls(*await asyncio.open_connection(peer.host, peer.port))

    async def hear(self) -> bytes:
        """One line."""
        return await asyncio.wait_for(self.reader.readline(), 5)

    async def hear_all(self) -> bytes:
        """Everything up to the end of the connection."""
        return await asyncio.wait_for(self.reader.read(), 5)

    async def say(self, text: bytes) -> bytes:
        """Send, and hear one line."""
        self.writer.write(text)
        return await self.hear()

    async def begin(self) -> None:
        """Go as far as the content."""
        assert (await self.hear()).startswith(b"220 ")
        assert (await self.say(b"HELO x\r\n")).startswith(b"250 ")
        assert (await self.say(MAIL)).startswith(b"250 ")
        assert (await self.hear()).startswith(b"250 ")
        assert (await self.hear()).startswith(b"354 ")

    async def leave(self) -> None:
        """Hang up."""
        self.writer.close()
        await self.writer.wait_closed()


async def all_gone(server: Server, but: int = 0) -> None:
    """Wait until the listener has let its last client go, or all ``but`` so many."""
    for _ in range(1000):
        if server.connections <= but:
            return
        await asyncio.sleep(0.01)
    pytest.fail("a client is still there")


def send_by_smtplib(server: Server, count: int) -> None:
    """What a program in Python does."""
    peer = server.sockname
    with smtplib.SMTP(peer.host, peer.port, local_hostname="client.test", timeout=5) as client:
        for _ in range(count):
            refused = client.sendmail(
                "a@b.example", ["c@d.example", "refused@d.example"], MESSAGE.decode()
            )
            assert list(refused) == ["refused@d.example"]


async def test_smtplib(scripted_backend: type[ScriptedBackend], serving: Serving) -> None:
    """Python's own client: messages arrive as they were sent."""
    backend = scripted_backend()
    async with serving(backend) as server:
        await asyncio.to_thread(send_by_smtplib, server, 3)
    assert [content for _, content in backend.messages] == [MESSAGE] * 3
    transaction, _ = backend.messages[0]
    assert transaction.session.client_name == "client.test"
    assert transaction.session.peer.host == "127.0.0.1"
    assert transaction.session.local == str(server.sockname)
    assert [str(path) for path in transaction.envelope.forward_paths] == ["c@d.example"]
    assert len(backend.closed_sessions) == 1


async def test_ipv4_peer_on_an_ipv6_socket(
    scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """An IPv4 client of ``[::]`` is known by its IPv4 address."""
    backend = scripted_backend()
    async with serving(backend, listen="[::]:0") as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockname.port)
        await reader.readline()
        writer.close()
        await writer.wait_closed()
    assert backend.sessions[0].peer.host == "127.0.0.1"
    assert backend.sessions[0].local == f"127.0.0.1:{server.sockname.port}"


async def test_replies_are_not_held_back(
    scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """Nagle's algorithm is off on the sockets of clients."""
    async with serving(scripted_backend()) as server:
        client = await Client.connect(server)
        await client.hear()
        (conversation,) = server._premises.census
        sock = conversation._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        await client.leave()


async def test_pipelined_clients(scripted_backend: type[ScriptedBackend], serving: Serving) -> None:
    """Two hundred clients at once, each sending all it has without waiting."""
    backend = scripted_backend()

    async def send(server: Server) -> bytes:
        client = await Client.connect(server)
        client.writer.write(b"EHLO x\r\n" + (MAIL + MESSAGE + b".\r\n") * 5 + b"QUIT\r\n")
        said = await client.hear_all()
        await client.leave()
        return said

    async with serving(backend) as server:
        heard = await asyncio.gather(*(send(server) for _ in range(200)))
    assert len(backend.messages) == 1000
    assert all(said.count(b"250 2.0.0 OK ids=") == 5 for said in heard)
    assert all(said.endswith(b"221 2.0.0 mx.test closing connection\r\n") for said in heard)


async def test_too_many_connections(
    scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """One client more than there may be is told so, and the others go on."""
    async with serving(scripted_backend(), max_connections=2) as server:
        clients = [await Client.connect(server) for _ in range(3)]
        heard = [await client.hear() for client in clients]
        assert sorted(line[:3] for line in heard) == [b"220", b"220", b"421"]
        expected = b"421 4.3.2 mx.test too many concurrent sessions. Try later\r\n"
        assert heard[2] == expected
        assert await clients[2].hear_all() == b""
        await clients[2].leave()
        assert await clients[0].say(b"NOOP\r\n") == b"250 2.0.0 OK\r\n"
        for client in clients[:2]:
            await client.leave()


@pytest.mark.parametrize("option", ["max_connections", "max_connections_per_peer"])
async def test_a_refused_client_takes_no_place(
    option: str, scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """It may be slow to hang up; when another has gone there is room."""
    async with serving(scripted_backend(), **{option: 1}) as server:
        first, refused = [await Client.connect(server) for _ in range(2)]
        assert (await first.hear()).startswith(b"220 ")
        assert (await refused.hear_all()).startswith(b"421 ")
        await first.leave()
        await all_gone(server, but=1)
        third = await Client.connect(server)
        assert (await third.hear()).startswith(b"220 ")
        for client in (refused, third):
            await client.leave()


@pytest.mark.parametrize("trickle", [b"", b"N"])
async def test_idle_client(
    trickle: bytes, scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """Silence ends the conversation, and octets that make no command are silence."""
    async with serving(scripted_backend(), client_timeout=0.3) as server:
        client = await Client.connect(server)
        await client.hear()
        for _ in range(5):
            client.writer.write(trickle)
            await asyncio.sleep(0.1)
        assert (await client.hear()).startswith(b"421 4.4.2 mx.test timed out")
        await client.leave()


async def test_trickled_content(scripted_backend: type[ScriptedBackend], serving: Serving) -> None:
    """Content below the lowest rate is silence too."""
    async with serving(scripted_backend(), client_timeout=0.3) as server:
        client = await Client.connect(server)
        await client.begin()
        for _ in range(6):
            client.writer.write(b"x")
            await asyncio.sleep(0.1)
        assert (await client.hear()).startswith(b"421 4.4.2 mx.test timed out")
        await client.leave()


async def test_slow_content_is_taken(
    scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """Content that takes longer than the timeout, at a fair rate, is content."""
    backend = scripted_backend()
    async with serving(backend, client_timeout=0.4) as server:
        client = await Client.connect(server)
        await client.begin()
        for _ in range(8):
            client.writer.write(b"x" * 100 + b"\r\n")
            await asyncio.sleep(0.1)
        assert (await client.say(b".\r\n")).startswith(b"250 ")
        await client.leave()
    assert len(backend.messages) == 1


async def test_client_that_does_not_read(
    scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """Replies that nobody reads do not pile up: the client is held back, then let go."""
    backend = scripted_backend()
    line = b"RCPT TO:<refused@d.example>\r\n"
    async with serving(backend, client_timeout=1) as server:
        client = await Client.connect(server)
        client.writer.transport.pause_reading()
        client.writer.write(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n" + line * 9_000)
        await all_gone(server)
        client.writer.transport.abort()


class Slow:
    """Wraps a backend; its `message` waits for a word."""

    def __init__(self, backend: ScriptedBackend) -> None:
        self.backend = backend
        self.go_on = asyncio.Event()
        self.entered = asyncio.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self.backend, name)

    async def message(self, transaction: Transaction, content: bytes) -> Reply:
        """Wait, then take it."""
        self.entered.set()
        await self.go_on.wait()
        return self.backend.take(transaction, content)


async def test_processing_timeout(
    scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """A message that is not dealt with in time stays with the client."""
    backend = Slow(scripted_backend())
    async with serving(backend, data_processing_timeout=0.1) as server:
        client = await Client.connect(server)
        await client.begin()
        expected = b"451 4.4.5 data_processing_timeout exceeded\r\n"
        assert await client.say(b"hello\r\n.\r\n") == expected
        assert await client.say(b"NOOP\r\n") == b"250 2.0.0 OK\r\n"
        await client.leave()
    assert not backend.backend.messages


async def test_stop_finishes_what_is_on_its_way(
    scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """A client in its content may finish; one with the backend gets its reply; others go."""
    backend = Slow(scripted_backend())
    async with serving(backend) as server:
        idle, sending, waiting = [await Client.connect(server) for _ in range(3)]
        await idle.hear()
        await sending.begin()
        await waiting.begin()
        waiting.writer.write(b"one\r\n.\r\nNOOP\r\n")
        await backend.entered.wait()
        stopping = asyncio.create_task(server.stop(5))
        goodbye = b"421 4.3.2 mx.test shutting down\r\n"
        assert await idle.hear_all() == goodbye
        with pytest.raises(ConnectionRefusedError):
            await Client.connect(server)
        backend.go_on.set()
        assert (await waiting.hear_all()).endswith(b"\r\n" + goodbye)
        assert (await sending.say(b"two\r\n.\r\n")).startswith(b"250 ")
        assert await sending.hear_all() == goodbye
        for client in (idle, sending, waiting):
            await client.leave()
        await asyncio.wait_for(stopping, 1)
    assert sorted(content for _, content in backend.backend.messages) == [b"one\r\n", b"two\r\n"]


async def test_stop_does_not_wait_for_ever(
    scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """After the grace the connections are cut, and the message stays with the client."""
    backend = Slow(scripted_backend())
    async with serving(backend, grace=0.1) as server:
        client = await Client.connect(server)
        await client.begin()
        client.writer.write(b"one\r\n.\r\n")
        await backend.entered.wait()
    assert not backend.backend.messages
    assert await client.hear_all() == b""
    await client.leave()


async def test_hang_up_in_a_transaction(
    scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """The backend hears of a transaction that ended with its connection."""
    backend = scripted_backend()
    async with serving(backend) as server:
        client = await Client.connect(server)
        await client.begin()
        client.writer.write(b"half a mess")
        await client.leave()
        await all_gone(server)
    assert not backend.messages
    assert len(backend.resets) == len(backend.closed_sessions) == 1


async def test_error_in_the_backend(
    scripted_backend: type[ScriptedBackend], caplog: pytest.LogCaptureFixture, serving: Serving
) -> None:
    """The client hears that there was an error, the log hears which."""
    async with serving(scripted_backend()) as server:
        client = await Client.connect(server)
        await client.begin()
        said = await client.say(b"X-Broken: 1\r\n.\r\n")
        assert said == b"451 4.3.0 local error in processing\r\n"
        said = await client.say(b"MAIL FROM:<broken@b.example>\r\n")
        assert said == b"421 4.3.0 mx.test technical difficulties\r\n"
        await client.leave()
    assert caplog.text.count("secret reason") >= 2
    assert all(" of 127.0.0.1:" in each for each in caplog.messages if "secret reason" in each)


class Unfriendly:
    """Wraps a backend that lets nobody in."""

    def __init__(self, backend: ScriptedBackend) -> None:
        self.backend = backend

    def __getattr__(self, name: str) -> object:
        return getattr(self.backend, name)

    def connected(self, session: Session) -> Reply:
        """Nobody."""
        return reply(550, "5.7.1", f"not you, {session.peer.host}")


async def test_refused_connection(
    scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """A reply instead of the greeting ends the connection."""
    async with serving(Unfriendly(scripted_backend())) as server:
        client = await Client.connect(server)
        assert await client.hear_all() == b"550 5.7.1 not you, 127.0.0.1\r\n"
        await client.leave()


async def test_address_in_use(scripted_backend: type[ScriptedBackend], serving: Serving) -> None:
    """An address that is taken is an error that names the listener."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError) as caught:
            async with serving(scripted_backend(), listen=f"127.0.0.1:{port}"):
                pass
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "in use" in str(caught.value)


async def test_path_too_long(scripted_backend: type[ScriptedBackend], serving: Serving) -> None:
    """What the system has no number for has a reason, too."""
    with pytest.raises(ConfigurationError, match="cannot listen: AF_UNIX path too long"):
        async with serving(scripted_backend(), listen=f"unix:/{'a' * 200}"):
            pass


@pytest.mark.parametrize("options", [{}, {"require_proxy_protocol": True}])
async def test_connections_from_one_address(
    options: dict[str, object], scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """One address may have some of the connections only; behind a proxy its clients count."""
    header = b"PROXY TCP4 203.0.113.%d 198.51.100.1 4321 25\r\n"
    async with serving(scripted_backend(), max_connections_per_peer=1, **options) as server:
        clients = [await Client.connect(server) for _ in range(2)]
        for client, number in zip(clients, (1, 1), strict=True):
            client.writer.write(header % number if options else b"")
        heard = [await client.hear() for client in clients]
        assert heard[0].startswith(b"220 ")
        assert heard[1].startswith(b"421 4.7.0 mx.test too many concurrent sessions from your")
        if options:
            other = await Client.connect(server)
            other.writer.write(header % 2)
            assert (await other.hear()).startswith(b"220 ")
            clients.append(other)
        for client in clients:
            await client.leave()


async def test_trickling_clients_leave_room(
    scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """Five hundred clients that trickle: a new one is greeted at once, and its mail is taken."""
    backend = scripted_backend()
    async with serving(backend, client_timeout=2) as server:
        slow = [await Client.connect(server) for _ in range(500)]
        for number, client in enumerate(slow):
            client.writer.write(b"EHLO x\r\n" + MAIL[: number % len(MAIL)])
        for _ in range(3):
            for client in slow:
                client.writer.write(b"x")
            client = await Client.connect(server)
            async with asyncio.timeout(1):
                await client.begin()
                assert (await client.say(b"hello\r\n.\r\n")).startswith(b"250 ")
            await client.leave()
        # Whatever they had begun, they are let go, and nothing is kept of them.
        await asyncio.gather(*(client.hear_all() for client in slow))
        for client in slow:
            client.writer.transport.abort()
        await all_gone(server)
    assert len(backend.messages) == 3
