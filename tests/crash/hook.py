"""The webhook of the outage: takes every batch, and writes its lines down before it says so.

It runs in a process of its own, which is killed and started again. ``hook.py FILE PORT``.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path


class Hook:
    """The file of what arrived, by whole lines: what a kill has cut was not confirmed."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")
        self._file.truncate(path.read_bytes().rfind(b"\n") + 1)

    async def session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it is gone."""
        with suppress(OSError, EOFError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                self._file.write(await reader.readexactly(int(length)))
                self._file.flush()
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()


async def serve(path: Path, port: int) -> None:
    """Listen, say where, and go on until killed."""
    server = await asyncio.start_server(Hook(path).session, "127.0.0.1", port)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
