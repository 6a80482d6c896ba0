"""Mail that was taken and cannot go where it should: kept in Salmon's undeliverable queue."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from salmon.queue import Queue
from salmon.routing import Router

from kumo_handlers.errors import StorageError
from kumo_handlers.pipeline import installation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.pipeline.settlement import Failed

_log = logging.getLogger(__name__)


def keep(failed: Sequence[Failed]) -> None:
    """Keep each, its envelope and the failure in headers on top. Raises `StorageError`."""
    queue = Router.UNDELIVERABLE_QUEUE
    if queue is None:
        run_dir = installation.current().settings.run_dir
        queue = Queue(str(Path(run_dir) / "undeliverable"))
    for each in failed:
        try:
            key = queue.push(_labelled(each))
        except OSError as error:
            raise StorageError(f"the undeliverable queue cannot be written: {error}") from error
        arrival = each.mail.arrival
        _log.error("mail %s for %s is undeliverable, kept as %s", arrival.id, each.mail.To, key)


def _labelled(failed: Failed) -> bytes:
    mail, handled = failed.mail, failed.handled
    headers = (
        f"Return-Path: <{mail.From}>",
        f"Delivered-To: {mail.To}",
        f"X-Undeliverable: {handled.failed_handler or 'refused'}; {handled.reply}",
    )
    lines = "".join(f"{header}\n" for header in headers)
    # a Maildir holds the line ends of its system
    return lines.encode("utf-8", "surrogateescape") + mail.Data.replace(b"\r\n", b"\n")
