"""As on a server: ports below 1024, privileges dropped, systemd or what stands for it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import smtplib
import socket
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.testing import make_letter
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PATHS = f"{ROOT}:{sysconfig.get_path('purelib')}"
SALMON = ["-c", "from salmon.commands import main; main()"]
SERVE = ["-c", "from kumo_handlers.cli.main import main; main()", "serve"]
ANALYZE = shutil.which("systemd-analyze")
RULES = '["example.com"]\nrelay_to = true\n'
PATIENCE = 20.0
PRIVILEGED = range(601, 1024)
NOBODY = 65534
LETTER = make_letter("bob@example.com")

SETTINGS = """
import kumo_handlers
receiver_config = {{"host": "127.0.0.1", "port": 0}}  # the one that the generated boot makes
relay_config = {{"host": "127.0.0.1", "port": 1}}
listener_domains = [{{"example.com": {{"relay_to": True}}}}]
listeners = [{{"listen": "127.0.0.1:{port}", "relay_hosts": [], "hostname": "mx.example.com"}}]
handlers = kumo_handlers.pipeline()
"""
BOOT = """
import kumo_handlers
settings.receiver = kumo_handlers.receiver(settings)
"""


def python_for_nobody() -> str:
    """A Python that a user without rights can run, and this repository with it; or nothing.

    Root's own may be where nobody else can go; the system's is then as good if it is as new.
    """
    for python in (sys.executable, "/usr/bin/python3") if os.geteuid() == 0 else ():
        with suppress(OSError):
            done = subprocess.run(
                [python, "-c", "import kumo_handlers.boot"],
                cwd="/",
                env={"PYTHONPATH": PATHS},
                user=NOBODY,
                group=NOBODY,
                extra_groups=[],
                capture_output=True,
                check=False,
            )
            if done.returncode == 0:
                return python
    return ""


NOBODYS = python_for_nobody()
needs_root = pytest.mark.skipif(
    not NOBODYS, reason="needs root, and a Python and a repository that nobody can read"
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that users without rights can get to; pytest's own are the user's alone."""
    made = Path(tempfile.mkdtemp(prefix="kumo-handlers-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@contextmanager
def running(*command: str, cwd: Path, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process, ended at the end if it is not by then."""
    environment = os.environ | {"PYTHONPATH": f"{cwd}:{PATHS}", "COLUMNS": "200"}
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment | options.pop("env", {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE)


def send(port: int) -> int:
    """Send a message as soon as somebody listens; the reply's code."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            client = smtplib.SMTP("127.0.0.1", port, local_hostname="c.test", timeout=PATIENCE)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
            continue
        with client:
            client.ehlo()
            client.mail("ann@elsewhere.example")
            client.rcpt("bob@example.com")
            return int(client.data(LETTER)[0])


def identities(pid: int) -> dict[str, set[int]]:
    """The real, effective and saved user and group of a process, and its other groups."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.findall(r"^(Uid|Gid|Groups):\s*(.*)$", status, re.MULTILINE)
    return {name: set(map(int, numbers.split())) for name, numbers in found}


def owners(folder: Path) -> set[int]:
    """Who owns what is in there."""
    return {path.stat().st_uid for path in folder.rglob("*")}


def stopped(process: subprocess.Popen[str]) -> str:
    """What a process had said when SIGTERM ended it well."""
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    return output


@needs_root
def test_serve_as_nobody(folder: Path) -> None:
    """A port below 1024, all of nobody's rights and groups, and files that are nobody's."""
    (folder / "rules.toml").write_text(RULES)
    port = free_port(PRIVILEGED)
    options = ("--listener-domains", "rules.toml", "--listen", f"127.0.0.1:{port}")
    with running(NOBODYS, *SERVE, *options, "--user", "nobody", cwd=folder) as process:
        assert send(port) == 250
        who = identities(process.pid)
        assert who == {"Uid": {NOBODY}, "Gid": {NOBODY}, "Groups": {NOBODY}}
        stopped(process)
    assert owners(folder / "run") == {NOBODY}


@needs_root
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--user", "nobody-of-this-name"), "no such user or group, got nobody-of-this-name"),
        (("--user", "nobody", "--group", "no-group"), "no such user or group, got no-group"),
        (("--group", "nogroup"), "a group needs a user"),
    ],
)
def test_serve_as_somebody_unknown(folder: Path, options: tuple[str, ...], expected: str) -> None:
    """Said, and nothing runs as root."""
    (folder / "rules.toml").write_text(RULES)
    with running(
        NOBODYS,
        *SERVE,
        "--listener-domains",
        "rules.toml",
        "--listen",
        "127.0.0.1:0",
        *options,
        cwd=folder,
    ) as process:
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert expected in output


@pytest.fixture
def project(folder: Path) -> tuple[Path, int]:
    """What ``salmon gen`` makes, with our receiver on a port below 1024."""
    where, port = folder / "project", free_port(PRIVILEGED)
    subprocess.run(
        [NOBODYS, *SALMON, "gen", where], check=True, env=os.environ | {"PYTHONPATH": PATHS}
    )
    for name, text in (("settings.py", SETTINGS.format(port=port)), ("boot.py", BOOT)):
        with (where / "config" / name).open("a") as file:
            file.write(text)
    return where, port


def start(where: Path, *options: str) -> list[str]:
    """``salmon start`` that drops to nobody."""
    return [NOBODYS, *SALMON, "start", "--uid", str(NOBODY), "--gid", str(NOBODY), *options]


@needs_root
def test_salmon_start_as_nobody(project: tuple[Path, int]) -> None:
    """Bound by root, served by nobody; that Salmon keeps root's groups is said."""
    where, port = project
    os.chown(where / "run", NOBODY, NOBODY)
    env = os.environ | {"PYTHONPATH": PATHS}
    queue = "from salmon.queue import Queue; Queue('run/undeliverable')"
    subprocess.run([NOBODYS, "-c", queue], cwd=where, user=NOBODY, check=True, env=env)
    with running(*start(where, "--no-daemon"), cwd=where, extra_groups=[0]) as process:
        assert send(port) == 250
        who = identities(process.pid)
        assert (who["Uid"], who["Gid"]) == ({NOBODY}, {NOBODY})
        stopped(process)
    assert owners(where / "run" / "queue") == owners(where / "run" / "log") == {NOBODY}
    logged = "".join(path.read_text() for path in (where / "logs").glob("*"))
    assert "root's groups were not: [0]" in logged


@needs_root
def test_files_that_root_made(project: tuple[Path, int]) -> None:
    """An undeliverable queue that boot made as root could keep no mail: it is said at once."""
    where, _ = project
    os.chown(where / "run", NOBODY, NOBODY)
    with running(*start(where, "--no-daemon"), cwd=where) as process:
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "the undeliverable queue cannot be written" in output
    assert f"to user {NOBODY}" in output


@contextmanager
def supervisor(folder: Path) -> Iterator[socket.socket]:
    """A socket that hears what systemd would."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(folder / "notify"))
        (folder / "notify").chmod(stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
        listening.settimeout(PATIENCE)
        yield listening


# What systemd does between fork and exec.
LAUNCHER = """
import os, sys
number, *command = sys.argv[1:]
os.dup2(int(number), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "smtp"}
os.execv(command[0], command)
"""


def hear(listening: socket.socket, word: str) -> None:
    """Wait for a notice; signs of life may come before it."""
    while not (said := listening.recv(999).decode()).startswith(word):
        assert said == "WATCHDOG=1"


def test_under_a_supervisor(folder: Path) -> None:
    """A socket that is passed on is used; ready, alive, reloading, ready, stopping are said.

    A client that comes while nobody runs is served by the next that does.
    """
    (folder / "rules.toml").write_text(RULES)
    with socket.create_server(("127.0.0.1", 0)) as listening, supervisor(folder) as heard:
        port = listening.getsockname()[1]
        options = ("--listener-domains", "rules.toml", "--listen", f"127.0.0.1:{port}")
        number = str(listening.fileno())
        command = (sys.executable, "-c", LAUNCHER, number, sys.executable, *SERVE, *options)
        more = {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "200000"}
        waiting = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        passed = (listening.fileno(),)
        with waiting, running(*command, cwd=folder, env=more, pass_fds=passed) as process:
            hear(heard, "READY=1\nSTATUS=listening on 127.0.0.1:")
            assert waiting.recv(4) == b"220 "
            assert send(port) == 250
            hear(heard, "WATCHDOG=1")
            process.send_signal(signal.SIGHUP)
            hear(heard, "RELOADING=1\nMONOTONIC_USEC=")
            hear(heard, "READY=1")
            process.send_signal(signal.SIGTERM)
            hear(heard, "STOPPING=1")
            output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, output
        assert "cannot listen" not in output


@pytest.mark.skipif(
    shutil.which("systemd-socket-activate") is None, reason="systemd-socket-activate is missing"
)
def test_socket_activation_by_systemd(folder: Path) -> None:
    """The tool of systemd opens the socket, and starts us at the first client."""
    (folder / "rules.toml").write_text(RULES)
    port = free_port()
    address = f"127.0.0.1:{port}"
    activate = ("systemd-socket-activate", "-l", address, "--fdname", "smtp", "-E", "PYTHONPATH")
    options = ("--listener-domains", "rules.toml", "--listen", address)
    with running(*activate, sys.executable, *SERVE, *options, cwd=folder) as process:
        assert send(port) == 250
        stopped(process)


def unit_files() -> list[tuple[str, str]]:
    """The unit files in the documentation, by their names."""
    text = "".join((ROOT / "docs" / page).read_text() for page in ("deploy.md", "scale.md"))
    return re.findall(
        r"^```ini\n# (?:\S*/)?(\S+\.(?:service|socket))\n(.*?)^```", text, re.MULTILINE | re.DOTALL
    )


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is missing")
def test_unit_files_of_the_documentation(folder: Path) -> None:
    """There is nothing wrong with them, says systemd."""
    files = unit_files()
    assert {name.rpartition(".")[2] for name, _ in files} == {"service", "socket"}
    for name, text in files:
        # the program they start is not where theirs is
        (folder / name).write_text(
            re.sub(r"^(Exec\w+=)\S+", r"\1/bin/true", text, flags=re.MULTILINE)
        )
    done = subprocess.run(
        [str(ANALYZE), "verify", *(folder / name for name, _ in files)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stderr.splitlines() if str(folder) in line] == []
    assert done.returncode == 0, done.stderr
