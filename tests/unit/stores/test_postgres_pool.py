"""Connections that go from hand to hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from threadwell.stores.postgres.pool import IDLE, Connection, Pool

_PID = "SELECT pg_backend_pid()"
#: Nothing else in the cluster asks this.
_ENDLESS = "SELECT pg_sleep(1000) AS until_somebody_comes"
_RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE query = $1 AND state = 'active'"


@asynccontextmanager
async def pool_of(url: str, most: int) -> AsyncIterator[Pool]:
    dsn = url.partition("&schema")[0]

    async def connect() -> Connection:
        made: Connection = await asyncpg.connect(dsn)
        return made

    pool = Pool(connect, most)
    await pool.open()
    yield pool
    await pool.close()


def run(url: str, work: Callable[[Pool], Awaitable[None]], most: int = 2) -> None:
    async def all_of_it() -> None:
        async with pool_of(url, most) as pool:
            await work(pool)

    asyncio.run(all_of_it())


async def pid(pool: Pool) -> int:
    async with pool.acquire() as connection:
        found: int = await connection.fetchval(_PID)
        return found


def test_one_after_another_has_the_same_connection(empty_postgres_url: str) -> None:
    async def work(pool: Pool) -> None:
        assert await pid(pool) == await pid(pool)

    run(empty_postgres_url, work)


def test_no_more_than_there_may_be_and_all_have_their_turn(empty_postgres_url: str) -> None:
    async def work(pool: Pool) -> None:
        async def hold() -> int:
            async with pool.acquire() as connection:
                found: int = await connection.fetchval(f"{_PID} FROM pg_sleep(0.01)")
                return found

        assert len(set(await asyncio.gather(*(hold() for _ in range(9))))) == 2

    run(empty_postgres_url, work)


def test_who_waits_and_is_cancelled_takes_nothing_along(empty_postgres_url: str) -> None:
    async def work(pool: Pool) -> None:
        async with pool.acquire():
            waiting = [asyncio.create_task(pid(pool)) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[0].cancel()
        # By now the connection is on its way to the second, who does not want it any more either.
        waiting[1].cancel()
        assert isinstance(await waiting[2], int)
        assert isinstance(await pid(pool), int)

    run(empty_postgres_url, work, most=1)


def test_a_statement_that_is_cancelled_is_over_in_the_database(empty_postgres_url: str) -> None:
    async def work(pool: Pool) -> None:
        async def endless() -> None:
            async with pool.acquire() as connection:
                await connection.execute(_ENDLESS)

        task = asyncio.create_task(endless())
        async with pool.acquire() as connection:
            while not await connection.fetchval(_RUNNING, _ENDLESS):
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not await connection.fetchval(_RUNNING, _ENDLESS)
            assert isinstance(await pid(pool), int)

    run(empty_postgres_url, work)


def test_a_transaction_that_was_left_open_is_rolled_back(empty_postgres_url: str) -> None:
    async def work(pool: Pool) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # it tells of that
        async with pool.acquire() as connection:
            await connection.execute("BEGIN; CREATE TEMPORARY TABLE left_open (n int)")
        async with pool.acquire() as again:
            assert not again.is_in_transaction()
            assert await again.fetchval("SELECT to_regclass('left_open')") is None

    run(empty_postgres_url, work, most=1)


def test_an_error_of_the_database_leaves_the_connection_as_it_is(empty_postgres_url: str) -> None:
    async def work(pool: Pool) -> None:
        before = await pid(pool)
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with pool.acquire() as connection:
                await connection.fetchval("SELECT 1 / 0")
        assert await pid(pool) == before

    run(empty_postgres_url, work, most=1)


def test_what_was_lost_is_not_lent_and_leaves_room(empty_postgres_url: str) -> None:
    async def work(pool: Pool) -> None:
        async with pool.acquire() as connection:
            waiting = asyncio.create_task(pid(pool))
            await asyncio.sleep(0)
            connection.terminate()
        first = await waiting
        async with pool.acquire() as kept:
            assert await kept.fetchval(_PID) == first
        kept.terminate()
        assert await pid(pool) != first

    run(empty_postgres_url, work, most=1)


def test_who_cannot_connect_is_told_and_leaves_room(empty_postgres_url: str) -> None:
    async def work() -> None:
        refused = True

        async def connect() -> Connection:
            if refused:
                raise ConnectionRefusedError
            made: Connection = await asyncpg.connect(empty_postgres_url.partition("&schema")[0])
            return made

        pool = Pool(connect, 1)
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                await pool.open()
        refused = False
        assert isinstance(await pid(pool), int)
        await pool.close()

    asyncio.run(work())


def test_closing_waits_for_what_is_lent_and_refuses_who_waits(empty_postgres_url: str) -> None:
    async def work(pool: Pool) -> None:
        async with pool.acquire() as connection:
            waiting = asyncio.create_task(pid(pool))
            await asyncio.sleep(0)
            closing = asyncio.create_task(pool.close())
            with pytest.raises(asyncpg.InterfaceError):
                await waiting
            assert not closing.done()
            assert isinstance(await connection.fetchval(_PID), int)
        await closing
        assert connection.is_closed()
        with pytest.raises(asyncpg.InterfaceError):
            await pid(pool)

    run(empty_postgres_url, work, most=1)


def test_what_nobody_wants_for_long_is_let_go_of(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(pool: Pool) -> None:
        async with pool.acquire() as one, pool.acquire() as other:
            pass
        now = asyncio.get_running_loop().time()
        monkeypatch.setattr(pool._loop, "time", lambda: now + IDLE / 2)
        before = await pid(pool)
        pool._let_go()
        assert not any(connection.is_closed() for connection in (one, other))
        monkeypatch.setattr(pool._loop, "time", lambda: now + IDLE + 1)
        pool._let_go()
        await asyncio.wait(pool._tasks)
        # The one that was lent meanwhile has its time still.
        assert [one.is_closed(), other.is_closed()].count(True) == 1
        assert await pid(pool) == before

    run(empty_postgres_url, work)
