"""The message of an event: what a script may ask of it, and change."""

from __future__ import annotations

from email.utils import getaddresses
from typing import TYPE_CHECKING, Any, Final

from kumo_handlers.errors import AddressError
from kumo_handlers.mail import address, octets
from kumo_handlers.policy.lua.header_block import MAX_VALUE, HeaderBlock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kumo_handlers.mail.address import Address

MAX_RECIPIENTS: Final = 10_000


class Message:
    """A message that a script may change. ``meta`` begins as the connection's metadata."""

    def __init__(
        self,
        message_id: str,
        sender: Address,
        recipients: Sequence[Address],
        content: bytes,
        meta: dict[str, Any],
    ) -> None:
        self.id = message_id
        self.sender = sender
        self.recipients = tuple(recipients)
        self.meta = meta
        self._content = content
        self._header: HeaderBlock | None = None

    @property
    def content(self) -> bytes:
        """The message as it is now, CRLF line ends."""
        if self._header is not None:
            self._content, self._header = bytes(self._header), None
        return self._content

    @property
    def is_discarded(self) -> bool:
        """Whether it is to be accepted and go nowhere: KumoMTA's queue of that name."""
        return self.meta.get("queue") == "null"

    def headers(self, names: frozenset[str]) -> dict[str, str]:
        """The first value of each of these header fields, where there is one."""
        if not names:
            return {}
        found = ((name, _first(self, name)) for name in sorted(names))
        return {name: value for name, value in found if value is not None}

    def copy(self, message_id: str, recipient: Address) -> Message:
        """The same message for one of its recipients."""
        return Message(message_id, self.sender, (recipient,), self.content, dict(self.meta))

    @property
    def header(self) -> HeaderBlock:
        """Its header, to be read and changed."""
        if self._header is None:
            self._header = HeaderBlock.of(self._content)
        return self._header


def operate(message: Message, name: str, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401 - plain values
    """What a method of the message object does. Raises ValueError for wrong arguments."""
    operation, kinds, least = _OPERATIONS[name]
    if not least <= len(arguments) <= len(kinds):
        raise ValueError(f"message:{name} takes {least} to {len(kinds)} arguments")
    for argument, kind in zip(arguments, kinds, strict=False):
        if not isinstance(argument, kind):
            raise ValueError(f"message:{name}: wrong argument {argument!r}")  # noqa: TRY004 - as all of them
    return operation(message, *arguments)


def _set_meta(message: Message, name: str, value: object = None) -> None:
    message.meta[name] = value


def _set_data(message: Message, content: str) -> None:
    raw = octets.of_text(content)
    message._header = None  # noqa: SLF001 - a method of the message, by another name
    message._content = b"\r\n".join(raw.replace(b"\r\n", b"\n").split(b"\n"))  # noqa: SLF001 - as above


def _add(put: str) -> Callable[..., None]:
    def add(message: Message, name: str, value: str, encode: bool = False) -> None:  # noqa: FBT001, FBT002 - KumoMTA's
        if encode and not value.isascii():
            from email.header import Header  # noqa: PLC0415 - seldom

            value = Header(value, "utf-8", header_name=name).encode(linesep="\r\n")
        getattr(message.header, put)(name, value)

    return add


def _first(message: Message, name: str) -> str | None:
    return next(iter(message.header.values(name)), None)


def _all(message: Message) -> list[list[str]]:
    return [list(item) for item in message.header.items()]


def _x_names(message: Message, names: object) -> list[str]:
    """The fields that are meant: those named, or all that begin with X-."""
    if isinstance(names, list) and names:
        return [str(name) for name in names]
    return [name for name, _ in message.header.items() if name.lower().startswith("x-")]


def _import_x(message: Message, names: object = None) -> None:
    """Metadata of header fields: ``X-Campaign-Id`` as ``x_campaign_id``."""
    for name in _x_names(message, names):
        if (value := _first(message, name)) is not None:
            message.meta[name.lower().replace("-", "_")] = value


def _addresses(message: Message, name: str) -> list[dict[str, str]] | None:
    values = message.header.values(name)
    if not values:
        return None
    found = []
    for display, email in getaddresses([values[0][:MAX_VALUE]]):
        user, _, domain = email.rpartition("@")
        found.append({"name": display, "email": email, "user": user, "domain": domain.lower()})
    return found


def _parts(path: Address) -> tuple[str, str, str]:
    return str(path), path.local_part, path.domain


def _recipients(message: Message) -> list[dict[str, str]]:
    names = ("email", "user", "domain")
    return [dict(zip(names, _parts(path), strict=True)) for path in message.recipients]


def _set_sender(message: Message, text: str) -> None:
    message.sender = address.parse(text)


def _set_recipient(message: Message, texts: str | list[str]) -> None:
    paths = [address.parse(text) for text in ([texts] if isinstance(texts, str) else texts)]
    if not paths or any(path.is_null for path in paths):
        raise AddressError("a message needs a recipient")
    if len(paths) > MAX_RECIPIENTS:
        raise ValueError(f"more than {MAX_RECIPIENTS} recipients")
    message.recipients = tuple(dict.fromkeys(paths))


_PLAIN: Final = str | int | float | bool | dict | list | None
_LIST: Final = list | dict | None
# What is done, the types of the arguments, and how many there must be.
_OPERATIONS: Final[dict[str, tuple[Callable[..., Any], tuple[Any, ...], int]]] = {
    "id": (lambda message: message.id, (), 0),
    "get_meta": (lambda message, name: message.meta.get(name), (str,), 1),
    "set_meta": (_set_meta, (str, _PLAIN), 1),
    "get_data": (lambda message: message.content, (), 0),
    "set_data": (_set_data, (str,), 1),
    "get_first_named_header_value": (_first, (str,), 1),
    "get_all_named_header_values": (lambda message, name: message.header.values(name), (str,), 1),
    "get_all_headers": (_all, (), 0),
    "prepend_header": (_add("prepend"), (str, str, bool), 2),
    "append_header": (_add("append"), (str, str, bool), 2),
    "remove_all_named_headers": (lambda message, name: message.header.remove(name), (str,), 1),
    "remove_x_headers": (
        lambda message, names=None: message.header.remove(*_x_names(message, names)),
        (_LIST,),
        0,
    ),
    "import_x_headers": (_import_x, (_LIST,), 0),
    "addresses": (_addresses, (str,), 1),
    "sender": (lambda message: _parts(message.sender), (), 0),
    "set_sender": (_set_sender, (str,), 1),
    "recipients": (_recipients, (), 0),
    "set_recipient": (_set_recipient, (str | list,), 1),
}
