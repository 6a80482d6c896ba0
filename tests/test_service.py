"""The URL of a server: what is read, and that its secrets stay secret."""

from __future__ import annotations

import pytest

from kumo_handlers import service
from kumo_handlers.errors import ConfigurationError

SCHEMES = frozenset({"amqp", "https", "postgresql", "sqlite"})
SECRET = "hu/nt?er%402"  # noqa: S105 - invented


@pytest.mark.parametrize(
    "text",
    [
        f"amqp://mail:{SECRET}@127.0.0.1:5672/vhost",
        f"amqp://mail:{SECRET}@127.0.0.1:5672/vhost?heartbeat=5",
        f"postgresql://db.example/rules?user=mail&password={SECRET}",
        f"https://mail:{SECRET}@log.example/?secret={SECRET}&type=OOB",
    ],
)
def test_no_text_shows_a_secret(text: str) -> None:
    """Neither str, nor repr, nor what a library says of it: as written, or decoded."""
    url = service.ServiceURL(scheme="amqp", host="", text=text)
    said = service.without_secrets(f"cannot reach {text}: {SECRET} hu/nt?er@2", url)
    for shown in (str(url), repr(url), said):
        assert "nt?er" not in shown
        assert "***" in shown


@pytest.mark.parametrize(
    "text",
    [
        "amqp://guest@127.0.0.1/",
        "amqp://127.0.0.1:5672/%2F?heartbeat=5",
        "sqlite:run/rules.sqlite3",
        "https://log.example/mail?type=OOB",
    ],
)
def test_without_a_secret_the_url_is_shown_as_written(text: str) -> None:
    """Nothing else of it is changed."""
    assert str(service.parse(text, SCHEMES)) == text


def test_the_parts_of_a_url() -> None:
    """Scheme, host and the words of the query, their percent signs undone."""
    url = service.parse("https://log.example:8443/in?type=OOB&domain=a%2Bb.example", SCHEMES)
    assert (url.scheme, url.host) == ("https", "log.example")
    assert url.parameters == {"type": "OOB", "domain": "a+b.example"}


@pytest.mark.parametrize(
    "text", ["ftp://u:pass@host/", "amqp://host:0/", "amqp://u:pass@[::1/", "amqp://host:99999/"]
)
def test_what_is_no_url_is_refused_without_its_text(text: str) -> None:
    """An error that quoted the text would quote the password."""
    with pytest.raises(ValueError, match="this is no URL") as caught:
        service.parse(text, SCHEMES)
    assert "pass" not in str(caught.value)


def test_a_client_that_is_not_installed_says_what_to_install() -> None:
    """The error names the extra."""
    with pytest.raises(ConfigurationError, match=r"pip install 'kumo-handlers\[amqp\]'"):
        service.client("no_such_client", "amqp")
    assert service.client("json", "amqp").loads("1") == 1
