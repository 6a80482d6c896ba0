"""In the place of what would write to disk or to the network: it is written down instead."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from salmon.server import Relay

from kumo_handlers.pipeline import installation
from kumo_handlers.pipeline.installation import Installation
from kumo_handlers.pipeline.settlement import merge

if TYPE_CHECKING:
    from salmon.mail import MailResponse

    from kumo_handlers.queue.commit import Committer
    from kumo_handlers.queue.unit import Unit


class RecordingRelay(Relay):
    """For `settings.relay`: what the app sends by itself is kept in ``sent``, and goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[MailResponse] = []

    def deliver(
        self,
        message: MailResponse,
        To: str | None = None,  # noqa: N803 - Salmon's
        From: str | None = None,  # noqa: N803 - Salmon's
    ) -> None:
        """Keep ``message``; see Salmon."""
        del To, From
        self.sent.append(message)


class Notebook:
    """In the place of the queue: what is committed is written down, in memory."""

    def __init__(self) -> None:
        self._units: list[Unit] = []

    def submit(self, unit: Unit) -> None:
        """See `Committer.submit`."""
        self._units.append(unit)

    commit_blocking = submit

    def commit(self, unit: Unit, answer: object = None) -> asyncio.Future[Any]:
        """See `Committer.commit`."""
        self._units.append(unit)
        committed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        committed.set_result(answer)
        return committed

    def take(self) -> Unit:
        """What was written down since this was last asked."""
        units, self._units = self._units, []
        return merge(units)


class Rehearsed(Installation):
    """The installation there is, but with a notebook for a queue."""

    def __init__(self, real: Installation) -> None:
        self.notebook = Notebook()
        super().__init__(
            real.settings,
            real.policy,
            real.classifier,
            lambda _: (cast("Committer", self.notebook), lambda: None),
        )


def rehearsed() -> Rehearsed:
    """The installation, put into rehearsal when this is first asked for."""
    installed = installation.current()
    if not isinstance(installed, Rehearsed):
        installed = Rehearsed(installed)
        installation.install(installed)
    return installed
