"""SMTP smuggling through the whole house, to a server behind it that would fall for it.

False ends of data, in each mode, whole and cut and in chunks: there is one message at most for us,
one at most for the server behind us, and the hidden commands are content to both.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections import Counter
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.waiting import until

from .lax_relay import LaxRelay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .lax_relay import Taken

MODES = ("Deny", "Allow", "Fix")
BARE = (b"\n", b"\r", b"\r\r", b"\n\r", b"\r\r\n", b"\r\n\n", b"\n\r\n")
NULS = (b"\r\n\0", b"\0\r\n", b"\n\0", b"\r\0\n")
NEWLINES = (*BARE, *NULS, b"\r\n")
DOTS = (b".", b"..", b"\0.", b"\0\0.\0", b".\0", b" .")
TRUE_END = b"\r\n.\r\n"
FALSE_ENDS = sorted(
    end
    for end in set(map(b"".join, itertools.product(NEWLINES, DOTS, NEWLINES)))
    if TRUE_END not in end
)
HIDDEN = (
    b"MAIL FROM:<evil@b.example>%(end)sRCPT TO:<victim@d.example>%(end)sDATA%(end)s"
    b"Subject: smuggled%(end)s%(end)ssmuggled%(end)s"
)
# How many clients at a time
CLIENTS = 24


@pytest.fixture
def upstream() -> Iterator[LaxRelay]:
    """The server behind us."""
    relay = LaxRelay().start()
    yield relay
    relay.stop()


def hidden(end: bytes) -> bytes:
    """Commands as the false end's own kind of line would end them."""
    kind = b"\n" if end.endswith(b"\n") and not end.endswith(b"\r\n") else b"\r\n"
    return HIDDEN.replace(b"%(end)s", b"\r" if end.endswith(b"\r") else kind)


def pieces(way: str, number: int, end: bytes) -> list[bytes]:
    """What a client sends, packet by packet."""
    begin = b"EHLO x\r\nMAIL FROM:<a%d@b.example>\r\nRCPT TO:<c@d.example>\r\n" % number
    content = b"Subject: first\r\n\r\nfirst" + end + hidden(end)
    if way == "chunk":
        content += TRUE_END
        return [begin + b"BDAT %d LAST\r\n" % len(content) + content + b"QUIT\r\n"]
    if way == "after a chunk":
        half = content.index(end) + len(end)
        first, second = content[:half], content[half:] + TRUE_END
        last = b"BDAT %d LAST\r\n" % len(second)
        return [begin + b"BDAT %d\r\n" % len(first) + first + last + second + b"QUIT\r\n"]
    whole = begin + b"DATA\r\n" + content + TRUE_END + b"QUIT\r\n"
    if way == "whole":
        return [whole]
    start = whole.index(end, len(begin))
    cuts = (0, *range(start, start + len(end) + 1), len(whole))
    return [whole[cut:next_cut] for cut, next_cut in itertools.pairwise(cuts)]


WAYS = ("whole", "cut", "chunk", "after a chunk")


async def talk(port: int, packets: Sequence[bytes]) -> list[int]:
    """Send packets, each by itself; the codes of all replies."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with closing(writer):
        for packet in packets:
            writer.write(packet)
            await asyncio.sleep(0.002 if len(packets) > 1 else 0)
        said = (await asyncio.wait_for(reader.read(), 30)).split(b"\r\n")
    return [int(line[:3]) for line in said if line[3:4] == b" "]


async def talk_all(port: int, sent: Sequence[list[bytes]]) -> list[list[int]]:
    """All conversations, some at a time."""
    places = asyncio.Semaphore(CLIENTS)

    async def one(packets: list[bytes]) -> list[int]:
        async with places:
            return await talk(port, packets)

    return await asyncio.gather(*map(one, sent))


def is_bare(octets: bytes) -> bool:
    """Whether a CR or LF stands alone."""
    return re.search(rb"\r(?!\n)|(?<!\r)\n", octets) is not None


@pytest.mark.parametrize("mode", MODES)
def test_false_ends(mode: str, start: Callable[..., Any], upstream: LaxRelay) -> None:
    """Replies for one message, and one message behind us, whose sender is the true one."""
    app = start(
        {"d.example": {"relay_to": True}},
        listeners=[{"listen": "127.0.0.1:0", "relay_hosts": [], "invalid_line_endings": mode}],
        relay=upstream,
    )
    cases = list(itertools.product(WAYS, FALSE_ENDS))
    sent = [pieces(way, number, end) for number, (way, end) in enumerate(cases)]
    heard = asyncio.run(talk_all(app.receiver.addresses[0].port, sent))
    accepted = set()
    for number, ((way, end), codes) in enumerate(zip(cases, heard, strict=True)):
        verdict = 552 if mode == "Deny" and is_bare(end + hidden(end)) else 250
        content = {"chunk": [], "after a chunk": [250]}.get(way, [354])
        if verdict == 552 and way == "after a chunk" and codes[-3] != 250:
            # a chunk with a bare CR or LF is refused at once, and the one behind it too
            assert codes == [220, 250, 250, 250, 552, 503, 221], (way, end, codes)
            continue
        assert codes == [220, 250, 250, 250, *content, verdict, 221], (way, end, codes)
        if verdict == 250:
            accepted.add(number)
    check(upstream, accepted)


def check(upstream: LaxRelay, accepted: set[int]) -> None:
    """What the server behind us took is what we took, and nothing else."""
    with suppress(AssertionError):  # which of them is missing is said below
        until(lambda: len(upstream.messages) >= len(accepted))
    time.sleep(0.2)
    senders = Counter(map(sender_of, upstream.messages))
    assert senders == Counter(b"a%d@b.example" % number for number in accepted)
    assert upstream.unknown == []
    for taken in upstream.messages:
        recipients = [line for line in taken.commands if line.upper().startswith(b"RCPT")]
        assert [b"c@d.example" in line for line in recipients] == [True]
        assert taken.content.count(b"Subject: smuggled") == 1


def sender_of(taken: Taken) -> bytes:
    """The reverse-path of the last MAIL."""
    mails = [line for line in taken.commands if line.upper().startswith(b"MAIL")]
    found = re.search(rb"<(.*?)>", mails[-1])
    assert found is not None
    return found[1]
