"""Names of sessions and transactions."""

from __future__ import annotations

import re

from kumo_handlers.smtp import identity


def test_ids_are_unique_and_sort_by_time() -> None:
    """Ten thousand names, all different, those of later milliseconds behind."""
    names = [identity.new_id() for _ in range(10_000)]
    assert len(set(names)) == len(names)
    assert [name[:20] for name in names] == sorted(name[:20] for name in names)
    assert all(re.fullmatch(r"[0-9a-f]{32}", name) for name in names)
