"""AUTH: password files, functions of the app's, and what relay_from_authz makes of them."""

from __future__ import annotations

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.mail.session import Peer, Session
from kumo_handlers.pipeline.authentication import Asking, PasswordFile, Scrypt, read_passwords
from kumo_handlers.smtp.credentials import Credentials, Identities
from kumo_handlers.testing import make_letter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SESSION = Session("s", Peer("192.0.2.1"))


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Workers."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A password file with one name."""
    path = tmp_path / "passwords"
    path.write_text(f"# who may send\n\nann:{Scrypt.make('correct horse')}\n")
    return path


@pytest.mark.parametrize(
    ("authz", "name", "password", "right"),
    [
        ("", "ann", "correct horse", True),
        ("ann", "ann", "correct horse", True),
        ("bob", "ann", "correct horse", False),
        ("", "ann", "Correct horse", False),
        ("", "nobody", "correct horse", False),
        ("", "ann", "", False),
    ],
)
def test_a_password_file(
    file: Path, threads: ThreadPoolExecutor, authz: str, name: str, password: str, *, right: bool
) -> None:
    """The right password for the right name, which may not act as another."""
    checked = PasswordFile(str(file), threads)
    credentials = Credentials("PLAIN", authz, name, password)
    identities = asyncio.run(checked.authenticate(SESSION, credentials))
    assert identities == (Identities("ann", "ann") if right else None)


def test_a_password_file_that_changes(file: Path, threads: ThreadPoolExecutor) -> None:
    """It is read again; while it is broken nobody is let in."""
    checked = PasswordFile(str(file), threads)
    credentials = Credentials("PLAIN", "", "bob", "battery")
    assert asyncio.run(checked.authenticate(SESSION, credentials)) is None
    file.write_text(f"bob:{Scrypt.make('battery')}\n")
    assert asyncio.run(checked.authenticate(SESSION, credentials)) == Identities("bob", "bob")
    file.write_text("bob:battery\n")
    with pytest.raises(ConfigurationError, match="passwords:1: wrong line"):
        asyncio.run(checked.authenticate(SESSION, credentials))


def test_wrong_lines_are_all_named_and_not_shown(tmp_path: Path) -> None:
    """File and line, and never what stands there."""
    path = tmp_path / "passwords"
    path.write_text("ann:secret\nbob:scrypt$1$2$3$%%$%%\n")
    with pytest.raises(ConfigurationError) as caught:
        read_passwords(str(path))
    assert [problem.line for problem in caught.value.problems] == [1, 2]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("answer", "right"), [(True, True), (False, False), (1, False)])
def test_a_function(threads: ThreadPoolExecutor, answer: Any, *, right: bool) -> None:
    """Only True is yes."""
    checked = Asking(lambda *_: answer, threads)
    credentials = Credentials("LOGIN", "", "ann", "x")
    identities = asyncio.run(checked.authenticate(SESSION, credentials))
    assert (identities is not None) is right


def test_relay_from_authz(start: Callable[..., Any], file: Path) -> None:
    """Authenticated, the same peer may relay from the domain, and only from that."""
    app = start({"send.example.com": {"relay_from_authz": ["ann"]}}, password_file=str(file))
    letter = make_letter("carl@far.example")
    assert app.send("ann@send.example.com", "carl@far.example", letter).startswith("550")
    with app.client() as client:
        client.login("ann", "correct horse")
        client.mail("ann@send.example.com")
        assert client.rcpt("carl@far.example")[0] == 250
        assert client.data(letter)[0] == 250
        client.mail("ann@elsewhere.example")
        assert client.rcpt("carl@far.example")[0] == 550


def test_a_wrong_password(start: Callable[..., Any], file: Path) -> None:
    """535, and neither the record nor the log shows it."""
    app = start(password_file=str(file))
    with app.client() as client:
        token = base64.b64encode(b"\0ann\0wrong horse").decode()
        assert client.docmd("AUTH", f"PLAIN {token}")[0] == 535
