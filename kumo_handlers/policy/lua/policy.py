"""A KumoMTA policy as a policy of this house."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kumo_handlers.policy.tables import Tables

if TYPE_CHECKING:
    from kumo_handlers.policy.lua.declarations import Declarations
    from kumo_handlers.policy.lua.domains import LuaDomains
    from kumo_handlers.policy.lua.events import LuaEvents
    from kumo_handlers.policy.lua.scripts import Scripts


class LuaPolicy:
    """Listeners, domains and events of a script. Made by `load`.

    Its look-ups are those of ``domains``, without anything in between: for the policy helper
    that is the tables themselves.
    """

    def __init__(
        self,
        scripts: Scripts,
        declared: Declarations,
        domains: LuaDomains | Tables,
        events: LuaEvents,
    ) -> None:
        self.events = events
        self.listeners = tuple(declared.listeners)
        files = (*scripts.files, *(file for each in declared.tables for file in each.files))
        self.files = tuple(dict.fromkeys(files))
        versions = (scripts.digest, *(each.version for each in declared.tables))
        self.version = hashlib.sha256("".join(versions).encode()).hexdigest()[:16]
        self.warnings = tuple(each for tables in declared.tables for each in tables.warnings)
        self.find = domains.find
        self.find_anywhere = domains.find_anywhere
        self.entries = domains.entries
        self.origin = domains.origin
        if isinstance(domains, Tables):
            self.walk = domains.walk
