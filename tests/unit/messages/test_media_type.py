"""Media types as strangers write them: one type, read strictly, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell.messages import OCTETS, media_type_of, parse_media_range, parse_media_type


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("image/png", "image/png"),
        (" IMAGE/Png\t", "image/png"),
        ("application/fhir+json", "application/fhir+json"),
        ("application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
        ("text/plain;charset=UTF-8", "text/plain; charset=UTF-8"),
        ('text/plain ; Charset="utf-8" ;', "text/plain; charset=utf-8"),
        (";;".join(["text/plain", "a=1", " b=2"]), "text/plain; a=1; b=2"),
        ('text/plain; name="a;b, \\"c\\".txt"', 'text/plain; name="a;b, \\"c\\".txt"'),
        ('text/plain; name=""', 'text/plain; name=""'),
    ],
)
def test_one_type(text: str, same: str) -> None:
    found = parse_media_type(text)
    assert found is not None
    assert str(found) == same
    assert parse_media_type(str(found)) == found


BAD = [
    "",
    "image",
    "image/",
    "/png",
    "image/png/jpeg",
    "image/png, text/html",
    "text/html,image/png",
    "image/png text/html",
    "image/png\ntext/html",
    "image/png\r\nX-Header: 1",
    "image/png\x00",
    "image/\x1bpng",
    "text/html\u00a0",
    "im age/png",
    "*/*",
    "image/*",
    "text/plain; charset",
    "text/plain; charset=",
    "text/plain; =utf-8",
    "text/plain; charset =utf-8",
    "text/plain; charset=utf-8; CHARSET=utf-7",
    "text/plain; charset=utf-8, text/html",
    'text/plain; name="open',
    'text/plain; name="a"b',
    'text/plain; name="a\nb"',
    'text/plain; name="a\x07b"',
    "x" * 128 + "/y",
    "text/plain; a=" + "b" * 1000,
]


@pytest.mark.parametrize("text", BAD)
def test_no_type(text: str) -> None:
    assert parse_media_type(text) is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("text/html; charset=utf-8", "text/html; charset=utf-8"),
        ('image/jpeg; name="a picture.jpg"', "image/jpeg"),
        ("image/jpeg; name=übung.jpg", "image/jpeg"),
        ("image/png; text/html", "image/png"),
        ("image/png, text/html", OCTETS),
        ("text/html image/png", OCTETS),
        ("image/*", OCTETS),
        ("", OCTETS),
        ("null", OCTETS),
    ],
)
def test_what_is_kept_of_what_a_stranger_says(text: str, kept: str) -> None:
    assert media_type_of(text) == kept


@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from(list('/;,="\\ \n\tab*+')), max_size=30).map("".join)
)
def test_whatever_is_kept_is_one_type(text: str) -> None:
    kept = media_type_of(text)
    assert kept.isascii()
    assert kept.isprintable()
    assert parse_media_type(kept) is not None
    assert media_type_of(kept) == kept
    assert "," not in kept


@pytest.mark.parametrize(
    ("text", "name"),
    [("*/*", "*/*"), ("image/*;q=0.1", "image/*"), ("a/b", "a/b"), ("*/png", None), ("*", None)],
)
def test_ranges(text: str, name: str | None) -> None:
    found = parse_media_range(text)
    assert (found and found.name) == name


@pytest.mark.parametrize(
    ("text", "inert"),
    [
        ("image/png", True),
        ("text/plain; charset=utf-8", True),
        ("application/pdf", True),
        ("video/mp4; codecs=avc1", True),
        ("image/svg+xml", False),
        ("image/unheard-of", False),
        ("text/html", False),
        ("text/xml", False),
        ("text/javascript", False),
        ("text/calendar", False),
        ("application/xhtml+xml", False),
        ("multipart/mixed", False),
        ("message/rfc822", False),
        (OCTETS, False),
    ],
)
def test_what_a_browser_runs_nothing_of(text: str, inert: bool) -> None:
    found = parse_media_type(text)
    assert found is not None
    assert found.is_inert == inert
