"""The duties of one process: turns, stirs, failures, and what is told of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from threadwell.duties import lease, rota
from threadwell.duties.duty import Duty
from threadwell.duties.lease import still_held
from threadwell.duties.rota import perform
from threadwell.duties.standing import Standing, standings
from threadwell.stores.contract import ChangeSet, Conflict, Kept, StoreError
from threadwell.stores.memory import MemoryStore

PROJECT = "p"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rota, "BEAT", 0.02)
    monkeypatch.setattr(rota, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(rota, "_REST", 0.001)


async def _while_performing(
    store: MemoryStore, duties: Sequence[Duty], during: Callable[[], Awaitable[None]]
) -> list[Standing]:
    stop = asyncio.Event()
    performing = asyncio.create_task(perform(store, PROJECT, duties, stop))
    async with asyncio.timeout(60):
        await during()
        stop.set()
        await performing
    return await standings(store)


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.005)


def test_one_that_fails_is_tried_again_and_ends_no_other() -> None:
    done = {"good": 0, "bad": 0}

    async def good() -> float:
        done["good"] += 1
        return 0.001

    async def bad() -> None:
        done["bad"] += 1
        if done["bad"] <= 3:
            raise KeyError("what nobody must read in a log")

    async def during() -> None:
        await _until(lambda: done["bad"] == 4 and done["good"] > 4)

    store = MemoryStore()
    ends = asyncio.run(_while_performing(store, [Duty("good", good), Duty("bad", bad)], during))
    bad_one, good_one = ends
    assert (bad_one.name, bad_one.record.failures, bad_one.record.error) == ("bad", 3, "")
    assert bad_one.record.last_failure > 0
    assert (good_one.record.failures, good_one.record.runs) == (0, done["good"])
    assert good_one.record.last_success > 0
    # The process has stopped in order: nobody has them.
    assert not bad_one.held
    assert not good_one.held


def test_a_failure_is_logged_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    async def bad() -> None:
        raise KeyError("Zmeskal")

    async def during() -> None:
        await _until(lambda: bool(caplog.records))

    (standing,) = asyncio.run(_while_performing(MemoryStore(), [Duty("bad", bad)], during))
    assert standing.record.error == "KeyError"
    told = [record.getMessage() for record in caplog.records]
    assert told
    assert not any("Zmeskal" in one for one in told)


@pytest.mark.parametrize(("heeds", "rounds"), [(True, 2), (False, 1)])
def test_a_stir_is_a_turn_for_those_who_heed_it(heeds: bool, rounds: int) -> None:
    done = 0
    quiet = 0

    async def mine() -> float:
        nonlocal done
        done += 1
        return 3600.0

    async def other() -> None:
        nonlocal quiet
        quiet += 1

    store = MemoryStore()

    async def during() -> None:
        await _until(lambda: done == 1 and quiet >= 1)
        before = quiet
        await store.commit(PROJECT, ChangeSet((), kept=(Kept("test", "a", b"1"),)))
        await _until(lambda: quiet > before)
        await _until(lambda: done >= rounds)

    duties = [Duty("mine", mine, heeds_stirs=heeds), Duty("other", other)]
    asyncio.run(_while_performing(store, duties, during))
    assert done >= rounds
    assert heeds or done == 1


def test_a_clock_that_is_set_is_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rota, "_SLICE", 0.01)
    ahead = 0.0
    done = 0

    class Time:
        @staticmethod
        def time() -> float:
            return lease.time.time() + ahead

    monkeypatch.setattr(rota, "time", Time)

    async def mine() -> float:
        nonlocal done
        done += 1
        return 3600.0

    async def during() -> None:
        nonlocal ahead
        await _until(lambda: done == 1)
        ahead = 7200.0
        await _until(lambda: done == 2)

    asyncio.run(_while_performing(MemoryStore(), [Duty("m", mine, heeds_stirs=False)], during))


def test_what_somebody_else_has_taken_is_left_off() -> None:
    store = MemoryStore()
    refused = 0
    first = asyncio.Event()

    async def mine() -> float:
        nonlocal refused
        first.set()
        assert len(still_held()) == 1
        try:
            await store.commit(PROJECT, ChangeSet((), kept=still_held()))
        except Conflict:
            refused += 1
            raise
        return 0.0

    async def during() -> None:
        await first.wait()
        ((name, value),) = (await store.list_private("duty-lease")).items()
        theirs = value.replace(b'"term":1', b'"term":2').replace(b"holder", b"holder")
        await store.put_private("duty-lease", name, theirs)
        await _until(lambda: refused > 0)

    asyncio.run(_while_performing(store, [Duty("mine", mine)], during))
    assert still_held() == ()


def test_a_store_that_is_away_is_waited_for() -> None:
    class Away(MemoryStore):
        away = True

        async def list_private(self, kind: str, **more: object) -> dict[str, bytes]:
            if self.away:
                raise StoreError("away")
            return await super().list_private(kind, **more)  # type: ignore[arg-type]

    store = Away()
    done = 0

    async def mine() -> None:
        nonlocal done
        done += 1

    async def during() -> None:
        await asyncio.sleep(0.05)
        assert done == 0
        store.away = False
        await _until(lambda: done >= 1)

    asyncio.run(_while_performing(store, [Duty("mine", mine)], during))


def test_what_is_left_off_while_the_store_takes_its_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lease, "LEASE", 0.1)
    late = asyncio.Event()

    class Late(MemoryStore):
        async def put_private(self, kind: str, name: str, value: bytes | None) -> None:
            if kind == "duty" and not late.is_set():
                # Until nobody knows any more whether the leases hold.
                late.set()
                await _until(lambda: "no longer has the duty b" in caplog.messages)
            await super().put_private(kind, name, value)

    runs = {"a": 0, "b": 0}

    def counting(name: str) -> Callable[[], Awaitable[float]]:
        async def one() -> float:
            runs[name] += 1
            if not late.is_set():
                raise KeyError
            return 0.001

        return one

    async def during() -> None:
        await _until(lambda: "no longer has the duty b" in caplog.messages)
        before = dict(runs)
        await _until(lambda: all(runs[name] > before[name] for name in runs))

    duties = [Duty(name, counting(name)) for name in runs]
    asyncio.run(_while_performing(Late(), duties, during))
    assert "looking after the duties failed" not in caplog.messages


def test_names_are_told_apart() -> None:
    async def mine() -> None:
        return None

    with pytest.raises(ValueError, match="same name"):
        asyncio.run(
            perform(MemoryStore(), PROJECT, [Duty("a", mine), Duty("a", mine)], asyncio.Event())
        )


def test_what_it_has_is_told_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    async def idle() -> None:
        return None

    def told() -> list[str]:
        return [one.getMessage() for one in caplog.records if one.name == rota.__name__]

    async def during() -> None:
        await _until(lambda: bool(told()))

    caplog.set_level("INFO", logger=rota.__name__)
    asyncio.run(_while_performing(MemoryStore(), [Duty("a", idle), Duty("b", idle)], during))
    assert told() == ["has now: a, b"]
