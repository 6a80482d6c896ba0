"""Whether what settings ship can be shipped: asked at a start, and by ``kumo-handlers check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def unsigned(settings: Settings) -> Iterator[Problem]:
    """Webhooks whose receiver cannot tell our batches from a stranger's."""
    for shipment in settings.ship:
        if shipment.proves_nothing:
            yield Problem(
                message=f"{shipment.name}: nothing tells its receiver that a batch is ours",
                option="ship",
                value=repr(shipment.shown_url),
                hint="secret signs each batch; headers, or a user in the URL, are a password",
            )
