"""What can be mended in Salmon's own receivers from outside; docs/receivers.md has what cannot.

``settings.receiver = kumo_handlers.mend(SMTPReceiver(**settings.receiver_config))``
"""

from __future__ import annotations

import logging
import re
import socket
from typing import TYPE_CHECKING, Any, Final, TypeVar

from salmon.routing import Router
from salmon.server import LMTPReceiver, QueueReceiver, SMTPError, SMTPReceiver
from salmon.server import undeliverable_message as keep_undeliverable

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.pipeline import installation
from kumo_handlers.pipeline.claims import Claims
from kumo_handlers.pipeline.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from salmon.mail import MailRequest

    from kumo_handlers.pipeline.settings import Settings

_log = logging.getLogger(__name__)

# Salmon asks for 5. The kernel drops clients that come when the queue is full, and they wait.
BACKLOG: Final = 1024
_PERMANENT: Final = 500
_REFUSAL: Final = 400
_DOT: Final = re.compile(rb"^\.", re.MULTILINE)
_AnyReceiver = TypeVar("_AnyReceiver")


def mend(receiver: _AnyReceiver) -> _AnyReceiver:
    """``receiver``, mended; ours needs nothing. Raises `ConfigurationError` for what is none.

    The rules that ``configure`` loaded are followed from now on.
    """
    if isinstance(receiver, SMTPReceiver | LMTPReceiver):
        _mend_socket(receiver)
        if isinstance(receiver, LMTPReceiver):
            receiver.process_message = _undot(receiver.process_message)
    elif isinstance(receiver, QueueReceiver):
        if not isinstance(receiver.queue, Claims):
            receiver.queue = Claims(receiver.queue)
            receiver.process_message = _Handling(receiver.queue)
    elif not isinstance(receiver, Receiver):
        raise ConfigurationError(
            Problem(
                message="wrong value",
                option="mend",
                value=repr(receiver),
                expected="one of Salmon's receivers",
            )
        )
    if not isinstance(receiver, Receiver) and installation.is_installed():
        installation.current().follow()
        _warn_of_settings(installation.current().settings)
    return receiver


def _warn_of_settings(settings: Settings) -> None:
    """Say which settings only our own receiver can follow."""
    defaults = {"workers": 1, "metrics": None}
    for name, default in defaults.items():
        if getattr(settings, name) != default:
            _log.warning("the setting %s has no effect behind Salmon's own receivers", name)


def _mend_socket(receiver: Any) -> None:  # noqa: ANN401 - Salmon ships no types
    """A queue for clients that come together, and no waiting with small replies.

    QUIRK: without TCP_NODELAY, which clients' sockets inherit, the second reply to a client that
    sends its commands in one go waits for its acknowledgement of the first, 40 ms.
    """
    receiver.listen(BACKLOG)
    if receiver.socket.family != socket.AF_UNIX:
        receiver.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _undot(handle: Callable[..., str | None]) -> Callable[..., str | None]:
    """Take away the dot that a client put before each line with one (RFC 5321, 4.5.2).

    QUIRK: Salmon's LMTP compares a number with a letter there, and takes none away.
    """

    def handle_undotted(
        peer: object, sender: object, recipient: object, content: bytes, **options: object
    ) -> str | None:
        return handle(peer, sender, recipient, _DOT.sub(b"", content), **options)

    return handle_undotted


class _Handling:
    """`QueueReceiver.process_message`, by which a message is settled only after it was handled."""

    def __init__(self, queue: Claims) -> None:
        self._queue = queue

    def __call__(self, message: MailRequest) -> None:
        """Handle a message; called by a worker, which tells nobody of an exception."""
        try:
            self._handle(message)
        except Exception:  # noqa: BLE001 - whatever it is, the claim stays for the next start
            _log.exception("message %s stays claimed", message.claim)

    def _handle(self, message: MailRequest) -> None:
        try:
            Router.deliver(message)
        except SMTPError as error:
            if _REFUSAL <= error.code < _PERMANENT:
                _log.warning("message %s is tried again later: %s", message.claim, error)
                self._queue.defer(message)
                return
            if error.code >= _PERMANENT:
                self._keep(message, str(error))
        except Exception:  # noqa: BLE001 - as Salmon's own does
            _log.exception("a handler failed on message %s", message.claim)
            self._keep(message, "a handler failed")
        self._queue.settle(message)

    def _keep(self, message: MailRequest, reason: str) -> None:
        if Router.UNDELIVERABLE_QUEUE is None:
            raise ConfigurationError(f"there is no undeliverable queue: {reason}")
        keep_undeliverable(message.Data, reason)
