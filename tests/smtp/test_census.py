"""Who is there."""

from __future__ import annotations

from kumo_handlers.smtp.census import Census


def test_members_by_host() -> None:
    """Members come, turn out to be from elsewhere, and go."""
    census: Census[str] = Census()
    census.enter("a", "192.0.2.1")
    census.enter("b", "192.0.2.1")
    assert (len(census), census.count("192.0.2.1")) == (2, 2)
    census.enter("b", "192.0.2.2")
    assert (len(census), census.count("192.0.2.1"), census.count("192.0.2.2")) == (2, 1, 1)
    for member in census:
        census.leave(member)
        census.leave(member)
    assert (len(census), census.count("192.0.2.1"), list(census)) == (0, 0, [])


def test_who_was_refused_takes_no_place() -> None:
    """It is there until it goes, and is counted nowhere."""
    census: Census[str] = Census()
    census.enter("a", "192.0.2.1")
    census.enter("b", "192.0.2.1")
    census.refuse("b")
    census.refuse("c")
    assert (len(census), census.admitted, census.count("192.0.2.1")) == (3, 1, 1)
    for member in census:
        census.leave(member)
    assert (len(census), census.admitted, census.count("192.0.2.1")) == (0, 0, 0)
