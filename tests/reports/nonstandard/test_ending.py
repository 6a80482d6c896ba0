"""Where a notice ends."""

from __future__ import annotations

import pytest

from kumo_handlers.reports.nonstandard import ending


@pytest.mark.parametrize(
    "line",
    [
        "--- Below this line is a copy of the message.",
        "------ This is a copy of the message, including all the headers. ------",
        "----- Original message -----",
        "Original message headers:",
        "Message headers follow.",
        "--- Enclosed is a copy of the message.",
        "--------Unsent Message below:",
        "---- Mensaje original ----",
        "Old message:",
        "|------------------------- Message text follows: ------------------------|",
        "On Mon, 6 May 2024, Ann Smith <ann@dest.example> wrote:",
        "Begin forwarded message:",
        "---------- Forwarded message ----------",
    ],
)
def test_title_ends_it(line: str) -> None:
    """Titles of MTAs, and the attributions of people who quote."""
    assert ending.find(["It failed.", "", line, "To: a@b.example"]) == 2


@pytest.mark.parametrize(
    "line",
    [
        "delete your own text from the attached returned message.",
        "The original message was received at Mon, 6 May 2024 10:00:00 GMT",
        "----- Transcript of session follows -----",
        "Subject: May",
        "Recipient Address: ann@dest.example",
    ],
)
def test_other_lines_do_not(line: str) -> None:
    """A notice speaks of the message before it returns it."""
    assert ending.find(["It failed.", line, "ann@dest.example"]) == 3


def test_header_block_ends_it() -> None:
    """A message may be returned without a word."""
    lines = ["It failed.", "", "Received: from a by b", "From: a@b.example", "Subject: May"]
    assert ending.find(lines) == 2


def test_title_at_the_beginning_is_none() -> None:
    """Something has to be said before it can end."""
    assert ending.find(["", "Original message:", "ann@dest.example"]) == 3


EXCERPT = ["This is about:", "", "Message-ID: <1@a.example>", "From: b@a.example", ""]


def test_notice_goes_on_behind_an_excerpt() -> None:
    """Where nothing was announced before the header that it shows."""
    lines = [*EXCERPT, "It could not be delivered to:", "ann@dest.example"]
    end = ending.find(lines)
    assert end == 2
    assert ending.resume(lines, end) == len(EXCERPT) - 1


@pytest.mark.parametrize(
    "lines",
    [
        ["It was not delivered to:", *EXCERPT, "It could not be delivered to:"],
        [*EXCERPT, "Dear Ann, see you on Monday."],
        EXCERPT[:-1],
        ["It was not delivered."],
    ],
    ids=["announced", "a letter behind", "nothing behind", "no end"],
)
def test_notice_does_not_go_on(lines: list[str]) -> None:
    """What stands behind the returned header is the sender's own text."""
    assert ending.resume(lines, ending.find(lines)) == len(lines)


def test_details_of_a_message_are_no_title() -> None:
    """They are the notice's own words."""
    assert ending.find(["It failed.", "Original message details:", "原邮件信息:", "a"]) == 4
