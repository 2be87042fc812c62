"""What others' writes overtake is tried again: often enough, and long enough."""

import asyncio

import pytest

from threadwell.intake import patience
from threadwell.intake.patience import Patience


async def attempts() -> int:
    made, trying = 0, Patience()
    while await trying.turn():
        made += 1
    return made


@pytest.mark.parametrize(
    ("attempts_at_least", "seconds", "made"),
    [(3, 0.0, range(3, 4)), (2, 0.05, range(2, 2000)), (7, 0.001, range(7, 8))],
)
def test_neither_few_attempts_nor_little_time_end_it(
    monkeypatch: pytest.MonkeyPatch, attempts_at_least: int, seconds: float, made: range
) -> None:
    monkeypatch.setattr(patience, "ATTEMPTS", attempts_at_least)
    monkeypatch.setattr(patience, "SECONDS", seconds)
    assert asyncio.run(attempts()) in made


def test_pauses_differ_and_stay_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SECONDS", 0.0)
    paused: list[float] = []

    async def sleep(seconds: float) -> None:
        paused.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert asyncio.run(attempts()) == patience.ATTEMPTS
    assert len(set(paused)) == len(paused) == patience.ATTEMPTS - 1
    assert 0.02 < max(paused) <= 0.25
    assert paused[0] <= 0.02
