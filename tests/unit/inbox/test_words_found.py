"""Messages are found by their words, which stand in no URL."""

from __future__ import annotations

import re
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("fever", ["m1"]),
        ("LAST  févér", ["m1"]),
        ("warm", ["m2"]),
        ("fever warm", []),
        ("%", []),
        ("  ", []),
        ("<b>", ["m1"]),
    ],
)
def test_all_words_stand_in_the_message(
    practice: Any, browser: Any, typed: str, found: list[str]
) -> None:
    answer = browser.post("/find", **{"name": typed, "in": "messages"})
    assert answer.status_code == 303
    assert not typed.strip() or typed not in answer.headers["location"]
    page = browser.get(answer.headers["location"]).text
    assert re.findall(r'href="/sessions/family#m-([^"]+)"', page) == found
    assert f"{len(found)} message" in page


def test_what_was_retracted_is_not_found(
    practice: Any, browser: Any, put: Any, make_message: Any
) -> None:
    more = {"status": "entered-in-error"}
    put(make_message("gone", "rash", "RelatedPerson/ana", "2024-03-14T10:00:00Z", "fever", **more))
    answer = browser.post("/find", **{"name": "fever", "in": "messages"})
    assert answer.headers["location"] == "/find?in=messages&message=m1"


@pytest.mark.parametrize("query", ["message=none", "message=../x", ""])
def test_what_is_not_there_is_left_out(practice: Any, browser: Any, query: str) -> None:
    page = browser.get(f"/find?in=messages&{query}")
    assert (page.status_code, "No message is found" in page.text) == (200, True)
