"""A Postfix of the test's own, and an application behind it; the system's Postfix is not touched.

The configuration is that of docs/postfix.md, its ports replaced by free ones.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
POSTFIX = shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PATIENCE = 30.0
NOBODY = 65534
PLACES = ("127.0.0.1:25", "127.0.0.1:587", "127.0.0.1:10026", "127.0.0.1:2024", "127.0.0.1:2025")
PORT = re.compile(r"(?<!\d)(25|587|10026|2024|2025)(?!\d)")

RULES = """
["example.com"]
relay_to = true
["bounce.example.com"]
log_oob = true
["fbl.example.com"]
log_arf = true
["tls.example.com"]
log_oob = true
["send.example.com"]
relay_from = ["127.0.0.5"]
"""
MORE_SETTINGS = """
receiver_config = {"host": "127.0.0.1", "port": 0}  # the one that the generated boot makes
relay_config = {"host": "127.0.0.1", "port": 10026}
listener_domains = ["config/listener_domains.toml"]
handlers = kumo_handlers.pipeline()
"""
BOOT = """
settings.receiver = kumo_handlers.receiver(settings)
"""

if POSTFIX is None:
    WHY_NOT = "Postfix is not installed: apt-get install postfix, or make postfix as root"
elif os.geteuid() != 0:
    WHY_NOT = "only root can start a Postfix"
else:
    WHY_NOT = ""


def documented(kind: str, first_line: str) -> str:
    """The block of the documentation that begins with that comment."""
    text = (ROOT / "docs" / "postfix.md").read_text()
    found = re.search(
        rf"^```{kind}\n# {re.escape(first_line)}\n(.*?)^```", text, re.MULTILINE | re.DOTALL
    )
    assert found, f"docs/postfix.md has no {first_line}"
    return found[1]


class Mailhouse:
    """A Postfix, the application, and where mail for elsewhere arrives."""

    def __init__(self, folder: Path, ports: dict[int, int]) -> None:
        self.folder = folder
        self.ports = ports

    def client(self, port: int, address: str) -> smtplib.SMTP:
        """A client with that address; ``port`` is the documentation's."""
        client = smtplib.SMTP(local_hostname="client.test", timeout=PATIENCE)
        client.connect("127.0.0.1", self.ports[port], source_address=(address, 0))
        client.ehlo()
        return client

    def send(self, port: int, address: str, sender: str, recipient: str, content: bytes) -> str:
        """Send one message; the reply that settled it."""
        with self.client(port, address) as client:
            client.mail(sender)
            code, text = client.rcpt(recipient)
            if code < 300:
                code, text = client.data(content)
        return f"{code} {text.decode()}"

    def records(self) -> list[dict[str, Any]]:
        """The application's log."""
        return [
            json.loads(line)
            for path in sorted((self.folder / "app" / "run" / "log").glob("*.jsonl"))
            for line in path.read_text()
            .rpartition("\n")[0]
            .splitlines()  # a last one may be growing
        ]

    def delivered(self) -> list[bytes]:
        """What came to the end of its way."""
        return [path.read_bytes() for path in (self.folder / "maildir" / "all" / "new").glob("*")]

    def wait(self, find: Callable[[], Any]) -> Any:
        """What ``find`` finds, as soon as it finds something."""
        deadline = time.monotonic() + PATIENCE
        while not (found := find()):
            if time.monotonic() > deadline:
                log = (self.folder / "maillog").read_text()
                said = (self.folder / "app.log").read_text()
                pytest.fail(f"waited in vain\n{log}\n{said}\n{self.records()}")
            time.sleep(0.05)
        return found

    def wait_record(self, **expected: str) -> dict[str, Any]:
        """The record with these values."""
        return self.wait(
            lambda: next((r for r in self.records() if expected.items() <= r.items()), None)
        )

    def wait_delivered(self, token: str) -> bytes:
        """The message at the end of its way that has ``token`` in it."""
        return self.wait(lambda: next((m for m in self.delivered() if token.encode() in m), None))


def write_postfix(folder: Path, moved: Callable[[str], str]) -> Path:
    """The configuration of the Postfix, and its folders."""
    config = folder / "etc"
    for name in ("etc", "spool", "data", "maildir"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    os.chown(folder / "maildir", NOBODY, NOBODY)
    own = (HERE / "main.cf").read_text().format(folder=folder)
    (config / "main.cf").write_text(moved(own) + moved(documented("ini", "main.cf")))
    services = (HERE / "master.cf").read_text() + moved(documented("ini", "master.cf"))
    (config / "master.cf").write_text(services)
    return config


def write_app(folder: Path, moved: Callable[[str], str]) -> Path:
    """What ``salmon gen`` makes, with the settings of the documentation."""
    app = folder / "app"
    salmon = Path(sys.executable).parent / "salmon"
    subprocess.run([salmon, "gen", app], check=True, capture_output=True)
    settings = "\nimport kumo_handlers\n" + documented("python", "config/settings.py")
    with (app / "config" / "settings.py").open("a") as file:
        file.write(moved(settings) + MORE_SETTINGS.replace("10026", moved("10026")))
    with (app / "config" / "boot.py").open("a") as file:
        file.write(f"\nimport kumo_handlers\nsettings.relay = Relay(**settings.relay_config){BOOT}")
    (app / "config" / "listener_domains.toml").write_text(RULES)
    return app


@pytest.fixture(scope="module")
def mailhouse() -> Iterator[Mailhouse]:
    """Both running; stopped at the end."""
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    folder = Path(tempfile.mkdtemp(prefix="kumo-handlers-", dir="/tmp"))
    folder.chmod(0o755)
    documented_ports = [int(place.rpartition(":")[2]) for place in PLACES]
    ports = dict(zip(documented_ports, free_ports(len(PLACES)), strict=True))

    def moved(text: str) -> str:
        return PORT.sub(lambda found: str(ports[int(found[0])]), text)

    app, config = write_app(folder, moved), write_postfix(folder, moved)
    with (folder / "app.log").open("w") as log:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "salmon", "start", "--no-daemon"],
            cwd=app,
            env=os.environ | {"PYTHONPATH": f"{app}:{ROOT}"},
            stdout=log,
            stderr=log,
        )
    house = Mailhouse(folder, ports)
    try:
        house.wait(lambda: _listens(ports[2024]) and _listens(ports[2025]))
        control(config, "start")
        yield house
    finally:
        control(config, "stop")
        process.terminate()
        process.wait(PATIENCE)
        shutil.rmtree(folder)


def control(config: Path, word: str) -> None:
    """Start or stop our Postfix. Its output is no pipe: the daemon would keep that open."""
    nowhere = subprocess.DEVNULL
    subprocess.run([str(POSTFIX), "-c", config, word], check=True, stdout=nowhere, stderr=nowhere)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
