"""A copy of the table: read whole, then what changed, and nothing of what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy.database.replica import Replica

from .conftest import put, row

if TYPE_CHECKING:
    from kumo_handlers.policy.database.columns import Key
    from kumo_handlers.policy.database.engine import Engine


@pytest.fixture
def replica(engine: Engine) -> Replica:
    """A replica of three rows, one of them a listener's."""
    put(
        engine,
        row("example.com", relay_to=True),
        row("*.example.com", log_oob="true"),
        row("example.com", "127.0.0.1:25", relay_to=False),
    )
    replica = Replica(engine)
    replica.read()
    return replica


def anew(engine: Engine) -> Replica:
    """The same, read whole."""
    replica = Replica(engine)
    replica.read()
    return replica


@pytest.mark.parametrize(
    ("rows", "gone", "keys"),
    [
        ([], (), set()),
        ([row("new.example", log_arf="LogThenDrop")], (), {("", "new.example")}),
        ([row("example.com")], (), {("", "example.com")}),
        ([], (("", "example.com"),), {("", "example.com")}),
        ([], (("127.0.0.1:25", "example.com"),), {("127.0.0.1:25", "example.com")}),
        ([row("*", "[::1]:25", inherit=True)], (), {("[::1]:25", "*")}),
    ],
)
def test_what_changed(
    replica: Replica, rows: list[Any], gone: tuple[Key, ...], keys: set[Key]
) -> None:
    """Only that is read, and the copy is what it would be, read whole; its hash is, too."""
    before = replica.source.digest
    put(replica.engine, *rows, gone=gone)
    assert replica.renew() == keys
    whole = anew(replica.engine)
    assert replica.entries == whole.entries
    assert replica.source.digest == whole.source.digest
    assert (replica.source.digest == before) is (not keys)
    assert replica.version == whole.version


@pytest.mark.parametrize(
    "spelling", [("Example.ORG", ""), ("example.org.", ""), ("example.org", "localhost:26")]
)
def test_another_spelling(replica: Replica, spelling: tuple[str, str]) -> None:
    """Whoever writes a name in another spelling has all of the table read again, and rightly."""
    put(replica.engine, row(*spelling, relay_to=True))
    assert replica.renew() is None
    put(replica.engine, row(*spelling, relay_to=False))
    assert replica.renew() is None
    assert replica.entries == anew(replica.engine).entries
    put(replica.engine, gone=(spelling[::-1],))
    assert replica.renew() is None
    assert replica.entries == anew(replica.engine).entries


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (
            row("a.example", relay_from='["10.0.0.1/24"]'),
            (
                "domain a.example, option relay_from: not a network, got '10.0.0.1/24'; expected an"
                " IP address, a CIDR block, or any (Did you mean 10.0.0.0/24?)"
            ),
        ),
        (
            row("a.example", "127.0.0.1:25", log_oob="LogThenDelete"),
            (
                "domain a.example of listener 127.0.0.1:25, option log_oob: wrong value, got"
                " 'LogThenDelete'; expected one of true, false, Ignore, LogThenDrop, LogThenRelay"
            ),
        ),
        (row("a.example", inherit=True), "domain a.example, option inherit: is for the section"),
        (row("a.*.example"), "domain a.*.example: 'a.*.example' is not a domain"),
        (row(""), 'domain "": '),
        (row("listener"), "domain listener: is no domain here"),
        (row("EXAMPLE.com"), "are the same domain"),
        (row("a.example", "somewhere"), "no listener, got 'somewhere'"),
    ],
)
def test_what_is_wrong(replica: Replica, wrong: Any, expected: str) -> None:
    """It is named with database, table, row, option, value; nothing of the change is taken."""
    before, digest = anew(replica.engine).entries, replica.source.digest
    put(replica.engine, wrong, row("fine.example"))
    for question in (replica.renew, replica.read, replica.renew):
        with pytest.raises(ConfigurationError) as caught:
            question()
        assert expected in str(caught.value)
        assert f"{replica.name}: " in str(caught.value)
        assert replica.name.endswith(" table listener_domains")
    assert (replica.entries, replica.source.digest) == (before, digest)
    put(replica.engine, gone=((wrong[0], wrong[1]),))
    replica.renew()
    assert "fine.example" in replica.entries.general
    assert replica.entries == anew(replica.engine).entries


def test_too_many_changes(replica: Replica) -> None:
    """What is not listed is read whole."""
    put(replica.engine, *(row(f"{number}.example") for number in range(50_001)), many=True)
    assert replica.renew() is None
    assert len(replica.entries.general) == 50_003


def test_a_backup_put_back(replica: Replica, engine: Engine) -> None:
    """A table that counts from lower down is another one: it is read whole."""
    put(engine, row("new.example"))
    replica.renew()
    known = replica.version
    assert known
    replica.version = type(known)(known.number + 7)
    assert replica.renew() is None
