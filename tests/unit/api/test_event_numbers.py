"""What numbers of events tell, and what they must not: how much others write."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.test_missed_events import CRITERIA, again, asked, made, named, reached, shown
from tests.unit.api.test_subscriptions import MINE, OWN, limit, open_line, to, written_by_others
from threadwell.api.subscriptions import replaying
from threadwell.subscriptions.numbers import Numbers


@pytest.mark.parametrize(
    "query",
    [
        *("eventsSinceNumber=-1", "eventsSinceNumber=x", "eventsSinceNumber=", "content=some"),
        *("eventsSinceNumber=99", "eventsUntilNumber=4611686018427387904", "since=1"),
        *("eventsSinceNumber=1&eventsSinceNumber=2", f"eventsSinceNumber={'9' * 400}"),
    ],
)
def test_numbers_that_nobody_was_told_are_refused(new_api, query: str) -> None:
    api = new_api()

    async def scene() -> None:
        await asked(api, await made(api), f"?{query}", status=400)

    api.run(scene())


def test_how_far_it_was_looked_does_not_tell_whether_anything_was_written(api) -> None:
    """Whoever asks twice is told two numbers, whether others have written meanwhile or not."""
    limit(api, OWN, MINE)

    async def scene() -> None:
        async with open_line(api) as line:
            id_ = await line.bind(CRITERIA)
            one = await written_by_others(api, to("bell"))
            await line.until(lambda: len(line.events()) == 1)
            (number,) = line.numbers()
            told = [reached((await asked(api, id_))["entry"][0]["resource"]) for _ in range(5)]
            await written_by_others(api, to("dunn"))
            told += [reached((await asked(api, id_))["entry"][0]["resource"]) for _ in range(5)]
            for _ in range(3):
                await again(api, line, id_, number)
            await line.until(lambda: len(line.statuses("handshake")) == 4)
            told += [reached(status) for status in line.statuses("handshake")]
        assert len({number, *told}) == 1 + len(told)
        # Each of them leads back, and an event has the same number for good.
        for since in told[:10]:
            await asked(api, id_, f"?eventsSinceNumber={since}")
        found = await asked(api, id_, f"?eventsSinceNumber={number}")
        assert named(found) == [(number, f"Communication/{one}")]

    api.run(scene())


def test_where_parts_end_does_not_tell_how_much_is_hidden(
    api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "_LOOKED", 30)
    limit(api, OWN, MINE)

    async def scene() -> None:
        id_ = await made(api)
        for _ in range(12):
            await written_by_others(api, to("dunn"))
        one = await written_by_others(api, to("bell"))
        found = await asked(api, id_)
        assert shown(found) == [one]
        assert "link" not in found

    api.run(scene())


@pytest.mark.parametrize("position", [0, 1, 2, 4711, 10**9])
def test_they_lead_back(position: int) -> None:
    numbers, other = Numbers(b"a secret"), Numbers(b"a secret")
    for whole in (True, False):
        told: list[Any] = [numbers.of(position, whole=whole)]
        told += [numbers.reached(position, whole=whole) for _ in range(100)]
        assert {other.position(one, position, whole=whole) for one in told} == {position}
        assert len(set(told)) == (1 if whole else 101)
        assert all(int(one) < 1 << 62 for one in told)
        assert numbers.of(position, whole=whole) == other.of(position, whole=whole)
