"""Hot searches walk the index: they scan no table and sort nothing that they do not return."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.sqlite import SqliteStore, heavy
from threadwell.stores.suite.scenario import Desk, query

_HEADERS = "Communication?part-of:missing=true"
_ACTIVE = f"{_HEADERS}&status:not=completed,entered-in-error,stopped,unknown"

#: More than a lead of few entries, so that the choice is that of a large store.
_MANY = 5000

HOT = [
    "Communication?part-of=Communication/h0&_sort=sent&_count=20",
    "Communication?part-of=Communication/h0&_sort=-sent&_count=20",
    _HEADERS,
    f"{_HEADERS}&_sort=-_lastUpdated",
    f"{_ACTIVE}&_sort=-_lastUpdated&_count=20",
    f"{_HEADERS}&encounter=Encounter/e",
    f"{_HEADERS}&subject=Patient/ana",
    f"{_HEADERS}&recipient=Practitioner/kim&_count=20",
    f"{_HEADERS}&recipient=Practitioner/kim&_sort=-_lastUpdated",
    f"{_ACTIVE}&recipient=Practitioner/kim&_sort=-_lastUpdated",
    "Communication?_sort=-sent",
    "Communication?_sort=-_lastUpdated",
    "Communication?status=completed&_sort=-sent",
    "Communication?sent=ge2024-01-01&_sort=-sent",
    "Communication?sender=Practitioner/kim&status=completed",
    "Communication?sender=Practitioner/kim&status=completed&_sort=-_lastUpdated",
    "Communication?_lastUpdated=ge2024-01-01&_sort=-_lastUpdated",
    "Communication?sender=Practitioner/kim&status=preparation",
    "Communication?identifier=https://example.org/message|7",
    "Communication?identifier=https://example.org/message|",
    "Encounter?class=http://terminology.hl7.org/CodeSystem/v3-ActCode|VR&_count=20",
    "Encounter?part-of=Encounter/e",
    "Task?code=read-receipt&owner=Practitioner/kim&status=requested&_total=accurate&_count=0",
    "Task?performer=nurse&owner:missing=true&_include=Task:focus",
    "Task?code=respond&owner=Practitioner/kim&status=requested,accepted&_sort=authored-on",
    "Task?code=respond&owner:missing=true&status=requested,accepted&_sort=authored-on",
    "Task?code=respond&status=requested,accepted,in-progress&_sort=authored-on",
    "Task?code=quarantine&status=requested&_sort=-_lastUpdated",
]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plans") / "threadwell.db"

    async def fill() -> None:
        store = SqliteStore.open(path)
        desk = Desk(store)
        kim = {"reference": "Practitioner/kim"}
        await desk.commit(
            *(
                desk.write(
                    {
                        "resourceType": "Communication",
                        "id": f"c{n}",
                        "status": "completed" if n % 2 else "in-progress",
                        "sender": kim,
                        "recipient": [kim],
                        "sent": f"2024-01-{n % 28 + 1:02}T10:00:00Z",
                        "identifier": [{"system": "https://example.org/message", "value": str(n)}],
                        **({"partOf": [{"reference": "Communication/h0"}]} if n % 2 else {}),
                    }
                )
                for n in range(2 * _MANY)
            )
        )
        await store.close()

    asyncio.run(fill())
    return path


@pytest.mark.parametrize("search", HOT)
def test_plan(path: Path, search: str) -> None:
    async def run() -> list[str]:
        store = SqliteStore.open(path)
        plan = store.plan(DEFAULT_PROJECT, query(search))
        await store.close()
        return plan

    plan = asyncio.run(run())
    assert any("SEARCH" in step for step in plan)
    assert [step for step in plan if _costly(step)] == []


def test_messages_are_counted_without_a_look_at_each(path: Path) -> None:
    async def run() -> tuple[int | None, list[str]]:
        store = SqliteStore.open(path)
        asked = query("Communication?part-of:missing=false&_summary=count")
        total = (await store.search(DEFAULT_PROJECT, asked)).total
        plan = store.plan(DEFAULT_PROJECT, asked)
        await store.close()
        return total, plan

    total, plan = asyncio.run(run())
    assert total == _MANY
    assert not [step for step in plan if step.startswith("SEARCH r ")]


#: What people have before them all day: it is not looked for among all that was done for years.
WAITING = [
    "Task?code=respond&status=requested,accepted,in-progress&_sort=authored-on",
    "Task?code=review&status=requested,accepted,in-progress&_sort=-authored-on",
    "Task?code=quarantine&status=requested&_sort=-_lastUpdated",
    "Task?code=quarantine&status=requested&_summary=count",
]


@pytest.mark.parametrize("search", WAITING)
def test_what_waits_has_lists_of_its_own(path: Path, search: str) -> None:
    async def run() -> list[str]:
        store = SqliteStore.open(path)
        plan = store.plan(DEFAULT_PROJECT, query(search))
        await store.close()
        return plan

    # Of no entry has it to be asked whether it is in another list.
    assert [step for step in asyncio.run(run()) if "SUBQUERY" in step or " p " in step] == []


#: Those of them that find more than a page.
LONG = [
    search
    for search in HOT
    if search.startswith("Communication")
    and not any(rare in search for rare in ("/e", "/ana", "preparation", "message|7"))
]


@pytest.mark.parametrize("search", LONG)
def test_a_page_that_goes_on_begins_at_its_place(path: Path, search: str) -> None:
    async def run() -> list[str]:
        store = SqliteStore.open(path)
        asked = query(search)
        page = await store.search(DEFAULT_PROJECT, asked)
        going_on = replace(asked, after=page.last)
        plan = store.plan(DEFAULT_PROJECT, going_on)
        await store.close()
        assert page.more
        return plan

    plan = asyncio.run(run())
    assert [step for step in plan if _costly(step)] == []
    assert any("(sort,rid)" in step for step in plan)


@pytest.mark.parametrize(
    "days", ["ge2024-01-28&sent=lt2024-01-29", "lt2024-01-03&sent=ge2024-01-02"]
)
@pytest.mark.parametrize("sort", ["sent", "-sent"])
def test_a_stretch_of_time_is_walked_from_its_own_beginning(
    path: Path, monkeypatch: pytest.MonkeyPatch, days: str, sort: str
) -> None:
    looks: list[object] = []
    monkeypatch.setattr(heavy.Watch, "_is_over", lambda _: bool(looks.append(None)))

    async def run() -> int:
        store = SqliteStore.open(path)
        page = await store.search(
            DEFAULT_PROJECT, query(f"Communication?sent={days}&_sort={sort}&_count=20")
        )
        await store.close()
        return len(page.matches)

    assert asyncio.run(run()) == 20
    # All that is before the day, or after it, would take a hundred more.
    assert len(looks) * heavy.STEPS_ON_LOOP < 20_000


def test_a_costly_plan_would_be_seen(path: Path) -> None:
    async def run() -> list[str]:
        store = SqliteStore.open(path)
        plan = store.plan(DEFAULT_PROJECT, query("Communication?status=completed,x&_summary=count"))
        await store.close()
        return plan

    assert [step for step in asyncio.run(run()) if _costly(step)]


def _costly(step: str) -> bool:
    # Lists of parameters, counts that stop early and what a page has found are no tables.
    small = "json_each" in step or "subquery" in step or step == "SCAN page"
    return "TEMP B-TREE" in step or (step.startswith("SCAN") and not small)
