"""Destinations that rest."""

from __future__ import annotations

from kumo_handlers.queue.backoff import BackOff
from kumo_handlers.queue.schedule import RetrySchedule


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def resting_after(failures: int) -> tuple[BackOff, Clock]:
    """One destination that failed so many times, each time as soon as it was tried again."""
    clock = Clock()
    back_off = BackOff(RetrySchedule(first=10, factor=2, most=30, jitter=0), clock)
    for _ in range(failures):
        clock.now = max([clock.now, *back_off.resting().values()])
        back_off.failed("x")
    return back_off, clock


def test_rests_grow() -> None:
    """Each failure doubles the rest, up to the most."""
    rests = []
    for failures in range(1, 5):
        back_off, clock = resting_after(failures)
        rests.append(back_off.resting()["x"] - clock.now)
    assert rests == [10, 20, 30, 30]


def test_only_the_one_that_failed_rests() -> None:
    """The others are not concerned."""
    back_off, _ = resting_after(1)
    assert back_off.rests("x")
    assert not back_off.rests("y")


def test_failures_during_a_rest_prolong_nothing() -> None:
    """Four workers that fail at once are one failure."""
    back_off, clock = resting_after(1)
    before = back_off.resting()
    clock.now += 1
    back_off.failed("x")
    assert back_off.resting() == before


def test_answer_ends_it() -> None:
    """After an answer the next failure is the first."""
    back_off, clock = resting_after(3)
    back_off.answered("x")
    assert not back_off.rests("x")
    back_off.failed("x")
    assert back_off.resting() == {"x": clock.now + 10}


def test_rest_is_over() -> None:
    """When its time is up it may be tried."""
    back_off, clock = resting_after(1)
    clock.now += 10
    assert back_off.resting() == {}
    assert not back_off.rests("x")


def test_clock_set_back_ends_a_rest() -> None:
    """Else nothing would be delivered for as long as the clock was ahead."""
    back_off, clock = resting_after(2)
    clock.now -= 86_400
    assert back_off.resting() == {}
    assert not back_off.rests("x")
    back_off.failed("x")
    assert back_off.resting() == {"x": clock.now + 30}


def test_a_person_ends_a_rest_that_was_begun_before() -> None:
    """And no later one; the next failure is not the first again."""
    back_off, clock = resting_after(2)  # failed at 0 and at 10, rests until 30
    back_off.asked("x", 9)
    assert back_off.resting() == {"x": 30}
    clock.now = 15
    back_off.asked("x", 15)
    assert not back_off.rests("x")
    back_off.failed("x")
    back_off.asked("x", 15)
    assert back_off.resting() == {"x": 45}
    back_off.asked("y", 15)
    assert not back_off.rests("y")
