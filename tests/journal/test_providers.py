"""Providers, by the names of domains."""

from __future__ import annotations

import pytest

from kumo_handlers.journal.providers import OTHER, provider_of


@pytest.mark.parametrize(
    ("domain", "provider"),
    [
        ("gmail.com", "Google"),
        ("hotmail.fr", "Microsoft"),
        ("yahoo.co.uk", "Yahoo"),
        ("yahoo.mail.example.com", OTHER),
        ("yahoo", OTHER),
        ("notgmail.com", OTHER),
        ("mail.gmail.com", OTHER),
        ("", OTHER),
    ],
)
def test_provider(domain: str, provider: str) -> None:
    """A family in any country; nothing that merely looks alike."""
    assert provider_of(domain) == provider
