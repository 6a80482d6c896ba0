"""What ``commit = "amqp://…"`` says: the server, and in the URL's query how mail is spread."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from kumo_handlers import service
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.policy import duration
from kumo_handlers.policy.kinds import DURATION, TEXT
from kumo_handlers.policy.options import Declared, Kind, Place, declared, read_strictly, refuse
from kumo_handlers.service import ServiceURL

SCHEMES: Final = frozenset({"amqp", "amqps"})
# Classes of mail, each of which may have a queue of its own; `MAIL` takes what has none.
MAIL, BOUNCES, COMPLAINTS = CLASSES = ("mail", "bounces", "complaints")
# Mail on its way to `settings.relay`.
RELAY: Final = "relay"
# Words of the query that are aiormq's.
_CLIENTS = frozenset(
    {
        "auth",
        "cadata",
        "cafile",
        "capath",
        "certfile",
        "channel_max",
        "connection_timeout",
        "frame_max",
        "heartbeat",
        "keyfile",
        "name",
        "no_verify_ssl",
        "timeout",
    }
)


def _read_number(raw: object) -> int:
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and int(raw) > 0:
        return int(raw)
    raise refuse(raw)


def _read_words(raw: object, known: tuple[str, ...]) -> tuple[str, ...]:
    words = str(raw).split(",")
    for word in words:
        if word not in known:
            raise refuse(word)
    return tuple(dict.fromkeys(words))


def _read_queues(raw: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys((MAIL, *_read_words(raw, CLASSES))))


def _read_taken(raw: object) -> tuple[str, ...]:
    return _read_words(raw, (*CLASSES, RELAY))


def _read_waits(raw: object) -> tuple[float, ...]:
    try:
        waits = [duration.parse(each) for each in str(raw).split(",")]
    except ValueError as error:
        raise refuse(raw) from error
    if waits != sorted(waits) or waits[0] < 0.1:  # noqa: PLR2004 - less is a hot loop
        raise refuse(raw)
    return tuple(waits)


def _show(words: tuple[object, ...]) -> str:
    return ",".join(map(str, words))


NUMBER = Kind("int", "a whole number above 0", _read_number)
QUEUES = Kind("words", f"some of {', '.join(CLASSES)}", _read_queues, _show)
TAKEN = Kind("words", f"some of {', '.join((*CLASSES, RELAY))}", _read_taken, _show)
WAITS = Kind(
    "durations",
    "durations of at least 0.1 s, each as long as the one before",
    _read_waits,
    lambda waits: ",".join(duration.show(each) for each in waits),
)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The options in the URL's query. Seconds."""

    prefix: Annotated[str, Declared(TEXT, "how the names of queues and exchanges begin")] = (
        "kumo_handlers"
    )
    queues: Annotated[
        tuple[str, ...],
        Declared(QUEUES, "classes that have a queue each; mail has the rest"),
    ] = (MAIL,)
    take: Annotated[tuple[str, ...], Declared(TAKEN, "the queues that a worker takes from")] = (
        *CLASSES,
        RELAY,
    )
    prefetch: Annotated[
        int, Declared(NUMBER, "messages of a queue that one worker has in hand")
    ] = 100
    confirm_timeout: Annotated[
        float, Declared(DURATION, "what is not confirmed after this is answered 451")
    ] = 30.0
    retry: Annotated[
        tuple[float, ...],
        Declared(WAITS, "the waits between the tries of a failing handler; then the dead letters"),
    ] = (10.0, 60.0, 300.0, 1800.0)
    delivery_limit: Annotated[
        int, Declared(NUMBER, "workers that a message may take down before it is a dead letter")
    ] = 20

    @property
    def taken(self) -> tuple[str, ...]:
        """The queues that a worker takes from, of those that there are."""
        return tuple(each for each in self.take if each in {*self.queues, RELAY})

    def queue(self, name: str) -> str:
        """The whole name of a queue."""
        return f"{self.prefix}.{name}"

    def queue_of(self, kind: str) -> str:
        """The whole name of the queue that mail of a class goes to."""
        return self.queue(kind if kind in self.queues else MAIL)

    @property
    def dead(self) -> str:
        """The queue, and the exchange, of dead letters."""
        return self.queue("dead")

    def waiting(self, wait: float) -> str:
        """The queue, and the exchange, in which a message waits so long."""
        return self.queue(f"wait.{wait:g}")

    def wait_for(self, seconds: float) -> float:
        """The wait that comes nearest to that, by their ratio."""
        wanted = max(seconds, self.retry[0])
        return min(self.retry, key=lambda wait: max(wait / wanted, wanted / wait))


OPTIONS: Final = declared(Terms)


class BrokerURL(msgspec.Struct, frozen=True):
    """The server and the terms. No text that is made of it shows the password."""

    url: ServiceURL
    terms: Terms

    def __str__(self) -> str:
        return str(self.url)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.url)!r})"

    @property
    def server(self) -> str:
        """The URL for the client library: secrets and all, without the words that are ours."""
        base, _, query = self.url.text.partition("?")
        theirs = [pair for pair in query.split("&") if pair.partition("=")[0] in _CLIENTS]
        return f"{base}{'?' if theirs else ''}{'&'.join(theirs)}"

    def scrubbed(self, error: BaseException) -> str:
        """What the client library says, without what the URL keeps secret."""
        text = " ".join(str(error).split()) or type(error).__name__
        return service.without_secrets(text, self.url)


def read(text: str) -> BrokerURL:
    """Read the URL. Raises `ConfigurationError`, which does not show its password."""
    try:
        url = service.parse(text, SCHEMES)
    except ValueError as error:
        problem = Problem(message=str(error), value=repr(service.masked(text)))
        raise ConfigurationError(problem) from None
    ours: dict[str, Any] = {
        name: value for name, value in url.parameters.items() if name not in _CLIENTS
    }
    return BrokerURL(url, Terms(**read_strictly(ours, OPTIONS, Place())))
