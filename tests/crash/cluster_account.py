"""What was acknowledged, against every node's log, the shared tables, and the relay's book."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import psycopg
from account import Line, Meta, name_of

from kumo_handlers.journal.segment import segments
from kumo_handlers.shipping.parcel import parcel

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from load import Load, Mail

REPORT = {"bounce": "OOB", "complaint": "Feedback"}
_ROWS = """\
SELECT key, type, id, sender, recipient,
    coalesce((record -> 'meta' ->> 'possible_duplicates')::int, 0)
FROM kumo_records"""


class Logs:
    """The logs of all nodes: their lines, and the keys of their records."""

    def __init__(self, run_dirs: Iterable[Path]) -> None:
        self.lines = self.torn = 0
        self.keys: set[str] = set()
        self.kept: set[str] = set()
        for run_dir in run_dirs:
            self.kept |= {path.name for path in (run_dir / "unparsed").glob("*.eml")}
            for path in segments(run_dir / "log"):
                for line in path.read_bytes().splitlines(keepends=True):
                    self._read(line)

    def _read(self, line: bytes) -> None:
        self.lines += 1
        try:
            self.keys.add(parcel(line.removesuffix(b"\n")).key)
        except ValueError:
            self.torn += 1
        else:
            self.torn += not line.endswith(b"\n")


class Shared:
    """What the database has: records, and who is suppressed."""

    def __init__(self, url: str) -> None:
        with psycopg.connect(url) as connection:
            rows = connection.execute(_ROWS).fetchall()
            self.suppressed: Counter[str] = Counter(
                address for (address,) in connection.execute("SELECT address FROM suppression")
            )
        self.keys = Counter(key for key, *_ in rows)
        self.of: dict[str, list[Line]] = defaultdict(list)
        for _, *fields, duplicates in rows:
            record = Line(*fields, Meta(duplicates))
            self.of[name_of(record)].append(record)


class ClusterAccount:
    """Each message, wherever it went."""

    def __init__(
        self, load: Load, logs: Logs, shared: Shared, relayed: Counter[str], dead: int
    ) -> None:
        self._load = load
        self._logs = logs
        self._shared = shared
        self._relayed = relayed
        self._dead = dead

    def figures(self) -> dict[str, int]:
        """What was counted; those that must be 0 come last."""
        return {
            "messages sent": len(self._load.sent),
            "acknowledged": len(self._load.acknowledged),
            "refused for now (451, 421)": sum(self._load.refused.values()),
            "deliveries to the relay": self._relayed.total(),
            "records in the logs of the nodes": self._logs.lines,
            "records in the table": self._shared.keys.total(),
            "delivered twice, and labelled": self._sum(lambda mail: self._twice(mail)[0]),
            **self.faults(),
        }

    def faults(self) -> dict[str, int]:
        """What must not be."""
        return {
            "acknowledged, but missing": self._sum(self._is_missing),
            "counted twice by key": sum(count - 1 for count in self._shared.keys.values()),
            "receptions and reports counted twice": self._sum(self._repeated),
            "delivered, and no record says so": self._sum(self._untold),
            "delivered twice, and not labelled": self._sum(lambda mail: self._twice(mail)[1]),
            "records that did not reach the table": len(self._logs.keys - self._shared.keys.keys()),
            "reports not suppressed once": self._sum(self._wrongly_suppressed),
            "torn lines": self._logs.torn,
            "dead letters": self._dead,
        }

    def missing(self) -> list[str]:
        """The names of those that are."""
        return [mail.name for mail in self._load.sent.values() if self._is_missing(mail)]

    def _sum(self, figure: Any) -> int:
        return sum(map(figure, self._load.sent.values()))

    def _of(self, mail: Mail, kind: str) -> list[Line]:
        return [each for each in self._shared.of[mail.name] if each.type == kind]

    def _is_missing(self, mail: Mail) -> bool:
        """Acknowledged, and a recipient has neither the message nor the record of a report."""
        if mail.name not in self._load.acknowledged:
            return False
        if mail.is_report:
            return not self._of(mail, REPORT[mail.kind])
        receptions = {each.recipient: each.id for each in self._of(mail, "Reception")}
        if mail.kind == "unreadable":
            return not any(f"{name}.eml" in self._logs.kept for name in receptions.values())
        return not all(each in receptions and self._relayed[each] for each in mail.recipients)

    def _repeated(self, mail: Mail) -> int:
        found = Counter(
            each.recipient for each in self._of(mail, REPORT.get(mail.kind, "Reception"))
        )
        return found.total() - len(found)

    def _untold(self, mail: Mail) -> int:
        told = {each.recipient for each in self._of(mail, "Delivery")}
        return sum(self._relayed[each] > 0 and each not in told for each in mail.recipients)

    def _twice(self, mail: Mail) -> tuple[int, int]:
        """Recipients that were given it more than once: those labelled so, and the others."""
        labelled = {
            each.recipient for each in self._of(mail, "Delivery") if each.meta.possible_duplicates
        }
        twice = {each for each in mail.recipients if self._relayed[each] > 1}
        return len(twice & labelled), len(twice - labelled)

    def _wrongly_suppressed(self, mail: Mail) -> bool:
        if not mail.is_report or mail.name not in self._load.acknowledged:
            return False
        return self._shared.suppressed[f"{mail.name}@dest.example"] != 1


def dump(figures: dict[str, int]) -> str:
    """A line a figure, as people read it."""
    return "\n".join(f"{figure:8} {name}" for name, figure in figures.items())
