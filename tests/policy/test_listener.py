"""Every option of a listener: its default, a value of its own, and what is not there yet."""

from __future__ import annotations

import socket

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy.listener import (
    OPTIONS,
    LineEndings,
    Listener,
    Protocol,
    TraceHeaders,
)
from kumo_handlers.policy.networks import Networks
from kumo_handlers.policy.options import Place

HERE = Place("config/settings.py", 3)


@pytest.mark.parametrize(
    ("option", "default"),
    [
        ("listen", "127.0.0.1:2025"),
        ("hostname", socket.gethostname()),
        ("banner", "KumoMTA"),
        ("relay_hosts", Networks.parse(["127.0.0.1", "::1"])),
        ("protocol", Protocol.ESMTP),
        ("max_connections", 32_768),
        ("client_timeout", 60.0),
        ("data_processing_timeout", 300.0),
        ("max_messages_per_connection", 10_000),
        ("max_recipients_per_message", 1024),
        ("max_message_size", 20_971_520),
        ("line_length_hard_limit", 998),
        ("invalid_line_endings", LineEndings.DENY),
        ("tls_certificate", None),
        ("tls_private_key", None),
        ("tls_required_client_ca", None),
        ("trace_headers", TraceHeaders()),
        ("allow_xclient", False),
        ("require_proxy_protocol", False),
        ("meta", {}),
    ],
)
def test_defaults(option: str, default: object) -> None:
    """What a listener does that was told nothing."""
    assert getattr(Listener.read({}, HERE), option) == default
    assert OPTIONS[option].default == default


@pytest.mark.parametrize(
    ("option", "raw", "value"),
    [
        ("listen", "0:25", "0:25"),
        ("hostname", "mail.example.com", "mail.example.com"),
        ("banner", "ready", "ready"),
        ("relay_hosts", ["192.168.1.0/24"], Networks.parse(["192.168.1.0/24"])),
        ("relay_hosts", [], Networks.parse([])),
        ("protocol", "esmtp", Protocol.ESMTP),
        ("max_connections", 1, 1),
        ("client_timeout", "1 minute", 60.0),
        ("data_processing_timeout", 5, 5.0),
        ("max_messages_per_connection", 2, 2),
        ("max_recipients_per_message", 3, 3),
        ("max_message_size", 4, 4),
        ("line_length_hard_limit", 5, 5),
        ("invalid_line_endings", "Fix", LineEndings.FIX),
        ("trace_headers", {"header_name": "X-Ref"}, TraceHeaders(header_name="X-Ref")),
        ("trace_headers", TraceHeaders(), TraceHeaders()),
        ("meta", {"tenant": "a"}, {"tenant": "a"}),
        ("protocol", "lmtp", Protocol.LMTP),
        ("tls_certificate", "cert.pem", "cert.pem"),
        ("tls_private_key", "key.pem", "key.pem"),
        ("tls_required_client_ca", "ca.pem", "ca.pem"),
        ("allow_xclient", True, True),
        ("require_proxy_protocol", True, True),
    ],
)
def test_each_option_is_taken(option: str, raw: object, value: object) -> None:
    """The value goes to the attribute of the same name, and nothing else changes."""
    listener = Listener.read({option: raw}, HERE)
    assert getattr(listener, option) == value
    for other in OPTIONS:
        if other != option and OPTIONS[other].effect:
            assert getattr(listener, other) == OPTIONS[other].default


@pytest.mark.parametrize(
    "option", ["deferred_spool", "deferred_queue", "batch_handling", "data_buffer_size"]
)
def test_accepted_without_effect(option: str) -> None:
    """KumoMTA's options about its own inside do not stop a listener."""
    assert Listener.read({option: True}, HERE) == Listener()
    assert not OPTIONS[option].effect


def test_problems_inside_a_nested_table() -> None:
    """They are named by their path, with what is expected there."""
    with pytest.raises(ConfigurationError) as caught:
        Listener.read({"trace_headers": {"header": "X", "received_header": 1}}, HERE)
    messages = [str(problem) for problem in caught.value.problems]
    assert messages[0].startswith("config/settings.py:3: option trace_headers.header: unknown")
    assert messages[1] == (
        "config/settings.py:3: option trace_headers.received_header: wrong value, got 1; "
        "expected true or false"
    )


def test_host_and_port() -> None:
    """What the server binds, however it was written."""
    listener = Listener(listen="localhost:0")
    assert (listener.host, listener.port) == ("127.0.0.1", 0)
    assert Listener(listen="[::]:25").host == "::"


def test_every_option_has_words_for_people() -> None:
    """A row of the documentation is never empty."""
    for option in OPTIONS.values():
        assert option.help
        assert option.kind.expected
