"""Whether a broker and the other settings agree: at a start, and by ``kumo-handlers check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.broker.terms import BrokerURL
from kumo_handlers.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from kumo_handlers.pipeline.settings import Settings


def broker(settings: Settings) -> BrokerURL | None:
    """The broker that is the commit, if one is. Raises `ConfigurationError`."""
    if not isinstance(settings.commit, BrokerURL):
        return None
    if settings.workers > 1:
        problem = Problem(
            message="with a broker each process is an app of its own",
            option="workers",
            value=str(settings.workers),
            expected="1, and as many apps as are wanted",
        )
        raise ConfigurationError(problem)
    return settings.commit
