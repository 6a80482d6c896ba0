"""Mail that was taken and cannot go where it should: kept in Salmon's undeliverable queue.

Whole, durable before 250, and bounded as kept reports are.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from salmon.queue import Queue
from salmon.routing import Router

from kumo_handlers.errors import StorageError, StorageFullError
from kumo_handlers.journal.segment import sync_folder
from kumo_handlers.mail import octets
from kumo_handlers.pipeline import installation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.pipeline.settings import Settings
    from kumo_handlers.pipeline.settlement import Failed

_log = logging.getLogger(__name__)


def keep(failed: Sequence[Failed]) -> list[str]:
    """Keep each, its envelope and the failure in headers on top; their keys in the queue.

    Raises `StorageError`, and has kept nothing then.
    """
    settings = installation.current().settings
    queue = _queue(settings)
    keys: list[str] = []
    try:
        for each in failed:
            _require_room(queue, len(each.mail.Data), settings)
            keys.append(queue.push(_labelled(each)))
        sync_folder(Path(queue.dir) / "new")
    except OSError as error:
        discard(keys)
        raise StorageError(f"the undeliverable queue cannot be written: {error}") from error
    except StorageError:
        discard(keys)
        raise
    for each, key in zip(failed, keys, strict=True):
        arrival = each.mail.arrival
        _log.error("mail %s for %s is undeliverable, kept as %s", arrival.id, each.mail.To, key)
    return keys


def discard(keys: Sequence[str]) -> None:
    """Take back what was kept for a message that is refused after all."""
    queue = _queue(installation.current().settings)
    for key in keys:
        queue.remove(key)


def _queue(settings: Settings) -> Queue:
    """The queue the app named, or one of our own in the run folder."""
    if Router.UNDELIVERABLE_QUEUE is not None:  # an empty queue is false
        return Router.UNDELIVERABLE_QUEUE
    return Queue(str(Path(settings.run_dir) / "undeliverable"))


def _require_room(queue: Queue, size: int, settings: Settings) -> None:
    sizes = [entry.stat().st_size for entry in os.scandir(Path(queue.dir) / "new")]
    if len(sizes) >= settings.max_unparsed_messages:
        raise StorageFullError(f"{queue.dir} holds {len(sizes)} messages, its limit")
    if sum(sizes) + size > settings.max_unparsed_size:
        raise StorageFullError(f"{queue.dir} holds {sum(sizes)} bytes, {size} more are too many")


def _labelled(failed: Failed) -> bytes:
    mail, handled = failed.mail, failed.handled
    headers = (
        f"Return-Path: <{mail.From}>",
        f"Delivered-To: {mail.To}",
        f"X-Undeliverable: {handled.failed_handler or 'refused'}; {handled.reply}",
    )
    lines = "".join(f"{header}\n" for header in headers)
    # a Maildir holds the line ends of its system
    return octets.of_text(lines) + mail.Data.replace(b"\r\n", b"\n")
