"""Private values that are written with a change set, and how a store stirs."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    UNUSED,
    WHATEVER,
    ChangeSet,
    Conflict,
    Kept,
    Key,
)
from threadwell.stores.suite.scenario import Contract, Desk, query, scenario


def _patient(id_: str) -> dict[str, object]:
    return {"resourceType": "Patient", "id": id_}


async def _keep(desk: Desk, *kept: Kept) -> None:
    await desk.store.commit(DEFAULT_PROJECT, ChangeSet((), kept=kept))


class KeptValues(Contract):
    """``ChangeSet.kept``, ``list_private`` in parts, and ``stirrings``."""

    @scenario
    async def test_values_go_with_the_writes(self, desk: Desk) -> None:
        kept = (Kept("mark", "a", b"1"), Kept("mark", "b", b"\0\xff"))
        writes = (desk.write(_patient("ana")),)
        await desk.store.commit(DEFAULT_PROJECT, ChangeSet(writes, kept=kept))
        assert await desk.store.list_private("mark") == {"a": b"1", "b": b"\0\xff"}
        assert await desk.read("Patient", "ana") is not None

    @scenario
    async def test_a_change_set_may_have_nothing_else(self, desk: Desk) -> None:
        await _keep(desk, Kept("mark", "a", b"1"))
        assert await desk.store.get_private("mark", "a") == b"1"
        assert await desk.store.position(DEFAULT_PROJECT) == 0

    @scenario
    async def test_values_are_replaced_and_removed(self, desk: Desk) -> None:
        await _keep(desk, Kept("mark", "a", b"1"), Kept("mark", "b", b"1"))
        await _keep(desk, Kept("mark", "a", b"2"), Kept("mark", "b", None), Kept("mark", "c", None))
        assert await desk.store.list_private("mark") == {"a": b"2"}

    @scenario
    @pytest.mark.parametrize(
        ("there", "before", "passes"),
        [
            (None, None, True),
            (None, b"", False),
            (None, WHATEVER, True),
            (None, UNUSED, True),
            (b"", None, False),
            (b"", b"", True),
            (b"1", b"1", True),
            (b"1", b"2", False),
            (b"1", None, False),
            (b"1", WHATEVER, True),
        ],
    )
    @pytest.mark.parametrize("value", [b"3", None])
    async def test_what_was_there_decides(
        self, desk: Desk, there: bytes | None, before: bytes | None, passes: bool, value: bytes
    ) -> None:
        if there is not None:
            await desk.store.put_private("mark", "a", there)
        kept = (Kept("mark", "b", b"beside"), Kept("mark", "a", value, before))
        change_set = ChangeSet((desk.write(_patient("ana")),), kept=kept)
        if passes:
            await desk.store.commit(DEFAULT_PROJECT, change_set)
        else:
            with pytest.raises(Conflict) as conflict:
                await desk.store.commit(DEFAULT_PROJECT, change_set)
            assert conflict.value.key == Key("mark", "a")
        assert await desk.store.get_private("mark", "a") == (value if passes else there)
        assert await desk.store.get_private("mark", "b") == (b"beside" if passes else None)
        assert (await desk.read("Patient", "ana") is not None) == passes

    @scenario
    async def test_a_refused_write_keeps_nothing(self, desk: Desk) -> None:
        await desk.put(_patient("ana"))
        change_set = ChangeSet((desk.write(_patient("ana")),), kept=(Kept("mark", "a", b"1"),))
        with pytest.raises(Conflict) as conflict:
            await desk.store.commit(DEFAULT_PROJECT, change_set)
        assert conflict.value.key == Key("Patient", "ana")
        assert await desk.store.get_private("mark", "a") is None

    @scenario
    async def test_twice_in_a_change_set_is_a_mistake(self, desk: Desk) -> None:
        with pytest.raises(ValueError, match="at most once"):
            await _keep(desk, Kept("mark", "a", b"1"), Kept("mark", "a", None))

    @scenario
    @pytest.mark.parametrize("before", [None, b"0"])
    async def test_of_many_at_once_one_succeeds(self, desk: Desk, before: bytes | None) -> None:
        if before is not None:
            await desk.store.put_private("lease", "a", before)
        taking = (_keep(desk, Kept("lease", "a", b"%d" % n, before)) for n in range(1, 41))
        results = await asyncio.gather(*taking, return_exceptions=True)
        assert results.count(None) == 1
        assert sum(isinstance(result, Conflict) for result in results) == 39
        winner = results.index(None) + 1
        assert await desk.store.get_private("lease", "a") == b"%d" % winner

    @scenario
    async def test_many_at_once_follow_each_other(self, desk: Desk) -> None:
        async def add() -> None:
            while True:
                before = await desk.store.get_private("count", "a")
                value = b"%d" % (int(before or b"0") + 1)
                try:
                    await _keep(desk, Kept("count", "a", value, before))
                except Conflict:
                    continue
                return

        await asyncio.gather(*(add() for _ in range(12)))
        assert await desk.store.get_private("count", "a") == b"12"

    @scenario
    async def test_lists_are_read_in_parts(self, desk: Desk) -> None:
        names = ["", "\u00e9", "A", "a", "a1", "b", "\U0001f600", "\uffee"]
        await _keep(desk, *(Kept("part", name, b"x") for name in names))
        await _keep(desk, Kept("other", "a2", b"x"))
        ordered = sorted(names)[1:]
        assert list(await desk.store.list_private("part", after="")) == ordered
        assert list(await desk.store.list_private("part", count=3)) == ordered[:3]
        assert list(await desk.store.list_private("part", after="a", count=2)) == ["a1", "b"]
        assert list(await desk.store.list_private("part", after="aa", count=1)) == ["b"]
        assert await desk.store.list_private("part", count=0) == {}

    @scenario
    async def test_a_store_stirs_at_once_and_at_each_commit(self, desk: Desk) -> None:
        async with aclosing(desk.store.stirrings(DEFAULT_PROJECT)) as stirrings:
            await anext(stirrings)
            coming = asyncio.ensure_future(anext(stirrings))
            # Some stores stir once more when they begin to hear of other processes.
            await asyncio.wait([coming], timeout=0.2)
            for n, kept in enumerate([(Kept("mark", "a", b"1"),), ()]):
                if coming.done():
                    coming = asyncio.ensure_future(anext(stirrings))
                writes = () if kept else (desk.write(_patient(f"p{n}")),)
                await desk.store.commit(DEFAULT_PROJECT, ChangeSet(writes, kept=kept))
                await asyncio.wait_for(asyncio.shield(coming), 5)
            assert await desk.store.get_private("mark", "a") == b"1"
            assert (await desk.store.search(DEFAULT_PROJECT, query("Patient"))).matches

    @scenario
    async def test_stirrings_end_with_the_store(self, desk: Desk) -> None:
        stirrings = desk.store.stirrings(DEFAULT_PROJECT)
        await anext(stirrings)
        await desk.store.close()
        assert [one async for one in stirrings] in ([], [None])
