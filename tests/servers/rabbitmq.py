"""A RabbitMQ of our own: loopback, free ports, its own folder, cookie and port mapper.

    with rabbitmq() as broker:
        connect(broker.url)

It meets no other node, it can be killed and started again on what it has on disk, and nothing
of it is left at the end. For tests, for benchmarks and for whoever pulls plugs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

# Debian's /usr/sbin/rabbitmq-server changes user before it starts this one
SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
EPMD = shutil.which("epmd")
PATIENCE = 60.0
USER, PASSWORD = "shipper", "s3cr:t/?@#"
_HELLO = b"AMQP\x00\x00\x09\x01"  # AMQP 0-9-1, 4.2.2: the protocol header
_CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
load_definitions = {folder}/definitions.json
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 64MB
raft.wal_max_size_bytes = 33554432
log.file.level = warning
"""

WHY_NOT = ""
if not SCRIPT.exists() or EPMD is None:
    WHY_NOT = "RabbitMQ is not installed: apt-get install rabbitmq-server"


class Broker:
    """One node. ``url`` is for guest, ``password_url`` for a user with an awkward password."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self._distribution, self._mapper = free_ports(3)
        self._processes: list[subprocess.Popen[bytes]] = []
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/"
        self.password_url = f"amqp://{USER}:s3cr%3At%2F%3F%40%23@127.0.0.1:{self.port}/"
        self._configure()

    def start(self) -> None:
        """Run, on what is on disk; return when clients are answered."""
        assert EPMD is not None
        environment = self._environment()
        self._run([EPMD, "-port", str(self._mapper), "-address", "127.0.0.1"], environment)
        node = self._run([str(SCRIPT)], environment)
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if node.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"RabbitMQ did not start:\n{self._said()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """As the machine's power would: at once, whatever it is doing.

        QUIRK: RabbitMQ notes a new quorum queue's name half a second after it was declared; one
        that is killed before has the queue again, without what was confirmed in it.
        """
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it close its files; it is killed if it takes too long."""
        self._end(signal.SIGTERM)

    @property
    def pid(self) -> int:
        """The node's process, and its group; 0 while it does not run."""
        return self._processes[-1].pid if self._processes else 0

    def control(self, *command: str) -> str:
        """What ``rabbitmqctl`` says, a second later."""
        node = self._environment()["RABBITMQ_NODENAME"]
        done = subprocess.run(
            [SCRIPT.with_name("rabbitmqctl"), "--quiet", "--node", node, *command],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        return done.stdout

    def _configure(self) -> None:
        (self.folder / "rabbitmq.conf").write_text(
            _CONFIGURATION.format(port=self.port, folder=self.folder)
        )
        (self.folder / "definitions.json").write_text(json.dumps(_definitions()))
        (self.folder / "enabled_plugins").write_text("[].\n")
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex())
        cookie.chmod(0o400)

    def _environment(self) -> dict[str, str]:
        folder = self.folder
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),  # where Erlang looks for the cookie
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_CRASH_DUMP": "/dev/null",
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            # few schedulers, that do not spin: others use this machine too
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
                " -kernel inet_dist_use_interface {127,0,0,1}"
            ),
        }

    def _run(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / "output").open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0) as probe:
            probe.sendall(_HELLO)
            return probe.recv(1) == b"\x01"  # a method's frame: Connection.Start
        return False

    def _end(self, how: signal.Signals) -> None:
        """The node, in the way asked for, then its port mapper."""
        while self._processes:
            process = self._processes.pop()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, how)
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE / 2)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _said(self) -> str:
        files = [self.folder / "output", *(self.folder / "log").glob("*")]
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in files)


def _definitions() -> dict[str, Any]:
    names = {"guest": "guest", USER: PASSWORD}
    permitted = {"vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
    return {
        "users": [
            {"name": name, "password_hash": _hashed(password), "tags": []}
            for name, password in names.items()
        ],
        "vhosts": [{"name": "/"}],
        "permissions": [permitted | {"user": name} for name in names],
    }


def _hashed(password: str) -> str:
    """A password as definitions have it: salt, then SHA-256 of salt and password."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


@contextmanager
def rabbitmq() -> Iterator[Broker]:
    """A running node, and nothing of it afterwards. Raises RuntimeError where there is none."""
    if WHY_NOT:
        raise RuntimeError(WHY_NOT)
    broker = Broker(Path(tempfile.mkdtemp(prefix="kumo-handlers-amqp-")))
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()
        shutil.rmtree(broker.folder, ignore_errors=True)
