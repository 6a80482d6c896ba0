"""The table of sinks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.journal.sink import SINKS, SinkOptions, open_sink

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", SINKS)
def test_every_sink_keeps_the_protocol(name: str, tmp_path: Path) -> None:
    """Each takes a record, syncs, tells what stands after a position, and closes."""
    sink = open_sink(name, SinkOptions(tmp_path))
    position = sink.sync()
    line = (
        b'{"type":"Delivery","sender":"a@b","recipient":"c@d","meta":{},'
        b'"response":{"code":250,"content":"ok"}}\n'
    )
    sink.append(line)
    found = sink.since(position)
    assert found is None or list(found) == [line]
    sink.close()


def test_unknown_sink(tmp_path: Path) -> None:
    """The error names the ones there are."""
    with pytest.raises(ConfigurationError, match="expected jsonl, terminal"):
        open_sink("kafka", SinkOptions(tmp_path))
