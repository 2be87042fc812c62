"""What a script of the pages is told, and that what was typed is shown where it was not taken."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.inbox.scripted import SCRIPT, TO

WORDS = "<i>Half</i> a tablet"


@pytest.fixture
def ines(family: Any, browser_as: Any) -> Any:
    return browser_as("ines", "Dr. Ines Alvarado")


def test_a_script_is_told_where_to_go(family: Any, ines: Any) -> None:
    path, by_script = f"/sessions/{family.session}", {SCRIPT: "Practitioner/ines"}
    plain = ines.post(path, act="reopen")
    assert (plain.status_code, plain.headers["location"]) == (303, path)
    told = ines.post(path, by_script, act="close")
    assert (told.status_code, told.headers[TO], told.content) == (204, path, b"")
    assert "location" not in told.headers
    # What is wrong it is told as anybody is.
    answer = ines.post(path, by_script)
    assert answer.status_code == 400
    assert "Press one of the buttons." in answer.text


@pytest.mark.parametrize("who", ["Practitioner/okafor", ""])
def test_nothing_is_done_by_another_name_than_the_page_was_made_for(
    family: Any, ines: Any, who: str
) -> None:
    before = family.all("Task")
    answer = ines.post(f"/sessions/{family.session}", {SCRIPT: who}, act="reopen")
    assert answer.status_code == 409
    assert "You are signed in as somebody else now" in answer.text
    assert family.all("Task") == before


def test_who_is_not_signed_in_sees_what_they_wrote(visitor: Any, practice: Any) -> None:
    said = {"act": "reply", "thread": "t", "text": WORDS, "why": " ", "key": "secret"}
    here = {"referer": "http://testserver/sessions/family?thread=t"}
    answer = visitor.post("/sessions/family", here, **said)
    assert answer.status_code == 401
    assert "&lt;i&gt;Half&lt;/i&gt; a tablet" in answer.text
    assert answer.text.count('class="raw said"') == 1
    assert "secret" not in answer.text
    assert "/sessions/family?thread=t" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("headers", "size"),
    [
        ({"origin": "http://elsewhere.example"}, 10),
        ({"sec-fetch-site": "cross-site"}, 10),
        ({"sec-fetch-site": "cross-site"}, 1_100_000),
    ],
)
def test_other_sites_have_nothing_shown(
    visitor: Any, practice: Any, headers: dict[str, str], size: int
) -> None:
    answer = visitor.post("/sessions/family", headers, text="x" * size)
    assert answer.status_code == 401
    assert 'class="raw said"' not in answer.text
    assert "only its beginning" not in answer.text


@pytest.mark.parametrize(("size", "cut"), [(1024 * 1024 - 13, False), (1024 * 1024 - 12, True)])
def test_who_is_not_signed_in_is_told_of_what_is_not_shown(
    visitor: Any, practice: Any, size: int, cut: bool
) -> None:
    answer = visitor.post("/sessions/family", why="Ana", text="x" * size)
    assert answer.status_code == 401
    assert ("only its beginning was read" in answer.text) is cut
    assert ">Ana</p>" in answer.text
    assert "xxx</p>" in answer.text


def test_a_page_of_another_site_is_not_gone_back_to(visitor: Any, practice: Any) -> None:
    for page in ("http://elsewhere.example//evil.example", "http://elsewhere.example/sign-out"):
        answer = visitor.post("/sessions/family", {"referer": page}, text=WORDS)
        assert "set-cookie" not in answer.headers


def test_what_does_not_exist_shows_what_was_written(ines: Any) -> None:
    answer = ines.post("/sessions/none", act="reply", thread="none", text=WORDS)
    assert answer.status_code in (404, 422)
    assert "&lt;i&gt;Half&lt;/i&gt; a tablet" in answer.text
