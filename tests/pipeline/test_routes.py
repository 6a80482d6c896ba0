"""Recipient patterns: they agree with the policy, survive Salmon, and can be read."""

from __future__ import annotations

import contextvars
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from salmon.routing import Router, route_like, stateless

from kumo_handlers.mail import address
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.pipeline import installation, routes
from kumo_handlers.pipeline.routes import Route
from kumo_handlers.policy import tables
from kumo_handlers.policy.base import Found
from kumo_handlers.policy.listener_domain import ListenerDomain, ReportDisposition

if TYPE_CHECKING:
    from collections.abc import Callable

RULES: dict[str, Any] = {
    "example.com": {"relay_to": True},
    "bounce.example.com": {"log_oob": True},
    "*.example.com": {"log_oob": "LogThenDrop", "log_arf": True},
    "deep.sub.example.com": {"log_arf": False},
    "[192.0.2.1]": {"log_oob": True},
    "bücher.example": {"log_arf": "LogThenRelay"},
    "listener": {
        "127.0.0.1:25": {"example.com": {"log_oob": True}, "*.example.com": {"log_arf": False}},
        "[::1]:25": {"*.com": {"log_arf": True}, "bounce.example.com": {"log_oob": False}},
    },
}
LOCALS = ["127.0.0.1:25", "[::1]:25", "127.0.0.1:2525"]
LABELS = ["example", "com", "bounce", "deep", "sub", "EXAMPLE", "bücher", "[192.0.2.1]", "a-b", ""]

domains = st.lists(st.sampled_from(LABELS), min_size=1, max_size=5).map(".".join)
recipients = st.one_of(
    st.builds("{}@{}".format, st.sampled_from(["bob", "Bob+tag", '"a@b"', "x%y"]), domains),
    st.just("postmaster"),
)


@pytest.mark.parametrize("option", ["log_oob", "log_arf"])
def test_routes_and_policy_agree(option: str) -> None:
    """A route matches just the addresses for which some listener's look-up has the option."""
    policy = tables.load([RULES])
    route = Route("recipients", lambda options: getattr(options, option).logs)

    @settings(max_examples=500, deadline=None)
    @given(recipients)
    def agree(recipient: str) -> None:
        host = recipient.rpartition("@")[2] if "@" in recipient else ""
        try:
            domain = address.fold_domain(host)
        except address.AddressError:
            expected = False
        else:
            found = [
                policy.find(domain, Session("s", Peer("192.0.2.9"), local=local))
                for local in LOCALS
            ]
            expected = any(each and getattr(each.options, option).logs for each in found)
        with routes.deciding_with(policy):
            assert bool(route.match(recipient)) is expected

    agree()


def test_a_match_has_the_captures_of_a_regular_expression() -> None:
    """Handlers are called with `address` and `host`, as of Salmon's own routes."""
    match = Route("everyone").match("Bob+tag@Example.com")
    assert match is not None
    assert match.groupdict() == {"address": "Bob+tag", "host": "Example.com"}
    match = Route("everyone").match("postmaster")
    assert match is not None
    assert match.groupdict() == {"address": "postmaster", "host": ""}


def test_the_key_is_an_expression_of_its_own() -> None:
    """Salmon may compile it; then it lets through what the route would, and more."""
    key = Route("recipients with log_oob").key
    match = re.compile(key, re.IGNORECASE).match("Bob@Example.com")
    assert match is not None
    assert match.groupdict() == {"address": "Bob", "host": "Example.com"}
    assert "recipients with log_oob" in repr(key)


@pytest.fixture
def loaded(clean_router: None, settings_for: Callable[..., Any]) -> list[str]:
    """Our handlers in Salmon's Router, with the rules above."""
    from kumo_handlers import boot

    app = settings_for(RULES)
    boot.configure(app)
    for name in app.handlers:
        sys.modules.pop(name, None)
    Router.load(app.handlers)
    return app.handlers


def called_for(recipient: str) -> list[str]:
    """The handlers that Salmon would call."""
    return [
        function.__module__.rpartition(".")[2]
        for functions, _ in Router.match(recipient)
        for function in functions
    ]


def test_salmon_finds_our_handlers(loaded: list[str]) -> None:
    """In the order of settings, those that apply."""
    assert called_for("x@bounce.example.com") == ["gate", "oob", "drop", "relay"]
    assert called_for("x@any.example.com") == ["gate", "arf", "oob", "drop", "relay"]
    assert "oob" not in called_for("x@far.example")
    installation.forget()


def test_people_can_read_a_key(loaded: list[str]) -> None:
    """`salmon routes` prints the domains, not a pattern."""
    shown = [str(key) for key in Router.ORDER]
    assert "recipients with log_oob: example.com on 127.0.0.1:25, bounce.example.com" in shown[2]
    installation.forget()


def test_reloading_keeps_routes(loaded: list[str]) -> None:
    """Router.RELOAD of Salmon's prototype: everything is registered anew, and works."""
    Router.reload()
    assert called_for("x@bounce.example.com") == ["gate", "oob", "drop", "relay"]
    assert len(Router.ORDER) == 5
    installation.forget()


def test_route_like_before_the_route_itself(loaded: list[str]) -> None:
    """After a reload an app's handler may come first: it compiles the key, and we take over."""
    from kumo_handlers.handlers import oob

    Router.clear_routes()

    @route_like(oob.START)
    @stateless
    def seen(message: object, **_: str) -> None: ...

    assert isinstance(Router.REGISTERED[oob.START._salmon_settings["format"]][0], re.Pattern)
    sys.modules.pop("kumo_handlers.handlers.oob")
    __import__("kumo_handlers.handlers.oob")
    first, second = called_for("x@bounce.example.com")
    assert (first, second) == ("oob", __name__.rpartition(".")[2])
    assert called_for("x@far.example.org") == []
    installation.forget()


def test_without_a_configuration(clean_router: None) -> None:
    """The error says which line of which file is missing."""
    installation.forget()
    route = Route("recipients", lambda options: options.relay_to)
    with pytest.raises(installation.ConfigurationError, match=r"config/boot\.py"):
        route.match("x@example.com")
    assert route.describe() == "recipients"


def test_an_answer_is_of_its_own_policy() -> None:
    """The very same address, asked under two policies in turn, and of the one in between."""
    route = Route("recipients", lambda options: options.log_oob.logs)
    recipient = "x@example.com"
    logs, silent = tables.load([{"example.com": {"log_oob": True}}]), tables.load([])
    with routes.deciding_with(logs):
        assert route.match(recipient)
        with routes.deciding_with(silent):
            assert not route.match(recipient)
        assert route.match(recipient)
        assert not route.match("x@example.net")
        assert route.match(recipient)


def test_an_entry_of_ones_own_comes_beside_the_policy() -> None:
    """What the mail was accepted by counts, for its recipient and whoever else is asked about."""
    route = Route("recipients", lambda options: options.log_oob.logs)
    own = Found(ListenerDomain(log_oob=ReportDisposition.LOG), "example.com")
    with routes.deciding_with(tables.load([]), own):
        assert route.match("x@example.com")
    with routes.deciding_with(tables.load([])):
        assert not route.match("x@example.com")


def test_routes_of_many_threads_do_not_mix() -> None:
    """Threads that share one look-up, and one name each time, get each their own answer."""
    wanted = Route("recipients", lambda options: options.log_oob.logs)
    every = Route("everyone")
    rules = {f"d{number}.example": {"log_oob": number % 2 == 0} for number in range(100)}

    def ask(number: int) -> bool:
        recipient = f"x@d{number % 100}.example"
        match = every.match(recipient)
        assert match is not None
        assert match.groupdict()["host"] == f"d{number % 100}.example"
        return bool(wanted.match(recipient)) is (number % 2 == 0)

    with routes.deciding_with(tables.load([rules])), ThreadPoolExecutor(4) as pool:
        context = contextvars.copy_context()
        copies = [context.copy() for _ in range(4)]
        asked = [pool.submit(copy.run, all, map(ask, range(3000))) for copy in copies]
        assert all(each.result() for each in asked)
