"""What settings say of the rules, loaded: a policy, and the rule files of classification.

Apart from `boot`, because commands that only ask a policy need nothing else of a start.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.policy import source, tables
from kumo_handlers.policy.following import Following

if TYPE_CHECKING:
    from kumo_handlers.pipeline.settings import Settings
    from kumo_handlers.policy.base import Policy

_log = logging.getLogger(__name__)


class Rules:
    """The rules that settings name, and how they are brought up to date."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._following = None if settings.policy else Following(settings.listener_domains)
        self.policy = self._following.load() if self._following else load(settings)
        if self._following and _is_empty(self.policy):
            _log.warning("listener_domains has no entries: all mail is refused")

    def renew(self) -> None:
        """Take what changed. Raises `ConfigurationError`; then the policy is what it was."""
        self._take(self._following.renew() if self._following else load(self._settings))

    def read(self) -> None:
        """Take all of it, read anew whatever is known of it. Raises as `renew` does."""
        self._take(self._following.load() if self._following else load(self._settings))

    def _take(self, policy: Policy) -> None:
        """Rules without an entry refuse all mail for good: a file half written, not a wish."""
        if _is_empty(policy) and not _is_empty(self.policy):
            raise ConfigurationError(
                Problem(
                    message="no entries are left, and all mail would be refused",
                    hint="replace files by rename; restart the app to have none",
                )
            )
        self.policy = policy

    def signature(self) -> object:
        """What differs when the rules changed."""
        if self._following is None:
            return source.signature(self.policy.files)
        return self._following.signature()

    @property
    def silent_databases(self) -> int:
        """How many databases of rules did not answer when they were last asked."""
        return self._following.silent if self._following else 0

    def close(self) -> None:
        """Let go of databases."""
        if self._following is not None:
            self._following.close()


def _is_empty(policy: Policy) -> bool:
    return next(policy.entries(), None) is None


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
