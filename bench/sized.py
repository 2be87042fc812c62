"""What commands cost on a small store and on a large one, in turns, and work over all of it.

python -m bench.filled small.db 20000
python -m bench.filled large.db 2000000 2
python -m bench sized small.db large.db
python -m bench sized large.db --recut inactivity-gap

CPU seconds of all of a command's processes, the least of several, and the ratio to the small store.
Python's compiled files have to be there, as where Threadwell is installed. ``--verify`` and
``--recut`` go over all messages of each store: by tenths they tell how many a CPU second, and the
memory of all processes (PSS). A store is copied before it is cut anew.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import apsw

from bench.spent import cpu_seconds, family, proportional_mib

_THREADWELL = [sys.executable, "-m", "threadwell"]
_COMMANDS = {
    "sessions --limit 1000": ["sessions", "--limit", "1000"],
    "sessions --limit 1": ["sessions", "--limit", "1"],
    "sessions --status finished --limit 25": ["sessions", "--status", "finished", "--limit", "25"],
    "get Communication?_summary=count": ["get", "Communication?_summary=count"],
    "get Encounter?_total=accurate": ["get", "Encounter?_total=accurate&_count=1"],
    "index": ["index"],
}
#: Tells how far it is and what it has spent, a line each.
_OVER_ALL = """
import json, sys, time
import threadwell
from threadwell.intake.choices import Asked

what, store, policy = sys.argv[1:]
def told(done): print(json.dumps([done, time.process_time()]), flush=True)
with threadwell.open(store) as tw:
    if what == "verify":
        print(len(tw.verify(checked=told)), "findings", file=sys.stderr)
    else:
        tw.recut_plan(Asked(policy=policy), lambda counts: told(counts.circles))
"""
#: Commits one resource after the other until it is told to end.
_WRITER = """
import asyncio, sys, time
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.sqlite import SqliteStore
from threadwell.fhir.stamp import stamp

async def run():
    store, number, slowest = SqliteStore.open(sys.argv[1]), 0, 0.0
    begun = int(time.time() * 1000)
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        before, id_ = time.monotonic(), f"beside-{begun}-{number}"
        said = {"resourceType": "Communication", "status": "completed"}
        resource, body = stamp(said | {"sent": "2026-11-29T10:00:00Z"}, id_, "1", begun)
        write = Write("Communication", id_, "1", begun, resource, body)
        await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))
        number, slowest = number + 1, max(slowest, time.monotonic() - before)
    await store.close()
    print(number, slowest, flush=True)

import select
asyncio.run(run())
"""


def main(arguments: list[str]) -> None:
    """Print a line for each command, or one for each tenth."""
    parser = argparse.ArgumentParser(prog="bench sized")
    parser.add_argument("stores", nargs="*", help="the small one and the large one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--verify", action="store_true", help="go over all of each")
    parser.add_argument("--recut", metavar="POLICY", help="cut a copy of each anew")
    asked = parser.parse_args(arguments)
    if not asked.stores:
        print("left out: it needs stores that `python -m bench.filled` has made")
        return
    stores = [Path(one) for one in asked.stores]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if asked.verify or asked.recut:
        for store in stores:
            _over_all(store, asked.recut)
        return
    print(f"{'CPU s':<44}" + "".join(f"{one.name:>16}" for one in stores))
    for name, words in _COMMANDS.items():
        _compare(name, stores, asked.rounds, lambda store, of=words: _command(of, store))
    _compare("serve --workers 2, until it is ready", stores, asked.rounds, _ready)
    for store in stores:
        _back_up(store)


def _compare(name: str, stores: list[Path], rounds: int, spent: Callable[[Path], float]) -> None:
    found: dict[Path, list[float]] = {store: [] for store in stores}
    for store in stores:
        spent(store)  # what the first one finds out and keeps is no part of it
    for _ in range(rounds):
        for store in stores:
            found[store].append(spent(store))
    least = [min(found[store]) for store in stores]
    told = "".join(f"{one:16.2f}" for one in least)
    print(f"{name:<44}{told}" + (f"   {least[-1] / least[0]:.2f}" if least[1:] else ""), flush=True)


def _command(words: list[str], store: Path) -> float:
    before = _of_children()
    subprocess.run([*_THREADWELL, *words, "--store", store], check=True, stdout=subprocess.DEVNULL)
    return _of_children() - before


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _ready(store: Path) -> float:
    command = [*_THREADWELL, "serve", "--store", store, "--port", "0", "--workers", "2"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout
        while "Ctrl-C" not in server.stdout.readline():
            if server.poll() is not None:
                raise SystemExit("the server did not start")
        spent = cpu_seconds(family(server.pid))
        server.terminate()
    return spent


def _back_up(store: Path) -> None:
    """Back up while another process writes; whether the copy is sound, and how far it goes."""
    with tempfile.TemporaryDirectory(dir=store.parent) as folder:
        made = Path(folder) / "copy.db"
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(store)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout
            assert writer.stdin
            writer.stdout.readline()
            began, before = time.monotonic(), _of_children()
            backup = [*_THREADWELL, "backup", str(made), "--store", str(store)]
            subprocess.run(backup, check=True, stdout=subprocess.DEVNULL)
            clock, spent = time.monotonic() - began, _of_children() - before
            writer.stdin.write("\n")
            writer.stdin.flush()
            number, slowest = writer.stdout.readline().split()
        (sound,) = apsw.Connection(str(made)).execute("PRAGMA quick_check(1)").fetchone()
        print(
            f"backup of {store.name}: {spent:.1f} s of CPU, {clock:.0f} s by the clock;"
            f" {number} commits meanwhile, the slowest {float(slowest):.2f} s; the copy: {sound}"
        )


def _over_all(store: Path, policy: str | None) -> None:
    """Verify it, or cut a copy of it anew, and tell how that goes on."""
    with tempfile.TemporaryDirectory(dir=store.parent) as folder:
        path = store
        if policy:
            path = Path(folder) / store.name
            shutil.copy(store, path)
        command = [sys.executable, "-c", _OVER_ALL, "recut" if policy else "verify"]
        with subprocess.Popen(
            [*command, str(path), policy or ""], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            over, most = Event(), [0.0]
            watch = Thread(target=_watch, args=(process.pid, over, most))
            watch.start()
            steps = [(0, 0.0, 0.0)]
            for line in process.stdout:
                done, spent = json.loads(line)
                steps.append((done, spent, most[0]))
            over.set()
            watch.join()
    if process.returncode:
        raise SystemExit(process.returncode)
    _tell(store, steps, "circles" if policy else "messages", most[0])


def _tell(store: Path, steps: list[tuple[int, float, float]], what: str, most: float) -> None:
    whole = steps[-1][0]
    print(f"{store.name}: {whole:,} {what}, at most {most:.0f} MiB in all processes")
    steps = steps[1:]  # what goes before the first of them is no part of the rate
    for tenth in range(10):
        low, high = whole * tenth / 10, whole * (tenth + 1) / 10
        some = [one for one in steps if low <= one[0] <= high]
        if len(some) > 1 and (spent := some[-1][1] - some[0][1]):
            rate = (some[-1][0] - some[0][0]) / spent
            print(f"  tenth {tenth + 1}: {rate:,.0f} a CPU second, {some[-1][2]:.0f} MiB by then")


def _watch(pid: int, over: Event, most: list[float]) -> None:
    while not over.wait(0.5):
        with suppress(OSError):
            most[0] = max(most[0], proportional_mib(family(pid)))


if __name__ == "__main__":
    main(sys.argv[1:])
