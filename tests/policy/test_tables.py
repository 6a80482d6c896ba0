"""Listener domains as a policy: sections, merging, versions, and a file of many domains."""

from __future__ import annotations

import gc
import json
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy.listener_domain import ListenerDomain, ReportDisposition
from kumo_handlers.policy.tables import Tables, load

if TYPE_CHECKING:
    from pathlib import Path

    from kumo_handlers.policy.base import Policy


def session(local: str = "", listener: str = "") -> Session:
    """A client connected there."""
    return Session("1", Peer("192.0.2.1", 4242), listener=listener, local=local)


SECTIONS = {
    "example.com": {"relay_to": True},
    "*.example.com": {"log_oob": True},
    "listener": {
        "127.0.0.1:25": {"*.example.com": {"log_arf": True}},
        "0.0.0.0:25": {"example.com": {"log_arf": True}},
        "[::1]:25": {"*": {}},
    },
}


@pytest.mark.parametrize(
    ("domain", "local", "listener", "entry"),
    [
        ("example.com", "", "", '["example.com"]'),
        ("example.com", "192.0.2.9:25", "192.0.2.9:25", '["example.com"]'),
        ("example.com", "192.0.2.9:25", "0:25", '[listener."0.0.0.0:25"."example.com"]'),
        ("example.com", "127.0.0.1:25", "0:25", '[listener."0.0.0.0:25"."example.com"]'),
        ("a.example.com", "127.0.0.1:25", "0:25", '[listener."127.0.0.1:25"."*.example.com"]'),
        (
            "a.example.com",
            "127.0.0.1:25",
            "127.0.0.1:25",
            '[listener."127.0.0.1:25"."*.example.com"]',
        ),
        ("a.example.com", "127.0.0.1:25", "[::1]:25", '[listener."127.0.0.1:25"."*.example.com"]'),
        ("a.example.com", "192.0.2.9:25", "0:25", '["*.example.com"]'),
        ("a.example.com", "", "localhost:25", '[listener."127.0.0.1:25"."*.example.com"]'),
        ("example.com", "127.0.0.1:25", "127.0.0.1:25", '["example.com"]'),
        ("example.com", "[::1]:25", "[::]:25", '[listener."[::1]:25"."*"]'),
        ("", "[::1]:25", "[::]:25", '[listener."[::1]:25"."*"]'),
        ("", "127.0.0.1:25", "0:25", ""),
        ("example.com", "no endpoint", "unix:/run/smtp", '["example.com"]'),
    ],
)
def test_which_section_answers(domain: str, local: str, listener: str, entry: str) -> None:
    """The address connected to, the listener as written, the general part: whichever has one."""
    found = load([SECTIONS]).find(domain, session(local, listener))
    assert str(found or "") == entry


def test_an_entry_is_the_whole_answer() -> None:
    """What the listener's entry does not say is off, whatever the general one says."""
    found = load([SECTIONS]).find("a.example.com", session("127.0.0.1:25"))
    assert found
    assert found.options == ListenerDomain(log_arf=ReportDisposition.LOG)


def test_inherit_keeps_the_general_options() -> None:
    """Those of the general entry for the name, but for what the listener's entry says."""
    table = {
        "*.example.com": {"relay_to": True, "log_oob": True},
        "listener": {"127.0.0.1:25": {"*.example.com": {"inherit": True, "log_oob": False}}},
    }
    found = load([table]).find("a.example.com", session("127.0.0.1:25"))
    assert found
    assert found.options == ListenerDomain(relay_to=True, inherit=True)


def test_the_answer_in_every_section() -> None:
    """For the routes: the listeners' entries, then the general one."""
    answers = [str(found) for found in load([SECTIONS]).find_anywhere("a.example.com")]
    assert answers == [
        '[listener."127.0.0.1:25"."*.example.com"]',
        '[listener."[::1]:25"."*"]',
        '["*.example.com"]',
    ]
    assert list(load([]).find_anywhere("a.example.com")) == []


def test_every_entry_can_be_listed() -> None:
    """For whoever checks them."""
    assert len(list(load([SECTIONS]).entries())) == 5


def test_sources_are_merged_option_by_option(tmp_path: Path) -> None:
    """TOML, then JSON, then a table in place: the later wins, the rest stays."""
    toml, more = tmp_path / "a.toml", tmp_path / "b.json"
    toml.write_text('["example.com"]\nrelay_to = true\nlog_oob = true\nlog_arf = true\n')
    more.write_text(json.dumps({"EXAMPLE.com": {"log_oob": False}, "example.org": {}}))
    tables = load([str(toml), more, {"example.com.": {"log_arf": "LogThenDrop"}}])
    found = tables.find("example.com", session())
    assert found
    assert found.options == ListenerDomain(relay_to=True, log_arf=ReportDisposition.LOG_THEN_DROP)
    assert tables.origin(found) == f"{toml}:1, {more}:1, table 3"
    assert tables.files == (str(toml), str(more))


def test_version_follows_the_content() -> None:
    """The same tables are the same version, and any other is another."""
    assert load([SECTIONS]).version == load([SECTIONS]).version != load([{}]).version


def test_warnings_are_logged_and_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Braces for brackets: read, and said so once."""
    path = tmp_path / "rules.toml"
    path.write_text("[\"a.example\"]\nrelay_from = { '10.0.0.0/24' }\n")
    caplog.set_level(logging.WARNING)
    tables = load([path])
    assert [problem.line for problem in tables.warnings] == [2]
    assert [record.getMessage() for record in caplog.records] == [str(tables.warnings[0])]


@pytest.mark.parametrize("source", [{}, {"example.com": {"relay_to": 1}}])
def test_the_collector_is_left_as_it_was(source: dict[str, Any]) -> None:
    """Whether loading succeeds or fails."""
    assert gc.isenabled()
    with suppress(ConfigurationError):
        load([source])
    assert gc.isenabled()


def test_tables_are_a_policy() -> None:
    """What the rest of the house asks of one, checked by the type checker as well."""
    policy: Policy = load([])
    assert isinstance(policy, Tables)
    assert policy.listeners == ()
    assert policy.files == ()


def test_a_large_file_loads_quickly_and_costs_little(tmp_path: Path) -> None:
    """100,000 domains: measured 0.45 s; no object for each of them, so no pause afterwards."""
    path = tmp_path / "many.toml"
    options = ["relay_to = true", "log_oob = true\nlog_arf = true", 'relay_from = ["10.0.0.0/24"]']
    path.write_text(
        "".join(f'["d{number}.example"]\n{options[number % 3]}\n' for number in range(100_000))
    )
    began = time.process_time()
    tables = load([path])
    assert time.process_time() - began < 3
    assert len({id(found.options) for found in tables.entries()}) == 3
    found = tables.find("d99999.example", session())
    assert found
    assert tables.origin(found) == f"{path}:233332"
