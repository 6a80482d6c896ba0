"""Cheap signs in a header."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kumo_handlers.reports import cascade, mime, signs


def message(header: str, reverse_path: str | None = None) -> mime.Message:
    """A message with that header and an empty body."""
    return mime.Message((header + "\n\n").encode(), reverse_path)


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        ("Undelivered Mail Returned to Sender", True),
        ("failure notice", True),
        ("Delivery Status Notification (Failure)", True),
        ("=?utf-8?q?Undeliverable=3A_news?=", True),
        ("Message could not be delivered", True),
        ("Unzustellbar: news", True),
        ("Re: failure notice", False),
        ("Fwd: failure notice", False),
        ("AW: Unzustellbar: news", False),
        ("Your delivery is on its way", False),
        ("Lunch", False),
        ("", False),
    ],
)
def test_says_it_failed(subject: str, *, says: bool) -> None:
    """The subjects of mail systems, and none that a person put something before."""
    assert signs.says_it_failed(message(f"Subject: {subject}")) is says


@pytest.mark.parametrize(
    ("header", "reverse_path", "is_null"),
    [
        ("Subject: x", "", True),
        ("Return-Path: <>", "a@b.example", False),
        ("Return-Path: <>", None, True),
        ("Return-Path:<>", None, True),
        ("Return-Path: <a@b.example>", None, False),
        ("Subject: x", None, False),
    ],
)
def test_null_path(header: str, reverse_path: str | None, *, is_null: bool) -> None:
    """The envelope, and only where it is not known the header."""
    assert signs.is_null_path(message(header, reverse_path)) is is_null


@pytest.mark.parametrize(
    ("header", "is_mailer"),
    [
        ("From: MAILER-DAEMON@x.example", True),
        ("From: Postmaster <postmaster@x.example>", True),
        ("From: bob@x.example\nAuto-Submitted: auto-generated", True),
        ("From: bob@x.example\nAuto-Submitted: no", False),
        ("From: bob@x.example\nReturn-Path: <>", True),
        ("From: bob@x.example", False),
    ],
)
def test_is_from_mailer(header: str, *, is_mailer: bool) -> None:
    """RFC 3834, 5, a null reverse-path, or a name that programs have."""
    assert signs.is_from_mailer(message(header)) is is_mailer


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ("Content-Type: multipart/report; boundary=b", "dsn"),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=b", "dsn"),
        ("Content-Type: multipart/report; report-type=Feedback-Report; boundary=b", "feedback"),
        ("Content-Type: multipart/report; report-type=disposition-notification", None),
        ("Content-Type: multipart/report; report-type=tlsrpt", None),
        ("Content-Type: message/delivery-status", "dsn"),
        ("Content-Type: message/feedback-report", "feedback"),
        ("Return-Path: <>\nSubject: failure notice", "dsn"),
        ("Return-Path: <>\nSubject: Out of office", None),
        ("Subject: failure notice", None),
    ],
)
def test_claims(header: str, claims: str | None) -> None:
    """What the type says, or a null path together with a subject."""
    assert signs.claims(message(header)) == claims


@pytest.mark.parametrize(
    ("header", "is_ordinary"),
    [
        ("From: Ann <ann@gmail.example>\nSubject: Lunch", True),
        (
            "From: Ann <ann@x.example>\nSubject: Lunch\nContent-Type: multipart/mixed; boundary=b",
            True,
        ),
        ("From: Ann <ann@x.example>\nSubject: complaint about message from 192.0.2.1", False),
        ("From: AWS <no-reply@sns.amazonaws.example>\nSubject: x", False),
        ("From: MAILER-DAEMON\nSubject: x", False),
        ("From: Ann <ann@x.example>\nSubject: x\nX-Failed-Recipients: b@x.example", False),
        (
            "From: Ann <ann@x.example>\nX-Failed-Recipients:\nX-Failed-Recipients: b@x.example",
            False,
        ),
        ("From: Ann <ann@x.example>\nSubject: x\nX-Failed-Recipients:", True),
        ("From:\nSubject: x", False),
        ("Subject: x", False),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_is_ordinary(header: str, line_end: str, *, is_ordinary: bool) -> None:
    """Nothing that any stage could be interested in."""
    content = f"{header}\n\n".replace("\n", line_end).encode()
    assert signs.is_ordinary(mime.header(content), None) is is_ordinary


def no_stage_reads(content: bytes, reverse_path: str | None) -> bool:
    """Whether it is as well to be ordinary: no stage would make anything of it."""
    message = mime.Message(content, reverse_path)
    read = [stage(message) for _, stage in cascade.STAGES]
    return not any(read) and signs.claims(message) is None


@pytest.mark.parametrize("reverse_path", [None, "", "a@b.example"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_no_stage_reads_what_is_ordinary(reverse_path: str | None, line_end: bytes) -> None:
    """Every sample; with a null reverse-path nothing is ordinary."""
    found = []
    for path in sorted(Path(__file__).parent.glob("**/*.eml")):
        content = path.read_bytes().replace(b"\n", line_end)
        found.append(signs.is_ordinary(mime.header(content), reverse_path))
        if found[-1]:
            assert no_stage_reads(content, reverse_path), path.name
    assert any(found) is (reverse_path != "")


FIELDS = st.sampled_from(
    [
        *("From: ann@x.example", "From: <daemon@x.example>", "From:", "From:\n daemon@x.example"),
        *("Subject: Lunch", "Subject: returned mail", "Subject:\n failure", "Subject: \u00fc"),
        *("Content-Type: text/plain", "Content-Type: multipart/report; boundary=b", "From: a@sns"),
        *("Content-Type:\n multipart/mixed; boundary=b", "Content-Type: message/x", "To: daemon@b"),
        *("Content-Type: multipart/related; boundary=b", "Return-Path: <>", "Return-Path: <a@b>"),
        *(
            "X-Failed-Recipients: a@b.example",
            "X-Failed-Recipients:",
            "from: bob@sns.amazonaws.com",
        ),
        *("Content-Type: text/plain; name=delivery-status", "Content-Type: multipart/x; y=z", "{"),
        *("Content-Type: multipart/x; y=feedback-report", "", " folded: daemon", "no field"),
    ]
)


@given(st.lists(FIELDS, max_size=7), st.sampled_from(["\n", "\r\n", "\r"]))
def test_no_stage_reads_any_that_is_ordinary(fields: list[str], line_end: str) -> None:
    """Whatever the header is put together from."""
    content = "\n".join([*fields, "", "--b\nContent-Type: message/x\n"])
    octets = content.replace("\n", line_end).encode()
    for reverse_path in (None, "", "a@b.example"):
        if signs.is_ordinary(mime.header(octets), reverse_path):
            assert no_stage_reads(octets, reverse_path)


def test_an_ordinary_letter_is_one() -> None:
    """With parts as well."""
    header = (
        b"From: Ann <ann@x.example>\r\nSubject: Lunch\r\nContent-Type: multipart/%s; boundary=b"
    )
    for kind in (b"alternative", b"mixed", b"signed"):
        assert signs.is_ordinary(mime.header(header % kind + b"\r\n\r\n--b\r\n"), None)
