"""What would keep listeners from starting, as far as it can be told without listening."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kumo_handlers.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kumo_handlers.policy.listener import Listener

_FILES = ("tls_certificate", "tls_private_key", "tls_required_client_ca")


def problems(listeners: Sequence[Listener], file: str | None = None) -> Iterator[Problem]:
    """Certificates that are not there, and addresses that two listeners want; ``file`` has them."""
    for listener in listeners:
        for option in _FILES:
            path = getattr(listener, option)
            if path is not None and not Path(path).is_file():
                yield Problem(
                    message="there is no such file",
                    file=file,
                    option=f"{option} of listener {listener.listen}",
                    value=repr(path),
                )
    yield from _same_address(listeners, file)


def _same_address(listeners: Sequence[Listener], file: str | None) -> Iterator[Problem]:
    seen: set[tuple[str, int, str]] = set()
    for listener in listeners:
        address = (listener.host, listener.port, listener.path)
        # port 0 is another one each time
        if address in seen and (listener.port or listener.path):
            yield Problem(
                message="two listeners have the same address",
                file=file,
                option="listen",
                value=repr(listener.listen),
            )
        seen.add(address)
