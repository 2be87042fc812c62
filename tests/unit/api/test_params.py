"""Query strings as pairs."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from threadwell.api.params import parse_params


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("status=completed", [("status", "completed")]),
        ("a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
        ("identifier=urn:x|y=z", [("identifier", "urn:x|y=z")]),
        ("name=&_count=1", [("name", ""), ("_count", "1")]),
        ("name", [("name", "")]),
        ("&&a=1&", [("a", "1")]),
        ("class=http://x%7CVR", [("class", "http://x|VR")]),
        ("name=Ana+Prado", [("name", "Ana Prado")]),
        ("name=%C3%84nne&x=%2B", [("name", "Änne"), ("x", "+")]),
        ("phone=+15550100", [("phone", "+15550100")]),
        ("phone=sms|+15550100,+15550101", [("phone", "sms|+15550100,+15550101")]),
    ],
)
def test_pairs(text: str, expected: list[tuple[str, str]]) -> None:
    assert parse_params(text) == expected


@pytest.mark.parametrize("text", ["a=1&b", "=x", "a==b", "&", "a=1;b=2", "a=b&=&c"])
def test_plain_text_is_taken_apart_as_a_form_is(text: str) -> None:
    assert parse_params(text) == parse_qsl(text, keep_blank_values=True)
