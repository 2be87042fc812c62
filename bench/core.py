"""What each step of Python's core takes for a message, by the CPU of one process.

python -m bench core                        20,000 messages of 400 patients, the least of 5 turns
python -m bench core --profile made         where the time of a step goes
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import pstats
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from bench.backfill import PRACTICE, phone, write_table
from threadwell.app import channels
from threadwell.backfill import records
from threadwell.backfill.grouping import Group
from threadwell.backfill.making import made
from threadwell.channels import ReadOptions, read_path
from threadwell.fhir.stamp import now_ms
from threadwell.intake import Settings, import_people, parse_options
from threadwell.intake.collecting import no_collections
from threadwell.intake.commits.batch import Batch
from threadwell.intake.gathered.changes import packed
from threadwell.intake.gathered.wire import dumps, loads
from threadwell.intake.paging import in_batches
from threadwell.intake.whole import Whole
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT, Write
from threadwell.stores.memory import MemoryStore
from threadwell.stores.sql.keys import Form, Keys
from threadwell.stores.sql.prepare import work_out
from threadwell.stores.sql.sheet import Sheet, sheet_of

#: What is looked at, or handed over, at once.
_TOGETHER = 2000
#: A step works on what the one before has made.
_Steps: TypeAlias = "list[tuple[str, Callable[[Any], Any]]]"


def main(arguments: list[str]) -> None:
    """Print µs of CPU a message of each step."""
    parser = argparse.ArgumentParser(prog="bench core")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--patients", type=int, default=400)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--profile", default="", help="the step to look into")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "messages.csv"
        write_table(table, asked.messages, asked.patients)
        steps = [*_reading(table), *_recording(asked.patients), *_storing()]
        taken: dict[str, list[float]] = {}
        for _ in range(1 if asked.profile else asked.turns):
            for name, seconds in _turn(steps, asked.profile):
                taken.setdefault(name, []).append(seconds)
    for name, found in taken.items():
        if name:
            print(f"{name:<16} {min(found) / asked.messages * 1e6:>6.1f} µs a message")


def _turn(steps: _Steps, profiled: str) -> Iterator[tuple[str, float]]:
    """CPU seconds of each step."""
    value: Any = None
    for name, step in steps:
        with no_collections():
            profile = cProfile.Profile() if profiled and name == profiled else None
            start = time.process_time()
            value = profile.runcall(step, value) if profile else step(value)
            yield name, time.process_time() - start
        if profile:
            pstats.Stats(profile).sort_stats("tottime").print_stats(45)


def _settings() -> Settings:
    own = Address(AddressKind.PHONE, PRACTICE)
    return Settings(options=parse_options(zone="America/New_York"), owner=(own,))


def _reading(table: Path) -> _Steps:
    settings = _settings()
    options = ReadOptions(zone=settings.options.zone, owner=settings.owner, country="US")

    def read(_: object) -> list[Any]:
        return list(read_path(table, channel="table", options=options, channels=channels()))

    return [("read", read)]


def _recording(patients: int) -> _Steps:
    """As a backfill does, without its files."""
    settings, store = _settings(), MemoryStore()
    people = [{"kind": "organization", "id": "practice", "family": "Bench", "phone": PRACTICE}]
    people += [
        {"kind": "patient", "id": f"p{n}", "family": f"Family{n}", "phone": phone(n)}
        for n in range(patients)
    ]
    asyncio.run(import_people(store, DEFAULT_PROJECT, people))

    def whose(items: list[Message]) -> list[tuple[int, Message]]:
        whole = Whole(store, DEFAULT_PROJECT, settings, now_ms)

        async def tied() -> list[tuple[int, Message]]:
            return [
                (tie.group, item)
                for some in in_batches(iter(items), _TOGETHER)
                for tie, item in zip(await whole.ties(some), some, strict=True)
            ]

        return asyncio.run(tied())

    def written(items: list[tuple[int, Message]]) -> list[tuple[int, bytes]]:
        return [(group, records.encode(item)) for group, item in items]

    def grouped(items: list[tuple[int, bytes]]) -> list[Group]:
        groups: dict[int, list[bytes]] = {}
        for group, content in items:
            groups.setdefault(group, []).append(content)
        return [Group(group, contents) for group, contents in groups.items()]

    def record(groups: list[Group], each: Callable[[Batch], object]) -> None:
        whole = Whole(store, DEFAULT_PROJECT, settings, now_ms)

        async def make() -> None:
            async for batch in made(whole, groups, 1 << 40):
                each(batch)

        asyncio.run(make())

    def let_go(groups: list[Group]) -> list[Group]:
        with Path(os.devnull).open("wb") as out:
            record(groups, lambda batch: out.writelines([one.body for one in _writes(batch)]))
        return groups

    def kept(groups: list[Group]) -> list[list[Write]]:
        batches: list[list[Write]] = []
        record(groups, lambda batch: batches.append(_writes(batch)))
        return batches

    return [
        ("whose", whose),
        ("written", written),
        ("", grouped),
        ("read again, made", let_go),
        ("", kept),
    ]


def _storing() -> _Steps:
    """As a process does that decides for an import."""
    keys = Keys(bytes(16), sheets=Form.PAGES)

    def indexed(kind: str, batches: list[list[Write]]) -> list[list[Write]]:
        # Each type with what it remembers, as it would beside the others.
        for writes in batches:
            work_out(keys, DEFAULT_PROJECT, [one for one in writes if _kind(one) == kind])
        return batches

    def worked(batches: list[list[Write]]) -> list[tuple[list[Write], Any]]:
        return [(writes, work_out(keys, DEFAULT_PROJECT, writes)) for writes in batches]

    def sheets(batches: list[tuple[list[Write], Any]]) -> list[tuple[list[Write], Sheet]]:
        return [
            (writes, sheet_of(found[0].basis, [one.added for one in found], Form.PAGES))
            for writes, found in batches
        ]

    def pickled(batches: list[tuple[list[Write], Sheet]]) -> list[bytes]:
        return [dumps(([packed(one, None) for one in some], sheet)) for some, sheet in batches]

    def unpickled(every: Sequence[bytes]) -> None:
        for one in every:
            loads(one)

    return [
        *((f"index: {kind}", partial(indexed, kind)) for kind in ("child", "header", "Encounter")),
        ("", worked),
        ("index: sheet", sheets),
        ("pickled", pickled),
        ("unpickled", unpickled),
    ]


def _writes(batch: Batch) -> list[Write]:
    return list(batch.writes.values())


def _kind(write: Write) -> str:
    if write.type != "Communication":
        return write.type
    return "child" if write.resource and "partOf" in write.resource else "header"
