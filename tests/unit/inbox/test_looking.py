"""Many who listen are looked at together, none of them later than is promised."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell.inbox.looking import LOOK, Looks, first_look, next_look

_CLOCK = st.floats(0, 1e7)


@given(_CLOCK)
def test_nobody_waits_longer_than_is_promised(now: float) -> None:
    for due in (first_look(now), next_look(now)):
        assert now < due <= now + LOOK + 1e-6


@given(_CLOCK)
def test_those_who_come_at_once_are_due_at_a_few_moments(now: float) -> None:
    first = {round(first_look(now), 3) for _ in range(1000)}
    assert len(first) == 10
    # And they stay together.
    assert len({round(next_look(due + 0.001), 3) for due in first}) == 10


class _Eye:
    def __init__(self) -> None:
        self.looked = 0
        self.open = asyncio.Event()

    async def look(self) -> int:
        self.looked += 1
        await self.open.wait()
        return self.looked

    async def fail(self) -> int:
        self.looked += 1
        await self.open.wait()
        raise LookupError


def test_who_wants_the_same_look_shares_it_and_others_have_their_own() -> None:
    async def run() -> None:
        looks, mine, other = Looks[int](), _Eye(), _Eye()
        waiting = [asyncio.create_task(looks.at("mine", mine.look)) for _ in range(50)]
        waiting.append(asyncio.create_task(looks.at("other", other.look)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        # One goes away; the others are told.
        waiting[0].cancel()
        mine.open.set()
        other.open.set()
        told = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(told[0], asyncio.CancelledError)
        assert told[1:] == [1] * 50
        assert (mine.looked, other.looked) == (1, 1)
        # What was seen then is not told to who asks later.
        assert await looks.at("mine", mine.look) == 2

    asyncio.run(run())


def test_a_look_that_fails_fails_for_all_who_wanted_it_and_for_nobody_else() -> None:
    async def run() -> None:
        looks, eye = Looks[int](), _Eye()
        waiting = [asyncio.create_task(looks.at("mine", eye.fail)) for _ in range(3)]
        await asyncio.sleep(0)
        eye.open.set()
        told = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in told] == [LookupError] * 3
        assert eye.looked == 1
        assert await looks.at("mine", eye.look) == 2

    asyncio.run(run())


def test_a_look_of_a_loop_that_has_ended_holds_nobody_up() -> None:
    looks, eye = Looks[int](), _Eye()

    async def begin() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(looks.at("mine", eye.look), 0.01)

    asyncio.run(begin())
    eye = _Eye()
    eye.open.set()
    assert asyncio.run(looks.at("mine", eye.look)) == 1
