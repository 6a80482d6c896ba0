"""The relay of the crash test: takes everything, and writes down each recipient it took.

It runs in a process of its own, which no crash touches. What it answered 250 is in its book.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path


class Book:
    """The file of what was taken: one address a line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")

    async def session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until it is gone: most of them are killed."""
        with suppress(OSError, EOFError):
            await self._commands(reader, writer)
        writer.close()

    async def _commands(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []
        writer.write(b"220 book.example ESMTP\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                writer.write(b"250-book.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            elif verb == b"DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                self._file.writelines(f"{each}\n" for each in recipients)
                self._file.flush()
                writer.write(b"250 taken\r\n")
            else:
                if verb == b"MAIL":
                    recipients = []
                if verb == b"RCPT":
                    recipients.append(line.decode().partition("<")[2].partition(">")[0])
                writer.write(b"250 ok\r\n")


async def serve(path: Path) -> None:
    """Listen, say where, and go on until killed."""
    server = await asyncio.start_server(Book(path).session, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
