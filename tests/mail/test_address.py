"""Envelope addresses: the local part untouched, the domain in the form in which it is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kumo_handlers.errors import AddressError
from kumo_handlers.mail.address import MAX_PATH, NULL, Address, fold_domain, parse, parse_by_parts

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("path", "local_part", "domain"),
    [
        ("bob@example.com", "bob", "example.com"),
        ("News+Bob=Example.net@Bounce.EXAMPLE.com", "News+Bob=Example.net", "bounce.example.com"),
        ('"a@b"@example.com', '"a@b"', "example.com"),
        ('"a b"@example.com', '"a b"', "example.com"),
        ("user%far.example@example.com", "user%far.example", "example.com"),
        ("far.example!user@example.com", "far.example!user", "example.com"),
        ("@a.example,@b.example:bob@example.com", "bob", "example.com"),
        ("bob@example.com.", "bob", "example.com"),
        ("..bob..@example.com", "..bob..", "example.com"),
        ("jürgen@müller.example", "jürgen", "xn--mller-kva.example"),
        ("bob@[192.0.2.1]", "bob", "[192.0.2.1]"),
        ("bob@[IPv6:2001:DB8:0::1]", "bob", "[ipv6:2001:db8::1]"),
        ("postmaster", "postmaster", ""),
        ("PostMaster", "PostMaster", ""),
        ("bob@under_score.example", "bob", "under_score.example"),
    ],
)
def test_an_address(path: str, local_part: str, domain: str) -> None:
    """What stands before the last @, and the folded domain behind it."""
    address = parse(path)
    assert (address.local_part, address.domain) == (local_part, domain)


@pytest.mark.parametrize(
    "path", ["bob@example.com", "Bob@EXAMPLE.com", "j@MÜLLER.example.", "postmaster"]
)
def test_what_is_relayed_is_what_was_received(path: str) -> None:
    """The peer's own spelling is kept."""
    assert str(parse(path)) == path


def test_the_null_reverse_path() -> None:
    """It has no domain, and says that it is null."""
    assert parse("") is NULL
    assert NULL.is_null
    assert str(NULL) == ""
    assert not parse("postmaster").is_null


@pytest.mark.parametrize(
    "path",
    [
        "bob",
        "@example.com",
        "bob@",
        "bob@.",
        "bob@exa mple.com",
        "bob smith@example.com",
        "a@b@example.com",
        '"unfinished@example.com',
        '"a"b@example.com',
        "bob@-example.com",
        "bob@example..com",
        "bob@[300.0.0.1]",
        "bob@[192.0.2.1",
        "bob@example.com\r\nRCPT TO:<x@y>",
        "bob@exam\x00ple.com",
        "bob\x1b@example.com",
        "bob\u2028@example.com",
        "bob@\u200b.example",
        "bob@" + "a" * 64 + ".example",
        "bob@" + ".".join(["a" * 60] * 5),
        "b" * MAX_PATH + "@example.com",
        "@a.example:",
    ],
)
def test_what_is_no_address(path: str) -> None:
    """An error, never a guess: a domain that is misread is an open relay."""
    with pytest.raises(AddressError):
        parse(path)


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    """An address or an AddressError; folding again changes nothing."""
    try:
        address = parse(text)
    except AddressError:
        return
    assert fold_domain(address.domain) == address.domain
    assert not set("\r\n\0") & set(str(address))


@given(st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8}){0,3}", fullmatch=True))
def test_case_and_a_trailing_dot_do_not_matter(domain: str) -> None:
    """All spellings of one domain fold to one."""
    assert fold_domain(domain.upper()) == fold_domain(f"{domain}.") == domain


LABELS = st.text("abXY09_-", max_size=5) | st.sampled_from(["a" * 62, "b" * 63, "c" * 64])
HOSTS = st.lists(LABELS, max_size=5).map(".".join) | st.sampled_from(["x." * 127 + "x", "[::1]"])
LOCAL_PARTS = st.text("abXY09.!#$%&'*+/=?^_`{|}~-@:,\" \u00e4\u2028\n\0", max_size=6)


@given(st.tuples(LOCAL_PARTS, HOSTS).map("@".join) | st.text(min_size=1, max_size=20))
@example("a@" + ".".join(["b" * 49] * 5))
@example("a@" + ".".join(["b" * 50] * 5))
def test_what_is_read_in_one_go_is_what_is_read_by_parts(path: str) -> None:
    """The short way to an ordinary address lets nothing through that the long one would not."""
    assert _reading(parse, path) == _reading(parse_by_parts, path)


def _reading(read: Callable[[str], Address], path: str) -> Address | str:
    """The address, or why it is none."""
    try:
        return read(path)
    except AddressError as error:
        return str(error)
