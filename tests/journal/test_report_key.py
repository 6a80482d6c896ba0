"""The key: the same for a report that comes twice, another for every other."""

from __future__ import annotations

import pytest

from kumo_handlers.journal.report_key import Digest
from kumo_handlers.mail import address

TO = address.parse("ret@Sender.example")
REPORT = b"Message-ID: <1@x>\nDate: Mon, 2 Sep 2024 10:00:00 +0000\nSubject: no\n\nBody\n\nMore\n"


def key(content: bytes, *about: str) -> str:
    """The key of ``content``, about whom it says it is."""
    return Digest(content, TO).key(*about)


@pytest.mark.parametrize(
    "again",
    [
        REPORT.replace(b"\n", b"\r\n"),
        REPORT.replace(b"\n", b"\r"),
        b"Received: from a by b; today\n" + REPORT,
        b"X-Trace: 2\nReceived: x\n\ty\n" + REPORT.replace(b"no", b"no, again"),
        REPORT.replace(b"Date: Mon, 2", b"DATE:\n Mon,\n  2"),
        REPORT + b"\r\n\r\n",
    ],
)
def test_a_retry_has_the_same_key(again: bytes) -> None:
    """Trace fields, folds and line ends may change on the way."""
    assert key(again, "a@x") == key(REPORT, "a@x")


@pytest.mark.parametrize(
    "other",
    [
        REPORT.replace(b"<1@x>", b"<2@x>"),
        REPORT.replace(b"10:00", b"10:01"),
        REPORT.replace(b"More", b"Less"),
        REPORT.replace(b"\n\nMore", b"\nMore"),
    ],
)
def test_another_report_has_another_key(other: bytes) -> None:
    """Any other Message-ID, Date or content is another report."""
    assert key(other, "a@x") != key(REPORT, "a@x")


def test_whom_it_is_about_counts() -> None:
    """The failed recipient, and the report's own."""
    keys = {
        key(REPORT, "a@x"),
        key(REPORT, "b@x"),
        key(REPORT, "a@x", "b@x"),
        key(REPORT, "b@x", "a@x"),
        Digest(REPORT, address.parse("other@sender.example")).key("a@x"),
    }
    assert len(keys) == 5


def test_the_domain_is_folded() -> None:
    """The report's recipient is compared as addresses are."""
    assert Digest(REPORT, address.parse("ret@sender.EXAMPLE")).key() == key(REPORT)


@pytest.mark.parametrize("content", [b"", b"\n", b"no header", b"\xff\xfe\r\n\r\n\xff"])
def test_any_bytes_have_a_key(content: bytes) -> None:
    """Nothing is needed of the content."""
    assert len(key(content, "\udcff")) == 32
