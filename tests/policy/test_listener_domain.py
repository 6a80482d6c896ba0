"""The options of a listener domain."""

from __future__ import annotations

import gc

import pytest

from kumo_handlers.policy.listener_domain import OPTIONS, ListenerDomain, ReportDisposition
from kumo_handlers.policy.networks import Networks
from kumo_handlers.policy.options import Place, read_strictly


@pytest.mark.parametrize(
    ("raw", "disposition", "logs"),
    [
        (True, ReportDisposition.LOG, True),
        (False, ReportDisposition.IGNORE, False),
        ("Ignore", ReportDisposition.IGNORE, False),
        ("LogThenDrop", ReportDisposition.LOG_THEN_DROP, True),
        ("LogThenRelay", ReportDisposition.LOG_THEN_RELAY, True),
    ],
)
@pytest.mark.parametrize("option", ["log_oob", "log_arf"])
def test_what_becomes_of_reports(
    option: str,
    raw: object,
    disposition: ReportDisposition,
    logs: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Booleans and words, for either option; all but one look for reports."""
    assert read_strictly({option: raw}, OPTIONS, Place()) == {option: disposition}
    assert disposition.logs is logs


def test_defaults_refuse_everything() -> None:
    """An entry that says nothing allows nothing."""
    nothing = ListenerDomain()
    assert not nothing.relay_to
    assert not nothing.relay_from
    assert not nothing.relay_from_authz
    assert not nothing.log_oob.logs
    assert not nothing.log_arf.logs
    assert not nothing.inherit


def test_entries_cost_the_collector_nothing() -> None:
    """A map of a million of them is not even looked at."""
    assert not gc.is_tracked(ListenerDomain(relay_from=Networks.parse(["::1"])))


def test_every_option_has_words_for_people() -> None:
    """The same rows are the documentation, and the time to live is among them."""
    assert list(OPTIONS) == [*ListenerDomain.__struct_fields__, "ttl"]
    assert all(option.help for option in OPTIONS.values())
