"""Sockets that somebody else has opened."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.options import Place
from kumo_handlers.smtp.activation import Activation
from kumo_handlers.smtp.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.smtp.conftest import ScriptedBackend


def listener(listen: str) -> Listener:
    """One that listens there."""
    return Listener.read({"listen": listen}, Place())


def passed(*sockets: socket.socket) -> int:
    """The first of descriptors in a row that stand for ``sockets``, as systemd's do from 3 on."""
    first = 500
    for number, each in enumerate(sockets, first):
        os.dup2(each.fileno(), number)
    return first


@pytest.fixture
def opened() -> Iterator[tuple[socket.socket, str]]:
    """A listening socket of another's, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening, f"127.0.0.1:{listening.getsockname()[1]}"


def test_by_its_address(
    opened: tuple[socket.socket, str], caplog: pytest.LogCaptureFixture
) -> None:
    """The listener of that address gets it, no other, once; then nobody else is meant."""
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "smtp"}
    activation = Activation.of(environ, passed(opened[0]))
    assert environ == {}
    assert activation.take(listener("127.0.0.1:1")) is None
    taken = activation.take(listener(opened[1].replace("127.0.0.1", "localhost")))
    assert taken is not None
    with taken:
        assert taken.getsockname() == opened[0].getsockname()
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not taken.get_inheritable()
    assert activation.take(listener(opened[1])) is None
    activation.close()
    assert not caplog.text


def test_a_unix_socket(tmp_path: Path) -> None:
    """Its path is its address."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "lmtp"))
        listening.listen()
        activation = Activation([("lmtp", listening)])
        assert activation.take(listener(f"unix:{tmp_path}/lmtp")) is listening


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "one"},
    ],
)
def test_meant_for_another(environ: dict[str, str], opened: tuple[socket.socket, str]) -> None:
    """Without our process's number nothing is ours."""
    assert Activation.of(environ, 500).take(listener(opened[1])) is None


def test_what_nobody_takes(
    opened: tuple[socket.socket, str], caplog: pytest.LogCaptureFixture
) -> None:
    """It is closed, and named; so is one that is a client's connection (``Accept=yes``)."""
    with socket.create_connection(opened[0].getsockname()) as connection:
        environ = {
            "LISTEN_PID": str(os.getpid()),
            "LISTEN_FDS": "2",
            "LISTEN_FDNAMES": "submission",
        }
        activation = Activation.of(environ, passed(opened[0], connection))
        activation.close()
    assert f"submission ({opened[1]}) is no listener's" in caplog.text
    assert "which does not listen" in caplog.text
    for number in (500, 501):
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(number)


async def test_a_server_on_it(
    opened: tuple[socket.socket, str], scripted_backend: type[ScriptedBackend]
) -> None:
    """It greets there; when it stops, clients wait at the other's socket and are not refused."""
    server = Server(listener(opened[1]), scripted_backend())
    server.bind(Activation([("smtp", opened[0].dup())]))
    await server.start()
    reader, writer = await asyncio.open_connection(*opened[0].getsockname())
    assert (await reader.readline()).startswith(b"220 ")
    writer.close()
    await server.stop(1)
    waiting = socket.create_connection(opened[0].getsockname(), timeout=0.2)
    with waiting, pytest.raises(TimeoutError):
        waiting.recv(1)


async def test_bound_and_not_listening(scripted_backend: type[ScriptedBackend]) -> None:
    """The address is had, clients are refused until it starts; given up, it is free again."""
    server = Server(listener("127.0.0.1:0"), scripted_backend())
    server.bind()
    address = (server.sockname.host, server.sockname.port)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)
    await server.start()
    _, writer = await asyncio.open_connection(*address)
    writer.close()
    await server.stop(1)
    socket.create_server(address).close()


async def test_another_was_faster(scripted_backend: type[ScriptedBackend]) -> None:
    """Of two that have bound one address, the second that listens is told, and named."""
    server = Server(listener("127.0.0.1:0"), scripted_backend())
    server.bind()
    in_use = pytest.raises(ConfigurationError, match="listen: cannot listen: the address is in use")
    with socket.create_server((server.sockname.host, server.sockname.port)), in_use:
        await server.start()
    await server.stop(1)
