"""What mails say by the look of their words: struck, raised, lowered, hidden."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from compressed_rtf import compress
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.channels.email.outlook.test_items import CARE, MESSAGE_ID, TEXT, read_one
from tests.unit.channels.email.outlook.test_items import mail as properties
from tests.unit.channels.email.outlook_items import Item
from threadwell.channels.email.alternatives import NOT_PLACED, with_looks
from threadwell.channels.email.html import html_to_text, html_with_marks
from threadwell.channels.email.mail import read_mail
from threadwell.messages import Message, looks

N = "\u202f"
NOW = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("5<sup>1</sup>/<sub>2</sub> mg", f"5{N}¹/₂ mg"),
        ("5<sup>1</sup>&frasl;<sub>2</sub> mg", f"5{N}¹⁄₂ mg"),
        ("10<sup>9</sup>/L, 1.73&nbsp;m<sup>2</sup>, CO<sub>2</sub>", "10⁹/L, 1.73 m², CO₂"),
        ("the 5<sup>th</sup>", "the 5th"),
        ("<del>10 mg</del> 5 mg", "~~10 mg~~ 5 mg"),
        ("<s>10</s><ins>5</ins> mg", f"~~10~~{N}5 mg"),
        ("<strike>a</strike> b", "~~a~~ b"),
        ('<span style="text-decoration: line-through">10 mg</span> 5', "~~10 mg~~ 5"),
        ('<span style="TEXT-DECORATION-LINE:underline line-through">10</span>', "~~10~~"),
        ('<p style="text-decoration:line-through">a</p><p>b</p>', "~~a~~\n\nb"),
        ('<s style="text-decoration:none">a</s> b', "a b"),
        ('<s>a <b style="text-decoration:none">b</b></s>', "~~a b~~"),
        ('10<span style="vertical-align:super">9</span>', "10⁹"),
        ('10<sup style="vertical-align:baseline">9</sup>', "109"),
        ('10<span style="position:relative;top:-3.0pt;mso-text-raise:3.0pt">9</span>', "10⁹"),
        ('H<span style="top:2pt;mso-text-raise:-2.0pt">2</span>O', "H₂O"),
        ('<table><tr><td style="vertical-align:sub">3</td><td>4</td></tr></table>', "3 4"),
        ("<s>a<br>b</s> c", "~~a~~\n~~b~~ c"),
        ("<s>one<ul><li>two<li>three</ul></s>", "~~one~~\n\n- ~~two~~\n- ~~three~~"),
        ("<blockquote type=cite><s>a<br>b</s></blockquote>c", "> ~~a~~\n> ~~b~~\n\nc"),
        ("<pre><s>a\n  b</s> c</pre>", "~~a~~\n  ~~b~~ c"),
        ('<s>see <a href="https://a.example/1">it</a></s>', "~~see it <https://a.example/1>~~"),
        ('told<sup><a href="https://a.example/1">1</a></sup>', "told¹ <https://a.example/1>"),
        ("<p hidden>not seen</p><p>seen</p>", "seen"),
        ('a<span style="visibility:hidden">b<i style="visibility:visible">c</i></span>', "ac"),
        ("&#xfdd4;x &#xfdd8;y <s>z</s>", "x y ~~z~~"),
    ],
)
def test_what_html_says_by_looks(html: str, text: str) -> None:
    assert html_to_text(html) == text


def mail(content: str, *, kind: str = "text/html", plain: str | None = None) -> Message:
    head = (
        "From: ana@example.org\nTo: care@clinic.example\nMessage-ID: <1@example.org>\n"
        "Date: Wed, 10 Apr 2024 10:00:00 +0000\nSubject: Re: Dose\nContent-Type: "
    )
    part = f"{kind}; charset=utf-8\n\n{content}\n"
    if plain is not None:
        part = (
            "multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n"
            f"{plain}\n--b\nContent-Type: {part}--b--\n"
        )
    found = read_mail((head + part).encode(), "a.eml", ZoneInfo("UTC"), NOW)
    assert isinstance(found, Message)
    return found


@pytest.mark.parametrize(
    ("plain", "html", "text", "notes"),
    [
        (
            "Take *10 mg* 5 mg daily",
            "Take <b><s>10 mg</s></b> 5 mg daily",
            "Take *~~10 mg~~* 5 mg daily",
            (looks.NOTE,),
        ),
        (
            "Count 109/L\n\n> 10 mg\n> now",
            "Count 10<sup>9</sup>/L<blockquote type=cite><s>10 mg<br>now</s></blockquote>",
            "Count 10⁹/L\n\n> ~~10 mg~~\n> ~~now~~",
            (looks.NOTE,),
        ),
        (
            "Stop 10 mg. Then 10 mg.\n\nForm https://a.example/f",
            '<p>Stop 10 mg. Then <del>10 mg</del>.</p><a href="https://a.example/f">Form</a>',
            "Stop 10 mg. Then ~~10 mg~~.\n\nForm https://a.example/f",
            (looks.NOTE,),
        ),
        # Thunderbird's own way, and one that somebody has typed.
        ("Count 10^9/L of it", "<i>Count</i> 10<sup>9</sup>/L of it.", "Count 10^9/L of it", ()),
        ("Take ~10 mg~ 5", "Take <s>10 mg</s> 5!", "Take ~10 mg~ 5", ()),
        ("The 5th", "The 5<sup>th</sup>", "The 5th", ()),
        ("See the page", "Count 10<sup>9</sup>/L", "See the page", (NOT_PLACED,)),
        # Which of the two it is, nothing tells for certain: there are more in the plain text.
        (
            "10 mg a day 10 mg a day 10 mg a day",
            "10 mg a day <s>10 mg</s> a day",
            "10 mg a day 10 mg a day 10 mg a day",
            (NOT_PLACED,),
        ),
        ("No look", "<b>No</b> look", "No look", ()),
    ],
)
def test_a_plain_text_has_the_looks_of_its_html(
    plain: str, html: str, text: str, notes: tuple[str, ...]
) -> None:
    found = mail(html, plain=plain)
    assert (found.text, found.notes) == (text, notes)


PIECES = st.lists(
    st.tuples(st.sampled_from(("", "s", "sup", "sub", "b")), st.text("109 aL/", max_size=5)),
    max_size=8,
)


@given(PIECES, st.text("109 aL/>*\n", max_size=12))
def test_looks_that_are_placed_change_no_word(pieces: list[tuple[str, str]], plain: str) -> None:
    html = "".join([f"<{tag}>{text}</{tag}>" if tag else text for tag, text in pieces])
    words = "".join([text for _, text in pieces])
    marked = html_with_marks(f"<p>{html}</p>").marked
    for text in (words, plain, words + plain):
        put, _ = with_looks(text, marked)
        assert looks.without_marks(put) == text
        assert looks.without_looks(looks.shown(put)) == text
    placed, whole = with_looks(words, marked)
    assert whole
    assert [*_seen(placed)] == [*_seen(marked)]


def _seen(marked: str) -> list[tuple[int, str]]:
    return [(look, one) for look, piece in looks.pieces(marked) for one in piece if one.strip()]


def test_quotations_are_cut_as_they_were() -> None:
    html = (
        "<div>Take <s>10 mg</s> 5 mg</div><div>On Tue, Apr 9, 2024 at 9:00 AM Care "
        "&lt;care@clinic.example&gt; wrote:<br></div>"
        '<blockquote class="gmail_quote"><s>Take 10 mg</s></blockquote>'
    )
    assert mail(html).new_text == "Take ~~10 mg~~ 5 mg"
    plain = (
        "Take 10 mg 5 mg\nOn Tue, Apr 9, 2024 at 9:00 AM Care <care@clinic.example> wrote:\n\n"
        "> Take 10 mg"
    )
    found = mail(html, plain=plain)
    assert found.new_text == "Take ~~10 mg~~ 5 mg"
    assert found.text.endswith("\n\n> ~~Take 10 mg~~")


@pytest.mark.parametrize(
    ("html", "text", "earlier"),
    [
        ('<p style="display:none">Preview</p><p>Hi</p>', "Hi", ()),
        ('<p style="mso-hide:all">Preview</p><p>Hi</p>', "Hi", ()),
        ("<p hidden>Preview</p><p>Hi</p>", "Hi", ("Preview\n\nHi",) * 2),
        ('Hi<b style="visibility:hidden">x</b> 10<sup>9</sup>', "Hi 10⁹", ("Hix 109",) * 2),
    ],
)
def test_what_nobody_saw_is_left_out_and_told(
    html: str, text: str, earlier: tuple[str, ...]
) -> None:
    found = mail(html)
    assert (found.text, found.earlier_words) == (text, earlier)
    assert looks.HID in found.notes


def test_hidden_space_is_no_word() -> None:
    assert looks.HID not in mail('<p style="display:none">&nbsp;&zwnj;</p><p>Hi</p>').notes


RICH = 0x1009


@pytest.mark.parametrize(
    ("rtf", "text", "notes"),
    [
        (rb"5{\super 1}/{\sub 2} mg", f"5{N}¹/₂ mg", (looks.NOTE,)),
        (rb"10\super 9\nosupersub /L", "10⁹/L", (looks.NOTE,)),
        (rb"10{\up6 9}/L H{\dn4 2}O\up0 ", "10⁹/L H₂O", (looks.NOTE,)),
        (rb"{\strike 10 mg} 5 mg", "~~10 mg~~ 5 mg", (looks.NOTE,)),
        (rb"\striked1 10\striked0  5 mg", "~~10~~ 5 mg", (looks.NOTE,)),
        (rb"{\deleted 10 mg} {\revised 5 mg}", "~~10 mg~~ 5 mg", (looks.NOTE,)),
        (rb"\strike 10\plain  5 {\b\strike0 6}", "~~10~~ 5 6", (looks.NOTE,)),
        (rb"{\strike caf\'e9 \u8722?1\par two} 3", "~~café −1~~\n~~two~~ 3", (looks.NOTE,)),
        (rb"{\v not seen}seen \v0 now", "seen now", (looks.HID,)),
        (rb"{\*\bkmkstart \strike x}5 mg \vertalc\viewkind4", "5 mg", ()),
    ],
)
def test_what_rich_text_says_by_looks(
    tmp_path: Path, rtf: bytes, text: str, notes: tuple[str, ...]
) -> None:
    head = rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\stylesheet{\s1\strike Out;}}"
    found = rich(tmp_path, head + rtf + b"}")
    assert (found.text, found.notes[1:]) == (text, notes)


def rich(tmp_path: Path, rtf: bytes) -> Message:
    """The mail of an item that has its text as rich text only, and no Message-ID."""
    of_item = properties() | {RICH: compress(rtf)}
    of_item = {key: value for key, value in of_item.items() if key not in (TEXT, MESSAGE_ID)}
    found = read_one(tmp_path, Item(of_item, [CARE]))
    assert isinstance(found, Message)
    return found


def test_a_plain_text_has_the_looks_of_its_rich_text(tmp_path: Path) -> None:
    """As Outlook keeps a mail: its words, and all of it as rich text, be that made of an HTML."""
    rtf = (
        rb"{\rtf1\ansi\fromhtml1 {\*\htmltag96 <p>}\htmlrtf \pard\plain \htmlrtf0 Take "
        rb"{\*\htmltag148 <s>}\htmlrtf {\strike \htmlrtf0 10 mg{\*\htmltag156 </s>}\htmlrtf }"
        rb"\htmlrtf0  5 mg, 10\htmlrtf {\super \htmlrtf0 9\htmlrtf }\htmlrtf0 /L\par}"
    )
    words = "Take 10 mg 5 mg,\r\n109/L\r\n"
    found = read_one(tmp_path, Item(properties() | {TEXT: words, RICH: compress(rtf)}, [CARE]))
    assert isinstance(found, Message)
    assert (found.text, found.notes) == ("Take ~~10 mg~~ 5 mg,\n10⁹/L", (looks.NOTE,))


def test_an_id_is_not_made_of_looks(tmp_path: Path) -> None:
    """An item without a Message-ID has the id that its words make, however they look."""
    plain = rich(tmp_path, rb"{\rtf1\ansi 10 mg 5 mg}")
    struck = rich(tmp_path, rb"{\rtf1\ansi {\strike 10 mg} 5 mg}")
    assert struck.text == "~~10 mg~~ 5 mg"
    assert struck.external_id == plain.external_id
