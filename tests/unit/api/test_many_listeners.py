"""What a change costs where many listen: whom it is not for costs no search."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.test_subscriptions import (
    MINE,
    OWN,
    limit,
    open_line,
    to,
    written_by_others,
)
from threadwell.fhir.search.query import Query
from threadwell.stores.contract import Page
from threadwell.stores.memory import MemoryStore


class Counting(MemoryStore):
    """A store that counts what is searched for."""

    def __init__(self) -> None:
        super().__init__()
        self.searches = 0

    async def search(self, project: str, query: Query) -> Page:
        self.searches += 1
        return await super().search(project, query)


@pytest.mark.parametrize(
    ("criteria", "of_others", "searches"),
    [
        # The policy hides it.
        ("Communication?status=completed", to("dunn"), 0),
        # It is theirs, and not what they ask for.
        ("Communication?status=in-progress", to("bell"), 0),
        ("Communication?status=in-progress&subject:Patient.name=ada", to("bell"), 0),
        # Only a search tells.
        ("Communication?subject:Patient.name=ada", to("bell"), 5),
    ],
)
def test_whom_a_change_is_not_for_costs_no_search(
    new_api: Any, criteria: str, of_others: dict[str, Any], searches: int
) -> None:
    store = Counting()
    api = new_api(store=store)
    limit(api, OWN, MINE)

    async def scene() -> None:
        async with open_line(api) as line:
            await line.bind(criteria)
            await line.bind("Communication?identifier=urn:t|last")
            before = store.searches
            for _ in range(5):
                await written_by_others(api, of_others)
            last = {"identifier": [{"system": "urn:t", "value": "last"}]}
            id_ = await written_by_others(api, {**to("bell"), **last})
            await line.until(lambda: bool(line.events()))
            assert {at for at, _ in line.told()} == {id_}
            # The last one costs one for whom it is, and maybe one for the other.
            assert searches <= store.searches - before - 1 <= searches + 1

    api.run(scene())


def test_who_does_not_see_an_element_is_told_as_by_a_search(new_api: Any) -> None:
    """What is hidden of a version must not decide: their search knows nothing of it."""
    api = new_api()
    limit(api, OWN, {**MINE, "hiddenFields": ["priority"]})

    async def scene() -> None:
        async with open_line(api) as line:
            await line.bind("Communication?status=completed")
            one = await written_by_others(api, {**to("bell"), "priority": "stat"})
            await line.until(lambda: bool(line.events()))
            assert [at for at, _ in line.told()] == [one]
            assert "priority" not in str(line.events())

    api.run(scene())
