"""Errors: each knows its reply, a problem knows its place."""

from __future__ import annotations

from kumo_handlers.errors import ConfigurationError, KumoHandlersError, Problem


def test_a_problem_names_everything() -> None:
    """File, line, domain, option, value, what was expected, and a hint."""
    problem = Problem(
        message="wrong value",
        file="rules.toml",
        line=3,
        domain="example.com",
        option="relay_to",
        value='"yes"',
        expected="true or false",
        hint="without quotes",
    )
    assert str(problem) == (
        'rules.toml:3: domain example.com, option relay_to: wrong value, got "yes"; '
        "expected true or false (without quotes)"
    )


def test_a_problem_is_one_line_of_text() -> None:
    """A name of the user's that breaks the line, or is no text, is shown escaped."""
    problem = Problem(message="unknown option", domain="\ud800.com", option="relay\nto")
    assert str(problem) == "domain '\\ud800.com', option 'relay\\nto': unknown option"


def test_all_problems_at_once() -> None:
    """One line each."""
    error = ConfigurationError([Problem(message="one"), Problem(message="two")])
    assert str(error) == "one\ntwo"
    assert str(ConfigurationError("three")) == "three"


def all_errors(kind: type[KumoHandlersError]) -> list[type[KumoHandlersError]]:
    """An error and all that are kinds of it."""
    return [kind] + [each for sub in kind.__subclasses__() for each in all_errors(sub)]


def test_every_error_refuses() -> None:
    """No error becomes an acceptance, and code and enhanced code say the same."""
    for kind in all_errors(KumoHandlersError):
        assert 400 <= kind.reply_code < 600
        assert kind.reply_status[0] == str(kind.reply_code)[0]


def test_the_tree_is_drawn() -> None:
    """The module's docstring shows every error that is its own."""
    import kumo_handlers.errors as module

    own = [kind for kind in all_errors(KumoHandlersError) if kind.__module__ == module.__name__]
    assert len(own) > 5
    assert all(kind.__name__ in (module.__doc__ or "") for kind in own)
