"""Messages are found by words, days and patients together, and nothing of it stands in a URL."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from threadwell.fhir.json import decode
from threadwell.inbox import seeking, words_found
from threadwell.inbox.words_found import marked
from threadwell.stores.contract import DEFAULT_PROJECT


@pytest.fixture
def seek(practice: Any, browser: Any) -> Any:
    """Finds messages; the answer to the form, and the page to which it leads."""

    def seek(**typed: str) -> tuple[Any, str]:
        answer = browser.post("/find", **{"in": "messages", "name": ""} | typed)
        if answer.status_code != 303:
            return answer, answer.text
        return answer, browser.get(answer.headers["location"]).text

    return seek


def ids(page: str) -> list[str]:
    return re.findall(r'href="/sessions/family#m-([^"]+)"', page)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("fever", ["m1"]),
        ("LAST  févér", ["m1"]),
        ("warm", ["m2"]),
        ("fever warm", []),
        ("%", []),
        ("<b>", ["m1"]),
    ],
)
def test_all_words_stand_in_the_message(seek: Any, typed: str, found: list[str]) -> None:
    answer, page = seek(name=typed)
    assert typed not in answer.headers["location"]
    assert ids(page) == found
    assert f"{len(found)} message" in page
    assert f'name="name" value="{" ".join(typed.split())}"' in unescape(page)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ({"from": "Mar 13, 2024"}, ["m2"]),
        ({"from": "2024-03-12", "to": "3/12/2024"}, ["m1"]),
        # The wrong way round it is meant all the same.
        ({"from": "12 March 2024", "to": "march 1 24"}, ["m1"]),
        ({"name": "warm", "to": "Mar 12, 2024"}, []),
        ({"patient": "Lena"}, ["m1"]),
        ({"patient": "Tomás"}, []),
        ({"patient": "Prado", "name": "fever"}, ["m1"]),
    ],
)
def test_days_and_patients_narrow_it(
    seek: Any, run: Any, store: Any, put: Any, typed: dict[str, str], found: list[str]
) -> None:
    there = run(store.read(DEFAULT_PROJECT, "Communication", "m1"))
    put({**decode(there.body), "subject": {"reference": "Patient/lena"}}, before=there)
    answer, page = seek(**typed)
    assert ids(page) == found
    assert not any(text in answer.headers["location"] for text in typed.values())


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({}, "Type words, a patient or a day first."),
        ({"from": "soon"}, "“soon” is no day: write it as Mar 4, 2026."),
        ({"to": "2/30/2024"}, "“2/30/2024” is no day"),
        ({"patient": "Zed", "name": "fever"}, "No patient has that name"),
    ],
)
def test_what_cannot_be_found_by_is_told_and_stays(
    seek: Any, typed: dict[str, str], told: str
) -> None:
    answer, page = seek(**typed)
    assert answer.status_code == 400
    (alert,) = re.findall(r'role="alert">([^<]+)<', page)
    assert unescape(alert).startswith(told)
    for name, text in typed.items():
        assert f'name="{name}" value="{text}"' in page


def test_one_patients_messages_are_sought_from_their_page(
    practice: Any, browser: Any, put: Any, store: Any, run: Any
) -> None:
    (href,) = re.findall(r'href="(/find\?[^"]+)"', browser.get("/patients/lena").text)
    page = browser.get(unescape(href)).text
    assert 'name="patient" value="Lena Prado"' in page
    there = run(store.read(DEFAULT_PROJECT, "Communication", "m1"))
    group = {"reference": "Group/both"}
    put({**decode(there.body), "subject": group}, before=there)
    # Another patient has the same name; the messages of a group are about each of it.
    put({"resourceType": "Patient", "id": "other", "name": [{"text": "Lena Prado"}]})
    form = {"in": "messages", "patient": "Lena Prado", "of": "lena"}
    found = browser.get(browser.post("/find", **form).headers["location"]).text
    assert ids(found) == ["m1"]


def test_it_goes_on_to_the_end(
    seek: Any, browser: Any, put: Any, make_message: Any, monkeypatch: Any
) -> None:
    # Two are of one moment, which no page parts.
    times = ["10:00:00", "10:00:01", "10:00:01", "10:00:02", "10:00:03"]
    for at, time in enumerate(times):
        put(make_message(f"n{at}", "rash", "RelatedPerson/ana", f"2024-03-14T{time}Z", "cough"))
    monkeypatch.setattr(words_found, "PAGE", 2)
    answer, page = seek(name="cough")
    where, seen = answer.headers["location"], [ids(page)]
    while older := re.findall(r'rel="next" href="(\?[^"]+)"', page):
        page = browser.get(where + older[0]).text
        seen.append(ids(page))
    assert [sorted(one) for one in seen] == [["n3", "n4"], ["n1", "n2"], ["n0"]]
    # Where nothing is among so many, it can be looked further back.
    monkeypatch.setattr(words_found, "LOOKED_THROUGH", 3)
    answer, page = seek(name="fever")
    (further,) = re.findall(r'href="(\?before=\d+)">Look further back', page)
    assert ids(browser.get(answer.headers["location"] + further).text) == ["m1"]
    assert browser.get(answer.headers["location"] + "?before=x").status_code == 404


def test_what_was_retracted_is_not_found(seek: Any, put: Any, make_message: Any) -> None:
    more = {"status": "entered-in-error"}
    put(make_message("gone", "rash", "RelatedPerson/ana", "2024-03-14T10:00:00Z", "fever", **more))
    assert ids(seek(name="fever")[1]) == ["m1"]


def test_a_search_is_forgotten(seek: Any, browser: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(seeking, "LIFE", -1)
    answer, _ = seek(name="fever")
    assert browser.get(answer.headers["location"]).headers["location"] == "/find?in=messages"
    assert browser.get("/find/nothing").headers["location"] == "/find?in=messages"
    assert "Find messages" in browser.get("/find?in=messages").text


@pytest.mark.parametrize(
    ("text", "words", "shown"),
    [
        ("A fever, and a FÉVER", ["fever"], "A [fever], and a [FÉVER]"),
        ("one\n two", [], "one two"),
        ("Straße", ["strasse"], "[Straße]"),
        ("x" * 300, ["no"], "x" * 200 + " …"),
        ("word " * 40 + "fever now", ["fever"], "… " + "word " * 12 + "[fever] now"),
    ],
)
def test_the_words_are_marked(text: str, words: list[str], shown: str) -> None:
    pieces = marked(text, words)
    assert "".join(f"[{one.text}]" if one.sought else one.text for one in pieces) == shown
