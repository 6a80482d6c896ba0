"""Names of sessions and transactions."""

from __future__ import annotations

import os
import re

from kumo_handlers.smtp import identity


def test_ids_are_unique_and_sort_by_time() -> None:
    """Ten thousand names, all different, those of later milliseconds behind."""
    names = [identity.new_id() for _ in range(10_000)]
    assert len(set(names)) == len(names)
    assert [name[:20] for name in names] == sorted(name[:20] for name in names)
    assert all(re.fullmatch(r"[0-9a-f]{32}", name) for name in names)


def test_ids_of_processes_differ() -> None:
    """A forked one has random bits of its own; it counts on from the same number."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, identity.new_id().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    theirs = os.read(reading, 100).decode()
    os.close(reading)
    os.close(writing)
    assert len(theirs) == 32
    assert theirs[20:] != identity.new_id()[20:]
