"""Open questions on the pages: the list of them, and where else they show."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.encounters import codes


def question(id_: str = "q1", status: str = "requested", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "id": id_,
        "status": status,
        "intent": "order",
        "code": codes.task_code("review"),
        "description": "Nothing tells which of these patients they are about.",
        "reasonCode": codes.reason("patient-unclear"),
        "focus": {"reference": "Encounter/family"},
        "authoredOn": "2024-03-12T11:58:00Z",
        "input": [
            {"type": {"text": "candidate"}, "valueReference": {"reference": f"Patient/{who}"}}
            for who in ("lena", "tomas")
        ],
        **more,
    }


def test_a_question_names_the_patients_and_leads_to_the_session(
    practice: Any, put: Any, browser: Any
) -> None:
    put(question())
    page = browser.get("/reviews").text
    assert 'href="/sessions/family"' in page
    assert "Lena Prado or Tomás Prado" in page
    assert "Mar 12, 2024, 11:58 AM" in page
    assert '<span class="count">1<span class="unseen"> open' in page


def test_a_session_says_what_is_asked_about_it(practice: Any, put: Any, browser: Any) -> None:
    assert "To review" not in browser.get("/").text
    put(question())
    assert browser.get("/").text.count("To review") == 1
    page = browser.get("/sessions/family").text
    assert "which of these patients they are about: Lena Prado or Tomás Prado." in page
    assert "To review" not in browser.get("/sessions/own").text


@pytest.mark.parametrize("status", ["completed", "cancelled", "rejected"])
def test_what_is_answered_is_asked_no_longer(
    practice: Any, put: Any, browser: Any, status: str
) -> None:
    put(question(status=status))
    assert "Nothing to review" in browser.get("/reviews").text
    assert "To review" not in browser.get("/").text


def test_a_question_about_a_held_message_leads_to_the_quarantine(put: Any, browser: Any) -> None:
    unknown = {
        "type": {"text": "unknown"},
        "valueContactPoint": {"system": "phone", "value": "+12075550177"},
    }
    task = question(
        code=codes.task_code("quarantine", "review"),
        reasonCode=codes.reason("shared-address"),
        input=[unknown],
    )
    del task["focus"]
    put(task)
    page = browser.get("/reviews").text
    assert 'href="/quarantine/q1"' in page
    assert "+1 207-555-0177" in page


def test_the_list_goes_on(put: Any, practice: Any, browser: Any) -> None:
    put(*(question(f"q{number}") for number in range(201)))
    first = browser.get("/reviews").text
    assert first.count('href="/sessions/family"') == 200
    more = first.partition('rel="next" href="')[2].partition('"')[0]
    assert browser.get("/reviews" + more).text.count('href="/sessions/family"') == 1
    assert browser.get("/reviews?cursor=x").status_code == 404


def test_the_list_is_for_those_who_are_signed_in(visitor: Any) -> None:
    assert visitor.get("/reviews").status_code == 401


def test_whom_the_practice_wrote_of_is_shown_as_a_suggestion(
    practice: Any, put: Any, browser: Any
) -> None:
    asked = question()
    suggestion = {
        "type": {"text": "suggestion"},
        "valueReference": {"reference": "Patient/tomas"},
    }
    put({**asked, "input": [*asked["input"], suggestion]})
    for path in ("/reviews", "/sessions/family"):
        page = browser.get(path).text
        assert "Lena Prado or Tomás Prado" in page
        assert "The practice wrote of Tomás Prado." in page
