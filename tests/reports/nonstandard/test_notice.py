"""The notice apart from the returned message."""

from __future__ import annotations

from kumo_handlers.reports import mime
from kumo_handlers.reports.nonstandard.notice import MAX_LINES, Notice


def notice(content: str) -> Notice:
    """The notice in a message."""
    return Notice(mime.Message(content.encode()))


def test_plain_text_is_preferred_to_html() -> None:
    """HTML says the same again."""
    found = notice(
        'Content-Type: multipart/alternative; boundary="b"\n\n--b\n\nplain\n'
        "--b\nContent-Type: text/html\n\n<p>shown</p>\n--b--\n"
    )
    assert found.folded == "plain"


def test_html_is_read_where_it_is_alone() -> None:
    """Some systems write nothing else."""
    assert notice("Content-Type: text/html\n\n<p>It <b>failed</b></p>").folded == "it failed"


def test_html_that_is_called_plain() -> None:
    """Some call it plain text."""
    assert notice("Subject: x\n\n<html><body><p>It failed</p></body></html>").folded == "it failed"


def test_returned_part_is_not_read() -> None:
    """Its text is the sender's own; its header fields are kept."""
    found = notice(
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nIt failed\n'
        "--b\nContent-Type: message/rfc822\n\nTo: ann@dest.example\n\nbody\n--b--\n"
    )
    assert found.folded == "it failed"
    assert found.is_returning
    assert ("To", "ann@dest.example") in found.returned_headers


def test_returned_text_is_not_read() -> None:
    """The same, where it follows in the same text."""
    found = notice("Subject: x\n\nIt failed\n\n--- Original message ---\nTo: ann@dest.example\n")
    assert found.folded == "it failed"
    assert ("To", "ann@dest.example") in found.returned_headers


def test_wrong_boundary() -> None:
    """A multipart that cannot be taken apart is still read up to what it returns."""
    found = notice(
        'Content-Type: multipart/mixed; boundary="one"\n\n--two\nContent-Type: text/plain\n\n'
        "It failed\n\n--two\nContent-Type: message/rfc822\n\nTo: ann@dest.example\n"
    )
    assert "it failed" in found.folded
    assert "ann@dest.example" not in found.folded


def test_offsets_lead_back_to_lines() -> None:
    """A phrase may run over two lines; its place is known."""
    found = notice("Subject: x\n\nfirst line\n\n   second   line\nthird\n")
    assert found.lines[found.line_at(found.folded.index("second"))] == "second line"
    assert found.lines[found.line_at(found.folded.index("third"))] == "third"


def test_links_that_repeat_an_address() -> None:
    """They are left out; a link behind a name is all that names the recipient."""
    body = "ann@a.example<mailto:Ann@a.example>, bo@b.example<mailto:bo@b.example>\n"
    assert notice(f"Subject: x\n\n{body}").lines[0] == "ann@a.example, bo@b.example"
    assert notice("Subject: x\n\nAnn<mailto:ann@a.example>\n").lines[0].endswith("@a.example>")


def test_indent() -> None:
    """Lines are stripped; how far they were indented is known."""
    found = notice("Subject: x\n\n  one\n\t two\n")
    assert [found.indent(index) for index in (0, 1)] == [2, 2]


def test_length_is_bounded() -> None:
    """No more is read than a notice has."""
    assert len(notice("Subject: x\n\n" + "line\n" * 5000).lines) <= MAX_LINES


def test_own_addresses() -> None:
    """Who got the notice and who sent it did not fail."""
    found = notice("From: D <daemon@mx.example>\nTo: <Ann@sender.example>\n\nIt failed\n")
    assert {"ann@sender.example", "daemon@mx.example"} <= found.own
