"""What an app's ``config/settings.py`` says to this plugin, each setting declared once."""

import enum
import logging
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Final, Self

import msgspec

from kumo_handlers import service
from kumo_handlers.broker import terms
from kumo_handlers.broker.terms import BrokerURL
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.pipeline import setting_lines
from kumo_handlers.policy import endpoint
from kumo_handlers.policy.database import engine
from kumo_handlers.policy.kinds import BYTES, COUNT, DURATION, ENDPOINT, PATH, TEXT, choice
from kumo_handlers.policy.listener import Listener
from kumo_handlers.policy.options import Declared, Kind, Place, declared, read_strictly, refuse
from kumo_handlers.service import ServiceURL
from kumo_handlers.shipping.shipment import SHIPMENTS, Shipment

_log = logging.getLogger(__name__)
# receiver and receivers are two things; listener_domain and listener_domains hardly are
_CLOSE = 0.87
Source = str | ServiceURL | Mapping[str, Any]


def _sequence(raw: object, *kinds: type) -> tuple[Any, ...]:
    """One or several of ``kinds``, as a tuple."""
    items = (raw,) if isinstance(raw, kinds) else raw
    if not isinstance(items, list | tuple):
        raise refuse(raw)
    for item in items:
        if not isinstance(item, kinds):
            raise refuse(item)
    return tuple(items)


def _read_sources(raw: object) -> tuple[Source, ...]:
    return tuple(map(_read_source, _sequence(raw, str, Path, Mapping)))


def _read_source(item: str | Path | Mapping[str, Any]) -> Source:
    """A URL becomes one at once: its password is then in no text of these settings."""
    if isinstance(item, Mapping):
        return item
    text = str(item)
    return engine.parse(text) if isinstance(item, str) and engine.is_url(text) else text


def _read_paths(raw: object) -> tuple[str, ...]:
    return tuple(str(item) for item in _sequence(raw, str, Path))


def _read_listeners(raw: object) -> tuple[Listener, ...]:
    problems: list[Problem] = []
    listeners: list[Listener] = []
    for number, item in enumerate(_sequence(raw, Mapping, Listener), 1):
        try:
            listeners.append(
                item if isinstance(item, Listener) else Listener.read(item, Place(domain=None))
            )
        except ConfigurationError as error:
            problems += (
                replace(problem, option=".".join(filter(None, (f"[{number}]", problem.option))))
                for problem in error.problems
            )
    if problems:
        raise ConfigurationError(problems)
    return tuple(listeners) or (Listener(),)


def _read_function(raw: object) -> object:
    if callable(raw):
        return raw
    raise refuse(raw)


def _read_path_map(raw: object) -> dict[str, str]:
    if isinstance(raw, Mapping) and all(
        isinstance(item, str | Path) and str(item) for pair in raw.items() for item in pair
    ):
        return {str(start): str(instead) for start, instead in raw.items()}
    raise refuse(raw)


def _read_words(raw: object) -> tuple[str, ...]:
    words = _sequence(raw, str)
    if not words:
        raise refuse(raw)
    return words


def _read_secrets(raw: object) -> dict[str, str]:
    """Names and secrets; an error names the table and never a secret."""
    if isinstance(raw, Mapping) and all(
        isinstance(item, str) for pair in raw.items() for item in pair
    ):
        return dict(raw)
    raise refuse(type(raw).__name__)


SOURCES = Kind(
    "list of paths, URLs or tables",
    "the path of a .toml or .json file, the URL of a database, a table, or a list of them",
    _read_sources,
    lambda value: repr(list(value)),
)
PATHS = Kind(
    "list of paths", "a path, or a list of paths", _read_paths, lambda value: repr(list(value))
)
WORDS = Kind("list of str", "a word, or a list of words", _read_words, lambda value: str([*value]))
SECRETS = Kind(
    "table of str", "a table of names and secrets", _read_secrets, lambda value: repr([*value])
)
FUNCTION = Kind(
    "function", "a function", _read_function, lambda value: getattr(value, "__name__", "")
)
PATH_MAP = Kind(
    "table of paths",
    "a table of paths, such as { '/opt/kumomta/etc': 'config' }",
    _read_path_map,
    repr,
)
LISTENERS = Kind(
    "list of tables",
    "a list of tables of listener options",
    _read_listeners,
    lambda value: repr([listener.listen for listener in value]),
)


PORT = Kind("IP:PORT", endpoint.EXPECTED, ENDPOINT.read, lambda value: value or "")


class Commit(enum.Enum):
    """What 250 stands for: on disk, or (for a benchmark) merely taken."""

    DURABLE = "durable"
    NONE = "none"


def _read_commit(raw: object) -> Commit | BrokerURL:
    if isinstance(raw, BrokerURL):
        return raw
    if isinstance(raw, str) and "://" in raw:
        return terms.read(raw)
    word: Commit = _WORD.read(raw)
    return word


_WORD = choice(Commit)
COMMIT = Kind(
    f"{_WORD.name} | URL",
    f"{_WORD.expected}, or a URL of {', '.join(sorted(terms.SCHEMES))}",
    _read_commit,
    lambda value: str(value) if isinstance(value, BrokerURL) else _WORD.show(value),
)


def _node_id() -> str:
    """The same for every start on this host, as KumoMTA's is."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, socket.gethostname()))


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one installation. Durations are seconds, sizes are bytes."""

    listener_domains: Annotated[
        tuple[Source, ...], Declared(SOURCES, "the rules: who may send what to which domain")
    ] = ()
    policy: Annotated[
        str | None, Declared(PATH, "a policy of KumoMTA, in Lua: rules and listeners, instead")
    ] = None
    map_path: Annotated[
        dict[str, str], Declared(PATH_MAP, "what stands for a path that the policy names")
    ] = {}
    listeners: Annotated[
        tuple[Listener, ...],
        Declared(LISTENERS, "where to listen; the first one's relay_hosts hold behind stock ones"),
    ] = (Listener(),)
    run_dir: Annotated[str, Declared(PATH, "where records, the queue and kept messages are")] = (
        "run"
    )
    nodeid: Annotated[str, Declared(TEXT, "who wrote a record, where several write")] = (
        msgspec.field(default_factory=_node_id)
    )
    commit: Annotated[
        Commit | BrokerURL,
        Declared(COMMIT, "250 is said when it is on disk: here, or [a broker's](broker.md)"),
    ] = Commit.DURABLE
    sinks: Annotated[
        tuple[str, ...], Declared(WORDS, "where records go: jsonl, terminal, or both")
    ] = ("jsonl",)
    max_segment_duration: Annotated[
        float, Declared(DURATION, "after this a new log file is begun")
    ] = 3600.0
    max_segment_size: Annotated[int, Declared(BYTES, "after this a new log file is begun")] = (
        256 * 1024 * 1024
    )
    ship: Annotated[
        tuple[Shipment, ...], Declared(SHIPMENTS, "where else records go: see [shipping](ship.md)")
    ] = ()
    retry_interval: Annotated[
        float, Declared(DURATION, "the first delay before mail to relay is tried again")
    ] = 60.0
    max_retry_interval: Annotated[
        float, Declared(DURATION, "the longest delay; in between each is twice the one before")
    ] = 3600.0
    max_age: Annotated[float, Declared(DURATION, "after this mail to relay is given up")] = (
        7 * 86400.0
    )
    max_queue_messages: Annotated[
        int, Declared(COUNT, "more mail to relay than this is answered 452")
    ] = 1_000_000
    max_queue_size: Annotated[
        int, Declared(BYTES, "more bytes to relay than this are answered 452")
    ] = 10 * 1024**3
    max_unparsed_messages: Annotated[
        int, Declared(COUNT, "more kept messages than this are answered 452")
    ] = 100_000
    max_unparsed_size: Annotated[
        int, Declared(BYTES, "more kept bytes than this are answered 452")
    ] = 1024**3
    classification: Annotated[
        tuple[str, ...], Declared(PATHS, "rule files for bounce_classification, beside our own")
    ] = ()
    trace_keys: Annotated[
        dict[str, str],
        Declared(SECRETS, "keys that sign trace headers, by name; the first signs, all verify"),
    ] = {}
    trace_max_age: Annotated[float, Declared(DURATION, "after this a signature is expired")] = (
        30 * 86400.0
    )
    password_file: Annotated[
        str | None, Declared(PATH, "names and passwords for AUTH, by kumo-handlers passwd")
    ] = None
    authenticate: Annotated[
        Callable[[str, str], bool] | None,
        Declared(FUNCTION, "for AUTH instead: takes name and password, says True or False"),
    ] = None
    metrics: Annotated[
        str | None, Declared(PORT, "where Prometheus may ask, by HTTP, for /metrics")
    ] = None
    handler_threads: Annotated[
        int, Declared(COUNT, "threads in which the app's own handlers run")
    ] = 32
    workers: Annotated[
        int, Declared(COUNT, "processes that listen, at the same ports; one more writes for them")
    ] = 1
    stop_timeout: Annotated[
        float, Declared(DURATION, "how long a stop waits for what is in flight")
    ] = 30.0

    def __repr__(self) -> str:
        """Each as a person would write it, and no secret, also where it stands in a wrong place."""
        said = (
            f"{name}={option.kind.show(getattr(self, name))}" for name, option in OPTIONS.items()
        )
        return f"{type(self).__name__}({', '.join(map(service.masked, said))})"

    @classmethod
    def read(cls, module: ModuleType | Mapping[str, Any]) -> Self:
        """The settings that a settings module, or a table, gives. Other names in it are not ours.

        Raises `ConfigurationError` with all that is wrong. What `slips` finds is logged.
        """
        for name, meant in slips(module):
            _log.warning("the setting %s has no effect. Did you mean %s?", name, meant)
        return cls.read_silently(module)

    @classmethod
    def read_silently(cls, module: ModuleType | Mapping[str, Any]) -> Self:
        """The same for a caller that shows the slips itself."""
        table = _table(module)
        ours = {name: table[name] for name in OPTIONS if name in table}
        file = None if isinstance(module, Mapping) else getattr(module, "__file__", None)
        try:
            return cls(**read_strictly(ours, OPTIONS, Place(file=file)))
        except ConfigurationError as error:
            raise ConfigurationError(setting_lines.located(error.problems, file)) from None


OPTIONS: Final = declared(Settings)


def slips(module: ModuleType | Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Which names look like ours and are not, so have no effect; and what was meant."""
    for name in _table(module):
        if name not in OPTIONS and not name.startswith("_"):
            close = get_close_matches(name, OPTIONS, n=1, cutoff=_CLOSE)
            if close:
                yield name, close[0]


def _table(module: ModuleType | Mapping[str, Any]) -> Mapping[str, Any]:
    return module if isinstance(module, Mapping) else vars(module)
