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
        f"amqp:/mail:{SECRET}@127.0.0.1/",
        f"host=db password={SECRET}",
        f"host=db password = '{SECRET} x'",
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


@pytest.mark.parametrize(
    "word", ["access_token", "api_key", "apikey", "X-Amz-Signature", "sig", "accessToken", "code"]
)
def test_secret_words_of_a_query(word: str) -> None:
    """By how a name ends, whatever stands between its words."""
    assert (
        service.masked(f"https://h/in?{word}=hush&type=OOB") == f"https://h/in?{word}=***&type=OOB"
    )


def test_a_value_of_any_make_is_masked() -> None:
    """As deep as it goes; what is no text stays."""
    given = [b"amqp://u:hush@h/", {"password": "hush", "a": ("u:hush@h", 7)}, {"amqp:/u:hush@h"}]
    said = service.masked_within(given)
    assert "hush" not in repr(said)
    assert service.masked_within([True, 7, "a.toml"]) == [True, 7, "a.toml"]


@pytest.mark.parametrize(
    "text",
    [
        "https://",
        "https://u:hush@",
        "amqp:/u:hush@h/",
        "https://ann:12/hush@h/",
        "https://ann:12#hush@h/",
        "postgresql:/u:hush@h/db",
    ],
)
def test_what_would_be_another_host_is_refused(text: str) -> None:
    """A slash too few, one in a password, and no host at all."""
    with pytest.raises(ValueError, match=r"this is no URL|%2F") as caught:
        service.parse(text, SCHEMES)
    assert "hush" not in str(caught.value)


def test_a_socket_needs_no_host() -> None:
    """PostgreSQL's is a parameter."""
    text = "postgresql:///mail?host=/run/postgresql&user=a@b"
    assert service.parse(text, SCHEMES).host == ""
