"""A person answers on the pages whom a session is about."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

DAY = "2024-03-09"


@pytest.fixture
def unclear(family: Any) -> Any:
    """Two days on which Rosa named nobody."""
    family.take(("c", "09:00", "One of them has <spots>"), day=DAY)
    family.take(("d", "09:00", "Still the same"), day="2024-03-10")
    return family


def questions(family: Any) -> list[dict[str, Any]]:
    tasks = [one for one in family.all("Task") if one["status"] == "requested"]
    return sorted(tasks, key=lambda one: one["authoredOn"], reverse=True)


def chosen(page: str) -> dict[str, bool]:
    found = re.findall(r'name="patient" value="([^"]+)"( checked)?', page)
    return {id_: bool(checked) for id_, checked in found}


def test_the_list_leads_to_the_words_and_the_patients(unclear: Any, browser: Any) -> None:
    later, earlier = questions(unclear)
    page = browser.get("/reviews").text
    assert re.findall(r'href="(/reviews/[^"]+)"', page) == [
        f"/reviews/{later['id']}",
        f"/reviews/{earlier['id']}",
    ]
    page = browser.get(f"/reviews/{earlier['id']}").text
    assert "One of them has &lt;spots&gt;" in page
    assert "Still the same" not in page
    assert chosen(page) == {"leo": False, "mia": False, "tom": False}
    session = earlier["focus"]["reference"].removeprefix("Encounter/")
    assert f'href="/reviews/{earlier["id"]}"' in browser.get(f"/sessions/{session}").text


@pytest.mark.parametrize("whom", [["leo"], ["leo", "mia"]])
def test_an_answer_holds_at_once(unclear: Any, browser_as: Any, whom: list[str]) -> None:
    browser = browser_as("ines", "Dr. Ines Alvarado")
    _, asked = questions(unclear)
    answer = browser.post(f"/reviews/{asked['id']}", patient=whom)
    assert answer.status_code == 303
    led = browser.get(answer.headers["location"])
    page = browser.get(led.headers["location"]).text
    for id_ in whom:
        assert f"About {id_.capitalize()}: Dr. Ines Alvarado has said so." in page
    (task,) = [one for one in unclear.all("Task") if one["id"] == asked["id"]]
    assert task["status"] == "completed"
    named = [one["valueReference"]["reference"] for one in task["output"]]
    assert named == [*(f"Patient/{id_}" for id_ in whom), "Practitioner/ines"]
    assert len(questions(unclear)) == 1
    again = browser.get(f"/reviews/{asked['id']}").text
    assert "Correct the answer" in again
    assert [id_ for id_, ticked in chosen(again).items() if ticked] == whom


def test_a_wrong_answer_is_corrected(unclear: Any, browser: Any) -> None:
    _, asked = questions(unclear)
    for whom in ("leo", "mia"):
        browser.post(f"/reviews/{asked['id']}", patient=whom)
        assert unclear.message("c")["subject"]["reference"] == f"Patient/{whom}"


def test_it_goes_on_from_one_to_the_next(unclear: Any, browser: Any) -> None:
    first, second = (one["id"] for one in questions(unclear))
    answer = browser.post(f"/reviews/{first}", patient="leo", act="next")
    assert answer.headers["location"] == f"/reviews/{second}"
    answer = browser.post(f"/reviews/{second}", act="dismiss")
    assert answer.headers["location"] == "/reviews"
    assert questions(unclear) == []
    assert "subject" not in unclear.message("c")


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({}, 400, "Choose whom it is about first"),
        ({"act": "next"}, 400, "Choose whom it is about first"),
        ({"patient": "ada"}, 422, "not about Patient/ada"),
        ({"patient": ["mia", "none"]}, 422, "not about Patient/none"),
    ],
)
def test_a_mistake_is_told_and_the_choice_stays(
    unclear: Any, browser: Any, fields: dict[str, Any], status: int, says: str
) -> None:
    asked = questions(unclear)[0]["id"]
    answer = browser.post(f"/reviews/{asked}", **fields)
    assert (answer.status_code, says in unescape(answer.text)) == (status, True)
    assert chosen(answer.text)["mia"] is ("mia" in fields.get("patient", ()))
    assert len(questions(unclear)) == 2


def test_what_was_closed_is_closed_once(unclear: Any, browser: Any) -> None:
    asked = questions(unclear)[0]["id"]
    browser.post(f"/reviews/{asked}", act="dismiss")
    answer = browser.post(f"/reviews/{asked}", act="dismiss")
    assert answer.status_code == 422
    assert "nobody asks any more" in answer.text


@pytest.mark.parametrize("headers", [{"origin": "https://other.example"}])
def test_only_our_own_page_answers(unclear: Any, browser: Any, headers: dict[str, str]) -> None:
    answer = browser.post(f"/reviews/{questions(unclear)[0]['id']}", headers, patient="leo")
    assert answer.status_code == 403
    assert len(questions(unclear)) == 2


@pytest.mark.parametrize("path", ["none", "none/session", "../x"])
def test_there_is_no_page_for_what_is_not_asked(unclear: Any, browser: Any, path: str) -> None:
    assert browser.get(f"/reviews/{path}").status_code == 404


def test_it_stands_with_each_patient_whom_it_may_be_about(unclear: Any, browser: Any) -> None:
    """The session is nobody's yet; who shares no address with them is not asked about."""
    first, second = (one["id"] for one in questions(unclear))
    for name, theirs in (("leo", True), ("mia", True), ("tom", True), ("ada", False)):
        page = browser.get(f"/patients/{name}").text
        for asked in (first, second):
            assert (f'href="/reviews/{asked}"' in page) is theirs, name
