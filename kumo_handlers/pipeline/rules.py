"""What settings say of the rules, loaded: a policy, and the rule files of classification.

Apart from `boot`, because commands that only ask a policy need nothing else of a start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.policy import tables

if TYPE_CHECKING:
    from kumo_handlers.pipeline.settings import Settings
    from kumo_handlers.policy.base import Policy


def load(settings: Settings) -> Policy:
    """The rules as they are now. Raises `ConfigurationError` with all that is wrong."""
    if settings.policy is None:
        return tables.load(settings.listener_domains)
    if settings.listener_domains:
        raise ConfigurationError(
            Problem(
                message="is set beside listener_domains",
                option="policy",
                value=repr(settings.policy),
                hint="a policy names its rule files itself: listener_domains:setup { … }",
            )
        )
    from kumo_handlers.policy.lua import loading  # noqa: PLC0415 - only who has one needs Lua

    return loading.load(settings.policy, settings.map_path)


def classification_files(settings: Settings, policy: Policy) -> tuple[str, ...]:
    """The rule files of classification that the settings name, and those that the policy does."""
    return settings.classification + (policy.events.classifier_files if policy.events else ())
