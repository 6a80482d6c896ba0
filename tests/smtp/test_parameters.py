"""The arguments of MAIL and RCPT."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given as given_
from hypothesis import strategies as st

from kumo_handlers.smtp import parameters, replies
from kumo_handlers.smtp.parameters import MailParameters, ParameterError

if TYPE_CHECKING:
    from kumo_handlers.mail.reply import Reply


@pytest.mark.parametrize(
    ("argument", "path", "given"),
    [
        ("FROM:<>", "", MailParameters()),
        ("from: <a@b>", "a@b", MailParameters()),
        ('FROM:<"a>b"@c> SIZE=7', '"a>b"@c', MailParameters(declared_size=7)),
        ('FROM:<"a\\">b"@c>', '"a\\">b"@c', MailParameters()),
        ("FROM:<a@b>  body=8bitmime   SMTPUTF8", "a@b", MailParameters(None, True, True)),  # noqa: FBT003 - a value
        ("FROM:<a@b> BODY=7BIT", "a@b", MailParameters()),
        ("FROM:<@x,@y:a@b>", "@x,@y:a@b", MailParameters()),
    ],
)
def test_mail(argument: str, path: str, given: MailParameters) -> None:
    """What is well-formed."""
    assert parameters.read_mail(argument) == (path, given)


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("", replies.MAIL_SYNTAX),
        ("FROM<a@b>", replies.MAIL_SYNTAX),
        ("FROM:<a@b>SIZE=7", replies.MAIL_SYNTAX),
        ("FROM:<a@b> SIZE", replies.PARAMETER_SYNTAX),
        ("FROM:<a@b> SIZE=", replies.PARAMETER_SYNTAX),
        ("FROM:<a@b> SIZE=-1", replies.PARAMETER_SYNTAX),
        ("FROM:<a@b> SIZE=" + "1" * 21, replies.PARAMETER_SYNTAX),
        ("FROM:<a@b> BODY=9BIT", replies.PARAMETER_SYNTAX),
        ("FROM:<a@b> BODY=7BIT body=8BITMIME", replies.PARAMETER_SYNTAX),
        ("FROM:<a@b> =x", replies.PARAMETER_SYNTAX),
        ("FROM:<a@b> ENVID=x", replies.PARAMETER_UNKNOWN),
    ],
)
def test_bad_mail(argument: str, reply: Reply) -> None:
    """What is not, and the reply to it."""
    with pytest.raises(ParameterError) as caught:
        parameters.read_mail(argument)
    assert caught.value.reply == reply


@given_(st.text(alphabet='<>":\\ab@ =-', max_size=200))
def test_any_argument_ends_soon(argument: str) -> None:
    """No argument makes the grammar search for long, or fail in a way of its own."""
    for read, start in ((parameters.read_mail, "FROM:<"), (parameters.read_recipient, "TO:<")):
        try:
            read(start + argument)
        except ParameterError:
            continue


@given_(st.text(alphabet='<>":\\ab@ =-', max_size=40), st.sampled_from(["FROM", "from", "To", "X"]))
def test_the_path_is_what_the_grammar_says(argument: str, word: str) -> None:
    """Octet by octet: quoted strings, and whatever is neither a quote nor the end."""
    grammar = re.compile(r' *<((?:"(?:[^"\\]|\\.)*"|[^">])*+)>(?: +(.*))?', re.DOTALL)
    expected = grammar.fullmatch(argument) if word.upper() == "FROM" else None
    found = parameters._FROM.fullmatch(f"{word}:{argument}")
    assert (found and found.groups()) == (expected and expected.groups())
