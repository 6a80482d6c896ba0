"""A moment as people write it: so long ago, or a date, or a date and time."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

import click

from kumo_handlers.policy import duration

if TYPE_CHECKING:
    from typing import Any


class Moment(click.ParamType[float]):
    """Seconds since the epoch, of ``90min``, ``2026-01-31`` or ``2026-01-31T12:00``.

    A time without a zone is one of this machine's.
    """

    name = "when"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """See click."""
        if isinstance(value, int | float):
            return float(value)
        try:
            return time.time() - duration.parse(value)
        except ValueError:
            pass
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError:
            self.fail(f"{value!r}: expected such as 2h, 2026-01-31, 2026-01-31T12:00", param, ctx)
