"""Addresses not to write to again: each permanent bounce, each complaint, once.

Meant to be copied: list it among the handlers on reports, behind `arf` and `oob`.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing

from salmon.routing import nolocking, route_like, stateless

from kumo_handlers.handlers import arf, oob
from kumo_handlers.journal.record import Record
from kumo_handlers.pipeline.received_mail import ReceivedMail

DATABASE = "run/suppression.sqlite3"
_TABLE = """
CREATE TABLE IF NOT EXISTS suppression (
    address TEXT NOT NULL, why TEXT NOT NULL, at REAL NOT NULL, key TEXT NOT NULL,
    PRIMARY KEY (address, key)
)"""


@route_like(oob.START)
@stateless
@nolocking
def BOUNCED(message: ReceivedMail, **_: str) -> None:
    """Suppress each recipient that failed for good."""
    for record in message.records:
        if record.type == "OOB" and record.report["permanence"] == "permanent":
            suppress([record.recipient], f"bounce: {record.bounce_classification}", record)


@route_like(arf.START)
@stateless
@nolocking
def COMPLAINED(message: ReceivedMail, **_: str) -> None:
    """Suppress who complained; `not-spam` and `auth-failure` are no complaints."""
    for record in message.records:
        if record.type == "Feedback" and record.report["complaint"]:
            kind = record.feedback_report["feedback_type"]
            suppress(record.feedback_report["original_rcpto_to"], f"complaint: {kind}", record)


def suppress(addresses: Iterable[str], why: str, record: Record) -> None:
    """Remember ``addresses``. The key makes a report that is delivered twice count once."""
    rows = [(each, why, record.event_time, record.key) for each in addresses if each]
    with closing(sqlite3.connect(DATABASE)) as database, database:
        database.execute(_TABLE)
        database.executemany("INSERT OR IGNORE INTO suppression VALUES (?, ?, ?, ?)", rows)
