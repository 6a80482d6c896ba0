"""Sources that are followed: what changed is taken, whole or not at all, and nothing else."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.policy import tables
from kumo_handlers.policy.database.engine import open_engine
from kumo_handlers.policy.following import Following

from .database.conftest import put, row

if TYPE_CHECKING:
    from kumo_handlers.policy.tables import Tables
    from tests.servers.postgresql import Server

FILE = """
["example.com"]
relay_to = true
[listener."127.0.0.1:25"."example.com"]
inherit = true
log_oob = true
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with an empty table."""
    url = f"sqlite:{tmp_path}/rules.sqlite3"
    open_engine(url).create()
    return url


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A file of rules."""
    path = tmp_path / "rules.toml"
    path.write_text(FILE)
    return str(path)


def answers(policy: Tables, domain: str) -> list[str]:
    """What is found in general, and at the listener that has a section."""
    sessions = [Session("", Peer("")), Session("", Peer(""), "127.0.0.1:25", "127.0.0.1:25")]
    return [repr(policy.find(domain, session)) for session in sessions]


def test_a_row_stands_over_a_file(url: str, file: str) -> None:
    """Option by option, the later source winning; taken out, the file's stands again."""
    following = Following([file, url])
    first = following.load()
    put(open_engine(url), row("example.com", log_arf="true"))
    changed = following.renew()
    assert changed.version != first.version
    for place in range(2):
        assert "relay_to=True" in answers(changed, "example.com")[place]
        assert "log_arf=<ReportDisposition.LOG" in answers(changed, "example.com")[place]
    put(open_engine(url), gone=(("", "example.com"),))
    again = following.renew()
    assert answers(again, "example.com") == answers(first, "example.com")
    assert again.version == first.version


def test_the_signature_differs_with_each_change(url: str, file: str) -> None:
    """Of a file, of a table, and not otherwise."""
    following = Following([url, file])
    following.load()
    seen = [following.signature()]
    assert following.signature() == seen[0]
    put(open_engine(url), row("a.example"))
    seen.append(following.signature())
    Path(file).write_text(FILE + "\n")
    seen.append(following.signature())
    assert len(set(seen)) == 3


def test_a_changed_file_is_read_and_the_table_is_not(url: str, file: str) -> None:
    """A million rows are not read again because of a line."""
    following = Following([url, file])
    following.load()
    (replica,) = following._replicas
    entries = replica.entries
    Path(file).write_text(FILE.replace("example.com", "example.org"))
    assert "relay_to=True" in answers(following.renew(), "example.org")[0]
    assert replica.entries is entries


def test_one_source_wrong(url: str, file: str) -> None:
    """Nothing is taken of the others either; mended, all of it is."""
    following = Following([url, file])
    before = following.load()
    Path(file).write_text("[example.com]")
    put(open_engine(url), row("a.example", relay_to=True))
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"rules\.toml:1"):
            following.renew()
    Path(file).write_text(FILE)
    after = following.renew()
    assert answers(before, "a.example") == ["None", "None"]
    assert "relay_to=True" in answers(after, "a.example")[0]


def test_asked_for_without_a_change(url: str) -> None:
    """Everything is read anew: what SIGHUP is for."""
    following = Following([url])
    following.load()
    (replica,) = following._replicas
    entries = replica.entries
    following.renew()
    assert replica.entries is not entries


def test_nobody_answers_at_the_start(tmp_path: Path) -> None:
    """A start without rules is none."""
    with pytest.raises(ConfigurationError, match="nowhere"):
        Following([f"sqlite:{tmp_path}/nowhere"]).load()


def test_it_answers_no_more(
    postgresql: Server, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What was read stays in force, files are followed on; said once; back, it is followed."""
    caplog.set_level(logging.INFO)
    with postgresql.database() as url:
        with closing(open_engine(url)) as engine:
            engine.create()
            put(engine, row("a.example", relay_to=True))
        following = Following([url, file])
        before = following.load()
        seen = following.signature()
        postgresql.kill()
        assert [following.signature() for _ in range(3)] == [seen] * 3
        assert following.silent == 1
        Path(file).write_text(FILE + '["b.example"]\nrelay_to = true')
        without = following.renew()
        assert answers(without, "a.example") == answers(before, "a.example")
        assert "relay_to=True" in answers(without, "b.example")[0]
        assert "relay_to=True" in answers(following.load(), "a.example")[0]
        postgresql.start()
        with closing(open_engine(url)) as engine:
            put(engine, row("a.example", relay_to=False))
        assert following.signature() != seen
        assert following.silent == 0
        assert "relay_to=False" in answers(following.renew(), "a.example")[0]
        following.close()
    said = [each.getMessage() for each in caplog.records]
    assert len(said) == 2
    assert said[0].startswith("the rules stay as they were: postgresql://mail:***@127.0.0.1:")
    assert said[1].endswith("answers again")


def test_each_changed_row_has_its_own_options(url: str) -> None:
    """However many at once, and whatever other sources say of the same domains."""
    names = [f"d{number}.example" for number in range(50)]
    networks = {name: f"10.0.0.{number}/32" for number, name in enumerate(names)}
    following = Following([{name: {"relay_to": True} for name in names}, url])
    following.load()
    with closing(open_engine(url)) as engine:
        put(engine, *(row(name, relay_from=json.dumps([networks[name]])) for name in names))
    renewed = following.renew()
    for name in names:
        assert networks[name] in answers(renewed, name)[0]


NAMES = ["a.example", "b.example", "*.example", "*.b.example", "*"]
SECTIONS = ["", "127.0.0.1:25", "127.0.0.1:26"]
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "relay_to": st.booleans(),
        "log_oob": st.sampled_from(["true", "LogThenDrop"]),
        "relay_from": st.sampled_from([["10.0.0.0/8"], ["any"]]),
        "inherit": st.booleans(),
    },
)
CHANGE = st.tuples(st.sampled_from(SECTIONS), st.sampled_from(NAMES), st.none() | OPTIONS)
QUESTIONS = ["a.example", "b.example", "c.example", "d.b.example", "elsewhere"]


def as_row(section: str, name: str, options: dict[str, Any]) -> Any:
    """A change as a row."""
    listed = {key: json.dumps(value) for key, value in options.items() if key == "relay_from"}
    inherit = {} if section else {"inherit": None}
    return row(name, section, **(options | listed | inherit))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(CHANGE, max_size=4), min_size=1, max_size=4))
def test_followed_is_as_read(tmp_path: Path, changes: list[list[Any]]) -> None:
    """After any changes, the policy that was followed is the one that is read whole."""
    path = tmp_path / "rules.sqlite3"
    path.unlink(missing_ok=True)
    url = f"sqlite:{path}"
    engine = open_engine(url)
    engine.create()
    sources = [
        {"a.example": {"relay_to": True}, "listener": {"127.0.0.1:25": {"*": {"inherit": True}}}},
        url,
        {"b.example": {"log_arf": True}},
    ]
    following = Following(sources)
    following.load()
    for transaction in changes:
        last = {(section, name): options for section, name, options in transaction}
        put(
            engine,
            *(as_row(*key, options) for key, options in last.items() if options is not None),
            gone=tuple(key for key, options in last.items() if options is None),
        )
        followed, whole = following.renew(), tables.load(sources)
        assert followed.version == whole.version
        for question in QUESTIONS:
            assert answers(followed, question) == answers(whole, question)
        for found in whole.entries():
            assert followed.origin(found) == whole.origin(found)
        assert sorted(map(repr, followed.entries())) == sorted(map(repr, whole.entries()))
