"""``_include`` and ``_revinclude``."""

from __future__ import annotations

import pytest

from threadwell.stores.suite.scenario import Contract, Desk, reading, scenario
from threadwell.stores.suite.world import WORLD, at_once

#: Search → what it includes, ``Type/id`` in any order.
INCLUDES: dict[str, str] = {
    "Task?code=respond&_include=Task:focus": "Communication/h1",
    "Task?_include=Task:focus&_include=Task:owner": (
        "Communication/h1 Communication/m1 Practitioner/kim"
    ),
    "Communication?_id=h1&_include=Communication:recipient": "Patient/ana Practitioner/kim",
    "Communication?_id=h1&_include=Communication:recipient:Patient": "Patient/ana",
    "Communication?_id=h1&_include=Communication:*": (
        "Patient/ana Practitioner/kim Encounter/morning"
    ),
    "Communication?_id=h1&_include=Communication:part-of": "",
    "Communication?_id=m1,h1&_include=Communication:part-of": "",
    "Communication?_id=h2&_revinclude=Communication:part-of": "Communication/m4",
    "Communication?_id=h1&_revinclude=Communication:part-of": (
        "Communication/m1 Communication/m2 Communication/m3"
    ),
    "Communication?_id=h1&_revinclude=Task:focus": "Task/pooled",
    "Communication?_id=h1&_revinclude=Communication:part-of&_revinclude:iterate=Task:focus": (
        "Communication/m1 Communication/m2 Communication/m3 Task/pooled Task/unread"
    ),
    "Communication?_id=m1&_include=Communication:part-of"
    "&_include:iterate=Communication:encounter&_include:iterate=Encounter:service-provider": (
        "Communication/h1 Encounter/morning Organization/clinic"
    ),
    "Task?code=respond&_include=Task:focus&_include=Communication:encounter": "Communication/h1",
    "Patient?_id=ana&_revinclude=Observation:subject&_include=Patient:organization": (
        "Observation/slow Observation/fast Organization/clinic"
    ),
    "Patient?_id=nobody&_include=Patient:organization": "",
}


class Inclusion(Contract):
    """What a page carries beside its matches."""

    @pytest.mark.parametrize(("search", "expected"), INCLUDES.items())
    @reading(at_once)
    async def test_include(self, desk: Desk, search: str, expected: str) -> None:
        page = await desk.search(search)
        included = [f"{stored.type}/{stored.id}" for stored in page.included]
        assert sorted(included) == sorted(expected.split())

    @scenario
    async def test_what_is_deleted_is_not_included(self, desk: Desk) -> None:
        await desk.commit(*map(desk.write, WORLD))
        for type_, id_ in (("Practitioner", "kim"), ("Communication", "m4")):
            await desk.commit(desk.deletion(await desk.must_read(type_, id_)))
        page = await desk.search(
            "Communication?_id=h2&_include=Communication:recipient"
            "&_revinclude=Communication:part-of"
        )
        assert [stored.id for stored in page.included] == ["ben"]

    @reading(at_once)
    async def test_only_the_page_is_looked_at(self, desk: Desk) -> None:
        page = await desk.search("Encounter?_count=1&_sort=date&_include=Encounter:subject")
        assert [stored.id for stored in page.matches] == ["untimed"]
        assert page.included == []
