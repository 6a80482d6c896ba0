"""The event that is going on: the connection, and the message, that scripts may ask about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kumo_handlers.policy.lua.message import operate

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.mail.session import Session
    from kumo_handlers.policy.lua.message import Message

# What KumoMTA tells of a connection under these names.
_PREDEFINED: Final[dict[str, Callable[[Session], str | None]]] = {
    "reception_protocol": lambda session: session.protocol,
    "received_via": lambda session: session.local or session.listener,
    "received_from": lambda session: str(session.peer),
    "hostname": lambda session: session.hostname,
    "ehlo_domain": lambda session: session.client_name or None,
    "authn_id": lambda session: session.authn_id,
    "authz_id": lambda session: session.authz_id,
    "tls_cipher": lambda session: (session.tls or {}).get("tls_cipher"),
    "tls_protocol_version": lambda session: (session.tls or {}).get("tls_protocol_version"),
}


class Occasion:
    """One event at a time. A script that kept an object of an earlier one is told so."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._message: Message | None = None

    def begin(self, session: Session, message: Message | None = None) -> None:
        """An event of ``session`` begins."""
        self._session, self._message = session, message

    def end(self) -> None:
        """The event is over: its objects are good for nothing now."""
        self._session = self._message = None

    def get_meta(self, session_id: str, name: str) -> Any:  # noqa: ANN401 - any plain value
        """``conn_meta:get_meta(name)``."""
        session = self._of(session_id)
        return known(session, name)

    def set_meta(self, session_id: str, name: str, value: object = None) -> None:
        """``conn_meta:set_meta(name, value)``."""
        if not isinstance(name, str):
            raise ValueError(f"a name is a string, got {name!r}")  # noqa: TRY004 - as all of them
        self._of(session_id).meta[name] = value

    def on_message(self, name: str, message_id: str, *arguments: object) -> Any:  # noqa: ANN401 - as above
        """A method of the message object."""
        message = self._message
        if message is None or message.id != message_id:
            raise ValueError("the message is used outside of its event")
        return operate(message, name, arguments)

    def _of(self, session_id: str) -> Session:
        session = self._session
        if session is None or session.id != session_id:
            raise ValueError("conn_meta is used outside of its event")
        return session


def known(session: Session, name: str) -> Any:  # noqa: ANN401 - any plain value
    """What is known of a connection: what was set, else what it is."""
    if name in session.meta:
        return session.meta[name]
    predefined = _PREDEFINED.get(name)
    return predefined(session) if predefined else None


def everything_known(session: Session) -> dict[str, Any]:
    """All of that: a message's metadata begin so."""
    predefined = {name: tell(session) for name, tell in _PREDEFINED.items()}
    return {name: value for name, value in predefined.items() if value is not None} | session.meta
