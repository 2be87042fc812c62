"""Commits: whole or not at all, projects apart, many at once."""

from __future__ import annotations

import asyncio

import pytest

from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Conflict, Key
from threadwell.stores.suite.scenario import Contract, Desk, query, scenario

_OTHER = "f3c1b0a2-0000-4000-8000-000000000001"


def _patient(id_: str, **more: object) -> dict[str, object]:
    return {"resourceType": "Patient", "id": id_, **more}


class Changes(Contract):
    """``commit`` and its conflicts."""

    @scenario
    async def test_a_change_set_is_seen_whole(self, desk: Desk) -> None:
        await desk.commit(*(desk.write(_patient(f"p{n}")) for n in range(300)))
        assert (await desk.search("Patient?_total=accurate")).total == 300
        page = await desk.search("Patient?_count=1000")
        assert [stored.id for stored in page.matches] == [f"p{n}" for n in range(300)]

    @scenario
    async def test_a_search_never_sees_part_of_a_change_set(self, desk: Desk) -> None:
        sizes: set[int | None] = set()

        async def look() -> None:
            while not done.is_set():
                sizes.add((await desk.search("Patient?_total=accurate")).total)
                await asyncio.sleep(0)

        done = asyncio.Event()
        looking = asyncio.create_task(look())
        for group in range(5):
            await desk.commit(*(desk.write(_patient(f"p{group}-{n}")) for n in range(150)))
        done.set()
        await looking
        assert sizes <= {0, 150, 300, 450, 600, 750}

    @scenario
    async def test_a_resource_that_exists_cannot_be_created(self, desk: Desk) -> None:
        (ana,) = await desk.put(_patient("ana"))
        with pytest.raises(Conflict) as conflict:
            await desk.commit(desk.write(_patient("ben")), desk.write(_patient("ana")))
        assert conflict.value.key == Key("Patient", "ana")
        assert await desk.read("Patient", "ben") is None
        assert await desk.read("Patient", "ana") == ana
        assert await desk.ids("Patient") == ["ana"]

    @scenario
    async def test_a_stale_version_conflicts(self, desk: Desk) -> None:
        (first,) = await desk.put(_patient("ana"))
        (second,) = await desk.put(_patient("ana", active=True))
        for stale in (desk.write(_patient("ana"), first), desk.deletion(first)):
            with pytest.raises(Conflict):
                await desk.commit(desk.write(_patient("ben")), stale)
        assert await desk.read("Patient", "ana") == second
        assert await desk.read("Patient", "ben") is None
        assert (await desk.store.history(DEFAULT_PROJECT, "Patient", "ana", 10, 0))[1] == 2

    @scenario
    async def test_what_never_was_cannot_be_updated(self, desk: Desk) -> None:
        (ana,) = await desk.put(_patient("ana"), project=_OTHER)
        with pytest.raises(Conflict) as conflict:
            await desk.commit(desk.write(_patient("ana"), ana))
        assert conflict.value.key == Key("Patient", "ana")

    @scenario
    async def test_of_many_updates_at_once_one_wins(self, desk: Desk) -> None:
        (ana,) = await desk.put(_patient("ana"))
        updates = [desk.commit(desk.write(_patient("ana"), ana)) for _ in range(50)]
        results = await asyncio.gather(*updates, return_exceptions=True)
        assert results.count(None) == 1
        assert sum(isinstance(result, Conflict) for result in results) == 49
        assert (await desk.store.history(DEFAULT_PROJECT, "Patient", "ana", 100, 0))[1] == 2

    @scenario
    async def test_many_commits_at_once_all_happen(self, desk: Desk) -> None:
        await asyncio.gather(*(desk.commit(desk.write(_patient(f"p{n}"))) for n in range(200)))
        assert (await desk.search("Patient?_summary=count")).total == 200

    @scenario
    async def test_a_conflict_spoils_no_other_commit(self, desk: Desk) -> None:
        await desk.put(_patient("p7"))
        commits = [desk.commit(desk.write(_patient(f"p{n}"))) for n in range(20)]
        results = await asyncio.gather(*commits, return_exceptions=True)
        assert [n for n, result in enumerate(results) if result is not None] == [7]
        assert len(await desk.ids("Patient?_count=100")) == 20

    @scenario
    async def test_a_search_sees_the_commit_before_it(self, desk: Desk) -> None:
        for n in range(20):
            await desk.put(_patient("ana", birthDate=f"{2001 + n}-01-01"))
            assert await desk.ids(f"Patient?birthdate={2001 + n}") == ["ana"]
            assert await desk.ids(f"Patient?birthdate={2000 + n}") == []

    @scenario
    async def test_a_resource_is_written_once_in_a_change_set(self, desk: Desk) -> None:
        with pytest.raises(ValueError):
            await desk.commit(desk.write(_patient("ana")), desk.write(_patient("ana")))
        assert await desk.read("Patient", "ana") is None

    @scenario
    async def test_an_empty_change_set_is_no_mistake(self, desk: Desk) -> None:
        await desk.commit()
        assert await desk.ids("Patient") == []

    @scenario
    async def test_projects_do_not_see_each_other(self, desk: Desk) -> None:
        (ours,) = await desk.put(_patient("ana", gender="female"))
        (theirs,) = await desk.put(_patient("ana", gender="male"), project=_OTHER)
        observation = {
            "resourceType": "Observation",
            "id": "o",
            "status": "final",
            "subject": {"reference": "Patient/ana"},
        }
        await desk.put(observation, project=_OTHER)
        assert await desk.read("Patient", "ana") == ours
        assert await desk.read("Patient", "ana", _OTHER) == theirs
        assert await desk.ids("Patient?gender=male") == []
        assert await desk.ids("Patient?gender=male", _OTHER) == ["ana"]
        assert await desk.ids("Patient?_id=ana&gender=female") == ["ana"]
        assert await desk.ids("Patient?_has:Observation:subject:status=final") == []
        assert await desk.ids("Observation?subject:Patient.gender=male", _OTHER) == ["o"]
        assert await desk.ids("Observation?subject:Patient.gender=female", _OTHER) == []
        version = theirs.version_id
        assert await desk.store.read_version(DEFAULT_PROJECT, "Patient", "ana", version) is None
        page = await desk.store.search(_OTHER, query("Observation?_include=Observation:subject"))
        assert page.included == [theirs]
        assert await desk.ids("Patient", "no such project") == []

    @scenario
    async def test_a_change_set_may_do_everything(self, desk: Desk) -> None:
        ana, ben = await desk.put(_patient("ana"), _patient("ben"))
        await desk.store.commit(
            DEFAULT_PROJECT,
            ChangeSet(
                (
                    desk.write(_patient("ana", active=True), ana),
                    desk.deletion(ben),
                    desk.write(_patient("cem")),
                )
            ),
        )
        assert await desk.ids("Patient") == ["ana", "cem"]
        assert await desk.ids("Patient?active=true") == ["ana"]
