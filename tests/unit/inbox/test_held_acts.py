"""A person dismisses, holds again and releases held messages on the pages, one or several."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import Settings, import_messages, quarantine
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Broken, Message
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write

OFFICE = Address(AddressKind.PHONE, "+12125550100")
DANA = Address(AddressKind.PHONE, "+12075550177")
EVE = Address(AddressKind.PHONE, "+12075550178")


def text(id_: str, sender: Address, hour: int) -> Message:
    sent = datetime(2024, 3, 12, hour, tzinfo=UTC)
    return Message(
        *("sms_backup", id_, sender, (OFFICE,), sent, "hello", "hello", sender.value),
        medium="SMSWRIT",
    )


@pytest.fixture
def held(store: Any, run: Any) -> Any:
    """Dana has written twice and Eve once; nobody knows them. A mail could not be read."""
    items = [
        *(text("1", DANA, 8), text("2", DANA, 9), text("3", EVE, 10)),
        Broken("email", "inbox.mbox, message 1", "it has no date", b"From: x", "message/rfc822"),
    ]
    run(import_messages(Seat(store, DEFAULT_PROJECT, Settings(owner=(OFFICE,))), items))
    return store


def boxes(page: str) -> dict[str, str]:
    """The boxes of the list: what each stands for, and the ids of all of its messages."""
    found = re.findall(r'Choose ([^<]*)</span>\s*<input[^>]*value="([^"]+)"', page)
    return {unescape(name): ids for name, ids in found}


def box(page: str, part: str) -> str:
    (found,) = [ids for name, ids in boxes(page).items() if part in name]
    return found


def test_a_row_stands_for_all_that_wait_for_the_same(held: Any, browser: Any) -> None:
    page = browser.get("/quarantine").text
    assert sorted(len(ids.split()) for ids in boxes(page).values()) == [1, 1, 2]
    assert len(box(page, "207-555-0177").split()) == 2


def test_what_is_dismissed_is_kept_and_can_be_held_again(
    held: Any, browser_as: Any, run: Any
) -> None:
    browser = browser_as("ines", "Dr. Ines Alvarado")
    of_dana = box(browser.get("/quarantine").text, "207-555-0177")
    answer = browser.post("/quarantine", held=of_dana, act="dismiss")
    page = browser.get(answer.headers["location"]).text
    assert "2 messages dismissed." in page
    assert len(boxes(page)) == 2
    away = browser.get("/quarantine?dismissed=1").text
    assert box(away, "207-555-0177").split() == of_dana.split()
    task = run(held.read(DEFAULT_PROJECT, "Task", of_dana.split()[0]))
    assert task.author == "Practitioner/ines"
    assert b"A person has dismissed it." in task.body
    assert b"Dr. Ines Alvarado" in task.body
    again = run(import_messages(Seat(held, DEFAULT_PROJECT, Settings()), [text("1", DANA, 8)]))
    assert (again.counts.known, again.counts.quarantined) == (1, 0)
    answer = browser.post("/quarantine", held=of_dana.split()[0], act="again")
    page = browser.get(answer.headers["location"]).text
    assert "1 message held again." in page
    assert box(page, "207-555-0177") == of_dana.split()[0]


def test_who_is_known_by_now_has_their_messages_placed(held: Any, browser: Any, put: Any) -> None:
    telecom = [{"system": "phone", "value": DANA.value}]
    put({"resourceType": "Patient", "id": "dana", "name": [{"text": "Dana"}], "telecom": telecom})
    page = browser.get("/quarantine").text
    both = [box(page, "207-555-0177"), box(page, "207-555-0178")]
    answer = browser.post("/quarantine", held=both, act="release")
    page = browser.get(answer.headers["location"]).text
    assert "2 messages have their place now; 1 still waits." in page
    assert "Dana" in browser.get("/").text


def test_patients_are_made_of_those_senders_alone(held: Any, browser: Any) -> None:
    ids = box(browser.get("/quarantine").text, "207-555-0177")
    answer = browser.post("/quarantine", held=ids, act="patients")
    page = browser.get(answer.headers["location"]).text
    assert "2 messages have their place now." in page
    assert box(page, "207-555-0178")
    assert "1 session" in browser.get("/").text


def test_a_held_message_says_how_many_wait_for_the_same(held: Any, browser: Any) -> None:
    first, other = box(browser.get("/quarantine").text, "207-555-0177").split()
    page = browser.get(f"/quarantine/{first}").text
    assert f'name="held" value="{first}"' in page
    assert f'name="held" value="{other} "' in page
    answer = browser.post("/quarantine", held=[first, f"{other} "], act="dismiss")
    assert answer.headers["location"] == "/quarantine?closed=2"
    assert "Hold it again" in browser.get(f"/quarantine/{other}").text


def test_what_could_not_be_read_has_no_place(held: Any, browser: Any) -> None:
    ids = box(browser.get("/quarantine").text, "Not readable")
    assert "Try again" not in browser.get(f"/quarantine/{ids}").text
    answer = browser.post("/quarantine", held=ids, act="release")
    assert answer.status_code == 422
    assert "could not be read as a message" in answer.text


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"act": "dismiss"}, 400, "Tick the messages"),
        ({"held": "x"}, 400, "Press one of the buttons"),
        ({"held": "../x", "act": "dismiss"}, 400, "That names no message"),
        ({"held": "none", "act": "dismiss"}, 422, "holds no message that waits"),
        ({"held": "none", "act": "release"}, 422, "holds no message that waits"),
        ({"held": "none", "act": "again"}, 422, "is no message that was dismissed"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_done(
    held: Any, browser: Any, fields: dict[str, str], status: int, says: str
) -> None:
    answer = browser.post("/quarantine", **fields)
    assert (answer.status_code, says in answer.text) == (status, True)
    assert len(boxes(browser.get("/quarantine").text)) == 3


def test_of_several_all_or_none_are_dismissed(held: Any, browser: Any) -> None:
    ids = box(browser.get("/quarantine").text, "207-555-0177")
    assert browser.post("/quarantine", held=[ids, "none"], act="dismiss").status_code == 422
    assert box(browser.get("/quarantine").text, "207-555-0177") == ids


@pytest.mark.parametrize("headers", [{"origin": "https://other.example"}])
def test_only_our_own_page_does_it(held: Any, browser: Any, headers: dict[str, str]) -> None:
    ids = box(browser.get("/quarantine").text, "207-555-0177")
    assert browser.post("/quarantine", headers, held=ids, act="dismiss").status_code == 403


def test_a_shared_address_is_asked_about_again(
    store: Any, browser: Any, put: Any, run: Any
) -> None:
    telecom = [{"system": "phone", "value": DANA.value}]
    for who in ("ivo", "una"):
        put({"resourceType": "Patient", "id": who, "name": [{"text": who}], "telecom": telecom})
    message = text("1", DANA, 8)
    run(import_messages(Seat(store, DEFAULT_PROJECT, Settings(owner=(OFFICE,))), [message]))
    (ids,) = boxes(browser.get("/quarantine").text).values()
    browser.post("/quarantine", held=ids, act="dismiss")
    assert "Nothing to review" in browser.get("/reviews").text
    browser.post("/quarantine", held=ids, act="again")
    assert "207-555-0177" in browser.get("/reviews").text


def twins(run: Any, store: Any) -> str:
    """Ana has written, and another channel brings the same: the id of the Task that asks."""
    ana = text("7", DANA, 8)
    patient = {
        "resourceType": "Patient",
        "id": "ana",
        "telecom": [{"system": "phone", "value": DANA.value}],
    }
    resource, body = stamp(patient, "ana", new_id(1), 1)
    write = Write("Patient", "ana", resource["meta"]["versionId"], 1, resource, body)
    run(store.commit(DEFAULT_PROJECT, ChangeSet((write,))))
    copy = replace(ana, channel="twilio", external_id="SM7", sent=ana.sent + timedelta(seconds=4))
    run(import_messages(Seat(store, DEFAULT_PROJECT, Settings(owner=(OFFICE,))), [ana, copy]))
    (held,) = run(quarantine(store, DEFAULT_PROJECT))
    assert held.reason == "suspected-duplicate"
    return held.task.removeprefix("Task/")


@pytest.mark.parametrize(("press", "messages"), [("same", 1), ("another", 2)])
def test_one_that_came_by_two_ways_is_shown_beside_the_other(
    store: Any, browser: Any, run: Any, press: str, messages: int
) -> None:
    id_ = twins(run, store)
    page = browser.get(f"/quarantine/{id_}").text
    assert "What came" in page
    assert "What is there already" in page
    assert page.count("hello") == 2
    assert re.search(r'href="/sessions/[^"]+">Its session', page)
    answer = browser.post("/quarantine", held=id_, act=press)
    assert "1 message has its place now" in browser.get(answer.headers["location"]).text
    assert run(quarantine(store, DEFAULT_PROJECT)) == []
    found = run(store.search(DEFAULT_PROJECT, Query("Communication", count=10))).matches
    assert sum(b'"partOf"' in one.body for one in found) == messages
