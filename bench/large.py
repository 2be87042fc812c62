"""An import of any size into SQLite, in turns with the same by another tree, or into PostgreSQL.

python -m bench large --messages 160000 --patients 300 --against ../threadwell-before
python -m bench large --messages 1000000 --patients 20000 --workers 2
python -m bench large --messages 10000 --postgres     a PostgreSQL of its own, with what it takes
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import postgres
from bench.spent import cpu_seconds, family

#: Runs with the threadwell of whichever tree; settings that it has not are left out, and a store is
#: handed over as it takes it.
_PROGRAM = """
import asyncio, contextlib, dataclasses, inspect, json, resource, sys, time
from pathlib import Path
from threadwell.app import channels
from threadwell.channels import ReadOptions, read_path
from threadwell.intake import Settings, import_messages, import_people, parse_options
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sqlite import SqliteStore

backup, path, patients, count, workers = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
own = Address(AddressKind.PHONE, "+12075550100")
how = {"workers": workers} if "workers" in {f.name for f in dataclasses.fields(Settings)} else {}
settings = Settings(options=parse_options(zone="America/New_York"), owner=(own,), **how)
options = ReadOptions(zone=settings.options.zone, owner=(own,), country="US")
people = [{"kind": "organization", "id": "practice", "family": "Bench", "phone": own.value}]
people += [{"kind": "patient", "id": f"p{n}", "family": f"F{n}", "phone": f"+1207{2000000 + n}"}
           for n in range(patients)]
told = []

def used():
    return sum(sum(resource.getrusage(who)[:2])
               for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

async def run():
    store = (PostgresStore if path.startswith("postgresql:") else SqliteStore).open(path)
    await import_people(store, DEFAULT_PROJECT, people)
    start, cpu = time.perf_counter(), used()
    items = read_path(Path(backup), channel=None, options=options, channels=channels())
    tell = lambda counts: told.append((time.perf_counter() - start, counts.read))
    if "seat" in inspect.signature(import_messages).parameters:
        from threadwell.intake.seat import Seat
        report = await import_messages(Seat(store, DEFAULT_PROJECT, settings), items, tell)
    else:
        report = await import_messages(store, DEFAULT_PROJECT, items, settings, tell)
    seconds, cpu = time.perf_counter() - start, used() - cpu
    assert report.counts.new == count, report.counts
    await store.close()
    begun = [at for at, read in told if not read]
    steps = [((begun or [0.0])[-1], 0), *((at, read) for at, read in told if read)]
    def rate(low, high):
        inside = [one for one in steps if low * count <= one[1] <= high * count]
        (t0, n0), (t1, n1) = inside[0], inside[-1]
        return (n1 - n0) / (t1 - t0) if t1 > t0 else 0
    print(json.dumps({"seconds": seconds, "cpu": cpu, "first": rate(0, .2), "last": rate(.8, 1)}))

try:  # as `threadwell import` begins
    from threadwell.intake.gathered.starting import ahead
    from threadwell.intake.hand import main
    begun = ahead(main) if workers else contextlib.nullcontext()
except ImportError:
    begun = contextlib.nullcontext()
with begun:
    asyncio.run(run())
"""
_HERE = Path(__file__).parents[1]


def main(arguments: list[str]) -> None:
    """Print messages a second by the clock and by CPU, both ends of the run, and the memory."""
    parser = argparse.ArgumentParser(prog="bench large")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--patients", type=int, default=300)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--against", type=Path, help="another tree, such as a git worktree")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="into PostgreSQL too, in turns")
    asked = parser.parse_args(arguments)
    numbers = (asked.patients, asked.messages, asked.workers)
    with tempfile.TemporaryDirectory() as folder:
        backup, database = Path(folder) / "sms.xml", Path(folder) / "threadwell.db"
        _write(backup, asked.messages, asked.patients)

        def into_sqlite(tree: Path) -> dict[str, float]:
            try:
                return _measured(tree, backup, str(database), numbers)
            finally:
                for file in Path(folder).glob("threadwell.db*"):
                    file.unlink()

        ways: dict[str, Callable[[], dict[str, float]]] = {"this tree": lambda: into_sqlite(_HERE)}
        if asked.against:
            ways["the other"] = lambda: into_sqlite(asked.against)
        if asked.postgres:
            ways["PostgreSQL"] = lambda: _into_postgres(backup, numbers)
        found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
        for _ in range(asked.rounds):
            for name, way in ways.items():
                found[name].append(way())
                _tell(name, asked.messages, found[name][-1])
    for other in list(ways)[1:]:
        for what in ("seconds", "cpu"):
            mine, others = (min(one[what] for one in found[name]) for name in ("this tree", other))
            print(f"{what}: {others / mine:.2f} × as fast as {other}")


def _tell(name: str, count: int, one: dict[str, float]) -> None:
    database = one.get("database")
    print(
        f"{name:<10} {count / one['seconds']:>8,.0f}/s {count / one['cpu']:>8,.0f}/CPU s"
        f"   first fifth {one['first']:,.0f}/s, last {one['last']:,.0f}/s"
        f"   at most {one['memory']:,.0f} MiB"
        + (f"   {database / count * 1e6:.0f} µs a message are the database's" if database else ""),
        flush=True,
    )


def _into_postgres(backup: Path, numbers: tuple[int, ...]) -> dict[str, float]:
    """The same into a PostgreSQL of its own; ``cpu`` has what the database takes, too."""
    binaries = postgres.find_binaries()
    if binaries is None:
        raise SystemExit("no PostgreSQL is here")
    server = postgres.start_server(
        binaries, durable=True, shared_buffers="512MB", max_wal_size="4GB"
    )
    try:
        leader = int((server.folder / "pg" / "postmaster.pid").read_text().split()[0])
        before = cpu_seconds(family(leader))
        found = _measured(_HERE, backup, server.url(), numbers)
        # It tells what a process has spent once that has ended.
        time.sleep(1)
        spent = cpu_seconds(family(leader)) - before
    finally:
        server.remove()
    return {**found, "database": spent, "cpu": found["cpu"] + spent}


def _write(path: Path, count: int, patients: int) -> None:
    from bench import importing

    importing.write_backup(path, count, patients, lambda n: f"+1207{2_000_000 + n}")


def _measured(
    tree: Path, backup: Path, database: str, numbers: tuple[int, ...]
) -> dict[str, float]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tree / "src"), str(tree)])}
    command = [sys.executable, "-c", _PROGRAM, str(backup), database, *map(str, numbers)]
    most = 0.0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env=environment, start_new_session=True
    ) as process:
        while process.poll() is None:
            most = max(most, _memory(process.pid))
            time.sleep(0.1)
        assert process.stdout
        out = process.stdout.read()
    if process.returncode:
        raise SystemExit(process.returncode)
    return {**json.loads(out), "memory": most}


def _memory(session: int) -> float:
    """What all processes of a session have in memory by their share, in MiB (Linux)."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # Those that decide are a group of their own.
            if os.getsid(int(folder.name)) != session:
                continue
            lines = (folder / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


if __name__ == "__main__":
    main(sys.argv[1:])
