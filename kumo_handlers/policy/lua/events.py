"""The events of an SMTP session, put to a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kumo_handlers.errors import ConfigurationError, PolicyError
from kumo_handlers.policy.lua.failure import RefusedError, ScriptError
from kumo_handlers.policy.lua.message import Message
from kumo_handlers.policy.lua.occasion import everything_known
from kumo_handlers.policy.options import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.mail.address import Address
    from kumo_handlers.mail.reply import Reply
    from kumo_handlers.mail.session import Session
    from kumo_handlers.policy.listener import Listener
    from kumo_handlers.policy.lua.declarations import Declarations
    from kumo_handlers.policy.lua.occasion import Occasion
    from kumo_handlers.policy.lua.runtime import Runtime
    from kumo_handlers.policy.lua.scripts import Scripts
    from kumo_handlers.policy.session_events import ChangedMessage


class LuaEvents:
    """Each event returns the reply of a refusal, or None to go on. All raise `PolicyError`."""

    def __init__(
        self,
        runtime: Runtime,
        occasion: Occasion,
        declared: Declarations,
        scripts: Scripts,
        registered: frozenset[str],
    ) -> None:
        self._runtime = runtime
        self._occasion = occasion
        self._declared = declared
        self._scripts = scripts
        self._registered = registered

    @property
    def headers_to_log(self) -> frozenset[str]:
        """The headers of a message that go into its records."""
        return self._declared.logs.headers

    @property
    def max_segment_duration(self) -> float | None:
        """After how many seconds a log file ends; None leaves it to the settings."""
        return self._declared.logs.max_segment_duration

    @property
    def max_segment_size(self) -> int | None:
        """After how many bytes a log file ends; None leaves it to the settings."""
        return self._declared.logs.max_file_size

    @property
    def classifier_files(self) -> tuple[str, ...]:
        """Rule files for the classification of bounces."""
        return self._declared.classifier_files

    @property
    def sees_messages(self) -> bool:
        """Whether the script looks at messages, or has their headers logged."""
        looking = {"smtp_server_data", "smtp_server_message_received"}
        return bool(self.headers_to_log) or not self._registered.isdisjoint(looking)

    @property
    def authenticates(self) -> bool:
        """Whether the script checks passwords."""
        return "smtp_server_auth_plain" in self._registered

    def listener(self, session: Session, listener: Listener) -> Listener:
        """The listener as the script wants it for this connection."""
        event = "smtp_server_get_dynamic_parameters"
        if event not in self._registered:
            return listener
        try:
            params = self._call("parameters", session, listener.listen)
        except RefusedError as error:
            text = f"{event} cannot refuse: {error}"
            raise ScriptError(text, error.file, error.line) from error
        if params is None:
            return listener
        place = self._handler(event)
        if not isinstance(params, dict):
            text = f"{event} returned {params!r}, which is no table"
            raise ScriptError(text, place.file, place.line)
        try:
            return self._declared.override(listener, params, place)
        except ConfigurationError as error:
            raise PolicyError(f"{event}: {error}") from error

    def connected(self, session: Session) -> Reply | None:
        """``smtp_server_connection_accepted``, before the greeting."""
        return self._tell("smtp_server_connection_accepted", "connection", session)

    def hello(self, session: Session) -> Reply | None:
        """``smtp_server_ehlo``, for EHLO, HELO and LHLO."""
        return self._tell("smtp_server_ehlo", "text", session, session.client_name)

    def mail(self, session: Session, reverse_path: Address) -> Reply | None:
        """``smtp_server_mail_from``."""
        return self._tell("smtp_server_mail_from", "address", session, *_parts(reverse_path))

    def recipient(self, session: Session, forward_path: Address) -> Reply | None:
        """``smtp_server_rcpt_to``, for a recipient that the relay decision accepts."""
        return self._tell("smtp_server_rcpt_to", "address", session, *_parts(forward_path))

    def authenticate(
        self, session: Session, authz_id: str, authn_id: str, password: str
    ) -> tuple[str, str] | Reply | None:
        """``smtp_server_auth_plain``: who the client is, authz_id and authn_id; None if not."""
        if not self.authenticates:
            return None
        try:
            said = self._call("credentials", session, authz_id or authn_id, authn_id, password)
        except RefusedError as error:
            return error.reply
        if said is True:
            return authz_id or authn_id, authn_id
        if isinstance(said, dict):
            return _identities(said, authz_id or authn_id, authn_id)
        if said is False or said is None:
            return None
        place = self._handler("smtp_server_auth_plain")
        text = f"smtp_server_auth_plain returned {said!r}, neither true nor false"
        raise ScriptError(text, place.file, place.line)

    def message(
        self,
        message_id: str,
        session: Session,
        reverse_path: Address,
        forward_paths: Sequence[Address],
        content: bytes,
    ) -> Message:
        """The message that the next two events may change."""
        return Message(message_id, reverse_path, forward_paths, content, everything_known(session))

    def data(self, session: Session, message: ChangedMessage) -> Reply | None:
        """``smtp_server_data``: the message as it came in, for all of its recipients."""
        return self._about("smtp_server_data", session, message)

    def received(self, session: Session, message: ChangedMessage) -> Reply | None:
        """``smtp_server_message_received``: one recipient's copy of the message."""
        return self._about("smtp_server_message_received", session, message)

    def _handler(self, event: str) -> Place:
        """Where the handler of ``event`` begins: what it returned has no line of its own."""
        with self._runtime.lock:
            file, line = self._runtime.call("handler", event)
        return Place(self._scripts.path(file), line)

    def _about(self, event: str, session: Session, message: ChangedMessage) -> Reply | None:
        return self._tell(event, "message", session, message.id, message=message)

    def _tell(
        self,
        event: str,
        call: str,
        session: Session,
        *said: str,
        message: ChangedMessage | None = None,
    ) -> Reply | None:
        if event not in self._registered:
            return None
        try:
            self._call(call, session, event, *said, message=message)
        except RefusedError as error:
            return error.reply
        return None

    def _call(
        self, name: str, session: Session, *said: str, message: ChangedMessage | None = None
    ) -> Any:  # noqa: ANN401 - any plain value
        with self._runtime.lock:
            # the messages that come here are those that `message` made
            self._occasion.begin(session, message if isinstance(message, Message) else None)
            try:
                return self._runtime.call(name, *said, session.id)
            except ConfigurationError as error:
                raise PolicyError(str(error)) from error
            except ValueError as error:
                raise ScriptError(f"the event returned what cannot be used: {error}") from error
            finally:
                self._occasion.end()


def _parts(path: Address) -> tuple[str, str, str]:
    return str(path), path.local_part, path.domain


def _identities(said: dict[str, Any], authz_id: str, authn_id: str) -> tuple[str, str] | None:
    """KumoMTA's AuthInfo: a list of identities, each with the context it is known from."""
    listed = said.get("identities")
    found = {
        each.get("context"): each.get("identity")
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict) and isinstance(each.get("identity"), str)
    }
    if not found:
        return None
    authn = found.get("SmtpAuthPlainAuthentication", authn_id)
    authz = found.get("SmtpAuthPlainAuthorization", found.get("GenericAuth", authz_id))
    return str(authz), str(authn)
