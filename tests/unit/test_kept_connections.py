"""A connection that one test has closed is as new for the next, or it is none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

import postgres
from kept_connections import KeptConnections

PID = "SELECT pg_backend_pid()"
LEFT = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    runner = asyncio.Runner()
    kept = KeptConnections(runner)
    connect = asyncpg.connect
    with kept.lent():
        yield runner
    assert asyncpg.connect is connect
    kept.close()


def test_nothing_is_left_of_what_was_done_with_it(
    runner: asyncio.Runner, postgres_server: postgres.Server
) -> None:
    async def left() -> tuple[int, int]:
        connection = await asyncpg.connect(postgres_server.url())
        await connection.execute("SET lock_timeout = '1s'; SELECT pg_advisory_lock(7); BEGIN")
        pid = await connection.fetchval(PID)
        await connection.close()
        again = await asyncpg.connect(postgres_server.url())
        assert await again.fetchval("SHOW lock_timeout") == "0"
        assert await again.fetchval(LEFT) == 0
        assert not again.is_in_transaction()
        pids = pid, await again.fetchval(PID)
        await again.close()
        return pids

    before, after = runner.run(left())
    assert before == after


def test_who_asks_otherwise_or_elsewhere_has_another(
    runner: asyncio.Runner, postgres_server: postgres.Server
) -> None:
    async def pid(**how: object) -> int:
        connection = await asyncpg.connect(postgres_server.url(), **how)
        found: int = await connection.fetchval(PID)
        await connection.close()
        return found

    named = {"server_settings": {"application_name": "x"}}
    first = runner.run(pid())
    assert runner.run(pid(**named)) != first
    assert asyncio.run(pid()) != first
    assert runner.run(pid()) == first


def test_what_was_lost_is_not_lent(
    runner: asyncio.Runner, postgres_server: postgres.Server
) -> None:
    async def lose() -> None:
        connection = await asyncpg.connect(postgres_server.url())
        connection.terminate()
        with pytest.raises(asyncpg.InterfaceError):
            await connection.close()
        again = await asyncpg.connect(postgres_server.url())
        assert await again.fetchval("SELECT 1") == 1
        await again.close()

    runner.run(lose())
