"""An app in a process of its own: listeners, or a worker that takes mail from a broker.

    with Node("receiver", run_dir, commit=broker.url) as intake, Node("worker", …) as worker:
        send(intake.port)

Settings are what JSON can say; ``relay_port`` is where mail to relay goes. It runs, is killed and
is started again as often as wanted, on the same folder.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0


class Node:
    """``kind`` is ``receiver`` or ``worker``. ``port`` is the first listener's, once it runs."""

    def __init__(self, kind: str, run_dir: Path, **settings: Any) -> None:
        self.kind = kind
        self.run_dir = run_dir
        self.settings = settings
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """Its process; 0 while it does not run."""
        return self._process.pid if self._process else 0

    def start(self, *, wait: bool = True) -> None:
        """Run. Return when it is ready, or at once, for `ready` to be called."""
        self.run_dir.mkdir(parents=True, exist_ok=True)
        self._port_file.unlink(missing_ok=True)
        path = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
        with (self.run_dir / "app.log").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, __file__, self.kind, str(self.run_dir), json.dumps(self.settings)],
                env=os.environ | {"PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        if wait:
            self.ready()

    def ready(self) -> None:
        """Return when it listens, or works."""
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE
        while not self._port_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the {self.kind} did not start:\n{self.said()}")
            time.sleep(0.02)
        self.port = int(self._port_file.read_text())

    def kill(self) -> None:
        """At once."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As an operator does; the exit status."""
        return self._end(signal.SIGTERM)

    def said(self) -> str:
        """Its log of what it does."""
        return (self.run_dir / "app.log").read_text(errors="replace")

    def records(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Its records, in order; a line that is not whole yet is none."""
        lines = [
            line
            for path in sorted((self.run_dir / "log").glob("*.jsonl"))
            for line in path.read_text().splitlines(keepends=True)
        ]
        found = [json.loads(line) for line in lines if line.endswith("\n")]
        return [record for record in found if kind in (None, record["type"])]

    @property
    def _port_file(self) -> Path:
        return self.run_dir / "port"

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(how)
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def main(kind: str, run_dir: Path, given: dict[str, Any]) -> None:
    """The app. Never returns but at its end."""
    import logging

    from salmon.routing import Router
    from salmon.server import Relay

    import kumo_handlers

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    relay_port = given.pop("relay_port", None)
    taken = {"run_dir": str(run_dir), "handlers": kumo_handlers.pipeline()} | given
    settings = SimpleNamespace(**taken)
    if relay_port:
        settings.relay = Relay(host="127.0.0.1", port=relay_port)
    app = getattr(kumo_handlers, kind)(settings)
    Router.load(settings.handlers)
    app.start()
    port = app.addresses[0].port if app.addresses else 0
    written = run_dir / "port.new"
    written.write_text(str(port))
    written.rename(run_dir / "port")
    app.join()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))
