"""The table that records are shipped into: its columns, its months, and what is a repeat.

The table is partitioned by the month in which a record was logged, so a month goes by dropping a
table. PostgreSQL can keep a key unique within a partition only; a report that comes again, to
another node or in another month, is found by its key in a table beside it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from kumo_handlers.shipping import parcel as parcels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.shipping.parcel import Parcel

CREATE = """\
CREATE TABLE {table} (
    key text NOT NULL,
    logged timestamptz NOT NULL,
    type text NOT NULL,
    id text NOT NULL,
    nodeid text NOT NULL,
    sender text NOT NULL,
    recipient text NOT NULL,
    domain text NOT NULL,
    bounce_classification text NOT NULL,
    code integer,
    record jsonb NOT NULL,
    PRIMARY KEY (key, logged)
) PARTITION BY RANGE (logged)"""
CREATE_REPORTS = """\
CREATE TABLE {reports} (
    key text PRIMARY KEY,
    logged timestamptz NOT NULL
)"""
CREATE_INDEX = "CREATE INDEX ON {table} (domain, logged)"
# Made apart and then attached, for that keeps no reader of the table waiting.
CREATE_MONTH = "CREATE TABLE {month} (LIKE {table} INCLUDING ALL)"
ATTACH_MONTH = """\
ALTER TABLE {table} ATTACH PARTITION {month} FOR VALUES FROM ({since}) TO ({until})"""
# Sorted, so that two nodes that ship the same reports wait for each other, and never both.
INSERT = """\
WITH given AS (
    SELECT * FROM unnest(
        %s::text[], %s::bool[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[],
        %s::text[], %s::text[], %s::text[], %s::int[], %s::text[]
    ) AS given (
        key, is_report, logged, type, id, nodeid, sender,
        recipient, domain, bounce_classification, code, record
    )
), new_reports AS (
    INSERT INTO {reports} (key, logged)
    SELECT key, min(logged) FROM given WHERE is_report GROUP BY key ORDER BY key
    ON CONFLICT DO NOTHING
    RETURNING key, logged
)
INSERT INTO {table}
SELECT key, logged, type, id, nodeid, sender, recipient, domain, bounce_classification, code,
    record::jsonb
FROM given
WHERE NOT is_report OR (key, logged) IN (SELECT key, logged FROM new_reports)
ORDER BY key, logged
ON CONFLICT DO NOTHING"""

_NUL = b"\\u0000"


def rows(shipped: Sequence[Parcel]) -> list[list[Any]]:
    """The values for `INSERT`: a list for each column. Raises ValueError for what is no time."""
    return [list(column) for column in zip(*map(_row, shipped), strict=True)]


def _row(shipped: Parcel) -> tuple[Any, ...]:
    head = shipped.head
    return (
        shipped.key,
        shipped.report_key is not None,
        _moment(shipped.logged),
        *map(_text, (head.type, head.id, head.nodeid)),
        *(_text(parcels.text(address)) for address in (head.sender, head.recipient)),
        *map(_text, (shipped.fields["domain"], head.bounce_classification)),
        head.response.code,
        _json(shipped.line),
    )


def _moment(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{seconds} is no time") from error


def _text(value: str) -> str:
    """QUIRK: PostgreSQL's text holds every character but NUL."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _json(line: bytes) -> str:
    """QUIRK: as `_text`: its jsonb does not hold NUL either, though JSON does."""
    if _NUL in line:
        line = msgspec.json.encode(_without_nul(msgspec.json.decode(line)))
    return line.decode()


def _without_nul(value: object) -> object:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {_text(name): _without_nul(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    return value


def month_of(moment: datetime) -> datetime:
    """The first moment of its month, in UTC."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(month: datetime) -> datetime:
    """The first moment of the month after."""
    year, index = divmod(month.year * 12 + month.month, 12)
    return month.replace(year=year, month=index + 1)
