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
