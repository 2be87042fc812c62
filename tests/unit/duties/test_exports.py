"""An export whose process is killed goes on where it was, and is none the worse for it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import stem
from threadwell.api.clients import add_client
from threadwell.app import open_store, sight_of
from threadwell.bulk.exports import Exports
from threadwell.bulk.job import Asked, Phase, begin, content, find_job
from threadwell.fhir.stamp import now_ms, stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Store, Write

CHILD = Path(__file__).parent / "export_child.py"
COUNT = 40


async def _begin(store: Store) -> None:
    client = await add_client(store, "exporting")
    writes = []
    for n in range(COUNT):
        resource, body = stamp({"resourceType": "Patient"}, f"p{n}", f"v{n}", now_ms())
        writes.append(Write("Patient", f"p{n}", f"v{n}", now_ms(), resource, body))
    await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(writes)))
    asked = Asked(
        url="http://test/fhir/R4/$export",
        fhir="http://test/fhir/R4",
        who=f"ClientApplication/{client.client_id}",
        types=("Patient",),
    )
    await begin(store, DEFAULT_PROJECT, "one", asked)


async def _finish(store: Store) -> list[str]:
    exports = Exports(store, DEFAULT_PROJECT, sight_of(store))
    for _ in range(100):
        wait = await exports.round()
        job = await find_job(store, DEFAULT_PROJECT, "one")
        assert job is not None
        if job.progress.phase is Phase.DONE:
            ((name, file),) = job.progress.files.items()
            parts = content(store, DEFAULT_PROJECT, "one", name, file, packed=False)
            text = b"".join([part async for part in parts])
            assert text.count(b"\n") == file.lines
            return [json.loads(line)["id"] for line in text.splitlines()]
        await asyncio.sleep(min(1.0, wait or 0))
    raise AssertionError("it does not end")


def test_one_that_is_killed_goes_on(store_url: str) -> None:
    with asyncio.Runner() as runner:
        store = open_store(store_url)
        runner.run(_begin(store))
        for pages in (1, 3):
            command = [sys.executable, str(CHILD), store_url]
            child = stem.start(command, stdout=subprocess.PIPE)
            assert child.stdout is not None
            for _ in range(pages):
                assert child.stdout.readline() == b"page\n"
            child.kill()
            child.wait()
            child.stdout.close()
        job = runner.run(find_job(store, DEFAULT_PROJECT, "one"))
        assert job is not None
        assert job.progress.phase is Phase.WALKING
        assert sorted(runner.run(_finish(store))) == sorted(f"p{n}" for n in range(COUNT))
        runner.run(store.close())
