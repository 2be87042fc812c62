"""The page on which a person says who writes at an address that several patients share."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from threadwell.encounters import codes
from threadwell.intake import Settings, import_messages
from threadwell.intake.held.hold import holding
from threadwell.intake.people.route import Held
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

PHONE = Address(AddressKind.PHONE, "+12125550171")
OFFICE = Address(AddressKind.PHONE, "+12125550100")


def text(id_: str, hour: int, words: str, thread: str = "") -> Message:
    sent = datetime(2024, 3, 12, hour, tzinfo=UTC)
    hint = thread or PHONE.value
    return Message("sms_backup", id_, PHONE, (OFFICE,), sent, words, words, thread_hint=hint)


@pytest.fixture
def shared(put: Callable[..., None], store: Any, run: Any) -> Any:
    """Ivo and Una share a phone, from which three messages have come."""
    telecom = [{"system": "phone", "value": PHONE.value}]
    for who in ("ivo", "una"):
        name = [{"given": [who.capitalize()], "family": "Lund"}]
        put({"resourceType": "Patient", "id": who, "name": name, "telecom": telecom})
    messages = [text("1", 8, "a cough"), text("2", 9, "a <rash>"), text("3", 10, "hi", "group")]
    run(import_messages(Seat(store, DEFAULT_PROJECT, Settings(owner=(OFFICE,))), messages))
    return store


def link(page: str, path: str) -> str:
    return re.search(rf'href="({path}[^"]+)"', page)[1]


def test_one_address_is_one_question_with_what_waits(shared: Any, browser: Any) -> None:
    page = browser.get("/reviews").text
    assert '<span class="count">1<span class="unseen"> open' in page
    assert page.count('href="/reviews/') == 1
    assert "+1 212-555-0171" in page
    assert "3 messages" in page
    asked = browser.get(link(page, "/reviews/")).text
    assert "Who writes from <bdi>+1 212-555-0171</bdi>?" in asked
    assert all(f'name="who" value="Patient/{who}"' in asked for who in ("ivo", "una"))
    assert asked.count('href="/quarantine/') == 3
    assert 'name="for"' not in asked


@pytest.mark.parametrize("who", [["Patient/ivo"], ["Patient/ivo", "Patient/una"]])
def test_the_answer_places_what_waits(shared: Any, browser: Any, who: list[str]) -> None:
    question = link(browser.get("/reviews").text, "/reviews/")
    answer = browser.request("POST", question, data={"who": who})
    assert (answer.status_code, answer.headers["location"]) == (303, "/reviews")
    assert "Nothing is held back" in browser.get("/quarantine").text
    again = browser.get(question).text
    assert again.count(" checked") == len(who)
    assert "Correct the answer" in again


def test_at_a_message_it_may_be_said_for_less(shared: Any, browser: Any) -> None:
    held = link(browser.get(link(browser.get("/reviews").text, "/reviews/")).text, "/quarantine/")
    page = browser.get(link(browser.get(held).text, "/reviews/")).text
    assert "a cough" in page
    asked = held.replace("quarantine", "reviews")
    answer = browser.request("POST", asked, data={"who": ["Patient/una"], "for": "thread"})
    assert answer.status_code == 303
    assert "1 message" in browser.get(link(browser.get("/reviews").text, "/reviews/")).text
    assert browser.get(asked).status_code == 404


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({}, 400, "Choose who writes first"),
        ({"who": ["Patient/zoe"]}, 422, "Patient/zoe does not have that address"),
        ({"who": ["Patient/ivo"], "for": "thread"}, 422, "name a message"),
        ({"who": ["Patient/ivo"], "for": "<b>"}, 422, "holds for address, thread or message"),
    ],
)
def test_a_mistake_is_shown_and_changes_nothing(
    shared: Any, browser: Any, form: dict[str, Any], status: int, words: str
) -> None:
    question = link(browser.get("/reviews").text, "/reviews/")
    answer = browser.request("POST", question, data=form)
    assert answer.status_code == status
    assert words in answer.text
    assert "<b>" not in answer.text.partition("<main")[2].partition("</main>")[0]
    assert "3 messages" in browser.get("/reviews").text


def test_a_form_of_another_site_is_refused(shared: Any, browser: Any) -> None:
    question = link(browser.get("/reviews").text, "/reviews/")
    answer = browser.request(
        "POST", question, data={"who": "Patient/ivo"}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert "3 messages" in browser.get("/reviews").text


def test_it_is_for_those_who_are_signed_in(shared: Any, visitor: Any) -> None:
    assert visitor.get("/reviews/x").status_code == 401
    assert visitor.post("/reviews/x", who="Patient/ivo").status_code == 401


def test_what_asks_nothing_of_the_kind_has_no_such_page(put: Any, browser: Any) -> None:
    put({"resourceType": "Task", "id": "other", "status": "requested", "intent": "order"})
    assert browser.get("/reviews/other").status_code == 404
    assert browser.get("/reviews/gone").status_code == 404


def test_what_earlier_builds_asked_of_each_message_is_one_row_and_counted_once(
    put: Any, browser: Any
) -> None:
    for number in ("1", "2"):
        what = holding(Held(text(number, 8, "hi"), "shared-address"))
        task = {**what.task, "id": what.task_id, "code": codes.task_code("quarantine", "review")}
        put(task)
        put({**what.binary, "id": what.binary_id}, content=what.content)
    page = browser.get("/reviews").text
    assert page.count('href="/quarantine/') == 1
    assert "2 messages" in page
    assert '<span class="count">1<span class="unseen"> open' in page
