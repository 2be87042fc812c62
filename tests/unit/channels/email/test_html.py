"""HTML mails as text."""

from __future__ import annotations

import pytest

from threadwell.channels.email.html import html_to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>One</div><div>Two</div>", "One\nTwo"),
        ("One<br>Two<br/><br/>Three", "One\nTwo\n\nThree"),
        ("<p>One\n   line</p>", "One line"),
        ("<b>Bold</b> <i>and</i> not", "Bold and not"),
        ("a&nbsp;b &amp; c &lt; d &euro;", "a b & c < d €"),
        ("<ul><li>One</li><li>Two</li></ul>", "- One\n- Two"),
        ("<pre>a  b\n  c</pre>", "a  b\n  c"),
        ("<table><tr><td>Pulse</td><td>72</td></tr><tr><td>BP</td></tr></table>", "Pulse 72\nBP"),
        ("<head><title>T</title><style>p {}</style></head><body>Hi</body>", "Hi"),
        ("Hi<script>alert(1)</script> there<!-- not seen -->", "Hi there"),
        ('<div style="display: none">preview</div><p>Hi</p>', "Hi"),
        ('<img src="cid:1" alt="knee.jpg">', "[knee.jpg]"),
        (
            'See <a href="https://example.org/x">this page</a>.',
            "See this page <https://example.org/x>.",
        ),
        ('<a href="https://example.org/">example.org</a>', "example.org"),
        (
            '<a href="https://a.example/">One <div><a href="https://b.example/">two</a></div></a>',
            "One\ntwo <https://b.example/>\n <https://a.example/>",
        ),
        ('<a href="mailto:ana@example.org">Ana</a>', "Ana"),
        ("Yes<blockquote>Shall we?<br>Soon?</blockquote>No", "Yes\n\n> Shall we?\n> Soon?\n\nNo"),
        (
            "<blockquote>b<blockquote>a</blockquote></blockquote>Yes",
            "> b\n>\n>> a\n\nYes",
        ),
        (
            'My pulse:<blockquote style="margin:0 0 0 40px;border:none">90</blockquote>',
            "My pulse:\n\n90",
        ),
        (
            'A<blockquote>own</blockquote><blockquote type="cite">b<blockquote>c</blockquote>'
            "</blockquote>",
            "A\n\nown\n\n> b\n>\n>> c",
        ),
        (
            'A<blockquote>own</blockquote><blockquote class="gmail_quote">b</blockquote>',
            "A\n\nown\n\n> b",
        ),
        (
            '<blockquote style="border-left: 1px solid #ccc; margin: 0">b</blockquote>C',
            "> b\n\nC",
        ),
        (
            '<blockquote style="border-left:none">own</blockquote>'
            '<blockquote cite="mid:1@example.org">b</blockquote>',
            "own\n\n> b",
        ),
        ("Hello<br>-- <br>Ana", "Hello\n-- \nAna"),
        ("<p>Never <b>closed", "Never closed"),
        ("plain, no markup", "plain, no markup"),
        ("", ""),
        ("<!-- only this -->", ""),
        ("<o:p>Word</o:p>", "Word"),
        ('<?xml version="1.0" encoding="utf-16"?><p>é</p>', "é"),
    ],
)
def test_html_to_text(html: str, text: str) -> None:
    assert html_to_text(html) == text


def test_any_depth_of_nesting() -> None:
    html = "<p>before</p>" + "<div>" * 5000 + "deep &amp; far" + "</div>" * 5000 + "<p>after</p>"
    assert html_to_text(html).split() == ["before", "deep", "&", "far", "after"]
