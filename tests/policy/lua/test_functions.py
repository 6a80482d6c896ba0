"""The functions of the kumo module: each file of ``functions`` asserts what they do.

``bad_arguments.txt`` has what they say of wrong arguments, with the file and the line.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy.lua.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from kumo_handlers.mail.session import Session
    from kumo_handlers.policy.lua.policy import LuaPolicy

HERE = Path(__file__).parent
FUNCTIONS = sorted((HERE / "functions").glob("*.lua"))
BAD = [
    line.rsplit(" | ", 1)
    for line in (HERE / "bad_arguments.txt").read_text().splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_functions(policy: Callable[..., LuaPolicy], path: Path) -> None:
    """Each does what KumoMTA's manual, or Lua's, says."""
    policy(f"local kumo = require 'kumo'\n{path.read_text()}")


@pytest.mark.parametrize(("call", "problem"), BAD, ids=[call for call, _ in BAD])
def test_bad_arguments(policy: Callable[..., LuaPolicy], call: str, problem: str) -> None:
    """The policy does not load; the error says what was wrong, and where."""
    with pytest.raises(ConfigurationError, match=re.escape(problem)) as caught:
        policy(f"local kumo = require 'kumo'\n{call}")
    assert "policy.lua:2: " in str(caught.value) or "/nowhere" in str(caught.value)


def test_every_problem_of_a_listener(policy: Callable[..., LuaPolicy]) -> None:
    """All at once, as in TOML and in Python settings."""
    with pytest.raises(ConfigurationError) as caught:
        policy("require('kumo').start_esmtp_listener { lisen = 1, hostname = '', relay_hosts = 1 }")
    assert {problem.option for problem in caught.value.problems} == {
        "lisen",
        "hostname",
        "relay_hosts",
    }
    assert all(problem.line == 1 for problem in caught.value.problems)


def test_logs(policy: Callable[..., LuaPolicy], caplog: pytest.LogCaptureFixture) -> None:
    """Print and kumo.log_* go to the log, with file and line."""
    with caplog.at_level(logging.DEBUG):
        policy(
            "local kumo = require 'kumo'\nprint('a', nil, 1)\nkumo.log_debug 'b'\n"
            "kumo.log_warn('c', true)\nkumo.log_error 'd'\nkumo.log_info 'e'"
        )
    said = [(record.levelname, record.getMessage().rpartition("/")[2]) for record in caplog.records]
    assert said == [
        ("INFO", "policy.lua:2: a nil 1"),
        ("DEBUG", "policy.lua:3: b"),
        ("WARNING", "policy.lua:4: c true"),
        ("ERROR", "policy.lua:5: d"),
        ("INFO", "policy.lua:6: e"),
    ]


def test_the_environment(policy: Callable[..., LuaPolicy], monkeypatch: pytest.MonkeyPatch) -> None:
    """Names on the list, and names that begin with KUMO: no others."""
    monkeypatch.setenv("KUMO_NODE", "one")
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")
    policy("assert(os.getenv 'KUMO_NODE' == 'one' and os.getenv 'DATABASE_PASSWORD' == nil)")


def test_files_are_read_and_watched(tmp_path: Path) -> None:
    """Modules and data files beside the policy make its version, and are watched."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "rules.lua").write_text("return { domain = 'a.example' }")
    (tmp_path / "more.toml").write_text("[x]\ny = 1\n")
    (tmp_path / "more.json").write_text('{"url": "http://x/y" /* why */ } // end')
    main = tmp_path / "policy.lua"
    main.write_text(
        "local kumo = require 'kumo'\nlocal rules = require 'mine.rules'\n"
        f"assert(kumo.toml_load('{tmp_path}/more.toml').x.y == 1)\n"
        f"assert(kumo.json_load('/etc/kumo/more.json').url == 'http://x/y')\n"
        "assert(require 'mine.rules' == rules and rules.domain == 'a.example')"
    )
    first = load(main, {"/etc/kumo": str(tmp_path)})
    names = ["policy.lua", "mine/rules.lua", "more.toml", "more.json"]
    assert first.files == tuple(str(tmp_path / name) for name in names)
    (tmp_path / "mine" / "rules.lua").write_text("return { domain = 'a.example' } -- changed")
    assert load(main, {"/etc/kumo": str(tmp_path)}).version != first.version


def test_a_file_that_an_event_reads(
    handler: Callable[[str], LuaPolicy], tmp_path: Path, session: Session
) -> None:
    """It is read again when it changes, and does not belong to the version."""
    path = tmp_path / "late.toml"
    path.write_text("relay_to = false")
    made = handler(f"return kumo.make_listener_domain(kumo.toml_load '{path}')")
    answers = []
    for text in ("relay_to = true", "relay_to = true", "relay_to = false # and longer"):
        path.write_text(text)
        found = made.find("a.example", session)
        assert found is not None
        answers.append(found.options.relay_to)
    assert answers == [True, True, False]
    assert str(path) not in made.files


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("local x =", "policy.lua:1: unexpected symbol"),
        ("\n\nerror('x')", "policy.lua:3: x"),
        ("\nlocal f = nil\nf()", "policy.lua:3: attempt to call a nil value"),
        ("\nrequire 'broken'", "broken.lua:2: <name> expected"),
        ("require('kumo').on('init', function()\nerror 'x' end)", "policy.lua:2: x"),
        (
            "require('kumo').on('pre_init', function() kumo.x() end)",
            "policy.lua:1: attempt to index",
        ),
        (
            "local kumo = require 'kumo'\nkumo.on('init', print)\nkumo.on('init', print)",
            "already has a handler",
        ),
        ("local kumo = require 'kumo'\nkumo.reject(550, 'x')", "550 x"),
        (
            "local kumo = require 'kumo'\nlocal fail = kumo.validation_failed\n"  # noqa: ISC004 - one text
            "kumo.on('validate_config', function() fail() end)",
            "policy.lua:3: validate_config says",
        ),
    ],
)
def test_what_does_not_load(
    policy: Callable[..., LuaPolicy], tmp_path: Path, text: str, problem: str
) -> None:
    """An error names the file and the line."""
    (tmp_path / "broken.lua").write_text("\nlocal local")
    with pytest.raises(ConfigurationError, match=re.escape(problem)):
        policy(text)


def test_a_missing_policy() -> None:
    """It is named."""
    with pytest.raises(ConfigurationError, match=r"/nowhere/policy\.lua: cannot be read"):
        load("/nowhere/policy.lua")


def test_a_long_path(tmp_path: Path) -> None:
    """Lua shortens long names; ours are whole."""
    folder = tmp_path / ("x" * 60) / ("y" * 60)
    folder.mkdir(parents=True)
    (folder / "policy.lua").write_text("error 'here'")
    with pytest.raises(ConfigurationError, match=re.escape(f"{folder}/policy.lua:1: here")):
        load(folder / "policy.lua")


def test_several_handlers_of_the_beginning(policy: Callable[..., LuaPolicy]) -> None:
    """pre_init and validate_config may have several, in their order."""
    policy(
        "local kumo = require 'kumo'\nlocal order = ''\n"
        "kumo.on('init', function() order = order .. 'i' end)\n"
        "kumo.on('pre_init', function() order = order .. 'p' end)\n"
        "kumo.on('pre_init', function() order = order .. 'q' end)\n"
        "kumo.on('validate_config', function() assert(order == 'pqi', order) end)"
    )
