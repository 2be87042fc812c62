"""The list by last activity: for whom a session waits, and what is unread to whom."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from threadwell.encounters import codes
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, ReferenceFilter
from threadwell.inbox.activity import Recent, walked
from threadwell.inbox.read_state import mark_read
from threadwell.inbox.reader import Reader
from threadwell.stores.contract import DEFAULT_PROJECT, Page


def ago(**what: float) -> str:
    return (datetime.now(UTC) - timedelta(**what)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ahead(**what: float) -> str:
    return (datetime.now(UTC) + timedelta(**what)).strftime("%Y-%m-%dT%H:%M:%SZ")


def listed(page: str) -> list[str]:
    return re.findall(r'class="row" href="/sessions/([^"]+)"', page)


def unread(page: str) -> list[int]:
    return [int(one) for one in re.findall(r'unread">(\d+)<', page)]


@pytest.fixture
def talk(put: Any, make_session: Any, make_header: Any, make_message: Any) -> Callable[..., None]:
    """Put a session of one thread: who wrote, and when, in turn."""

    def talk(id_: str, *said: tuple[str, str], status: str = "in-progress", **more: Any) -> None:
        start = said[0][1] if said else ago(days=1)
        put(make_session(id_, "Patient/x", start, status=status))
        put({**make_header(f"h-{id_}", id_, id_), **more})
        for number, (who, sent) in enumerate(said):
            put(make_message(f"{id_}-{number}", f"h-{id_}", who, sent, "words"))

    return talk


THEM, US = "RelatedPerson/ana", "Practitioner/ines"


def test_who_wrote_last_stands_first(talk: Any, browser: Any) -> None:
    talk("begun-last", (THEM, ago(days=2)))
    talk("goes-on", (THEM, ago(days=9)), (US, ago(hours=1)))
    talk("between", (THEM, ago(days=5)), (THEM, ago(days=1)))
    assert listed(browser.get("/").text) == ["goes-on", "between", "begun-last"]


def test_of_a_session_whose_messages_were_met_nothing_is_asked(
    talk: Any, put: Any, make_session: Any, store: Any, run: Any
) -> None:
    for number in range(60):
        talk(f"s{number:02}", (THEM, ago(days=number, hours=2)), (US, ago(days=number, hours=1)))
    put(make_session("silent", "Patient/x", ago(days=5, hours=4)))
    asked: list[str] = []

    class Told:
        """Tells of which sessions the threads are looked up."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def search(self, project: str, query: Query) -> Page:
            of = [one for one in query.filters if isinstance(one, ReferenceFilter)]
            asked.extend(m.id for one in of if one.param == "encounter" for m in one.matches)
            return await store.search(project, query)

    async def all_() -> list[str]:
        async def fits(*_: object) -> bool:
            return True

        reader = Reader(store, DEFAULT_PROJECT, view=Told())
        pages = walked(reader, Recent(fits), "", 25)
        return [one["id"] async for page in pages for one in page.encounters]

    expected = [f"s{number:02}" for number in range(60)]
    expected.insert(6, "silent")
    assert run(all_()) == expected
    assert asked == ["silent"]


def test_for_whom_it_waits(talk: Any, browser: Any, put: Any) -> None:
    talk("asked", (US, ago(days=3)), (THEM, ago(days=2)), status="finished")
    talk("answered", (THEM, ago(days=3)), (US, ago(days=2)))
    talk("long-ago", (THEM, ago(days=40)))
    follows = {"inResponseTo": [{"reference": "Communication/h-went-on"}]}
    thread = [{"system": codes.THREAD + "email", "value": "one"}]
    talk("went-on", (THEM, ago(days=4)), identifier=thread, sent=ago(days=4))
    talk("later", (US, ago(days=1)), identifier=thread, sent=ago(days=1), **follows)
    talk("closed", (THEM, ago(days=1)))
    act: Resource = {
        "resourceType": "Task",
        "id": "act",
        "status": "completed",
        "intent": "order",
        "code": {"coding": [{"system": codes.TASK_CODE, "code": "close-session"}]},
        "focus": {"reference": "Encounter/closed"},
        "authoredOn": ago(hours=1),
    }
    put(act)
    assert listed(browser.get("/?waiting=us").text) == ["asked"]
    assert listed(browser.get("/?waiting=them").text) == ["later", "answered"]
    assert browser.get("/?waiting=nobody").status_code == 404
    put(
        {**act, "id": "again", "authoredOn": ago(minutes=1)}
        | {"code": {"coding": [{"system": codes.TASK_CODE, "code": "reopen-session"}]}}
    )
    assert listed(browser.get("/?waiting=us").text) == ["closed", "asked"]


def test_each_person_has_read_what_they_have_read(talk: Any, browser_as: Any, browser: Any) -> None:
    talk("old", (THEM, ago(days=2)))
    ines, kim = browser_as("ines", "Ines"), browser_as("kim", "Kim")
    for one in (ines, kim, browser):
        assert unread(one.get("/").text) == []
    talk("new", (US, ahead(minutes=1)), (THEM, ahead(minutes=2)), (THEM, ahead(minutes=3)))
    assert unread(ines.get("/").text) == unread(kim.get("/").text) == [2]
    assert unread(browser.get("/").text) == []
    ines.get("/sessions/new")
    assert unread(ines.get("/").text) == []
    assert unread(kim.get("/").text) == [2]


def test_what_comes_later_is_unread_again(
    talk: Any, browser_as: Any, put: Any, make_message: Any, monkeypatch: Any
) -> None:
    ines = browser_as("ines", "Ines")
    ines.get("/")
    talk("new", (THEM, ahead(minutes=2)))
    ines.get("/sessions/new")
    put(make_message("more", "h-new", THEM, ahead(minutes=5), "words"))
    put(make_message("ours", "h-new", US, ahead(minutes=6), "words"))
    assert unread(ines.get("/").text) == [1]
    # The row leads to what is new; where a page does not have all, to the last one.
    assert 'href="/sessions/new#m-ours"' in ines.get("/").text
    monkeypatch.setattr("threadwell.inbox.listing.MESSAGES", 2)
    assert 'href="/sessions/new?thread=h-new&amp;cursor=last#m-ours"' in ines.get("/").text


def test_a_receipt_never_goes_back(talk: Any, browser_as: Any, store: Any, run: Any) -> None:
    ines = browser_as("ines", "Ines")
    ines.get("/")
    talk("new", (THEM, ahead(minutes=2)), (THEM, ahead(minutes=4)))
    reader = Reader(store, DEFAULT_PROJECT)
    for sent in (ahead(minutes=4), ahead(minutes=2)):
        run(mark_read(reader, {"h-new": sent}, "Practitioner/ines"))
    assert unread(ines.get("/").text) == []
    (receipt,) = run(reader.search_all("Task?code=read-receipt&focus=Communication/h-new"))
    assert (receipt["status"], receipt["owner"]["reference"]) == ("completed", "Practitioner/ines")


def test_a_list_of_none_walks_over_nothing(family: Any, browser: Any, store: Any) -> None:
    """Nobody has an open session; the first that is opened again is there at once."""
    asked: list[str] = []
    search = store.search

    async def counted(project: str, query: Any) -> Any:
        asked.append(query.type)
        return await search(project, query)

    store.search = counted
    assert "Nothing here" in browser.get("/?status=open").text
    assert "Communication" not in asked
    browser.post(f"/sessions/{family.session}", act="reopen")
    assert f"/sessions/{family.session}" in browser.get("/?status=open").text


def test_a_few_that_are_open_are_not_looked_for_among_all_messages(
    talk: Any, browser: Any, store: Any, monkeypatch: Any
) -> None:
    for number in range(30):
        talk(
            f"over{number}",
            *[(THEM, ago(days=1, minutes=one)) for one in range(9)],
            status="finished",
        )
    talk("early", (THEM, ago(days=30)), (US, ago(days=20)))
    talk("late", (THEM, ago(days=40)), (THEM, ago(days=10)))
    seen, search = [], store.search

    async def counted(project: str, query: Any) -> Any:
        page = await search(project, query)
        seen.extend(one.id for one in page.matches if one.type == "Communication")
        return page

    monkeypatch.setattr(store, "search", counted)
    assert listed(browser.get("/?status=open").text) == ["late", "early"]
    assert set(seen) >= {"early-1", "late-1"}
    assert not [one for one in seen if "over" in one]
