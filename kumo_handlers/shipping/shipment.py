"""One entry of the setting ``ship``: where to, what of the log, and the destination's options.

An entry is a URL, or a table with a ``url``. No text that is made of one shows a secret.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import replace
from hashlib import blake2b
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec

from kumo_handlers import service
from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.journal.selection import Selection
from kumo_handlers.policy.kinds import DURATION
from kumo_handlers.policy.options import Declared, Kind, Place, declared, read_strictly
from kumo_handlers.service import ServiceURL
from kumo_handlers.shipping.kinds import DOMAINS, FILE_NAME, SECRET, SECRETS, TYPES
from kumo_handlers.shipping.table import DESTINATIONS

if TYPE_CHECKING:
    from kumo_handlers.policy.options import Option
    from kumo_handlers.shipping.destination import Destination

_EXPECTED = f"a URL of {', '.join(DESTINATIONS)}, or a table with a url"
_WEB = frozenset({"http", "https"})
_NO_SLUG = re.compile(r"[^A-Za-z0-9.]+")
_LONGEST = 100


def _read_url(raw: object) -> ServiceURL:
    try:
        if isinstance(raw, str):
            return service.parse(raw, frozenset(DESTINATIONS))
        message = "wrong value"
    except ValueError as error:
        message = str(error)
    shown = service.masked(raw) if isinstance(raw, str) else type(raw).__name__
    raise ConfigurationError(Problem(message=message, value=repr(shown)))


URL = Kind("URL", f"a URL of {', '.join(DESTINATIONS)}", _read_url)


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """What every entry may say."""

    url: Annotated[ServiceURL, Declared(URL, "where to")]
    name: Annotated[
        str | None,
        Declared(FILE_NAME, "what its files, metrics and log lines call it; else made of the URL"),
    ] = None
    types: Annotated[
        frozenset[str], Declared(TYPES, "only records of these types; else of all")
    ] = frozenset()
    domains: Annotated[
        tuple[str, ...], Declared(DOMAINS, "only records from or to these, or `*.` below them")
    ] = ()
    timeout: Annotated[
        float, Declared(DURATION, "a batch that is not confirmed after this is sent again")
    ] = 30.0


COMMON: Final = declared(Common)


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that was read. ``options`` are those of its destination, by name."""

    url: ServiceURL
    name: str
    selection: Selection = Selection()
    timeout: float = 30.0
    options: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.shown_url!r})"

    @property
    def shown_url(self) -> str:
        """The URL without its secrets; a webhook's path may be one."""
        base, mark, query = str(self.url).partition("?")
        if self.url.scheme in _WEB and urlsplit(self.url.text).path.strip("/"):
            scheme, _, rest = base.partition("://")
            base = f"{scheme}://{rest.partition('/')[0]}/***"
        return base + mark + query

    @property
    def proves_nothing(self) -> bool:
        """Whether it is a webhook that is given neither a signature nor a password."""
        parts = urlsplit(self.url.text)
        given = self.options.get("secret") or self.options.get("headers") or parts.password
        return self.url.scheme in _WEB and not given

    def open(self) -> Destination:
        """The destination. Raises `ConfigurationError` where its client is not installed."""
        return DESTINATIONS[self.url.scheme].open(self.url, self.options)

    def require_client(self) -> None:
        """Raise `ConfigurationError` where the client library is not installed; import nothing."""
        row = DESTINATIONS[self.url.scheme]
        if find_spec(row.library) is None:
            service.client(row.library, row.extra)

    def scrubbed(self, text: str) -> str:
        """The text without the secrets of this entry: those of its URL, and of its options."""
        text = service.without_secrets(text.replace(self.url.text, self.shown_url), self.url)
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return text

    def _secrets(self) -> list[str]:
        found: list[str] = []
        for name, option in _declared(self.url.scheme).items():
            value = self.options.get(name)
            if value and option.kind is SECRET:
                found.append(value)
            elif value and option.kind is SECRETS:
                found += value.values()
        return found


def _declared(scheme: str) -> dict[str, Option]:
    return declared(DESTINATIONS[scheme].options)


def read(raw: object) -> tuple[Shipment, ...]:
    """The entries of the setting. Raises `ConfigurationError` with all that is wrong."""
    entries = raw if isinstance(raw, list | tuple) else [raw]
    problems: list[Problem] = []
    found: dict[str, Shipment] = {}
    for number, entry in enumerate(entries, 1):
        try:
            shipment = _read_entry(entry, found)
            found[shipment.name] = shipment
        except ConfigurationError as error:
            problems += (
                replace(problem, option=f"[{number}].{problem.option or 'url'}")
                for problem in error.problems
            )
    if problems:
        raise ConfigurationError(problems)
    return tuple(found.values())


def _read_entry(entry: object, before: Container[str]) -> Shipment:
    """One entry, whose name is none of those ``before``."""
    shipment = entry if isinstance(entry, Shipment) else _read_table(entry)
    if shipment.name in before:
        raise ConfigurationError(
            Problem(
                message="two entries have one name, and would share one position",
                option="name",
                value=repr(shipment.name),
                expected="a name of its own",
            )
        )
    return shipment


def _read_table(entry: object) -> Shipment:
    table = entry if isinstance(entry, Mapping) else {"url": entry}
    url = _url_of(table)
    own = _declared(url.scheme)
    values = read_strictly(table, COMMON | own, Place())
    common = Common(**{name: value for name, value in values.items() if name in COMMON})
    return Shipment(
        url=url,
        name=common.name or _name_of(url),
        selection=Selection(common.types, common.domains),
        timeout=common.timeout,
        options={name: value for name, value in values.items() if name in own},
    )


def _url_of(table: Mapping[str, Any]) -> ServiceURL:
    """Read before the rest: it decides which options there are."""
    if "url" not in table:
        raise ConfigurationError(Problem(message="is missing", option="url", expected=_EXPECTED))
    url: ServiceURL = read_strictly({"url": table["url"]}, COMMON, Place())["url"]
    return url


def _name_of(url: ServiceURL) -> str:
    """Scheme, host, port and path: neither user nor password, so that they may change.

    Of a webhook's path, which may be its secret, there is a hash only.
    """
    scheme, _, rest = str(url).partition("?")[0].partition("://")
    place = rest.rpartition("@")[2]
    host, _, path = place.partition("/")
    if scheme in _WEB and path:
        path = urlsplit(url.text).path  # as it is, not as it is shown
        place = f"{host}-{blake2b(path.encode(), digest_size=4).hexdigest()}"
    name = _NO_SLUG.sub("-", f"{scheme}-{place}")
    return name[:_LONGEST].strip("-.")


SHIPMENTS: Final = Kind(
    "list of URLs or tables",
    f"{_EXPECTED}, or a list of them",
    read,
    lambda value: repr([each.shown_url for each in value]),
)
