"""What a listener does with mail for, and from, one domain."""

import enum
from typing import Annotated, Final

import msgspec

from kumo_handlers.policy.kinds import BOOL, NETWORKS, STRINGS, choice_or_bool
from kumo_handlers.policy.networks import Networks
from kumo_handlers.policy.options import Declared, declared


class ReportDisposition(enum.Enum):
    """What becomes of a report. ``LOG`` is what ``true`` says: relayed if mail may be relayed."""

    IGNORE = "Ignore"
    LOG = "true"
    LOG_THEN_DROP = "LogThenDrop"
    LOG_THEN_RELAY = "LogThenRelay"

    def __init__(self, word: str) -> None:
        # Whether reports are looked for, and so accepted: asked of every mail, several times.
        self.logs: Final = word != "Ignore"


_DISPOSITION = choice_or_bool(
    ReportDisposition, true=ReportDisposition.LOG, false=ReportDisposition.IGNORE
)
# The top-level table of a rule file that is no domain: it holds the sections of the listeners.
SECTIONS: Final = "listener"
NOWHERE: Final = Networks.parse(())


class ListenerDomain(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The options of one entry. Equal entries are one object, however many domains share it."""

    relay_to: Annotated[
        bool, Declared(BOOL, "accept mail addressed to the domain, from anyone")
    ] = False
    relay_from: Annotated[
        Networks,
        Declared(
            NETWORKS, "peers that may relay anywhere when the envelope sender is of the domain"
        ),
    ] = NOWHERE
    relay_from_authz: Annotated[
        frozenset[str],
        Declared(
            STRINGS, "identities that, once authenticated, may relay anywhere from the domain"
        ),
    ] = frozenset()
    log_oob: Annotated[
        ReportDisposition, Declared(_DISPOSITION, "accept and log bounces (RFC 3464)")
    ] = ReportDisposition.IGNORE
    log_arf: Annotated[
        ReportDisposition, Declared(_DISPOSITION, "accept and log feedback reports (RFC 5965)")
    ] = ReportDisposition.IGNORE
    inherit: Annotated[
        bool,
        Declared(
            BOOL, "in a listener's section: start from the domain's general options, not from none"
        ),
    ] = False


OPTIONS: Final = declared(
    ListenerDomain, ttl="rules are read from files, which are watched; nothing has to expire"
)
