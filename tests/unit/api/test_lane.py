"""Bundles take turns, by the bytes of their bodies."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from threadwell.api.load.lane import MOST, Lane, Lanes


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class _House:
    """Works on bodies until they are told to end, and tells which are under way."""

    def __init__(self, lane: Lane, sizes: Sequence[int]) -> None:
        self.under_way: list[int] = []
        self._ends = [asyncio.Event() for _ in sizes]
        self.tasks = [
            asyncio.create_task(self._work(lane, at, size)) for at, size in enumerate(sizes)
        ]

    async def _work(self, lane: Lane, at: int, size: int) -> None:
        async with lane.turn(size):
            self.under_way.append(at)
            try:
                await self._ends[at].wait()
            finally:
                self.under_way.remove(at)

    async def after(self, *ends: int) -> list[int]:
        """Those under way once these have ended."""
        for at in ends:
            self._ends[at].set()
        await _settle()
        return sorted(self.under_way)


@pytest.mark.parametrize(
    ("sizes", "steps"),
    [
        # As many as have room, in their order; who is small does not overtake.
        ([40, 40, 40, 10], [((), [0, 1]), ((1,), [0, 2, 3]), ((0, 2), [3])]),
        # One that is larger than all the room goes alone.
        ([500, 10, 10], [((), [0]), ((0,), [1, 2])]),
        ([10, 500, 10], [((), [0]), ((0,), [1]), ((1,), [2])]),
        ([0, 0, 100, 0], [((), [0, 1, 2, 3])]),
    ],
)
def test_bodies_go_side_by_side_as_far_as_there_is_room(
    sizes: list[int], steps: list[tuple[tuple[int, ...], list[int]]]
) -> None:
    asyncio.run(_side_by_side(sizes, steps))


async def _side_by_side(sizes: list[int], steps: list[tuple[tuple[int, ...], list[int]]]) -> None:
    house = _House(Lane(100, 60.0), sizes)
    for ends, under_way in steps:
        assert await house.after(*ends) == under_way
    assert await house.after(*range(len(sizes))) == []
    await asyncio.gather(*house.tasks)


def test_who_is_gone_holds_up_nobody() -> None:
    asyncio.run(_who_is_gone_holds_up_nobody())


async def _who_is_gone_holds_up_nobody() -> None:
    lane = Lane(100, 60.0)
    house = _House(lane, [60, 60, 60, 30])
    await _settle()
    house.tasks[1].cancel()
    assert await house.after() == [0]
    house.tasks[2].cancel()
    assert await house.after() == [0, 3]


def test_the_room_of_one_that_is_cancelled_when_it_is_called_goes_to_the_next() -> None:
    asyncio.run(_the_room_of_one_that_is_cancelled_when_it_is_called_goes_to_the_next())


async def _the_room_of_one_that_is_cancelled_when_it_is_called_goes_to_the_next() -> None:
    lane = Lane(100, 60.0)
    async with lane.turn(100):
        house = _House(lane, [90, 90])
        assert await house.after() == []
    # It is called, and has not run yet.
    house.tasks[0].cancel()
    assert await house.after() == [1]
    assert await house.after(1) == []
    assert await _House(lane, [100]).after() == [0]


def test_one_that_takes_long_is_not_counted_any_more() -> None:
    asyncio.run(_one_that_takes_long_is_not_counted_any_more())


async def _one_that_takes_long_is_not_counted_any_more() -> None:
    lane = Lane(100, 0.01)
    house = _House(lane, [100, 100, 100])
    assert await house.after() == [0]
    while sorted(house.under_way) != [0, 1, 2]:
        await asyncio.sleep(0.005)
    assert await house.after(0, 1, 2) == []
    # What it was counted for is given back once.
    again = _House(lane, [100, 1])
    assert await again.after() == [0]
    assert await again.after(0, 1) == []


def test_nobody_waits_for_a_large_one() -> None:
    asyncio.run(_nobody_waits_for_a_large_one())


async def _nobody_waits_for_a_large_one() -> None:
    lanes = Lanes()
    async with lanes.of(MOST + 1).turn(MOST + 1):
        house = _House(lanes.of(MOST), [MOST, 1])
        assert await house.after() == [0]
        large = _House(lanes.of(2 * MOST), [2 * MOST])
        assert await large.after() == []
    assert await large.after() == [0]
    assert await large.after(0) == []
    assert await house.after(0, 1) == []
