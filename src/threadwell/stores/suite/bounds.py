"""Pages that are bounded in bytes, and the places of what stands on them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from threadwell.fhir.resource import Resource
from threadwell.stores.contract import DEFAULT_PROJECT, Stored
from threadwell.stores.suite.scenario import Contract, Desk, query, reading, scenario

#: Searches that all find every message, in as many ways as there are to find and to sort.
SEARCHES = (
    "",
    "status=completed",
    "status=completed,in-progress&_sort=-_lastUpdated",
    "status:not=unknown",
    "part-of=Communication/h&_sort=-sent",
    "_compartment=Patient/ana,Patient/ben",
    "category:text=long&_sort=sent",
    "sent=ge2024&category:text=long",
    "_sort=-_id",
    "_sort=status,-sent",
)
_COUNT = 12
_SIZE = 2_000


async def _messages(desk: Desk) -> None:
    await desk.commit(*(desk.write(_message(number)) for number in range(_COUNT)))


class Bounds(Contract):
    """``Query.most`` and ``Query.placed``."""

    @pytest.mark.parametrize("most", [1, 3 * _SIZE, 1_000 * _SIZE])
    @pytest.mark.parametrize("search", SEARCHES)
    @reading(_messages)
    async def test_a_page_ends_with_the_match_that_reaches_the_bound(
        self, desk: Desk, search: str, most: int
    ) -> None:
        asked = query(f"Communication?{search}&_count=7")
        everything = await desk.store.search(DEFAULT_PROJECT, replace(asked, count=_COUNT))
        ids = [stored.id for stored in everything.matches]
        assert len(ids) == _COUNT
        seen: list[str] = []
        bounded = replace(asked, most=most)
        while True:
            page = await desk.store.search(DEFAULT_PROJECT, bounded)
            assert _size(page.matches[:-1]) < most
            seen += [stored.id for stored in page.matches]
            assert page.more is (len(seen) < _COUNT)
            assert len(page.matches) == 7 or not page.more or _size(page.matches) >= most
            if not page.more:
                break
            bounded = replace(bounded, after=page.last)
        assert seen == ids
        back = replace(asked, most=most, after=page.last, back=True)
        before = await desk.store.search(DEFAULT_PROJECT, back)
        shown = len(before.matches)
        assert [stored.id for stored in before.matches] == ids[-1 - shown : -1]
        assert _size(before.matches[1:]) < most

    @pytest.mark.parametrize("search", SEARCHES)
    @reading(_messages)
    async def test_a_search_goes_on_behind_each_place(self, desk: Desk, search: str) -> None:
        asked = query(f"Communication?{search}&_count=1000")
        page = await desk.store.search(DEFAULT_PROJECT, replace(asked, placed=True))
        ids = [stored.id for stored in page.matches]
        assert len(page.places) == len(ids) == _COUNT
        assert (page.places[0], page.places[-1]) == (page.first, page.last)
        for at, place in enumerate(page.places):
            rest = await desk.store.search(DEFAULT_PROJECT, replace(asked, after=place))
            assert [stored.id for stored in rest.matches] == ids[at + 1 :]

    @pytest.mark.parametrize(
        ("search", "count"),
        [
            ("Patient?_id=ana&_revinclude=Communication:sender", _COUNT),
            ("Patient?_id=ana&_revinclude=*", _COUNT),
            ("Communication?_count=1000&_include=Communication:part-of", _COUNT),
            ("Communication?_count=1000&_include=*", _COUNT),
        ],
    )
    @scenario
    async def test_what_is_included_is_bounded_as_well(
        self, desk: Desk, search: str, count: int
    ) -> None:
        if search.startswith("Patient"):
            await desk.put({"resourceType": "Patient", "id": "ana"})
            await desk.commit(*(desk.write(_message(number)) for number in range(_COUNT)))
        else:
            topics = ({**_message(number), "id": f"t{number:02}"} for number in range(_COUNT))
            await desk.commit(*map(desk.write, topics))
            for number in range(_COUNT):
                child = _message(number) | {
                    "status": "in-progress",
                    "payload": [{"contentString": "-"}],
                }
                await desk.put({**child, "partOf": [{"reference": f"Communication/t{number:02}"}]})
            search += "&status=in-progress"
        asked = query(search)
        for most, cut in ((1, True), (3 * _SIZE, True), (1_000 * _SIZE, False)):
            page = await desk.store.search(DEFAULT_PROJECT, replace(asked, most=most))
            assert page.cut is cut
            if cut:
                assert _size(page.included[:-1]) < most <= _size(page.included)
            else:
                assert len(page.included) == count
        assert (await desk.store.search(DEFAULT_PROJECT, asked)).cut is False


def _size(versions: list[Stored]) -> int:
    return sum(len(stored.body) for stored in versions)


def _message(number: int) -> Resource:
    return {
        "resourceType": "Communication",
        "id": f"m{number:02}",
        "status": "completed",
        "subject": {"reference": "Patient/ana"},
        "sender": {"reference": "Patient/ana"},
        "partOf": [{"reference": "Communication/h"}],
        "sent": f"2024-04-{10 + number % 5}T09:00:00Z",
        "category": [{"text": "long"}],
        "payload": [{"contentString": "x" * _SIZE}],
    }
