"""The order of matches, pages of them and how many there are."""

from __future__ import annotations

import pytest

from threadwell.stores.suite.scenario import Contract, Desk, reading, scenario
from threadwell.stores.suite.world import WORLD, at_once, one_by_one

#: Search → the ids of what it finds, in their order.
ORDERS: dict[str, str] = {
    # Without a sort: natural time, without one first, and creation.
    "Communication": "h1 h2 h3 m4 m2 m1 m3",
    "Patient": "ana ben cem dee",
    "Encounter": "untimed morning open",
    # Missing values are first in ascending and last in descending order; ties as created, or the
    # reverse where the first key descends.
    "Communication?_sort=sent": "h1 h2 h3 m4 m2 m1 m3",
    "Communication?_sort=-sent": "m3 m1 m2 m4 h3 h2 h1",
    "Communication?part-of=h1&_sort=-sent": "m3 m1 m2",
    # Found by two values, and still one match.
    "Patient?identifier=1,A-1,2": "ana ben",
    "Communication?part-of=h1,h2&_sort=-sent": "m3 m1 m2 m4",
    "Patient?_sort=birthdate": "dee cem ana ben",
    "Patient?_sort=-birthdate": "ben ana cem dee",
    "Patient?_sort=family": "dee ben ana cem",
    "Patient?_sort=name": "dee ana ben cem",
    "Patient?_sort=-name": "ana cem ben dee",
    "Patient?_sort=gender,-birthdate": "cem dee ana ben",
    "Patient?_sort=_id": "ana ben cem dee",
    "Patient?_sort=-_id": "dee cem ben ana",
    "Patient?_sort=_lastUpdated": "ana ben cem dee",
    "Patient?_sort=-_lastUpdated": "dee cem ben ana",
    "Patient?gender:missing=true&_sort=-_lastUpdated": "dee cem",
    # Between two milliseconds nothing was ever updated.
    "Patient?_lastUpdated=2024-04-10T09:00:01.0001Z&_sort=_lastUpdated": "",
    "Patient?_lastUpdated=2024-04-10T09:00:01.0001Z": "",
    "Communication?part-of:missing=true&status:not=completed&_sort=-_lastUpdated": "h3 h1",
    "Communication?recipient=Practitioner/kim&part-of:missing=true&_sort=-_lastUpdated": "h2 h1",
    "Communication?status:not=nothing&_sort=-_lastUpdated": "m4 m3 m2 m1 h3 h2 h1",
    "Observation?_sort=value-quantity": "warm slow even fast",
    "Observation?_sort=-code": "fast even slow warm",
    "RiskAssessment?_sort=-probability": "high low",
    "ValueSet?_sort=-url": "nurses roles",
    "Communication?_sort=sender,sent&part-of:missing=false": "m1 m3 m4 m2",
}


class Order(Contract):
    """``_sort``, ``_count``, ``_offset`` and ``_total``."""

    @pytest.mark.parametrize(("search", "expected"), ORDERS.items())
    @reading(one_by_one)
    async def test_order(self, desk: Desk, search: str, expected: str) -> None:
        assert await desk.ids(search) == expected.split()

    @pytest.mark.parametrize("search", list(ORDERS))
    @reading(one_by_one)
    async def test_pages_of_one_make_the_whole(self, desk: Desk, search: str) -> None:
        expected = ORDERS[search].split()
        search += "&" if "?" in search else "?"
        for offset, id_ in enumerate(expected):
            page = await desk.search(f"{search}_count=1&_offset={offset}&_total=accurate")
            assert [stored.id for stored in page.matches] == [id_]
            assert page.more is (offset + 1 < len(expected))
            assert page.total == len(expected)
        page = await desk.search(f"{search}_count=2&_offset={len(expected)}")
        assert (page.matches, page.more, page.total) == ([], False, None)

    @scenario
    async def test_an_update_moves_a_resource_to_the_front(self, desk: Desk) -> None:
        await desk.commit(*map(desk.write, WORLD))
        header = next(resource for resource in WORLD if resource["id"] == "h1")
        await desk.put({**header, "status": "on-hold"})
        search = "Communication?part-of:missing=true&status:not=completed&_sort=-_lastUpdated"
        assert await desk.ids(search) == ["h1", "h3"]
        assert await desk.ids("Communication?_sort=-_lastUpdated&_count=1") == ["h1"]

    @reading(at_once)
    async def test_a_page_of_none_tells_the_total(self, desk: Desk) -> None:
        page = await desk.search("Patient?_count=0&_total=accurate&gender:missing=false")
        assert (page.matches, page.total) == ([], 2)

    @reading(at_once)
    async def test_an_estimate_is_a_number(self, desk: Desk) -> None:
        assert (await desk.search("Patient?_total=estimate")).total is not None
        assert (await desk.search("Patient?_total=none")).total is None
