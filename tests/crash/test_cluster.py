"""Whatever of a cluster is killed: nothing acknowledged is missing, and nothing counts twice."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers import postgresql as postgresql_server
from tests.servers import rabbitmq as rabbitmq_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

HARNESS = Path(__file__).with_name("cluster.py")


@pytest.mark.skipif(bool(rabbitmq_server.WHY_NOT), reason=rabbitmq_server.WHY_NOT)
@pytest.mark.skipif(
    postgresql_server.missing() is not None, reason=str(postgresql_server.missing())
)
def test_one_of_each_is_killed(run: Callable[..., str]) -> None:
    """An intake, a worker, RabbitMQ and PostgreSQL, under load; then the books are right."""
    words = ["--rounds", "4", "--intakes", "2", "--workers", "2", "--spell", "1.0"]
    printed = run("cluster.py", *words)
    assert "0 acknowledged, but missing" in printed
    assert "0 counted twice by key" in printed


def script(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of the harness, which is a folder of scripts."""
    monkeypatch.syspath_prepend(str(HARNESS.parent))
    path = HARNESS.with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"cluster_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


class Books:
    """Books in which everything is right, until a test changes that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._account, load = script("cluster_account", monkeypatch), script("load", monkeypatch)
        self.sent = {name: load._make(int(name[1:])) for name in ("m1", "m3", "m4")}
        self.records = {
            "m1": [self.record("Reception", "m1@kept.example", "k")],
            "m3": [self.record("Reception", "m3.0@relay.example")],
            "m4": [self.record("OOB", "m4@dest.example")],
        }
        self.records["m3"].append(self.record("Delivery", "m3.0@relay.example"))
        self.keys = Counter({str(number): 1 for number in range(4)})
        self.logged = {*self.keys}
        self.relayed = Counter({"m3.0@relay.example": 1})
        self.suppressed = Counter({"m4@dest.example": 1})
        self.kept = {"k.eml"}
        self.torn = self.dead = 0

    def record(self, kind: str, recipient: str, name: str = "i", duplicates: int = 0) -> Any:
        """One of the table's."""
        return self._account.Line(kind, name, "", recipient, self._account.Meta(duplicates))

    def faults(self) -> dict[str, int]:
        """Those that there are."""
        shared = SimpleNamespace(keys=self.keys, of=self.records, suppressed=self.suppressed)
        logs = SimpleNamespace(keys=self.logged, kept=self.kept, torn=self.torn, lines=4)
        load = SimpleNamespace(sent=self.sent, acknowledged={*self.sent}, refused=Counter())
        account = self._account.ClusterAccount(load, logs, shared, self.relayed, self.dead)
        assert account.figures()["messages sent"] == 3
        return {name: count for name, count in account.faults().items() if count}


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> Books:
    """They are right."""
    return Books(monkeypatch)


def lose_bounce(books: Books) -> None:
    """Its record."""
    books.records["m4"].clear()


def lose_kept(books: Books) -> None:
    """The message that nobody could read."""
    books.kept.clear()


def lose_letter(books: Books) -> None:
    """It never came to the relay."""
    books.relayed.clear()


def count_key_twice(books: Books) -> None:
    """Two rows with one key."""
    books.keys["3"] = 2


def receive_twice(books: Books) -> None:
    """Two records about one reception."""
    books.records["m3"] *= 2


def deliver_untold(books: Books) -> None:
    """The relay has it, and no record says so."""
    books.records["m3"].pop()


def deliver_twice(books: Books) -> None:
    """And no record says that this may be."""
    books.relayed["m3.0@relay.example"] = 2


def lose_record(books: Books) -> None:
    """One that a node logged is not in the table."""
    books.logged.add("another")


def suppress_twice(books: Books) -> None:
    """One report, two rows."""
    books.suppressed["m4@dest.example"] = 2


def tear(books: Books) -> None:
    """A line."""
    books.torn = 1


def bury(books: Books) -> None:
    """A message."""
    books.dead = 1


def test_right_books_have_no_fault(books: Books) -> None:
    """Nor is a second delivery one that a record owns up to."""
    assert books.faults() == {}
    books.relayed["m3.0@relay.example"] = 2
    books.records["m3"][1] = books.record("Delivery", "m3.0@relay.example", duplicates=1)
    assert books.faults() == {}


@pytest.mark.parametrize(
    ("damage", "faults"),
    [
        (lose_bounce, {"acknowledged, but missing": 1}),
        (lose_kept, {"acknowledged, but missing": 1}),
        (lose_letter, {"acknowledged, but missing": 1}),
        (count_key_twice, {"counted twice by key": 1}),
        (receive_twice, {"receptions and reports counted twice": 1}),
        (deliver_untold, {"delivered, and no record says so": 1}),
        (deliver_twice, {"delivered twice, and not labelled": 1}),
        (lose_record, {"records that did not reach the table": 1}),
        (suppress_twice, {"reports not suppressed once": 1}),
        (tear, {"torn lines": 1}),
        (bury, {"dead letters": 1}),
    ],
)
def test_each_fault_is_seen(books: Books, damage: Any, faults: dict[str, int]) -> None:
    """One at a time."""
    damage(books)
    assert books.faults() == faults
