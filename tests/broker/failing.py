"""A handler that fails where the recipient's local part says so."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from salmon.routing import nolocking, route, stateless
from salmon.server import SMTPError

TRIES = Path(os.environ.get("TRIES", os.devnull))


@route("(address)@(host)", address="(crash|refuse|later|kill|slow).*", host=".+")
@stateless
@nolocking
def START(message: Any, address: str, **_: str) -> None:  # noqa: N802 - a state of Salmon's
    """Fail, and note that it was tried."""
    with TRIES.open("a") as tries:
        tries.write(f"{address} {time.monotonic()}\n")
    if address.startswith("crash"):
        raise ZeroDivisionError(address)
    if address.startswith("refuse"):
        raise SMTPError(550, "5.7.0 not this one")
    if address.startswith("later") and TRIES.read_text().count(address) < 2:
        raise SMTPError(450, "4.2.0 not now")
    if address.startswith("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    if address.startswith("slow"):
        time.sleep(1)
