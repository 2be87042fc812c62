"""A person closes a session, opens it again, or opens one, on the pages."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest

from threadwell.encounters import codes
from threadwell.encounters.acts import is_act
from threadwell.fhir.json import decode
from threadwell.intake.choices import Choices, keep_choices
from threadwell.stores.contract import DEFAULT_PROJECT

INES = {"reference": "Practitioner/ines", "display": "Dr. Ines Alvarado"}


def buttons(page: str) -> list[str]:
    """What the buttons of a page's content say."""
    main = page[page.index("<main") :]
    return [unescape(text) for text in re.findall(r"<button[^>]*>([^<]+)</button>", main)]


def alert(page: str) -> str:
    (text,) = re.findall(r'role="alert">([^<]+)<', page)
    return unescape(text)


def status(family: Any, session: str) -> str:
    (one,) = [e for e in family.all("Encounter") if e["id"] == session]
    return str(one["status"])


def acts(family: Any) -> list[dict[str, Any]]:
    return [one for one in family.all("Task") if is_act(one)]


@pytest.fixture
def ines(family: Any, browser_as: Any) -> Any:
    return browser_as("ines", "Dr. Ines Alvarado")


def test_a_session_is_opened_again_and_closed(family: Any, ines: Any) -> None:
    path = f"/sessions/{family.session}"
    assert buttons(ines.get(path).text) == ["Open it again"]
    answer = ines.post(path, act="reopen", why=" she  calls back ")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert status(family, family.session) == "in-progress"
    assert buttons(ines.get(path).text) == ["Close the session"]
    assert ines.post(path, act="close").status_code == 303
    assert status(family, family.session) == "finished"
    done = acts(family)
    assert [one["requester"] for one in done] == [INES, INES]
    assert "she calls back" in json.dumps(done)


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("per-day", "The next message of the same day opens it again."),
        ("per-thread", "The next message of its thread opens it again."),
        ("inactivity-gap", "The next message begins another session."),
        ("explicit", "What is written then is in no session, until somebody opens one."),
    ],
)
def test_it_says_what_the_next_message_does(
    family: Any, ines: Any, run: Any, store: Any, policy: str, told: str
) -> None:
    path = f"/sessions/{family.session}"
    assert "The next message joins this session again." in ines.get(path).text
    ines.post(path, act="reopen")
    run(keep_choices(store, DEFAULT_PROJECT, Choices(policy=policy)))
    assert told in ines.get(path).text


def test_pressed_twice_it_is_done_once(family: Any, ines: Any) -> None:
    path = f"/sessions/{family.session}"
    assert [ines.post(path, act="reopen").status_code for _ in range(2)] == [303, 303]
    assert len(acts(family)) == 1


@pytest.mark.parametrize(
    ("form", "headers", "code", "told"),
    [
        ({}, {}, 400, "Press one of the buttons."),
        ({"act": "explode"}, {}, 400, "Press one of the buttons."),
        ({"act": "reopen"}, {"Origin": "https://evil.example"}, 403, ""),
    ],
)
def test_what_is_no_act_changes_nothing(
    family: Any, ines: Any, form: dict[str, str], headers: dict[str, str], code: int, told: str
) -> None:
    answer = ines.post(f"/sessions/{family.session}", headers=headers, **form)
    assert answer.status_code == code
    assert not told or alert(answer.text) == told
    assert acts(family) == []


def test_a_billed_session_says_why_it_stays(
    family: Any, ines: Any, put: Any, run: Any, store: Any
) -> None:
    id_ = family.session
    there = run(store.read(DEFAULT_PROJECT, "Encounter", id_))
    tag = codes.BILLED
    put({**decode(there.body), "meta": {"tag": [tag]}}, before=there)
    answer = ines.post(f"/sessions/{id_}", act="reopen")
    assert answer.status_code == 422
    assert alert(answer.text) == "This session has been billed: it stays as it was billed."
    assert status(family, id_) == "finished"


def test_a_session_that_was_made_over_fhir_is_closed(practice: Any, browser: Any) -> None:
    assert buttons(browser.get("/sessions/family").text) == ["Close the session"]
    assert browser.post("/sessions/family", act="close").status_code == 303
    assert buttons(browser.get("/sessions/family").text) == ["Open it again"]


def test_one_patients_part_and_what_is_superseded_stay(practice: Any, browser: Any) -> None:
    assert "What to do" not in browser.get("/sessions/old").text
    answer = browser.post("/sessions/old", act="reopen")
    assert answer.status_code == 422
    assert alert(answer.text).startswith("This session is superseded")
    # The page of a part leads to the whole.
    assert browser.post("/sessions/medical-lena", act="close").headers["location"] == (
        "/sessions/family"
    )


def test_there_has_to_be_such_a_session(browser: Any) -> None:
    assert browser.post("/sessions/nobodys", act="close").status_code == 404


def test_a_session_is_opened_before_anybody_writes(family: Any, ines: Any) -> None:
    answer = ines.post("/patients/ada", why="asked for by phone")
    assert answer.status_code == 303
    page = ines.get(answer.headers["location"]).text
    assert "No messages yet" in page
    assert buttons(page) == ["Close the session"]
    assert acts(family)[0]["requester"] == INES
    # One that is open already is led to.
    assert ines.post("/patients/ada").headers["location"] == answer.headers["location"]


def test_a_session_is_opened_in_a_thread(family: Any, ines: Any) -> None:
    before, page = family.session, ines.get("/patients/leo").text
    (header,) = re.findall(r'<option value="([^"]+)"', page)
    answer = ines.post("/patients/leo", thread=header)
    assert answer.status_code == 303
    assert answer.headers["location"] != f"/sessions/{before}"
    (opened,) = acts(family)
    assert opened["requester"] == INES


def test_a_thread_of_others_is_refused(family: Any, ines: Any) -> None:
    (header,) = re.findall(r'<option value="([^"]+)"', ines.get("/patients/leo").text)
    answer = ines.post("/patients/ada", thread=header)
    assert answer.status_code == 422
    assert "is not of Patient/ada" in alert(answer.text)
    assert acts(family) == []


def test_there_has_to_be_such_a_patient(browser: Any) -> None:
    assert browser.post("/patients/nobody").status_code == 404
