"""A person splits a session by patient on its page, and corrects that later."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest


@pytest.fixture
def ines(browser_as: Any) -> Any:
    return browser_as("ines", "Dr. Ines Alvarado")


def form(family: Any, a: str, b: str, **more: str) -> dict[str, Any]:
    """What the form sends where the two messages are about those patients, of whom ids are told."""
    ids = [family.message(one)["id"] for one in "ab"]
    whom = {f"about-{id_}": text.split() for id_, text in zip(ids, (a, b), strict=True)}
    return {"message": ids, **whom, "patient": ["leo", "mia", "tom"], "act": "split", **more}


def split(family: Any, ines: Any, **said: Any) -> Any:
    return ines.request("POST", f"/sessions/{family.session}/split", data=said)


def shares(page: str) -> dict[str, list[str]]:
    """By each patient to choose: how many messages, what becomes of it, reason, service."""
    found = re.findall(
        r'<bdi>(\w+)</bdi></h2>.*?class="number">(.*?)</span>.*?outcome">(.*?)</p>'
        r'.*?name="reason-\w+" value="([^"]*)".*?name="service-\w+" value="([^"]*)"',
        unescape(page),
        re.DOTALL,
    )
    return {name: rest for name, *rest in found}


OWN, MEDICAL = "The session encounter is theirs.", "A medical encounter of their own."


def test_it_begins_with_what_the_messages_tell(family: Any, ines: Any) -> None:
    page = ines.get(f"/sessions/{family.session}/split").text
    assert shares(page) == {
        "Leo": ["1 message", MEDICAL, "", ""],
        "Mia": ["1 message", MEDICAL, "", ""],
        "Tom": ["0 messages", "No encounter.", "", ""],
    }
    checked = re.findall(r'name="about-([^"]+)" value="(\w+)" data-number="\d" checked', page)
    assert " · Mar 8, 2024, 8:00 AM" in page
    told = {family.message("a")["id"]: "leo", family.message("b")["id"]: "mia"}
    assert dict(checked) == told


def test_it_is_split_and_corrected_later(family: Any, ines: Any) -> None:
    said = form(family, "leo tom", "mia", **{"reason-leo": " Fever ", "service-mia": "Paediatrics"})
    answer = split(family, ines, **said)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sessions/{family.session}")
    medical = {e["subject"]["reference"]: e for e in family.all("Encounter") if "partOf" in e}
    assert medical.keys() == {"Patient/leo", "Patient/mia", "Patient/tom"}
    assert medical["Patient/leo"]["reasonCode"] == [{"text": "Fever"}]
    assert medical["Patient/mia"]["serviceType"] == {"text": "Paediatrics"}
    told = ines.get(f"/sessions/{family.session}").text
    assert "Dr. Ines Alvarado has said so." in told
    # What was said stands there, and is corrected.
    page = ines.get(f"/sessions/{family.session}/split").text
    assert shares(page)["Leo"] == ["1 message", MEDICAL, "Fever", ""]
    answer = split(family, ines, **form(family, "leo", "leo", **{"reason-leo": "Fever, cough"}))
    assert answer.status_code == 303
    (own,) = family.all("Encounter")
    assert own["subject"] == {"reference": "Patient/leo"}
    assert own["reasonCode"] == [{"text": "Fever, cough"}]


def test_what_becomes_of_it_is_shown_before(family: Any, ines: Any) -> None:
    said = form(family, "leo", "leo", act="show", **{"reason-leo": "Fever"})
    page = split(family, ines, **said)
    assert page.status_code == 200
    assert shares(page.text)["Leo"] == ["2 messages", OWN, "Fever", ""]
    assert shares(page.text)["Mia"] == ["0 messages", "No encounter.", "", ""]
    assert family.subjects() == {"a": "leo", "b": "mia"}


def test_somebody_else_is_found_and_what_was_chosen_stays(family: Any, ines: Any) -> None:
    page = split(family, ines, **form(family, "tom", "mia", act="find", name="Ada")).text
    assert list(shares(page)) == ["Leo", "Mia", "Tom", "Ada"]
    assert shares(page)["Tom"][0] == "1 message"
    none = split(family, ines, **form(family, "tom", "mia", act="find", name="Zed")).text
    assert "No patient is called <bdi>Zed</bdi>." in none


@pytest.mark.parametrize(
    ("a", "b", "status", "told"),
    [
        ("", "", 400, "Choose whom the messages are about first."),
        ("leo", "", 400, "Say whom the message of"),
        ("leo", "nobody", 422, "There is no Patient/nobody"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_changes(
    family: Any, ines: Any, a: str, b: str, status: int, told: str
) -> None:
    answer = split(family, ines, **form(family, a, b, **{"reason-leo": "Fever"}))
    assert answer.status_code == status
    (alert,) = re.findall(r'role="alert">([^<]+)<', answer.text)
    assert unescape(alert).startswith(told)
    assert shares(answer.text)["Leo"][2] == "Fever"
    assert family.subjects() == {"a": "leo", "b": "mia"}


def test_only_a_session_of_ours_is_split(practice: Any, browser: Any) -> None:
    assert browser.get("/sessions/family/split").headers["location"] == "/sessions/family"
    assert browser.get("/sessions/nothing/split").status_code == 404
    elsewhere = {"origin": "https://elsewhere.example"}
    assert browser.post("/sessions/family/split", elsewhere, act="split").status_code == 403
