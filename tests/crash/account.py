"""After the last round: every message accounted for, and each figure told."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from load import Load, Mail

ENDS = ("Delivery", "Bounce", "Expiration")


class Meta(msgspec.Struct):
    """As much of a record's ``meta`` as is looked at."""

    possible_duplicates: int = 0


class Line(msgspec.Struct):
    """As much of a record as is looked at: a long run has millions of them."""

    type: str
    id: str
    sender: str
    recipient: str
    meta: Meta


_LINES = msgspec.json.Decoder(Line)


class Account:
    """The log, the folder of kept messages and the relay's book, against what was sent."""

    def __init__(self, run_dir: Path, load: Load, relayed: Counter[str]) -> None:
        self._load = load
        self._relayed = relayed
        self._kept = {path.name for path in (run_dir / "unparsed").glob("*.eml")}
        self.torn = 0
        self._records: dict[str, list[Line]] = defaultdict(list)
        for path in sorted((run_dir / "log").glob("*.jsonl")):
            self._read(path.read_bytes())
        log = (run_dir / "app.log").read_text()
        self.repaired = log.count("torn line")
        self.added = log.count("records of the last run are added")

    def _read(self, octets: bytes) -> None:
        for line in octets.splitlines(keepends=True):
            try:
                record = _LINES.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.torn += 1
                continue
            self.torn += not line.endswith(b"\n")
            self._records[name_of(record)].append(record)

    def figures(self) -> dict[str, int]:
        """What was counted; those that must be 0 come last."""
        sent = self._load.sent.values()
        return {
            "messages sent": len(sent),
            "acknowledged": len(self._load.acknowledged),
            "records": sum(map(len, self._records.values())),
            "torn lines repaired at start": self.repaired,
            "starts that added records to the log": self.added,
            "delivered twice, and labelled": sum(self._twice(mail)[0] for mail in sent),
            **self.faults(),
        }

    def faults(self) -> dict[str, int]:
        """What must not be."""
        sent = self._load.sent.values()
        return {
            "acknowledged, but missing": sum(map(self._is_missing, sent)),
            "records logged twice": sum(map(self._repeated, sent)),
            "recipients without exactly one end": sum(map(self._wrong_ends, sent)),
            "delivered twice, and not labelled": sum(self._twice(mail)[1] for mail in sent),
            "torn lines": self.torn,
        }

    def _of(self, mail: Mail, *kinds: str) -> Iterable[Line]:
        return (each for each in self._records[mail.name] if each.type in kinds)

    def _is_missing(self, mail: Mail) -> bool:
        if mail.name not in self._load.acknowledged:
            return False
        if mail.kind == "bounce":
            return not list(self._of(mail, "OOB"))
        receptions = list(self._of(mail, "Reception"))
        if mail.kind == "unreadable":
            return not any(each.id + ".eml" in self._kept for each in receptions)
        delivered = sum(self._relayed[recipient] > 0 for recipient in mail.recipients)
        return not receptions or delivered < len(mail.recipients)

    def _repeated(self, mail: Mail) -> int:
        kind = "OOB" if mail.kind == "bounce" else "Reception"
        found = Counter(each.recipient for each in self._of(mail, kind))
        return sum(count - 1 for count in found.values())

    def _wrong_ends(self, mail: Mail) -> int:
        accepted = {each.recipient for each in self._of(mail, "Reception")}
        if mail.kind != "relayed" or not accepted:
            return 0
        ends = Counter(each.recipient for each in self._of(mail, *ENDS))
        return sum(ends[recipient] != 1 for recipient in mail.recipients)

    def _twice(self, mail: Mail) -> tuple[int, int]:
        """Recipients that were given it more than once: those labelled so, and the others."""
        labelled = {
            each.recipient for each in self._of(mail, "Delivery") if each.meta.possible_duplicates
        }
        twice = {each for each in mail.recipients if self._relayed[each] > 1}
        return len(twice & labelled), len(twice - labelled)


def name_of(record: Line) -> str:
    """Whose record it is: names stand in the sender's address, or in our own domains'."""
    for address in (record.recipient, record.sender):
        local_part, _, domain = address.partition("@")
        if domain in ("src.example", "oob.example", "kept.example", "fbl.example", "relay.example"):
            return local_part.partition(".")[0]
    return ""
