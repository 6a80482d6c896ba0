"""The example's suppression list: who bounced for good, who complained, each once."""

from __future__ import annotations

import socket
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.testing import (
    Conversation,
    RecordingRelay,
    make_bounce,
    make_complaint,
    make_letter,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("relay")


@pytest.fixture(params=["sqlite", "postgresql"])
def suppression(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """A table of either kind."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path}/run/suppression.sqlite3"
    found: str = request.getfixturevalue("database")
    return found


@pytest.fixture(autouse=True)
def table(relay: RecordingRelay) -> Iterator[Any]:
    """The application's own, let go of afterwards."""
    from app.suppression import suppressions

    yield suppressions
    suppressions.close()


def suppressed() -> list[tuple[str, str]]:
    """Address and reason."""
    from app.suppression import suppressions

    return sorted(suppressions._ask("SELECT address, why FROM suppression", ()))


def test_a_permanent_bounce() -> None:
    """The failed recipient, its case kept, with the class of the failure."""
    heard = Conversation().say(
        "v@bounce.example.com", make_bounce("Gone@nowhere.example"), sender=""
    )
    assert heard.reply.code == 250
    assert [record.type for record in heard.records] == ["OOB"]
    assert heard.relayed == ()
    assert suppressed() == [("Gone@nowhere.example", "bounce: InvalidRecipient")]


def test_a_transient_bounce() -> None:
    """It is logged, and nobody is suppressed for it."""
    bounce = make_bounce("full@nowhere.example", status="4.2.2", diagnostic="452 4.2.2 full")
    heard = Conversation().say("v@bounce.example.com", bounce, sender="")
    assert heard.records[0].report["permanence"] == "transient"
    assert suppressed() == []


@pytest.mark.parametrize("action", ["delayed", "delivered"])
def test_what_is_no_failure(action: str) -> None:
    """A notice that reports none suppresses nobody."""
    Conversation().say(
        "v@bounce.example.com", make_bounce("slow@nowhere.example", action=action), sender=""
    )
    assert suppressed() == []


@pytest.mark.parametrize(
    ("feedback_type", "expected"),
    [
        ("abuse", [("emil@provider.example", "complaint: abuse")]),
        ("not-spam", []),
        ("auth-failure", []),
    ],
)
def test_complaints(feedback_type: str, expected: list[tuple[str, str]]) -> None:
    """Who complained; other feedback is no complaint."""
    complaint = make_complaint("emil@provider.example", feedback_type=feedback_type)
    Conversation(sender="fbl@provider.example").say("complaints@fbl.example.com", complaint)
    assert suppressed() == expected


def test_the_same_report_twice() -> None:
    """A client that heard no reply sends again; it counts once."""
    bounce = make_bounce("gone@nowhere.example")
    talk = Conversation(sender="")
    talk.say("v@bounce.example.com", bounce)
    talk.say("v@bounce.example.com", bounce)
    assert len(suppressed()) == 1


def test_ordinary_mail(relay: RecordingRelay) -> None:
    """It is refused at the bounce address, and changes nothing."""
    heard = Conversation().say("v@bounce.example.com", b"Subject: hi\r\n\r\nhello\r\n")
    assert (heard.reply.code, str(heard.reply.status)) == (550, "5.7.1")
    assert suppressed() == []
    assert relay.sent == []


ELSEWHERE = "gone@nowhere.example"


def tell(recipient: str = ELSEWHERE, sender: str = "news@send.example.com") -> Any:
    """What is answered to mail of ours, from where it may be relayed anywhere."""
    return Conversation(peer="10.0.0.7", sender=sender).say(recipient, make_letter(recipient)).reply


def test_mail_to_who_is_suppressed() -> None:
    """It is refused, in whatever case it is written; other mail goes its way."""
    assert tell().code == 250
    Conversation(sender="").say("v@bounce.example.com", make_bounce(ELSEWHERE))
    for address in (ELSEWHERE, "Gone@Nowhere.example"):
        assert (tell(address).code, str(tell(address).status)) == (550, "5.7.1")
    assert tell("here@nowhere.example").code == 250


def test_mail_to_us() -> None:
    """It is taken, though the address bounced once."""
    Conversation(sender="").say("v@bounce.example.com", make_bounce("bob@example.com"))
    assert suppressed()
    assert tell("bob@example.com").code == 250
    assert Conversation().say("bob@example.com", make_letter("bob@example.com")).reply.code == 250


def test_one_question_for_much_mail(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked is known for a while; then it is asked again."""
    asked: list[Any] = []
    ask, now = table._ask, [0.0]
    monkeypatch.setattr(table, "_clock", lambda: now[0])
    monkeypatch.setattr(
        table, "_ask", lambda statement, values: asked.append(values) or ask(statement, values)
    )
    assert [table.why(ELSEWHERE) for _ in range(100)] == [None] * 100
    assert len(asked) == 1
    now[0] = 61.0
    assert table.why(ELSEWHERE) is None
    assert len(asked) == 2


def test_what_is_kept_is_bounded(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest answers go first."""
    monkeypatch.setattr("app.suppression.MOST", 3)
    for number in range(7):
        table.why(f"{number}@nowhere.example")
    assert list(table._answers) == [f"{number}@nowhere.example" for number in (4, 5, 6)]


def test_nobody_knows(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither accepted nor refused for good, neither mail of ours nor a report; then it goes on."""

    def fail(*_: object) -> Any:
        raise table._failed(OSError(f"the disk, or {table._url.text}"))

    assert tell("known@nowhere.example").code == 250
    execute = table._execute
    monkeypatch.setattr(table, "_execute", fail)
    assert tell().code == 451
    assert tell("known@nowhere.example").code == 250  # its answer is still good
    heard = Conversation(sender="").say("v@bounce.example.com", make_bounce(ELSEWHERE))
    assert heard.reply.code == 451
    assert [record.type for record in heard.records] == ["Rejection"]  # it counts when it is taken
    monkeypatch.setattr(table, "_execute", execute)
    monkeypatch.setattr(table, "_failed_at", None)
    Conversation(sender="").say("v@bounce.example.com", make_bounce(ELSEWHERE))
    assert len(suppressed()) == 1
    assert tell().code == 550


def ask_at_once(table: Any, number: int) -> list[str]:
    """What as many threads hear, each of another address."""
    from app.suppression import UnavailableError

    def ask(each: int) -> str:
        try:
            return str(table.why(f"{each}@nowhere.example"))
        except UnavailableError as error:
            return str(error)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(ask, range(number)))


@pytest.mark.parametrize("suppression", ["sqlite"], indirect=True)
def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for once, by one of all who ask; and by one again after the pause."""
    from app.suppression import Suppressions

    with socket.create_server(("127.0.0.1", 0), backlog=100) as deaf:
        table = Suppressions(f"postgresql://127.0.0.1:{deaf.getsockname()[1]}/nowhere")
        monkeypatch.setattr("app.suppression.PAUSE", 0.1)
        began = time.monotonic()
        assert all("answer" in heard or "timeout" in heard for heard in ask_at_once(table, 40))
        assert time.monotonic() - began < 20  # each for itself: a minute and more
        time.sleep(0.2)
        with ThreadPoolExecutor(1) as pool:
            probe = pool.submit(ask_at_once, table, 1)
            time.sleep(0.2)
            assert all("did not answer just now" in heard for heard in ask_at_once(table, 40))
            assert not probe.done()
            probe.result()


def test_a_table_that_is_locked(
    table: Any, suppression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not waited for longer than a server is; let go of, it is asked again."""
    monkeypatch.setattr("app.suppression.PATIENCE", 0.4)
    monkeypatch.setattr("app.suppression._LIMIT", "SET statement_timeout = '400ms'")
    monkeypatch.setattr("app.suppression.PAUSE", 0.1)
    table.why(ELSEWHERE)
    if suppression.startswith("sqlite:"):
        other: Any = sqlite3.connect(suppression.removeprefix("sqlite:"))
        statement = "BEGIN EXCLUSIVE"
    else:
        other = psycopg.connect(suppression)
        statement = "LOCK TABLE suppression"
    with closing(other):
        other.execute(statement)
        began = time.monotonic()
        assert not {"None"} & set(ask_at_once(table, 20))
        assert time.monotonic() - began < 5
        other.rollback()
    time.sleep(0.2)
    assert ask_at_once(table, 1) == ["None"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, "option suppression: is no text but int; expected sqlite:PATH, or postgresql://"),
        ("mysql://mail:hunter2@h/x", "option suppression: this is no URL of postgres, postgresql"),
    ],
)
def test_a_wrong_setting(value: Any, expected: str) -> None:
    """It is named, and its value, which may hold a password, is not shown."""
    from app.suppression import Suppressions

    with pytest.raises(ConfigurationError) as caught:
        Suppressions(value)
    assert str(caught.value).startswith(expected)
    assert "hunter2" not in str(caught.value)


def test_the_other_name_of_postgresql(suppression: str) -> None:
    """As the other settings take it."""
    from app.suppression import Suppressions

    table = Suppressions(suppression.replace("postgresql:", "postgres:"))
    assert table.why(ELSEWHERE) is None
    table.close()


def test_errors_show_no_password(relay: RecordingRelay) -> None:
    """Wherever the table is."""
    from app.suppression import Suppressions, UnavailableError

    url = "postgresql://mail:hunter2@127.0.0.1:1/nowhere"
    for _ in range(2):
        with pytest.raises(UnavailableError, match=r"mail:\*\*\*@127\.0\.0\.1") as caught:
            Suppressions(url).why(ELSEWHERE)
        assert "hunter2" not in str(caught.value)
