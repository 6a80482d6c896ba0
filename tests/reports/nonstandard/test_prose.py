"""HTML as prose."""

from __future__ import annotations

import pytest

from kumo_handlers.reports.nonstandard import prose


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("<p>one</p><p>two</p>", ["one", "two"]),
        ("a&lt;b@c.example&gt;<br>d", ["a<b@c.example>", "d"]),
        ("<style>p{}</style>text<script>x<y</script>", ["text"]),
        ("<a href='mailto:x@y.example'>ann@dest.example</a>", ["ann@dest.example"]),
        ("<a class=x href='mailto:ann@dest.example?subject=y'>Ann</a>", ["ann@dest.example Ann"]),
        ("failed: <ann@dest.example> <b>unknown</b>", ["failed: <ann@dest.example> unknown"]),
        ("<table><tr><td>To</td><td>ann</td></tr></table>", ["To", "ann"]),
        ("one\ntwo <!-- no --> three", ["one two three"]),
        ("<pre>one\ntwo</pre>", ["one", "two"]),
        ("text <style>never closed", ["text never closed"]),
    ],
)
def test_of_html(source: str, shown: list[str]) -> None:
    """A line for each block; nothing that a reader would not see."""
    lines = (" ".join(line.split()) for line in prose.of_html(source).split("\n"))
    assert [line for line in lines if line] == shown
