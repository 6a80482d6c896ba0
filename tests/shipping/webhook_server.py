"""A webhook on loopback that answers as it is told, wrongly in every way there is."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from types import TracebackType


class Post(NamedTuple):
    """What was asked."""

    head: dict[str, str]
    body: bytes


class WebhookServer:
    """Answers each request with the next entry of ``script``, and then with 204.

    An entry is the first lines of an answer, or ``hang``, ``close`` (at once), or ``cut`` (in
    the middle of the answer). What was answered with 2xx is in ``taken``.
    """

    def __init__(self, port: int = 0) -> None:
        self.script: list[str] = []
        self.posts: list[Post] = []
        self.taken: list[bytes] = []
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/records"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        first, *fields = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        assert first.startswith("POST /records")
        head = {
            name.lower(): value.strip()
            for name, _, value in (field.partition(":") for field in fields if field)
        }
        body = await reader.readexactly(int(head["content-length"]))
        self.posts.append(Post(head, body))
        answer = self.script.pop(0) if self.script else "204 No Content"
        if answer == "hang":
            await asyncio.sleep(60)
        if answer == "close":
            return False
        if answer == "cut":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal")
            await writer.drain()
            return False
        if answer.startswith("2"):
            self.taken += body.split(b"\n")[:-1]
        length = "" if answer.startswith("204") else "Content-Length: 0\r\n"
        writer.write(f"HTTP/1.1 {answer}\r\n{length}\r\n".encode())
        await writer.drain()
        return True
