"""``kumo-handlers explain``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kumo_handlers.cli.main import main
from kumo_handlers.testing import make_bounce, make_letter

RULES = Path(__file__).parent / "rules"
COMMAND = [sys.executable, "-c", "from kumo_handlers.cli.main import main; main()"]
HEAVY = ("salmon", "asyncio", "sqlite3", "rich", "lupa")
ASKED = {"--peer": "192.0.2.1", "--from": "ann@elsewhere.example", "--to": "bob@example.com"}


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(RULES)


def explain(*more: str, rules: str = "sample.toml", **asked: str) -> Result:
    """Ask the command; ``asked`` replaces what `ASKED` asks."""
    options = ASKED | {f"--{name.rstrip('_')}": value for name, value in asked.items()}
    words = [word for pair in options.items() for word in pair]
    arguments = ["explain", "--listener-domains", rules, *words, *more]
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("accepted", {}),
        ("refused", {"to": "bob@www.example.com"}),
        ("section", {"to": "bob@any.example.com", "listener": "127.0.0.1:25"}),
        ("relay_from", {"from": "news@send.example.com", "to": "x@else.net", "peer": "10.0.0.9"}),
        ("report", {"from": "", "to": "token@bounce.example.com"}),
    ],
)
def test_pages(name: str, asked: dict[str, str]) -> None:
    """What a person reads, word for word."""
    found = explain(**asked)
    assert found.exit_code == 0
    assert found.stdout == (RULES / f"{name}.explained").read_text()


def test_script(tmp_path: Path) -> None:
    """A policy in Lua: where it answered, what it would have to say, and what it refuses."""

    def ask(sender: str, recipient: str, *more: str) -> Result:
        options = ["--peer", "192.0.2.1", "--from", sender, "--to", recipient, *more]
        arguments = ["explain", "--policy", "policy.lua", *options]
        return CliRunner().invoke(main, arguments, catch_exceptions=False)

    page = ask("ann@elsewhere.example", "bob@nowhere.example").stdout
    assert page == Path("script.explained").read_text()
    for sender, recipient, step in (
        ("ann@spam.example", "bob@example.com", "MAIL FROM"),
        ("ann@elsewhere.example", "abuse@example.com", "RCPT TO"),
        ("ann@elsewhere.example", "abuse@nowhere.example", None),
        ("ann@elsewhere.example", "bob@example.com", None),
    ):
        path = tmp_path / f"{sender}.{recipient}.toml"
        answer = json.loads(ask(sender, recipient, "--json", "--save", str(path)).stdout)
        assert answer["refused_at"] == step
        assert (answer["decision"] == "accept") is (recipient == "bob@example.com" and not step)
        found = CliRunner().invoke(main, ["test", str(path)])
        assert found.stdout == "1 passed, 0 failed\n"


def test_json() -> None:
    """The same for a script."""
    answer = json.loads(explain("--json", to="bob@www.example.com").stdout)
    assert (answer["decision"], answer["rule"]) == ("refuse", "none")
    assert answer["reply"].startswith("550 5.7.1 relaying not permitted for 192.0.2.1")
    found = [step for step in answer["recipient"]["asked"] if step["answer"] == "found"]
    assert found[0]["origin"] == "sample.toml:19"
    assert answer["remedies"][0]["lines"] == ['["www.example.com"]', "relay_to = true"]


def test_content(tmp_path: Path) -> None:
    """One message: who read it, what becomes of it, its records."""
    path = tmp_path / "bounce.eml"
    path.write_bytes(make_bounce("gone@nowhere.example"))
    found = explain("--content", str(path), to="token@bounce.example.com")
    assert "this message: 250 2.0.0 OK, logged\n" in found.stdout
    assert "read by the stage 'delivery-status part', source rfc3464" in found.stdout
    assert "OOB  token@bounce.example.com to gone@nowhere.example  550" in found.stdout
    path.write_bytes(make_letter("token@bounce.example.com"))
    found = explain("--content", str(path), to="token@bounce.example.com")
    assert "this message: 550 5.7.1 relaying not permitted" in found.stdout
    assert "no stage reads it as a report" in found.stdout
    content = make_bounce("x@y.example").partition(b"Final-Recipient")[0]
    path.write_bytes(content.replace(b"x@y.example", b"somebody"))
    found = explain("--content", str(path), "--json", to="token@bounce.example.com")
    (record,) = json.loads(found.stdout)["content"]["records"]
    assert record["report"]["kept"] == "the whole message"


def test_content_that_is_never_sent(tmp_path: Path) -> None:
    """A refused recipient's message is not looked at; one that is not there is an error."""
    found = explain("--content", "anything", to="bob@www.example.com")
    assert "anything: never sent, the recipient is refused before DATA" in found.stderr
    found = explain("--content", str(tmp_path / "missing.eml"))
    assert (found.exit_code, "cannot be read" in found.stderr) == (1, True)


def test_save(tmp_path: Path) -> None:
    """What was decided becomes an expectation, which then holds."""
    path = tmp_path / "expected.toml"
    for recipient in ("bob@example.com", "token@bounce.example.com", "bob@www.example.com"):
        assert explain("--save", str(path), to=recipient).exit_code == 0
    found = CliRunner().invoke(main, ["test", str(path)], catch_exceptions=False)
    assert (found.exit_code, found.stdout) == (0, "3 passed, 0 failed\n")
    found = explain("--save", str(tmp_path / "missing" / "expected.toml"))
    assert (found.exit_code, "cannot be written" in found.stderr) == (1, True)


@pytest.mark.parametrize("text", ["hello\n", '["example.com"]\nrelay_to = true\n'])
def test_saving_into_another_file(tmp_path: Path, text: str) -> None:
    """The wrong name was typed: what is no file of expectations stays as it is."""
    path = tmp_path / "other.toml"
    path.write_text(text)
    assert explain("--save", str(path)).exit_code == 1
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"peer": "mx.example.com"}, "option peer: wrong value, got 'mx.example.com'"),
        ({"to": "bob"}, "option to: wrong value, got 'bob'"),
        ({"listener": "25"}, "option listener: wrong value, got '25'"),
        ({"rules": "missing.toml"}, "missing.toml: cannot be read: No such file or directory"),
        ({"rules": "broken.toml"}, "broken.toml:3: domain example.com, option relay_too"),
    ],
)
def test_errors(asked: dict[str, str], message: str) -> None:
    """Each on its line, and exit status 1."""
    found = explain(**asked)
    assert found.exit_code == 1
    assert f"error: {message}" in found.stderr


def test_settings_say_where_to_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their listeners' own options hold, and their rules unless others are named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("explained_settings.py").write_text(
        'listener_domains = [{"example.net": {"relay_to": True}}]\n'
        'listeners = [{"listen": "0:2525", "relay_hosts": ["192.0.2.0/24"]}]\n'
    )
    words = [word for pair in ASKED.items() for word in pair]
    command = ["explain", "--settings", "explained_settings", *words, "--json"]
    for more, rule in (
        (["--listener", "10.0.0.1:2525"], "relay_hosts"),
        (["--peer", "10.0.0.9"], "none"),
        (["--peer", "10.0.0.9", "--listener-domains", str(RULES / "sample.toml")], "relay_to"),
    ):
        found = CliRunner().invoke(main, [*command, *more], catch_exceptions=False)
        assert json.loads(found.stdout)["rule"] == rule


def test_as_a_command() -> None:
    """As a shell runs it, without what only a running listener needs."""
    words = [word for pair in ASKED.items() for word in pair]
    arguments = ["kumo-handlers", "explain", "--listener-domains", "sample.toml", *words]
    code = (
        "import sys; from kumo_handlers.cli.main import main\n"
        f"sys.argv = {arguments!r}\n"
        "try: main()\n"
        f"finally: print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=RULES, capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith("accepted, by relay_to: 250 2.1.5")
    assert found.stdout.endswith("\n[]\n")
