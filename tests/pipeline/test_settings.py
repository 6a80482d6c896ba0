"""Settings: read from a module or a table, strictly, each declared once."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.pipeline.settings import OPTIONS, Commit, Settings


def test_defaults() -> None:
    """Nothing needs to be said but the rules."""
    settings = Settings.read({})
    assert settings.listeners[0].listen == "127.0.0.1:2025"
    assert (settings.run_dir, settings.commit) == ("run", Commit.DURABLE)


def test_a_module_with_other_names() -> None:
    """A settings module holds Salmon's and the app's own names too; they are not ours."""
    module = ModuleType("settings")
    vars(module).update(
        relay_config={"host": "localhost"}, handlers=[], listener_domains="rules.toml", max_age="1d"
    )
    settings = Settings.read(module)
    assert settings.listener_domains == ("rules.toml",)
    assert settings.max_age == 86400.0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"listeners": [{"listen": "x"}]}, r"listeners\[1\]\.listen: wrong value, got 'x'"),
        ({"listeners": [{}, {"relay_host": []}]}, r"\[2\]\.relay_host.*Did you mean relay_hosts"),
        ({"listeners": "127.0.0.1:25"}, "expected a list of tables of listener options"),
        ({"listener_domains": 5}, "got 5; expected the path of a .toml or .json file"),
        ({"listener_domains": ["a", 5]}, "got 5"),
        ({"max_age": "soon"}, "max_age: wrong value, got 'soon'"),
        ({"commit": "maybe"}, "expected one of durable, none"),
        ({"authenticate": "ann"}, "expected a function"),
        ({"handler_threads": 0}, "expected a whole number above 0"),
    ],
)
def test_mistakes(table: dict[str, Any], message: str) -> None:
    """Each names the setting, the value, and what was expected."""
    with pytest.raises(ConfigurationError, match=message):
        Settings.read(table)


def test_all_mistakes_at_once() -> None:
    """Not only the first."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.read(
            {"max_age": "soon", "commit": "maybe", "listeners": [{"listen": "x"}, {"y": 1}]}
        )
    assert len(caught.value.problems) == 4


def test_a_secret_is_not_shown() -> None:
    """An error about trace keys names no key."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.read({"trace_keys": ["a secret"]})
    assert "secret'" not in str(caught.value)


def test_every_setting_says_what_it_is() -> None:
    """For the documentation: a kind, a help text, a default that can be written."""
    for option in OPTIONS.values():
        assert option.help
        assert option.kind.expected
        assert isinstance(option.default_text, str)


def test_a_slip_is_pointed_at(caplog: pytest.LogCaptureFixture) -> None:
    """A misspelt name has no effect, and is not passed over; Salmon's own names are no slips."""
    Settings.read({"listener_domain": "x.toml", "max_agee": 5, "receiver_config": {}, "relay": 1})
    assert [record.args for record in caplog.records] == [
        ("listener_domain", "listener_domains"),
        ("max_agee", "max_age"),
    ]


def test_records_go_somewhere() -> None:
    """No sink at all is a mistake."""
    with pytest.raises(ConfigurationError, match="sinks"):
        Settings.read({"sinks": []})


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("slip", ["amqp:/u:hush@h/", "amqp://u:hush@h/", "host=h password=hush"])
def test_no_setting_shows_a_password(name: str, slip: str) -> None:
    """Whichever option a URL went to, in whichever wrapping, broken or not: no error, no repr."""
    wrapped: list[object] = [slip, [slip], slip.encode(), [slip.encode()], {"a": slip}]
    for given in [*wrapped, [{"relay_hosts": slip}], [{"url": slip}]]:
        try:
            said = repr(Settings.read({name: given}))
        except ConfigurationError as error:
            said = str(error)
        assert "hush" not in said
