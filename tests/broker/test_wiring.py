"""What settings make of a broker's URL, without one being there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import kumo_handlers
from kumo_handlers.errors import ConfigurationError
from kumo_handlers.pipeline import installation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

URL = "amqp://user:geheim@127.0.0.1:1/"


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Callable[..., SimpleNamespace]]:
    """Makes settings of an app."""
    yield lambda **more: SimpleNamespace(
        listener_domains=[{"example.com": {"relay_to": True}}],
        listeners=[{"listen": "127.0.0.1:0"}],
        run_dir=str(tmp_path),
        **more,
    )
    installation.forget()


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("worker", {}, "a worker takes mail from a broker"),
        ("worker", {"commit": "none"}, "a worker takes mail from a broker"),
        ("worker", {"commit": URL, "workers": 2}, "option workers: with a broker"),
        ("receiver", {"commit": URL, "workers": 2}, "option workers: with a broker"),
        ("receiver", {"commit": "http://user:geheim@h/"}, "no URL of amqp, amqps"),
        ("receiver", {"commit": f"{URL}?prefetch=0"}, "option commit.prefetch: wrong value"),
        ("receiver", {"commit": "disk"}, "one of durable, none, or a URL of amqp, amqps"),
    ],
)
def test_what_cannot_be(
    settings: Callable[..., SimpleNamespace], kind: str, given: dict[str, Any], expected: str
) -> None:
    """Said at once, without the password."""
    with pytest.raises(ConfigurationError, match=expected) as caught:
        getattr(kumo_handlers, kind)(settings(**given))
    assert "geheim" not in str(caught.value)


def test_a_worker_listens_nowhere(settings: Callable[..., SimpleNamespace]) -> None:
    """And an intake does."""
    worker = kumo_handlers.worker(settings(commit=URL))
    assert worker.addresses == ()
    worker.stop()
    intake = kumo_handlers.receiver(settings(commit=URL))
    assert len(intake.addresses) == 1
    intake.stop()
