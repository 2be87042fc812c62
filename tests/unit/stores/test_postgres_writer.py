"""The writer to PostgreSQL: what it refuses it does not keep, and its groups meet."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from threadwell.fhir.json import decode
from threadwell.stores.contract import Conflict, Key, StoreError
from threadwell.stores.postgres import PostgresStore, named, writer
from threadwell.stores.postgres.address import parse_address
from threadwell.stores.postgres.group_rows import Numbered
from threadwell.stores.postgres.search import NumberedProject
from threadwell.stores.sql.keys import Keys
from threadwell.stores.suite.scenario import Desk, nothing_kept

_TASK = "threadwell-writer"


def test_what_cannot_be_written_is_not_kept(postgres_url: str) -> None:
    async def run() -> None:
        desk = Desk(PostgresStore(postgres_url))
        await desk.put({"resourceType": "Patient", "id": "first"})
        address = parse_address(postgres_url)
        connection = await asyncpg.connect(address.dsn, server_settings=address.settings)
        await connection.execute("DROP TABLE posting CASCADE")
        await connection.close()

        async def refused(n: int) -> None:
            write = desk.write({"resourceType": "Patient", "id": f"p{n}"})
            with pytest.raises(StoreError):
                await desk.commit(write)

        async with nothing_kept():
            await asyncio.gather(*map(refused, range(5)))
            await asyncio.sleep(0)
        await desk.store.close()

    asyncio.run(run())


def test_groups_that_are_under_way_together_meet(postgres_url: str) -> None:
    """Of two change sets that create the same one is written, and of the other nothing."""

    async def run() -> None:
        desk = Desk(PostgresStore(postgres_url))

        async def create(side: str, n: int, after: float) -> bool:
            await asyncio.sleep(after)
            # More than a group waits for, so that two groups are under way.
            ids = [f"common{n}", *(f"{side}{n}-{k}" for k in range(60))]
            writes = [desk.write({"resourceType": "Patient", "id": id_}) for id_ in ids]
            try:
                await desk.commit(*writes)
            except Conflict as conflict:
                return conflict.key != Key("Patient", f"common{n}")
            return True

        pauses = [n % 7 / 200 for n in range(30)]
        firsts = [create("a", n, pause) for n, pause in enumerate(pauses)]
        seconds = [create("b", n, pause) for n, pause in enumerate(reversed(pauses))]
        made = await asyncio.gather(*firsts, *seconds)
        for n in range(30):
            first, second = made[n], made[30 + n]
            assert first != second
            written, refused = ("a", "b") if first else ("b", "a")
            assert await desk.read("Patient", f"{written}{n}-59") is not None
            assert await desk.read("Patient", f"{refused}{n}-0") is None
        await desk.store.close()

    asyncio.run(run())


def test_updates_of_groups_that_are_under_way_together_meet(postgres_url: str) -> None:
    async def run() -> None:
        desk = Desk(PostgresStore(postgres_url))
        await desk.put({"resourceType": "Patient", "id": "counted", "multipleBirthInteger": 0})

        async def count(task: int) -> None:
            for n in range(5):
                others = [{"resourceType": "Patient", "id": f"{task}-{n}-{k}"} for k in range(60)]
                while True:
                    before = await desk.must_read("Patient", "counted")
                    resource = decode(before.body)
                    resource["multipleBirthInteger"] += 1
                    with suppress(Conflict):
                        await desk.commit(desk.write(resource, before), *map(desk.write, others))
                        break

        await asyncio.gather(*map(count, range(6)))
        counted = await desk.must_read("Patient", "counted")
        assert decode(counted.body)["multipleBirthInteger"] == 30
        await desk.store.close()

    asyncio.run(run())


def test_what_was_refused_after_a_lost_commit_is_not_acknowledged(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost before a commit of two change sets; by the time it is done again,
    another process has created what one of them creates.
    """
    numbering, happened, asked = writer.numbering, writer.Writer._happened, list[bool]()

    def lost(
        keys: Keys, place: NumberedProject, written: Iterable[Numbered], *, named: bool
    ) -> str:
        if asked or len(list(written)) != 2:
            return numbering(keys, place, written, named=named)
        return "SELECT pg_terminate_backend(pg_backend_pid());"

    async def run() -> None:
        desk, other = Desk(PostgresStore(postgres_url)), Desk(PostgresStore(postgres_url))
        await other.put({"resourceType": "Patient", "id": "other"})

        async def ask(*arguments: Any) -> bool:
            asked.append(await happened(*arguments))
            if len(asked) == 1:
                await other.commit(other.write({"resourceType": "Patient", "id": "ben"}))
            return asked[-1]

        monkeypatch.setattr(writer, "numbering", lost)
        monkeypatch.setattr(writer.Writer, "_happened", ask)
        results = await asyncio.gather(
            *(desk.commit(desk.write({"resourceType": "Patient", "id": id_})) for id_ in names),
            return_exceptions=True,
        )
        assert asked == [False, False]
        assert results[0] is None
        assert isinstance(results[1], Conflict)
        assert await desk.read("Patient", "ana") is not None
        await desk.store.close()
        await other.store.close()

    names = ("ana", "ben")
    asyncio.run(run())


def test_a_task_that_is_cancelled_before_it_begins_holds_nothing_up(postgres_url: str) -> None:
    async def run() -> None:
        desk = Desk(PostgresStore(postgres_url))
        await desk.put({"resourceType": "Patient", "id": "first"})
        waiting = asyncio.create_task(
            desk.commit(desk.write({"resourceType": "Patient", "id": "a"}))
        )
        while not (tasks := [t for t in asyncio.all_tasks() if t.get_name() == _TASK]):
            await asyncio.sleep(0)
        tasks[0].cancel()
        with pytest.raises(StoreError):
            await asyncio.wait_for(waiting, 60)
        await desk.put({"resourceType": "Patient", "id": "b"})
        await asyncio.wait_for(desk.store.close(), 10)

    asyncio.run(run())


def test_what_a_driver_in_disorder_broke_is_done_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_group, broken = writer.write_group, list[bool]()

    async def break_once(*arguments: Any, **options: Any) -> Any:
        if not broken:
            broken.append(True)
            raise asyncpg.InternalClientError("cannot switch to state 12")
        return await write_group(*arguments, **options)

    async def run() -> None:
        desk = Desk(PostgresStore(postgres_url))
        monkeypatch.setattr(writer, "write_group", break_once)
        await desk.commit(desk.write({"resourceType": "Patient", "id": "ana"}))
        assert broken
        assert await desk.read("Patient", "ana") is not None
        await desk.store.close()

    asyncio.run(run())


def test_what_ends_a_group_is_planned_once_for_a_connection(postgres_url: str) -> None:
    sql = "SELECT name, generic_plans + custom_plans FROM pg_prepared_statements WHERE name ~ $1"

    async def run() -> None:
        store = PostgresStore(f"{postgres_url}&pool=2")
        desk = Desk(store)
        for n in range(5):
            await desk.put({"resourceType": "Patient", "id": f"p{n}"})
        pool = await store._database.pool()
        used: Counter[str] = Counter()
        async with pool.acquire() as one, pool.acquire() as other:
            for connection in (one, other):
                # Whoever is told again knows it already.
                await named.name_all(connection)
                used.update(dict(await connection.fetch(sql, "^threadwell_")))
        # Each takes the lock of the commit, and that of its turn.
        assert used == {"threadwell_lock": 10, "threadwell_number": 5, "threadwell_still": 5}
        await store.close()

    asyncio.run(run())
