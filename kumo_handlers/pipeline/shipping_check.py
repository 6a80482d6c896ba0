"""Whether what settings ship can be shipped: asked at a start, and by ``kumo-handlers check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from kumo_handlers.pipeline.settings import Settings


def check(settings: Settings) -> None:
    """Raise `ConfigurationError` where no log is written, or a client library is missing."""
    if settings.ship and "jsonl" not in settings.sinks:
        problem = Problem(
            message="what is shipped is the log, and none is written",
            option="sinks",
            value=repr([*settings.sinks]),
            expected="jsonl among them",
        )
        raise ConfigurationError(problem)
    for shipment in settings.ship:
        shipment.require_client()
