"""Pages that go on where the last one ended, while others write and delete."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from threadwell.fhir.resource import Resource
from threadwell.stores.contract import DEFAULT_PROJECT, Page, Stored
from threadwell.stores.scanning import PAGE, scan
from threadwell.stores.suite.order import ORDERS
from threadwell.stores.suite.scenario import Contract, Desk, query, reading, scenario
from threadwell.stores.suite.world import one_by_one

#: Searches that all find the same messages, in as many ways as there are to find and to sort.
SEARCHES = (
    "",
    "status=completed,in-progress",
    "status=completed,in-progress&_sort=-_lastUpdated",
    "status:not=unknown",
    "part-of:missing=true",
    "part-of:missing=true&_sort=-_lastUpdated",
    "part-of:missing=true&status:not=unknown&_sort=-_lastUpdated",
    "_sort=sent",
    "_sort=-sent",
    "_sort=_lastUpdated",
    "_sort=-_lastUpdated",
    "_sort=_id",
    "_sort=-_id",
    "_sort=received",
    "_sort=-received",
    "_sort=status,-received,_id",
    "_sort=-received,status",
    "_sort=sender,-_lastUpdated",
    "_sort=category",
    "sent=ge2024-04-01&_sort=-sent",
    "sent=ge2024,eb2024-05&_sort=sent",
    "_lastUpdated=ge2024-04-10T09:00:00Z&_sort=_lastUpdated",
    "category:text=note",
    "sender:Patient.active=true",
    "sender=Patient/ana&_include=Communication:sender",
)
_COUNT = 24


class Pages(Contract):
    """``Query.after``, ``Page.last`` and ``scan``."""

    @reading(one_by_one)
    async def test_many_searches_at_once_find_what_each_finds_alone(self, desk: Desk) -> None:
        asked = [
            replace(query(f"Communication?{search}&_count={count}".replace("?&", "?")), most=most)
            for search in (
                *SEARCHES[:12],
                *(f"subject=Patient/{name}" for name in ("ana", "ben", "nobody", "cem")),
                *(f"sender=Patient/{name}&_sort=-sent" for name in ("ana", "ben", "nobody")),
            )
            for count in (1, 3)
            # Of the last ones no body has its place.
            for most in (None, 100_000, 40)
        ]
        alone = [await desk.store.search(DEFAULT_PROJECT, one) for one in asked]
        found = await asyncio.gather(
            *(desk.store.search(DEFAULT_PROJECT, one) for one in [*asked, *asked[::-1]])
        )
        assert found == [*alone, *alone[::-1]]
        assert any(len(page.matches) > 1 and page.more for page in alone)

    @pytest.mark.parametrize("search", list(ORDERS))
    @reading(one_by_one)
    async def test_a_page_goes_on_behind_the_last(self, desk: Desk, search: str) -> None:
        expected = ORDERS[search].split()
        for count in (1, 2, 3):
            pages = await _pages(desk, f"{search}{_and(search)}_count={count}&_total=accurate")
            assert [stored.id for page in pages for stored in page.matches] == expected
            assert {page.total for page in pages} == {len(expected)}
            assert all(page.more is (page is not pages[-1]) for page in pages)
            assert all((page.last is None) is (page.matches == []) for page in pages)

    @pytest.mark.parametrize("search", list(ORDERS))
    @reading(one_by_one)
    async def test_a_page_goes_back_before_the_first(self, desk: Desk, search: str) -> None:
        expected = ORDERS[search].split()
        for count in (1, 2, 3):
            asked = query(f"{search}{_and(search)}_count={count}&_total=accurate")
            (*_, end) = await _pages(desk, f"{search}{_and(search)}_count={count}")
            seen = [stored.id for stored in end.matches]
            back = replace(asked, after=end.first, back=True)
            while len(seen) < len(expected):
                page = await desk.store.search(DEFAULT_PROJECT, back)
                seen[:0] = [stored.id for stored in page.matches]
                assert page.more is (len(seen) < len(expected))
                assert page.total == len(expected)
                back = replace(back, after=page.first)
            assert seen == expected
            page = await desk.store.search(DEFAULT_PROJECT, replace(asked, back=True))
            assert [stored.id for stored in page.matches] == expected[-count:]

    @pytest.mark.parametrize("search", SEARCHES)
    @scenario
    async def test_nothing_is_skipped_or_repeated_while_others_write(
        self, desk: Desk, search: str
    ) -> None:
        await desk.put({"resourceType": "Patient", "id": "ana", "active": True})
        await desk.commit(*(desk.write(_message(number)) for number in range(_COUNT)))
        there = await desk.ids(f"Communication?{search}&_count=1000")
        assert len(there) == _COUNT
        asked = query(f"Communication?{search}&_count=5")
        seen: list[str] = []
        gone: set[str] = set()
        for turn in range(100):
            page = await desk.store.search(DEFAULT_PROJECT, asked)
            shown = [stored.id for stored in page.matches]
            assert gone.isdisjoint(shown)
            seen += shown
            if not page.more:
                break
            asked = replace(asked, after=page.last)
            # The one that the page ended with goes, one before it, and one that is to come.
            ahead = [id_ for id_ in there if id_ not in {*seen, *gone}]
            for id_ in {shown[-1], shown[0], *ahead[2:3]}:
                await desk.commit(desk.deletion(await desk.must_read("Communication", id_)))
                gone.add(id_)
            for new in (2 * turn, 2 * turn + 1):
                await desk.put(_message(new % _COUNT, f"new-{turn}-{new}"))
        else:
            pytest.fail("the pages never end")
        assert len(seen) == len(set(seen))
        stayed = [id_ for id_ in there if id_ not in gone]
        assert [id_ for id_ in seen if id_ in stayed] == stayed

    @scenario
    async def test_what_comes_between_is_seen_where_its_place_is_ahead(self, desk: Desk) -> None:
        await desk.commit(*(desk.write(_message(number)) for number in (2, 4, 6, 8)))
        asked = query("Communication?_sort=sent&_count=2")
        first = await desk.store.search(DEFAULT_PROJECT, asked)
        assert [stored.id for stored in first.matches] == ["m02", "m04"]
        await desk.commit(*(desk.write(_message(number)) for number in (1, 3, 5, 9)))
        rest = await desk.store.search(DEFAULT_PROJECT, replace(asked, count=9, after=first.last))
        assert [stored.id for stored in rest.matches] == ["m05", "m06", "m08", "m09"]

    @scenario
    async def test_an_update_that_moves_nothing_is_seen_once(self, desk: Desk) -> None:
        await desk.commit(*(desk.write(_message(number)) for number in range(6)))
        asked = query("Communication?_count=3")
        first = await desk.store.search(DEFAULT_PROJECT, asked)
        for number in range(6):
            await desk.put({**_message(number), "status": "in-progress"})
        rest = await desk.store.search(DEFAULT_PROJECT, replace(asked, after=first.last))
        assert [s.id for s in [*first.matches, *rest.matches]] == [f"m{n:02}" for n in range(6)]

    @scenario
    async def test_an_offset_counts_from_where_the_query_goes_on(self, desk: Desk) -> None:
        await desk.commit(*(desk.write(_message(number)) for number in range(6)))
        for search in ("Communication?_sort=-sent&_count=2", "Communication?_sort=-_id&_count=2"):
            asked = query(search)
            first = await desk.store.search(DEFAULT_PROJECT, asked)
            rest = await desk.store.search(
                DEFAULT_PROJECT, replace(asked, after=first.last, offset=1)
            )
            assert [stored.id for stored in rest.matches] == ["m02", "m01"]
            assert rest.more

    @scenario
    async def test_a_scan_reads_all_while_what_it_has_read_goes(self, desk: Desk) -> None:
        many = 2 * PAGE + 10
        for start in range(0, many, PAGE):
            patients = [_patient(number) for number in range(start, min(start + PAGE, many))]
            await desk.commit(*map(desk.write, patients))
        seen: list[Stored] = []
        async for stored in scan(desk.store, DEFAULT_PROJECT, query("Patient")):
            seen.append(stored)
            if len(seen) % 500 == 0:
                await desk.commit(*map(desk.deletion, seen[-500:]))
        assert [stored.id for stored in seen] == [f"p{number}" for number in range(many)]


async def _pages(desk: Desk, search: str) -> list[Page]:
    asked = query(search)
    pages = [await desk.store.search(DEFAULT_PROJECT, asked)]
    while pages[-1].more:
        assert len(pages) < 100
        following = replace(asked, after=pages[-1].last)
        pages.append(await desk.store.search(DEFAULT_PROJECT, following))
    return pages


def _and(search: str) -> str:
    return "&" if "?" in search else "?"


def _message(number: int, id_: str = "") -> Resource:
    """One of each two has no ``received``, and three have the same, as they have ``sent``."""
    message: Resource = {
        "resourceType": "Communication",
        "id": id_ or f"m{number:02}",
        "status": "completed" if number % 4 else "in-progress",
        "sender": {"reference": "Patient/ana"},
        "sent": f"2024-04-10T09:{number // 3 * 3 if id_ else number:02}:00Z",
        "category": [{"text": f"note {'abc'[number % 3]}"}],
    }
    if number % 2:
        message["received"] = f"2024-04-{10 + number // 6:02}"
    return message


def _patient(number: int) -> Resource:
    return {"resourceType": "Patient", "id": f"p{number}"}
