"""What a listener counts of itself."""

from __future__ import annotations

import asyncio

from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy.listener import Listener
from kumo_handlers.smtp.protocol import Connection
from kumo_handlers.smtp.server import Server
from kumo_handlers.smtp.turnout import Turnout


def test_replies_are_counted_by_code() -> None:
    """Each reply that is said, on whichever connection."""
    turnout = Turnout()
    for _ in range(2):
        connection = Connection(
            Listener(), Session("s", Peer("192.0.2.1")), lambda: "t", turnout=turnout
        )
        connection.receive(b"EHLO me\r\nNONSENSE\r\nNONSENSE\r\nQUIT\r\n")
        while (event := connection.next_event()) is not None:
            connection.answer(event, None)
    assert turnout.replies == {220: 2, 250: 2, 500: 4, 221: 2}


def test_connections_are_counted() -> None:
    """Those that were, too; each listener has its own count."""

    class Nobody:
        """Minds nothing."""

        def connected(self, _: Session) -> None:
            """Let everyone in."""

        def closed(self, _: Session) -> None:
            """Forget everyone."""

    async def visit() -> Server:
        server = Server(Listener(listen="127.0.0.1:0"), Nobody())  # type: ignore[arg-type]
        await server.start()
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.sockname.port)
            await reader.readline()
            writer.close()
        await server.stop(1)
        return server

    assert asyncio.run(visit()).turnout.connections == 3
