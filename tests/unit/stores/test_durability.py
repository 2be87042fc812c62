"""What was acknowledged survives the death of the process, and nothing half-written is seen."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import stem
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sqlite import SqliteStore
from threadwell.stores.sqlite.database import open_database, setting
from threadwell.stores.sqlite.reindex import reindex
from threadwell.stores.suite.scenario import Desk

#: Writes change sets of five Communications from eight tasks, and prints each that is acknowledged.
WRITER = """
import asyncio, sys
from threadwell.stores.sqlite import SqliteStore
from threadwell.stores.suite.scenario import Desk

async def write(desk, first):
    for n in range(first, 1_000_000, 8):
        await desk.commit(*(
            desk.write({"resourceType": "Communication", "id": f"{n}-{part}", "status": "completed",
                        "identifier": [{"system": "https://example.org/set", "value": str(n)}]})
            for part in range(5)
        ))
        print(n, flush=True)

async def main():
    desk = Desk(SqliteStore.open(sys.argv[1]))
    await asyncio.gather(*(write(desk, first) for first in range(8)))

asyncio.run(main())
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_killed_process_loses_nothing(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "threadwell.db"
    acknowledged = _write_until_killed(path, random.Random(seed).uniform(0.05, 0.6))
    assert acknowledged

    async def check() -> None:
        store = SqliteStore.open(path)
        desk = Desk(store)
        total = (await desk.search("Communication?_summary=count")).total or 0
        assert total >= 5 * len(acknowledged)
        assert total % 5 == 0
        for n in acknowledged:
            found = await desk.ids(f"Communication?identifier=https://example.org/set|{n}")
            assert found == [f"{n}-{part}" for part in range(5)]
            assert await store.read(DEFAULT_PROJECT, "Communication", f"{n}-4") is not None
        await desk.put({"resourceType": "Communication", "id": "after", "status": "completed"})
        await store.close()

    asyncio.run(check())
    connection = open_database(path)
    assert connection.pragma("integrity_check") == "ok"
    index = connection.execute("SELECT * FROM posting").fetchall()
    reindex(connection, Keys(setting(connection, "secret")))
    assert connection.execute("SELECT * FROM posting").fetchall() == index
    connection.close()


def test_two_processes_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "threadwell.db"

    async def write_beside(other: subprocess.Popen[str]) -> int:
        store = SqliteStore.open(path)
        desk = Desk(store)
        written = 0
        assert other.stdout is not None
        other.stdout.readline()
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            await desk.put({"resourceType": "Patient", "id": f"p{written}"})
            written += 1
        assert (await desk.search("Patient?_summary=count")).total == written
        assert (await desk.search("Communication?_summary=count")).total
        await store.close()
        return written

    other = _start(path)
    try:
        assert asyncio.run(write_beside(other)) > 0
        assert other.poll() is None
    finally:
        other.kill()
        other.communicate()


def _write_until_killed(path: Path, seconds: float) -> list[int]:
    process = _start(path)
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    # The last line may have been cut off by the signal.
    return [int(line) for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]


def _start(path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path)]
    return stem.start(command, stdout=subprocess.PIPE, text=True)
