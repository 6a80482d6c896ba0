"""Wrong passwords by address."""

from __future__ import annotations

from kumo_handlers.smtp import guesses
from kumo_handlers.smtp.guesses import Guesses


def test_each_wrong_password_costs_more() -> None:
    """Up to a limit; another address starts afresh."""
    found = Guesses()
    delays = [found.note("192.0.2.1", 0) for _ in range(6)]
    assert delays == [1, 2, 4, 8, guesses.LONGEST_DELAY, guesses.LONGEST_DELAY]
    assert found.note("192.0.2.2", 0) == 1


def test_too_many_are_not_heard_until_it_was_quiet() -> None:
    """Twenty wrong passwords shut an address out for ten minutes."""
    found = Guesses()
    for _ in range(guesses.MAX_GUESSES):
        assert not found.are_too_many("192.0.2.1", 0)
        found.note("192.0.2.1", 0)
    assert found.are_too_many("192.0.2.1", guesses.FORGET_AFTER - 1)
    assert not found.are_too_many("192.0.2.1", guesses.FORGET_AFTER)
    assert found.note("192.0.2.1", guesses.FORGET_AFTER) == 1


def test_the_right_password_forgives() -> None:
    """Someone who knew the password at last is no guesser."""
    found = Guesses()
    found.note("192.0.2.1", 0)
    found.forgive("192.0.2.1")
    assert found.note("192.0.2.1", 0) == 1


def test_memory_is_bounded() -> None:
    """A guesser with a whole network does not fill the memory."""
    found = Guesses()
    for number in range(guesses.MAX_HOSTS + 10):
        found.note(str(number), 0)
    assert len(found._by_host) == guesses.MAX_HOSTS
