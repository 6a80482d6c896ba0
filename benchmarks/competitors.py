"""What is compared: each a server on a free port of loopback, ended at the end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

ROOT = Path(__file__).parent.parent
HARAKA = Path(sys.prefix) / "haraka" / "node_modules" / "Haraka"
SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin"
_START = 30.0

_HARAKA_PLUGIN = """
exports.hook_rcpt = (next) => next(OK)
exports.hook_queue = (next) => next(OK)
"""
_POSTFIX = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
myhostname = mx.bench.example
mydestination =
alias_maps =
alias_database =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
default_transport = discard
relay_transport = discard
"""


class MissingError(Exception):
    """It is not installed; the text says how it would be."""


@contextmanager
def python(name: str) -> Iterator[int]:
    """One of `servers.SERVERS`."""
    with running(lambda port: [sys.executable, "-m", "benchmarks.servers", name, str(port)]) as at:
        yield at.port


@contextmanager
def sink() -> Iterator[int]:
    """Postfix's smtp-sink, which discards in C."""
    program = _find("smtp-sink", "apt-get install postfix")
    user = ["-u", "nobody"] if os.geteuid() == 0 else []  # it insists
    with running(lambda port: [program, *user, f"inet:127.0.0.1:{port}", "1024"]) as at:
        yield at.port


@contextmanager
def haraka() -> Iterator[int]:
    """Haraka in one process, with two hooks that say yes."""
    node = _find("node", "Haraka needs node")
    if not HARAKA.exists():
        raise MissingError("make .venv-bench/installed, with npm")
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config"
        shutil.copytree(HARAKA / "config", config)
        (Path(folder) / "plugins").mkdir()
        (Path(folder) / "plugins" / "yes.js").write_text(_HARAKA_PLUGIN)
        for name, text in (("plugins", "yes"), ("loglevel", "LOGCRIT"), ("me", "bench.example")):
            (config / name).write_text(f"{text}\n")

        def command(port: int) -> list[str]:
            (config / "smtp.ini").write_text(f"listen=127.0.0.1:{port}\nnodes=0\n")
            return [node, str(HARAKA / "bin" / "haraka"), "-c", folder]

        with running(command) as at:
            yield at.port


@contextmanager
def postfix() -> Iterator[int]:
    """A Postfix of our own, the system's is not touched: queued, and then discarded."""
    program = _find("postfix", "apt-get install postfix")
    if os.geteuid() != 0:
        raise MissingError("only root can start a Postfix")
    folder = Path(tempfile.mkdtemp(prefix="kumo-handlers-", dir="/tmp"))
    folder.chmod(0o755)
    for name in ("etc", "spool", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    port = free_port()
    (folder / "etc" / "main.cf").write_text(_POSTFIX.format(folder=folder))
    services = (ROOT / "tests" / "postfix" / "master.cf").read_text()
    listening = f"127.0.0.1:{port} inet n - n - 250 smtpd\n"
    (folder / "etc" / "master.cf").write_text(services + listening)

    def control(word: str) -> None:
        nowhere = subprocess.DEVNULL
        command = [program, "-c", str(folder / "etc"), word]
        subprocess.run(command, check=True, stdout=nowhere, stderr=nowhere)  # noqa: S603 - see above

    try:
        control("start")
        wait_for(port)
        yield port
    finally:
        control("stop")
        shutil.rmtree(folder)


class Running:
    """A server's port and its process."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process


@contextmanager
def running(command: Callable[[int], list[str]]) -> Iterator[Running]:
    """A server on a free port, ended at the end."""
    port = free_port()
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(command(port), stdout=nowhere, stderr=nowhere)  # noqa: S603 - as named
    try:
        wait_for(port)
        yield Running(port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:  # Salmon's own has no end
            process.kill()
            process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def wait_for(port: int) -> None:
    """Return when somebody listens."""
    deadline = time.monotonic() + _START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _find(program: str, how: str) -> str:
    path = shutil.which(program, path=SBIN)
    if path is None:
        raise MissingError(how)
    return path


_IN_PYTHON = (
    "ours, durable",
    "ours, not durable",
    "Salmon, as shipped",
    "Salmon, backlog and Nagle mended",
    "Salmon, mended, 1,000 @routes",
    "aiosmtpd, empty handler",
    "aiosmtpd, synced maildir",
)
COMPETITORS: dict[str, Callable[[], AbstractContextManager[int]]] = {
    **{name: partial(python, name) for name in _IN_PYTHON},
    "Haraka, discarding": haraka,
    "Postfix, discarding": postfix,
    "smtp-sink (C), discarding": sink,
}
