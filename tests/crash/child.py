"""The app that is to crash, in a process forked for one round."""

from __future__ import annotations

import logging
import os
import signal
import sys
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from points import install
from salmon.routing import Router
from salmon.server import Relay

import kumo_handlers
from kumo_handlers.boot import receiver

if TYPE_CHECKING:
    from pathlib import Path

RULES = {
    "relay.example": {"relay_to": True},
    "oob.example": {"log_oob": "LogThenDrop"},
    "kept.example": {"log_oob": "LogThenDrop"},
}


def settings(
    run_dir: Path, relay_port: int, segment_size: int, workers: int = 1
) -> SimpleNamespace:
    """An app with every kind of mail, and quick retries."""
    return SimpleNamespace(
        listener_domains=[RULES],
        listeners=[{"listen": "127.0.0.1:0", "relay_hosts": ["192.0.2.1"]}],
        run_dir=str(run_dir),
        sinks=["jsonl"],
        max_segment_size=segment_size,
        workers=workers,
        handlers=kumo_handlers.pipeline(),
        relay=Relay(host="127.0.0.1", port=relay_port),
        retry_interval=0.05,
        stop_timeout=5,
    )


class Round:
    """One life of the app. ``port`` is where it listens, 0 if it died before."""

    def __init__(self, run_dir: Path, app: SimpleNamespace, crash: tuple[str, int] | None) -> None:
        reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reading)
            _live(app, run_dir, crash, writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            self.port = int(pipe.readline() or 0)  # the workers hold the pipe, too

    def kill(self) -> None:
        """At once."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        """As an operator stops it."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def end(self) -> int:
        """How it ended: an exit status, or a signal's number, negative."""
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


def _live(app: Any, run_dir: Path, crash: tuple[str, int] | None, pipe: int) -> None:
    """Never returns: this process is the app's."""
    status = 1
    try:
        logging.raiseExceptions = False  # its own log may be on the disk that is full
        logging.basicConfig(filename=run_dir / "app.log", level=logging.INFO, force=True)
        if crash is not None:
            install(*crash)
        listening = receiver(app)
        Router.load(app.handlers)
        listening.start()
        os.write(pipe, b"%d\n" % listening.addresses[0].port)
        os.close(pipe)
        listening.join()
        status = 0
    except SystemExit as error:
        status = int(error.code or 0)
    except BaseException:
        logging.exception("the app failed")  # noqa: LOG015 - for the harness
        sys.excepthook(*sys.exc_info())
    finally:
        logging.shutdown()
        os._exit(status)
