"""Listener domains from tables: TOML and JSON files, and tables given in place.

Sources are merged option by option, later ones winning. An entry of a listener's section is the
whole answer there, unless it inherits the domain's general options. Nothing is taken of sources
that have anything wrong with them.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.policy import source
from kumo_handlers.policy.base import Found
from kumo_handlers.policy.endpoint import canonical
from kumo_handlers.policy.entries import Checker, Entries
from kumo_handlers.policy.merging import Domains, merge, resolve
from kumo_handlers.policy.origins import Origins
from kumo_handlers.policy.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from kumo_handlers.mail.session import Session
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.policy.source import Source

_log = logging.getLogger(__name__)


class Tables:
    """A policy read from tables. Immutable; made by `load`."""

    listeners: tuple[Listener, ...] = ()
    events: None = None

    def __init__(
        self,
        general: Domains,
        sections: Mapping[str, Domains],
        origins: Origins,
        warnings: tuple[Problem, ...],
    ) -> None:
        self.version = origins.version
        self.files = origins.files
        self.warnings = warnings
        self._general = general
        self._sections = sections
        self._origins = origins
        # A server has few addresses, and each is asked for with every recipient.
        self._sections_for = lru_cache(maxsize=1024)(self._find_sections)

    def find(self, domain: str, session: Session) -> Found | None:
        """The first entry found: local address, listener as written, general part."""
        if self._sections:
            for section, domains in self._sections_for(session.local, session.listener):
                if hit := domains.find(domain):
                    return Found(hit[1], hit[0], section)
        hit = self._general.find(domain)
        return Found(hit[1], hit[0]) if hit else None

    def walk(self, domain: str, session: Session) -> Iterator[Step]:
        """Every key that `find` could ask for, in its order, and what stands there."""
        places = self._sections_for(session.local, session.listener)
        for section, domains in (*places, ("", self._general)):
            for key, options in domains.walk(domain):
                yield Step(section, key, Found(options, key, section) if options else None)

    def find_anywhere(self, domain: str) -> Sequence[Found]:
        """The entry for ``domain`` in each section that has one, the general part last."""
        hit = self._general.find(domain)
        general = (Found(hit[1], hit[0]),) if hit else ()
        if not self._sections:
            return general
        hits = ((section, part.find(domain)) for section, part in self._sections.items())
        return (*(Found(hit[1], hit[0], section) for section, hit in hits if hit), *general)

    def _find_sections(self, *places: str) -> tuple[tuple[str, Domains], ...]:
        """The sections of these endpoints, each once, those that there are."""
        names = dict.fromkeys(map(canonical, places))
        return tuple((name, self._sections[name]) for name in names if name in self._sections)

    def entries(self) -> Iterator[Found]:
        """Every entry there is, the general part last."""
        for section, domains in (*self._sections.items(), ("", self._general)):
            for key, options in domains.items():
                yield Found(options, key, section)

    def origin(self, found: Found) -> str:
        """``FILE:LINE`` of an entry, of each file that speaks of it.

        The first question reads the files again, line by line: a second a million lines.
        """
        return self._origins.find(found.section, found.key)


class Written(msgspec.Struct, frozen=True):
    """What the sources say, read and checked.

    ``parts`` are the sources' own entries, in their order; where they stand is for ``origins``.
    """

    parts: tuple[Entries, ...]
    origins: Origins
    warnings: tuple[Problem, ...] = ()


def load(sources: Iterable[str | Path | Mapping[str, Any]]) -> Tables:
    """Read, check and merge ``sources``: paths of files, or tables given in place.

    Raises `ConfigurationError` with every problem in any of them. Warnings are logged.
    """
    with collector_paused():
        tables = make(read(sources))
    for warning in tables.warnings:
        _log.warning("%s", warning)
    return tables


def read(sources: Iterable[str | Path | Mapping[str, Any]]) -> Written:
    """Read and check ``sources``. Raises `ConfigurationError` with every problem there is."""
    found, problems = _read_all(sources)
    checker = Checker()
    parts = tuple(checker.check(each) for each in found)
    problems += checker.problems
    if problems:
        raise ConfigurationError(problems)
    warnings = tuple(warning for each in found for warning in each.warnings)
    return Written(parts, Origins(found), warnings)


def make(written: Written) -> Tables:
    """The policy that the sources make together. The entries of each source stay as they are."""
    general, sections = resolve(merge(written.parts))
    return Tables(general, sections, written.origins, written.warnings)


def _read_all(
    sources: Iterable[str | Path | Mapping[str, Any]],
) -> tuple[list[Source], list[Problem]]:
    read: list[Source] = []
    problems: list[Problem] = []
    for number, given in enumerate(sources, 1):
        try:
            if isinstance(given, Mapping):
                read.append(source.from_mapping(f"table {number}", given))
            else:
                read.append(source.from_file(str(given)))
        except ConfigurationError as error:
            problems += error.problems
    return read, problems


@contextmanager
def collector_paused() -> Iterator[None]:
    """Nothing made while loading is garbage, and looking for it doubles the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
