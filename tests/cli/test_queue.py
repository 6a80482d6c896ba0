"""``kumo-handlers queue``."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from kumo_handlers.cli.queue import queue
from kumo_handlers.queue.commit import Committer
from kumo_handlers.queue.daybook import Daybook
from kumo_handlers.queue.queued_mail import QueuedMail
from kumo_handlers.queue.unit import Job, Unit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTENT = b"Subject: [red]hello\x1b[0m\r\n\tand more\r\n\r\nbody\r\n"
ONE = QueuedMail(
    id="m1",
    reverse_path="a@src.example",
    recipients=("[b]@one.example", "c@two.example"),
    content=CONTENT,
    time=time.time() - 7300,
)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Runs the command on a queue with one message to two recipients."""
    committer = Committer(tmp_path, {})
    committer.start()
    committer.commit_blocking(Unit(mails=(ONE,)))
    committer.close()

    def command(*words: str) -> Result:
        return CliRunner().invoke(queue, [words[0], "--run-dir", str(tmp_path), *words[1:]])

    return command


def test_list(run: Callable[..., Result]) -> None:
    """A table with one row a recipient, and a sum."""
    shown = run("list")
    assert shown.exit_code == 0
    assert "[b]@one.example" in shown.output
    assert "2 h" in shown.output
    assert "2 queued in the queue, 2 shown" in shown.output


def test_list_in_a_narrow_terminal(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recipient is one line whatever the width, so that an id can be copied and looked for."""
    monkeypatch.setenv("COLUMNS", "40")
    assert [line.split()[0] for line in run("list").output.splitlines()] == ["id", "m1", "m1", "2"]


def test_list_none(run: Callable[..., Result]) -> None:
    """A limit below one is a mistake."""
    assert run("list", "--limit", "-1").exit_code == 2


def test_list_after_a_kill(run: Callable[..., Result], tmp_path: Path) -> None:
    """What is not entered yet is not in the list, and the list says so; a running app enters it."""
    daybook = Daybook(tmp_path / "queue" / "daybook")
    daybook.write([Job(Unit(mails=(ONE, ONE)))])
    daybook.close()
    assert "2 more messages were accepted before the app was killed" in run("list").output
    committer = Committer(tmp_path, {})
    committer.start()
    assert "6 queued in the queue, 6 shown" in run("list").output
    assert "more messages" not in run("list").output
    committer.close()


def test_list_by_domain_as_json(run: Callable[..., Result]) -> None:
    """One object a line."""
    [line] = run("list", "--domain", "two.example", "--json").output.splitlines()
    found = json.loads(line)
    assert (found["id"], found["recipient"], found["state"]) == ("m1", "c@two.example", "queued")


def test_show(run: Callable[..., Result]) -> None:
    """Envelope, recipients and header; nothing in it steers the terminal."""
    shown = run("show", "m1").output
    assert "<a@src.example>" in shown
    assert "c@two.example" in shown
    assert "Subject: [red]hello?[0m\n        and more\n" in shown
    assert "body" not in shown


def test_show_as_json(run: Callable[..., Result]) -> None:
    """For another program."""
    found = json.loads(run("show", "m1", "--json").output)
    assert found["sender"] == "a@src.example"
    assert [each["recipient"] for each in found["recipients"]] == [
        "[b]@one.example",
        "c@two.example",
    ]


@pytest.mark.parametrize(
    ("words", "told", "state"),
    [
        (("hold", "m1"), "2 recipients are held", "held"),
        (("hold", "--domain", "one.example"), "1 recipient is held", "held"),
        (("retry", "--all"), "2 recipients are due now", "queued"),
        (("drop", "--yes", "m1"), "2 recipients are dropped", "dropped"),
    ],
)
def test_changes(run: Callable[..., Result], words: tuple[str, ...], told: str, state: str) -> None:
    """Each says how many it concerned."""
    assert told in run(*words).output
    assert f'"state":"{state}"' in run("list", "--json").output


@pytest.mark.parametrize("command", ["hold", "retry", "drop"])
def test_what_is_not_there(run: Callable[..., Result], command: str) -> None:
    """It is an error, for a script that names it; what is there is changed all the same."""
    done = run(command, "m1", "m2", *(["--yes"] if command == "drop" else []))
    assert (done.exit_code, done.stderr) == (1, "Error: not in the queue: m2\n")
    assert done.stdout.startswith("2 recipients are ")


@pytest.mark.parametrize("command", ["hold", "retry", "drop"])
def test_nothing_chosen_is_not_everything(run: Callable[..., Result], command: str) -> None:
    """Without a word about which, nothing is changed."""
    done = run(command, *(["--yes"] if command == "drop" else []))
    assert done.exit_code == 2
    assert "--all" in done.output


def test_drop_asks(run: Callable[..., Result]) -> None:
    """Accepted mail is given up only on purpose."""
    assert run("drop", "m1").exit_code == 1
    assert '"state":"queued"' in run("list", "--json").output


def test_export(run: Callable[..., Result], tmp_path: Path) -> None:
    """Byte for byte, with the envelope beside it."""
    assert run("export", "m1").stdout_bytes == CONTENT
    assert run("export", "--to", str(tmp_path / "out"), "m1").exit_code == 0
    assert (tmp_path / "out" / "m1.eml").read_bytes() == CONTENT
    assert json.loads((tmp_path / "out" / "m1.json").read_bytes())["sender"] == "a@src.example"


@pytest.mark.parametrize("command", ["show", "export"])
def test_unknown_message(run: Callable[..., Result], command: str) -> None:
    """It says so, and fails."""
    done = run(command, "nothing")
    assert done.exit_code == 1
    assert "nothing is not in the queue" in done.output


def test_no_queue(tmp_path: Path) -> None:
    """An error in words, without a traceback."""
    done = CliRunner().invoke(queue, ["list", "--run-dir", str(tmp_path / "none")])
    assert done.exit_code == 1
    assert "there is no queue" in done.output
