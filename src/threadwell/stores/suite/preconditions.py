"""``Unmatched`` and ``Unchanged``: what must hold when a commit happens."""

from __future__ import annotations

import asyncio

import pytest

from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    ChangeSet,
    Conflict,
    Key,
    Unchanged,
    Unmatched,
)
from threadwell.stores.suite.scenario import Contract, Desk, nothing_kept, query, scenario


def _patient(id_: str, number: str) -> dict[str, object]:
    return {
        "resourceType": "Patient",
        "id": id_,
        "identifier": [{"system": "https://example.org/mrn", "value": number}],
    }


def _free(number: str) -> tuple[Unmatched, ...]:
    return (Unmatched(query(f"Patient?identifier=https://example.org/mrn|{number}")),)


class Preconditions(Contract):
    """Conditional creates and writes that rest on what they have read."""

    @scenario
    async def test_an_unmatched_query_lets_the_commit_pass(self, desk: Desk) -> None:
        await desk.store.commit(
            DEFAULT_PROJECT, ChangeSet((desk.write(_patient("ana", "1")),), _free("1"))
        )
        assert await desk.ids("Patient?identifier=1") == ["ana"]

    @scenario
    async def test_a_match_is_a_conflict_without_a_key(self, desk: Desk) -> None:
        await desk.put(_patient("ana", "1"))
        with pytest.raises(Conflict) as conflict:
            await desk.store.commit(
                DEFAULT_PROJECT, ChangeSet((desk.write(_patient("ben", "1")),), _free("1"))
            )
        assert conflict.value.key is None
        assert await desk.read("Patient", "ben") is None

    @scenario
    async def test_of_fifty_conditional_creates_one_happens(self, desk: Desk) -> None:
        creates = [
            desk.store.commit(
                DEFAULT_PROJECT, ChangeSet((desk.write(_patient(f"p{n}", "1")),), _free("1"))
            )
            for n in range(50)
        ]
        results = await asyncio.gather(*creates, return_exceptions=True)
        assert results.count(None) == 1
        assert sum(isinstance(result, Conflict) for result in results) == 49
        assert len(await desk.ids("Patient?identifier=https://example.org/mrn|1")) == 1

    @scenario
    async def test_conditional_creates_of_many_at_once_all_happen(self, desk: Desk) -> None:
        creates = [
            desk.store.commit(
                DEFAULT_PROJECT,
                ChangeSet((desk.write(_patient(f"p{n}", str(n % 40))),), _free(str(n % 40))),
            )
            for n in range(80)
        ]
        results = await asyncio.gather(*creates, return_exceptions=True)
        assert results.count(None) == 40
        assert (await desk.search("Patient?_total=accurate")).total == 40

    @scenario
    async def test_a_deletion_within_the_same_moment_counts(self, desk: Desk) -> None:
        (ana,) = await desk.put(_patient("ana", "1"))
        deleting = desk.commit(desk.deletion(ana))
        creating = desk.store.commit(
            DEFAULT_PROJECT, ChangeSet((desk.write(_patient("ben", "1")),), _free("1"))
        )
        results = await asyncio.gather(deleting, creating, return_exceptions=True)
        assert results[0] is None
        expected = ["ben"] if results[1] is None else []
        assert await desk.ids("Patient?identifier=1") == expected

    @pytest.mark.parametrize(
        "search",
        ["Communication?subject:Patient.family=Prado", "Patient?_has:Communication:subject:_id=c1"],
    )
    @scenario
    async def test_what_a_chain_leads_to_within_the_same_moment_counts(
        self, desk: Desk, search: str
    ) -> None:
        await desk.put({"resourceType": "Patient", "id": "zoe"})
        ana = {"resourceType": "Patient", "id": "ana", "name": [{"family": "Prado"}]}
        about = {"status": "completed", "subject": {"reference": "Patient/ana"}}
        first = {"resourceType": "Communication", "id": "c1", **about}
        creating = desk.commit(desk.write(ana), desk.write(first))
        second = desk.write({"resourceType": "Communication", "id": "c2", **about})
        change = ChangeSet((second,), (Unmatched(query(search)),))
        conditionally = desk.store.commit(DEFAULT_PROJECT, change)
        results = await asyncio.gather(creating, conditionally, return_exceptions=True)
        assert results[0] is None
        assert isinstance(results[1], Conflict)
        assert await desk.read("Communication", "c2") is None

    @pytest.mark.parametrize("order", [("identifier", "active"), ("active", "identifier")])
    @scenario
    async def test_an_update_within_the_same_moment_makes_a_match(
        self, desk: Desk, order: tuple[str, str]
    ) -> None:
        # Its identifier is in the index already; only its being active is new.
        values = {"identifier": "https://example.org/mrn|1", "active": "true"}
        search = "&".join(f"{name}={values[name]}" for name in order)
        free = (Unmatched(query(f"Patient?{search}")),)
        (before,) = await desk.put({**_patient("ana", "1"), "active": False})
        update = desk.write({**_patient("ana", "1"), "active": True}, before)
        create = desk.write({**_patient("ben", "1"), "active": True})
        results = await asyncio.gather(
            desk.store.commit(DEFAULT_PROJECT, ChangeSet((update,), free)),
            desk.store.commit(DEFAULT_PROJECT, ChangeSet((create,), free)),
            return_exceptions=True,
        )
        assert [type(result) for result in results].count(Conflict) == 1
        assert len(await desk.ids(f"Patient?{search}")) == 1

    @scenario
    async def test_preconditions_see_the_store_as_it_was(self, desk: Desk) -> None:
        (ana,) = await desk.put(_patient("ana", "1"))
        with pytest.raises(Conflict):
            await desk.store.commit(
                DEFAULT_PROJECT,
                ChangeSet((desk.deletion(ana), desk.write(_patient("ben", "1"))), _free("1")),
            )
        assert await desk.ids("Patient") == ["ana"]

    @scenario
    async def test_an_unmatched_query_may_be_of_any_kind(self, desk: Desk) -> None:
        await desk.put({"resourceType": "Patient", "id": "ana", "birthDate": "1980-05-04"})
        for search, free in (
            ("Patient?birthdate=lt1980", True),
            ("Patient?birthdate=1980", False),
            ("Patient?gender:missing=false", True),
            ("Patient?gender:missing=true", False),
            ("Patient", False),
            ("Group", True),
        ):
            before = await desk.read("Basic", "b")
            write = desk.write({"resourceType": "Basic", "id": "b"}, before)
            change = ChangeSet((write,), (Unmatched(query(search)),))
            if free:
                await desk.store.commit(DEFAULT_PROJECT, change)
            else:
                with pytest.raises(Conflict):
                    await desk.store.commit(DEFAULT_PROJECT, change)

    @scenario
    async def test_what_must_be_unchanged_is(self, desk: Desk) -> None:
        (first,) = await desk.put(_patient("ana", "1"))
        await desk.store.commit(
            DEFAULT_PROJECT,
            ChangeSet((desk.write(_patient("ben", "2")),), unchanged=(Unchanged(first),)),
        )
        await desk.put(_patient("ana", "3"))
        with pytest.raises(Conflict) as conflict:
            await desk.store.commit(
                DEFAULT_PROJECT,
                ChangeSet((desk.write(_patient("cem", "4")),), unchanged=(Unchanged(first),)),
            )
        assert conflict.value.key == Key("Patient", "ana")
        assert await desk.read("Patient", "cem") is None

    @scenario
    async def test_a_conflict_keeps_nothing_of_what_was_to_be_written(self, desk: Desk) -> None:
        await desk.put(_patient("ana", "1"))

        async def refused(n: int) -> None:
            write = desk.write(_patient(f"p{n}", "1"))
            with pytest.raises(Conflict):
                await desk.store.commit(DEFAULT_PROJECT, ChangeSet((write,), _free("1")))

        async with nothing_kept():
            await asyncio.gather(*map(refused, range(5)))
            # Nor does the task that committed last keep its group.
            await asyncio.sleep(0)
