"""A table of messages into NDJSON, against the import of the same table into SQLite.

python -m bench backfill                       40,000 rows of 800 patients
python -m bench backfill --rows 1000000 --patients 20000 --no-import
python -m bench backfill --rows 400000 --no-import --spark 'local[2]'    the same on Spark, too
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from threadwell.app import open_store
from threadwell.bulk.processes import cores
from threadwell.facade.backfilling import BackfillJob, begin_backfill, run_backfill, run_on_spark
from threadwell.facade.importing import ImportJob, Who, run_import
from threadwell.intake.choices import Asked
from threadwell.intake.collecting import rare_collections
from threadwell.stores.contract import DEFAULT_PROJECT

PRACTICE = "+12075550100"
#: Of CPU, a second.
_TICKS = os.sysconf("SC_CLK_TCK")
_START = datetime(2024, 1, 1, tzinfo=UTC)
_TEXT = (
    "Good morning, the new dose agrees with me and I slept well. Could you send the plan for"
    " next week, and shall I come in before the holidays or is a call enough?"
)


def main(arguments: list[str]) -> None:
    """Print rows per second and per CPU second, and the ratio to the import."""
    parser = argparse.ArgumentParser(prog="bench backfill")
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--patients", type=int, default=0, help="default: one for 50 rows")
    parser.add_argument("--workers", type=int, default=cores())
    parser.add_argument("--no-import", action="store_true", help="leave the import out")
    parser.add_argument("--spark", default="", metavar="MASTER", help="on Spark, too")
    asked = parser.parse_args(arguments)
    rows, patients = asked.rows, asked.patients or max(asked.rows // 50, 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table, people = folder / "messages.csv", folder / "people.csv"
        _write_people(people, patients)
        write_table(table, rows, patients)
        what = ImportJob((table,), who=Who(people), asked=Asked(zone="America/New_York"))
        filled = _timed(lambda: _fill(what, folder / "made", asked.workers))
        size = sum(one.stat().st_size for one in (folder / "made").iterdir() if one.is_file())
        _print(f"backfill, {asked.workers} processes", rows, *filled[:2])
        print(
            f"{size / rows:,.0f} bytes of NDJSON a row; {filled[2]:,.0f} MiB at most in memory,"
            " without files that are mapped"
        )
        if asked.spark:
            sparked = _timed(lambda: _fill(what, folder / "sparked", asked.workers, asked.spark))
            _print(f"backfill, Spark {asked.spark}", rows, *sparked[:2])
            print(
                f"{sparked[2]:,.0f} MiB at most in memory; Spark / {asked.workers} processes:"
                f" {filled[0] / sparked[0]:.2f} by the clock, {filled[1] / sparked[1]:.2f} by CPU"
            )
        if not asked.no_import:
            imported = _timed(lambda: asyncio.run(_import(what, folder / "store.db")))
            _print("import into SQLite", rows, *imported[:2])
            print(
                f"backfill / import: {imported[0] / filled[0]:.1f} by the clock,"
                f" {imported[1] / filled[1]:.1f} by CPU"
            )


def _print(what: str, rows: int, taken: float, used: float) -> None:
    print(
        f"{what:<28} {rows / taken:>9,.0f} rows/s  {rows / used:>9,.0f} a CPU second"
        f" ({used / rows * 1e6:.0f} µs a row)"
    )


def _timed(work: Callable[[], Any]) -> tuple[float, float, float]:
    """Seconds by the clock, of CPU of all processes, and MiB of these at most."""
    with _Watch() as watch, rare_collections():
        start = time.perf_counter()
        work()
        taken = time.perf_counter() - start
    return taken, watch.used, watch.most


def _fill(what: ImportJob, folder: Path, workers: int, master: str = "") -> None:
    basis, into, plan, _ = asyncio.run(begin_backfill(BackfillJob(what, folder, workers)))
    if master:
        filled = run_on_spark(basis, into, plan, master)
    else:
        filled = run_backfill(basis, into, plan, workers)
    assert filled.report.counts.quarantined == 0


async def _import(what: ImportJob, path: Path) -> None:
    store = open_store(path)
    report = await run_import(store, DEFAULT_PROJECT, what)
    assert report.counts.quarantined == 0
    await store.close()


class _Watch:
    """Looks, now and then, at this process and all that come of it: their memory and their CPU.

    Of what they share each has its part. Files that are mapped do not count: the system lets go of
    them where it needs the room. A process of Spark ends without anybody who would know what it has
    used, so each is looked at while it is there.
    """

    def __enter__(self) -> _Watch:
        self.most, self._done = 0.0, threading.Event()
        self._seen: dict[str, float] = {}
        self._look()
        self._before = sum(self._seen.values())
        self._thread = threading.Thread(target=self._every, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._look()
        self.used = sum(self._seen.values()) - self._before

    def _every(self) -> None:
        turn = 0
        while not self._done.wait(0.1):
            turn += 1
            there = self._look()
            if turn % 10 == 0:
                self.most = max(self.most, sum(map(_pss, there)) / 1024)

    def _look(self) -> list[Path]:
        """Those that are there; what they have used by now is kept."""
        there = [Path("/proc/self")]
        for one in there:
            for children in one.glob("task/*/children"):
                with suppress(OSError):
                    there += [Path("/proc", child) for child in children.read_text().split()]
            with suppress(OSError):
                told = (one / "stat").read_text()
                user, system = told.rpartition(")")[2].split()[11:13]
                self._seen[told.partition(" ")[0]] = (int(user) + int(system)) / _TICKS
        return there


def _pss(process: Path) -> int:
    """KiB of a process; 0 where it is gone."""
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:")), 0)


def phone(patient: int) -> str:
    return f"+1207{5_000_000 + patient:07d}"


def _write_people(path: Path, patients: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(("kind", "id", "family", "phone"))
        rows.writerow(("organization", "practice", "Bench", PRACTICE))
        rows.writerows(("patient", f"p{n}", f"Family{n}", phone(n)) for n in range(patients))


def write_table(path: Path, count: int, patients: int) -> None:
    random = Random(7)
    at = [random.randrange(86_400) for _ in range(patients)]
    with path.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(("id", "sent", "from", "to", "text"))
        for number in range(count):
            patient = random.randrange(patients)
            # Five messages or so make a day of writing; then some days go by.
            at[patient] += random.randrange(60, 1800)
            if random.random() < 0.2:
                at[patient] += random.randrange(1, 9) * 86_400
            ends = (phone(patient), PRACTICE)
            sent = (_START + timedelta(seconds=at[patient])).isoformat()
            rows.writerow((number, sent, *ends[:: 1 - 2 * (number % 2)], f"{number}: {_TEXT}"))
