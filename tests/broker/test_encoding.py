"""What one node writes another reads, and says so where it cannot."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from kumo_handlers.broker import encoding
from kumo_handlers.broker.encoding import UndecodableError, UnknownVersionError

# text, and octets that are none
STRAY = some.text() | some.binary().map(lambda octets: octets.decode("utf-8", "surrogateescape"))


class Sample(msgspec.Struct, frozen=True):
    """A little of everything."""

    text: str
    octets: bytes
    meta: dict[str, Any]
    several: tuple[str, ...] = ()


@given(
    some.builds(
        Sample,
        STRAY,
        some.binary(),
        some.dictionaries(
            STRAY,
            some.recursive(
                STRAY | some.integers(-(2**60), 2**60) | some.booleans() | some.none(),
                lambda inner: some.lists(inner) | some.dictionaries(STRAY, inner),
                max_leaves=4,
            ),
            max_size=3,
        ),
        some.lists(STRAY, max_size=3).map(tuple),
    )
)
def test_there_and_back(sample: Sample) -> None:
    """Also text that is no text."""
    assert encoding.decode(encoding.encode(sample), Sample) == sample


@pytest.mark.parametrize("octets", [b"", b"\x02\x80", b"\xff"])
def test_another_version(octets: bytes) -> None:
    """Said as such: it is not for this node."""
    with pytest.raises(UnknownVersionError, match="understands 1"):
        encoding.decode(octets, Sample)


@given(some.binary())
def test_what_nobody_wrote(octets: bytes) -> None:
    """An error of its own, or a value."""
    with suppress(UndecodableError):
        assert isinstance(encoding.decode(b"\x01" + octets, Sample), Sample)
