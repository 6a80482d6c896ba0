"""An SMTP listener: every option of one, declared once."""

import enum
import socket
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, Self

import msgspec

from kumo_handlers.errors import ConfigurationError, Problem
from kumo_handlers.policy import endpoint, networks
from kumo_handlers.policy.kinds import (
    BOOL,
    BYTES,
    COUNT,
    DURATION,
    ENDPOINT,
    FIELD_NAME,
    HOST_NAME,
    METADATA,
    NETWORKS,
    PATH,
    REPLY,
    STRINGS,
    TABLE,
    choice,
    nested,
)
from kumo_handlers.policy.networks import Networks
from kumo_handlers.policy.options import Declared, Kind, Place, declared, read, read_strictly
from kumo_handlers.policy.overrides import Overrides, merge


class Protocol(enum.Enum):
    """What is spoken: SMTP (RFC 5321), or LMTP (RFC 2033) behind another server."""

    ESMTP = "esmtp"
    LMTP = "lmtp"


class LineEndings(enum.Enum):
    """What becomes of a message with a bare CR or LF. None of these ever ends a message."""

    DENY = "Deny"
    ALLOW = "Allow"
    FIX = "Fix"


class TraceHeaders(msgspec.Struct, frozen=True, kw_only=True):
    """Which headers of ours a relayed message gets."""

    received_header: Annotated[bool, Declared(BOOL, "add a Received header (RFC 5321, 4.4)")] = True
    supplemental_header: Annotated[
        bool, Declared(BOOL, "add the header that lets a report be traced to its message")
    ] = True
    header_name: Annotated[str, Declared(FIELD_NAME, "the name of that header")] = "X-KumoRef"
    include_meta_names: Annotated[
        frozenset[str], Declared(STRINGS, "the connection's metadata that go into that header")
    ] = frozenset()
    per_recipient: Annotated[
        bool,
        Declared(BOOL, "a copy for each recipient, whose headers name it; else they share one"),
    ] = False


def _read_overrides(raw: object) -> Overrides:
    """The tables of `peer` or `via`. Raises `ConfigurationError` with all that is wrong."""
    if isinstance(raw, Overrides):
        return raw
    blocks, problems = {}, []
    for block, table in TABLE.read(raw).items():
        values, wrong = read(TABLE.read(table), OVERRIDABLE, Place())
        try:
            networks.parse_block(block)
        except ValueError:
            wrong.append(networks.explain(block))
        problems += [replace(problem, option=_below(block, problem)) for problem in wrong]
        blocks[block] = values
    if problems:
        raise ConfigurationError(problems)
    return Overrides(blocks)


def _below(block: str, problem: Problem) -> str:
    return f"'{block}'" + (f".{problem.option}" if problem.option else "")


def _show_overrides(overrides: Overrides) -> str:
    return ", ".join(overrides.blocks)


TRACE_HEADERS: Final = declared(TraceHeaders)
NO_OVERRIDES: Final = Overrides.none()
OVERRIDES: Final = Kind(
    "table of tables",
    "a table keyed by CIDR, of tables of options",
    _read_overrides,
    _show_overrides,
)
LOOPBACK: Final = Networks.parse(("127.0.0.1", "::1"))


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """One listener. Durations are seconds, sizes are bytes."""

    listen: Annotated[
        str, Declared(ENDPOINT, "the address and port, or unix:PATH; port 0 is any free one")
    ] = "127.0.0.1:2025"
    hostname: Annotated[
        str, Declared(HOST_NAME, "the name in the greeting and in replies; the system's by default")
    ] = msgspec.field(default_factory=socket.gethostname)
    banner: Annotated[str, Declared(REPLY, "what the greeting says after the name")] = "KumoMTA"
    relay_hosts: Annotated[
        Networks, Declared(NETWORKS, "peers that may relay anywhere; replaces the default")
    ] = LOOPBACK
    protocol: Annotated[Protocol, Declared(choice(Protocol), "what is spoken")] = Protocol.ESMTP
    max_connections: Annotated[
        int, Declared(COUNT, "connections at the same time; the next is told 421")
    ] = 32_768
    max_connections_per_peer: Annotated[
        int, Declared(COUNT, "of these, from one address; the next is told 421")
    ] = 32_768
    client_timeout: Annotated[float, Declared(DURATION, "how long a client may keep silent")] = 60.0
    data_processing_timeout: Annotated[
        float, Declared(DURATION, "how long handlers may take with a message before it is 451")
    ] = 300.0
    max_messages_per_connection: Annotated[
        int, Declared(COUNT, "MAIL commands in one connection; the next is told 421")
    ] = 10_000
    max_recipients_per_message: Annotated[
        int, Declared(COUNT, "recipients of one message; the next is told 452")
    ] = 1024
    max_message_size: Annotated[
        int, Declared(BYTES, "the largest message, as SIZE advertises it (RFC 1870)")
    ] = 20 * 1024 * 1024
    line_length_hard_limit: Annotated[
        int, Declared(COUNT, "the longest line of a message, its CRLF not counted")
    ] = 998
    invalid_line_endings: Annotated[
        LineEndings, Declared(choice(LineEndings), "what becomes of a bare CR or LF in a message")
    ] = LineEndings.DENY
    tls_certificate: Annotated[str | None, Declared(PATH, "the certificate for STARTTLS")] = None
    tls_private_key: Annotated[str | None, Declared(PATH, "the certificate's key")] = None
    tls_required_client_ca: Annotated[
        str | None, Declared(PATH, "who must have signed a client's certificate")
    ] = None
    trace_headers: Annotated[
        TraceHeaders,
        Declared(nested(TraceHeaders, TRACE_HEADERS), "headers that a relayed message gets"),
    ] = TraceHeaders()
    allow_auth_without_tls: Annotated[
        bool, Declared(BOOL, "offer AUTH to everyone, also where the password can be read along")
    ] = False
    allow_xclient: Annotated[
        bool, Declared(BOOL, "peers of relay_hosts may use XCLIENT and XFORWARD")
    ] = False
    require_proxy_protocol: Annotated[
        bool, Declared(BOOL, "each connection starts with a PROXY header, from relay_hosts")
    ] = False
    meta: Annotated[
        dict[str, Any], Declared(METADATA, "put into the metadata of each connection")
    ] = {}
    peer: Annotated[
        Overrides, Declared(OVERRIDES, "options for peers of a network; the longest prefix wins")
    ] = NO_OVERRIDES
    via: Annotated[
        Overrides, Declared(OVERRIDES, "options for a local address; the longest prefix wins")
    ] = NO_OVERRIDES

    @classmethod
    def read(cls, table: Mapping[str, Any], place: Place) -> Self:
        """The listener that ``table`` declares. Raises `ConfigurationError`, all at once."""
        return cls(**read_strictly(table, OPTIONS, place))

    def seen_by(self, peer: str, local: str) -> Self:
        """The listener as it is for one client: `via` and `peer` applied to its two addresses."""
        options = self._overrides(peer, local)
        if not options:
            return self
        if "meta" in options:
            options["meta"] = {**self.meta, **options["meta"]}
        return msgspec.structs.replace(self, **options)

    def overridden(self, table: Mapping[str, Any], place: Place) -> Self:
        """The listener with the options of ``table``. Raises `ConfigurationError`, all at once."""
        values = read_strictly(table, DYNAMIC, place)
        return msgspec.structs.replace(self, **merge({"meta": self.meta}, values))

    def trusts(self, option: str, peer: str, local: str) -> bool:
        """Whether ``peer`` may say for whom it speaks, by ``option``.

        A block of `peer` or `via` that sets the option decides. An option of the listener itself
        is for the peers of `relay_hosts`: it must not let the whole world choose its address.
        Who may open our Unix socket was decided by the permissions of its file.
        """
        options = self._overrides(peer, local)
        if option in options:
            return bool(options[option])
        return bool(getattr(self, option)) and (bool(self.path) or peer in self.relay_hosts)

    def _overrides(self, peer: str, local: str) -> dict[str, Any]:
        return merge(self.via.find(local), self.peer.find(peer))

    @property
    def host(self) -> str:
        """The address to listen on, in canonical spelling; empty for a Unix socket."""
        return endpoint.parse(self.listen).host

    @property
    def port(self) -> int:
        """The port to listen on; 0 is any free one."""
        return endpoint.parse(self.listen).port

    @property
    def path(self) -> str:
        """The path of the Unix socket to listen on; empty where it is an address."""
        return endpoint.parse(self.listen).path


_SPOOL: Final = "messages to relay are kept by this house's own queue"
OPTIONS: Final = declared(
    Listener,
    deferred_spool=_SPOOL,
    deferred_queue=_SPOOL,
    batch_handling="each recipient is decided on its own",
    data_buffer_size="the buffer grows with what the client sends",
)
# What is settled before there is a client.
DYNAMIC: Final = {
    name: option
    for name, option in OPTIONS.items()
    if name not in {"listen", "protocol", "max_connections"}
}
# Of these, all but what would be a block within a block.
OVERRIDABLE: Final = {
    name: option for name, option in DYNAMIC.items() if name not in {"peer", "via"}
}
