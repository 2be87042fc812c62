"""News: whoever follows a project is told of each version once, in the order of the commits."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from threadwell.fhir.search.query import lasting
from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    START,
    Change,
    ChangeSet,
    Conflict,
    Span,
    Unmatched,
)
from threadwell.stores.suite.scenario import Contract, Desk, query, scenario

_OTHER = "f3c1b0a2-0000-4000-8000-000000000003"


def _patient(id_: str, **more: object) -> dict[str, object]:
    return {"resourceType": "Patient", "id": id_, **more}


class News(Contract):
    """``position``, ``changes`` and ``follow``."""

    @scenario
    async def test_recent_changes_come_last_first(self, desk: Desk) -> None:
        """Of some types, before a position, and of a span of time."""
        (first,) = await desk.put(_patient("ana"))
        (second,) = await desk.put(_patient("ana", active=True))
        (group,) = await desk.put({"resourceType": "Group", "id": "all"})
        await desk.commit(desk.deletion(second), desk.write(_patient("ben")))
        told = (await desk.store.changes(DEFAULT_PROJECT, 0, 100))[::-1]
        assert [change.stored.id for change in told] == ["ben", "ana", "all", "ana", "ana"]
        end = 2**62

        async def recent(*of: Any) -> list[Change]:
            return await desk.store.recent(DEFAULT_PROJECT, *of)

        assert await recent([], end, 100) == told
        assert await recent([], 4, 2) == told[2:4]
        assert await recent(["Group"], end, 100) == [told[2]]
        assert await recent(["Patient", "Task"], end, 2) == told[:2]
        assert await recent(["Task"], end, 100) == []
        assert await recent([], 1, 100) == []
        assert await desk.store.recent(_OTHER, [], end, 100) == []
        made = {change.position: change.stored.updated * 1000 for change in told}
        assert await recent([], end, 9, Span(made[4], -end, end)) == [
            change for change in told if made[change.position] >= made[4]
        ]
        # Of what was followed by another before or at that time nothing is told.
        current = await recent([], end, 9, Span(-end, made[5], end))
        assert [change.position for change in current] == [5, 4, 3]
        assert await recent([], end, 9, Span(-end, -end, min(made.values()))) == []
        assert (first.version_id, group.version_id) == (
            told[4].stored.version_id,
            told[2].stored.version_id,
        )

    @scenario
    async def test_every_version_is_told_as_it_was_committed(self, desk: Desk) -> None:
        assert await desk.store.position(DEFAULT_PROJECT) == 0
        (first,) = await desk.put(_patient("ana"))
        (second,) = await desk.put(_patient("ana", active=True))
        await desk.commit(desk.deletion(second), desk.write(_patient("ben")))
        gone, ben = await desk.must_read("Patient", "ana"), await desk.must_read("Patient", "ben")
        versions = await desk.store.versions(DEFAULT_PROJECT, START, 10)
        places = {one.stored.version_id: one.position for one in versions}
        told = [
            Change(n, stored, places[stored.version_id])
            for n, stored in enumerate([first, second, gone, ben], 1)
        ]
        assert await _take(desk, 0, 4) == told
        assert await _take(desk, 2, 2) == told[2:]
        assert await desk.store.changes(DEFAULT_PROJECT, 1, 2) == told[1:3]
        assert await desk.store.changes(DEFAULT_PROJECT, 0, 100) == told
        assert await desk.store.changes(DEFAULT_PROJECT, 4, 100) == []
        assert await desk.store.position(DEFAULT_PROJECT) == 4

    @scenario
    async def test_who_waits_is_told_at_once(self, desk: Desk) -> None:
        waiting = [asyncio.create_task(_take(desk, 0, 3)) for _ in range(3)]
        for id_ in ("ana", "ben", "cem"):
            await asyncio.sleep(0.02)
            await desk.put(_patient(id_))
        async with asyncio.timeout(1):
            told = await asyncio.gather(*waiting)
        assert [[change.stored.id for change in one] for one in told] == [["ana", "ben", "cem"]] * 3

    @scenario
    async def test_many_commits_at_once_are_told_once_each(self, desk: Desk) -> None:
        following = asyncio.create_task(_take(desk, 0, 500))
        await asyncio.gather(
            *(
                desk.commit(desk.write(_patient(f"p{n}")), desk.write(_patient(f"q{n}")))
                for n in range(250)
            )
        )
        told = await following
        assert [change.position for change in told] == list(range(1, 501))
        ids = [change.stored.id for change in told]
        assert sorted(ids) == sorted([f"{side}{n}" for n in range(250) for side in "pq"])
        # What is committed together is told together.
        assert all(q == f"q{p[1:]}" for p, q in zip(ids[::2], ids[1::2], strict=True))

    @scenario
    async def test_what_is_not_committed_is_not_told(self, desk: Desk) -> None:
        await desk.put(_patient("ana"))
        there = Unmatched(query("Patient?_id=ana"))
        for change_set in (
            ChangeSet((desk.write(_patient("ben")), desk.write(_patient("ana")))),
            ChangeSet((desk.write(_patient("cem")),), (there,)),
        ):
            with pytest.raises(Conflict):
                await desk.store.commit(DEFAULT_PROJECT, change_set)
        await desk.commit()
        await desk.put(_patient("dee"))
        assert [change.stored.id for change in await _take(desk, 0, 2)] == ["ana", "dee"]
        assert await desk.store.position(DEFAULT_PROJECT) == 2

    @scenario
    async def test_a_moment_lasts_until_something_is_committed(self, desk: Desk) -> None:
        store = desk.store
        (ana,) = await desk.put(_patient("ana"))
        before = store.moment()
        await store.search(DEFAULT_PROJECT, query("Patient"))
        assert store.moment() == before
        # Who asks for the first time may be told from then on.
        store.moment(just_read=True)
        await store.read(DEFAULT_PROJECT, "Patient", "ana")
        read = store.moment(just_read=True)
        await store.search(DEFAULT_PROJECT, replace(query("Patient"), dated=True))
        assert store.moment(just_read=True) == read
        await store.commit(DEFAULT_PROJECT, ChangeSet((desk.deletion(ana),)))
        await store.search(DEFAULT_PROJECT, replace(query("Patient"), dated=True))
        found = store.moment(just_read=True)
        assert before is None or found != read
        await store.read(DEFAULT_PROJECT, "Patient", "ana")
        told = store.moment(just_read=True)
        assert found == told
        now = store.moment()
        assert now is None or told == now
        assert before is None or told != before

    @scenario
    async def test_a_query_that_is_kept_sees_every_commit(self, desk: Desk) -> None:
        asked = [
            lasting(query(f"Patient?{text}"))
            for text in (
                "gender:missing=true&active:missing=true",
                "_sort=_id&gender:missing=true",
                "gender:missing=true&_summary=count",
                "general-practitioner.name=x&_total=accurate",
            )
        ]

        async def found() -> list[tuple[set[str], int | None]]:
            pages = [await desk.store.search(DEFAULT_PROJECT, one) for one in asked]
            return [({one.id for one in page.matches}, page.total) for page in pages]

        ana = _patient("ana")
        await desk.put(ana)
        first = [({"ana"}, None), ({"ana"}, None), (set(), 1), (set(), 0)]
        assert [await found() for _ in range(3)] == [first] * 3
        await desk.put({**ana, "generalPractitioner": [{"reference": "Practitioner/x"}]})
        await desk.put({"resourceType": "Practitioner", "id": "x", "name": [{"family": "X"}]})
        # The links of who is there now lead to somebody.
        linked = [*first[:3], ({"ana"}, 1)]
        assert [await found() for _ in range(3)] == [linked] * 3
        (ben,) = await desk.put(_patient("ben"))
        both = {"ana", "ben"}
        assert [await found() for _ in range(2)] == [
            [(both, None), (both, None), (set(), 2), ({"ana"}, 1)]
        ] * 2
        await desk.commit(desk.deletion(ben))
        assert await found() == linked

    @scenario
    async def test_projects_are_not_told_of_each_other(self, desk: Desk) -> None:
        following = asyncio.create_task(_take(desk, 0, 1, _OTHER))
        await desk.put(_patient("ana"))
        await desk.put(_patient("ben"), project=_OTHER)
        assert [(c.position, c.stored.id) for c in await following] == [(1, "ben")]
        assert await desk.store.position("no such project") == 0

    @scenario
    async def test_following_ends_when_the_store_is_closed(self, desk: Desk) -> None:
        following = asyncio.create_task(_take(desk, 0, 2))
        await desk.put(_patient("ana"))
        await asyncio.sleep(0.05)
        await desk.store.close()
        async with asyncio.timeout(1):
            assert [change.stored.id for change in await following] == ["ana"]


async def _take(desk: Desk, after: int, count: int, project: str = DEFAULT_PROJECT) -> list[Change]:
    """So many changes after a position, or fewer if the store is closed."""
    taken: list[Change] = []
    async with aclosing(desk.store.follow(project, after)) as changes:
        async for change in changes:
            taken.append(change)
            if len(taken) == count:
                break
    return taken
