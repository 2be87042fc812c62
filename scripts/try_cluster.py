"""Tries the backfill on a real cluster: a standalone Spark of two workers on loopback.

It brings Spark into ``.cache/spark`` (400 MB), starts a master and two workers, and has a table
filled by them: into a folder that has to equal one that this machine fills alone, which the tests
compare with an import. Then again, over the same table and over one with more rows.
A backfill that is killed when its first part is there goes on: that part is not made again. Nothing
of people or messages is left on a worker's disk when it has ended.
Where there is no Java, or Spark cannot be had, it says so and ends with 1. With ``--ratio`` it
fills another folder, from so many rows, by two workers and by one, of a core each, and tells how
much faster two are: by the clock, which says nothing where others use the same cores, and by the
CPU that each process has used, which says how long it would take if each had a core of its own.

    python scripts/try_cluster.py [--rows 2000] [--ratio [--rows 200000]]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import toolbox
from used import Used

_SPARK = toolbox.ROOT / ".cache" / "spark"
#: `mapInArrow` wants pandas, though it hands over Arrow alone.
_PACKAGES = ("pyspark==4.3.0", "pandas==2.3.3")
_PRACTICE = "+12075550100"
_PATIENTS, _PHONES, _PARTITIONS = 40, 9000, 7
#: Rows that are enough to compare what is made, and to compare how long it takes.
_FEW, _MANY = 2000, 200_000
_START = datetime(2024, 1, 1, tzinfo=UTC)
_MASTER = "org.apache.spark.deploy.master.Master"
_WORKER = "org.apache.spark.deploy.worker.Worker"
_PATIENCE = 300


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ratio", action="store_true", help="how much faster are two than one?")
    asked = parser.parse_args(arguments)
    rows = _FEW if asked.ratio else asked.rows or _FEW
    if not _bring():
        return 1
    with tempfile.TemporaryDirectory() as name, ExitStack() as ending:
        folder = Path(name)
        master = ending.enter_context(_cluster(folder, asked.workers))
        _lay_out(folder, rows)
        _fill(folder, "alone")
        _kill(folder, "cluster", "--spark", master)
        there = len(list(_parts(folder / "cluster")))
        first = _fill(folder, "cluster", "--spark", master)
        _expect(first["made"] == _PARTITIONS - there, f"{there} parts are not made again: {first}")
        count = _same(folder)
        print(f"{count} resources, each equal to the one that this machine makes alone")
        again = _fill(folder, "cluster", "--spark", master)
        _expect(again["made"] == 0, f"nothing is made again, and not {again['made']} parts")
        _write(folder / "source" / "three.csv", [rows + 900])
        more = _fill(folder, "cluster", "--spark", master)
        _expect(more["made"] == 1, f"one row more makes one part anew, and not {more['made']}")
        _fill(folder, "alone")
        _same(folder)
        ending.close()
        left = [*_temporary(folder).rglob("*threadwell-*"), *_local(folder).rglob("*threadwell-*")]
        _expect(not left, f"nothing is left on a worker's disk, as are {left}")
    print("the cluster makes what one machine makes")
    if asked.ratio:
        _print_ratio(asked.rows or _MANY, asked.workers)
    return 0


def _print_ratio(rows: int, workers: int) -> None:
    clock, alone = [], []
    for count in (workers, 1):
        with tempfile.TemporaryDirectory() as name, ExitStack() as ending:
            folder = Path(name)
            master = ending.enter_context(_cluster(folder, count))
            _lay_out(folder, rows, min(max(rows // 50, _PATIENTS), _PHONES))
            start = time.monotonic()
            with Used() as used:
                _fill(folder, "cluster", "--partitions", str(8 * workers), "--spark", master)
            clock.append(time.monotonic() - start)
            by = used.by_child()
            # The driver waits for the workers, and these for each other; nothing else is done.
            at_work = sorted(taken for what, taken in by.items() if _WORKER in what)
            driver = sum(by.values()) - sum(at_work)
            alone.append(driver + at_work[-1])
            shown = " ".join(f"{one:.0f}" for one in at_work)
            print(f"{count} workers: {shown} s of CPU, the rest {driver:.0f} s", flush=True)
    print(
        f"{workers} workers : 1 worker {clock[1] / clock[0]:.2f} by the clock,"
        f" {alone[1] / alone[0]:.2f} if each has a core of its own"
    )


def _lay_out(folder: Path, rows: int, patients: int = _PATIENTS) -> None:
    (folder / "source").mkdir()
    _write_people(folder / "people.csv", patients)
    _write(folder / "source" / "one.csv", range(rows), patients)
    _write(folder / "source" / "two.csv", range(rows - 5, rows + 200), patients)


def _bring() -> bool:
    if shutil.which("java") is None and not toolbox.apt_install("default-jre-headless"):
        print("LEFT OUT: there is no Java, and it cannot be installed here", file=sys.stderr)
        return False
    there = all((_SPARK / one.partition("=")[0]).is_dir() for one in _PACKAGES)
    if not there and not toolbox.pip_install("-q", "--target", str(_SPARK), *_PACKAGES):
        print("LEFT OUT: Spark cannot be had from PyPI", file=sys.stderr)
        return False
    return True


def _temporary(folder: Path) -> Path:
    return folder / "temporary"


def _local(folder: Path) -> Path:
    return folder / "local"


def _environment(folder: Path) -> dict[str, str]:
    """The environment of every process, with folders for what is needed for a while."""
    for one in (_temporary(folder), _local(folder)):
        one.mkdir(exist_ok=True)
    return {
        **os.environ,
        "PYTHONPATH": str(_SPARK),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_HOME": str(_SPARK / "pyspark"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_NO_DAEMONIZE": "1",
        "TMPDIR": str(_temporary(folder)),
        "SPARK_LOCAL_DIRS": str(_local(folder)),
    }


@contextmanager
def _cluster(folder: Path, workers: int) -> Iterator[str]:
    """The URL of a master, while it and its workers run."""
    port = _free_port()
    master = f"spark://127.0.0.1:{port}"
    started: list[subprocess.Popen[bytes]] = []
    loopback = ["--host", "127.0.0.1", "--webui-port", "0"]
    small = ["--cores", "1", "--memory", "1g", "--work-dir", str(folder / "work")]
    with (folder / "cluster.log").open("wb") as log:
        try:
            for role in [
                [_MASTER, *loopback, "--port", str(port)],
                *([_WORKER, *loopback, *small, master] for _ in range(workers)),
            ]:
                command = [str(_SPARK / "pyspark" / "bin" / "spark-class"), *role]
                started.append(
                    subprocess.Popen(command, stdout=log, stderr=log, env=_environment(folder))
                )
                if len(started) == 1:
                    _wait_for(port, started[0])
            yield master
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                process.wait(60)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the master of the cluster did not start")


def _command(folder: Path, name: str, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "threadwell", "backfill", str(folder / "source")),
        *("--people", str(folder / "people.csv"), "--zone", "America/New_York"),
        *("--to", str(folder / name), "--partitions", str(_PARTITIONS), "--format", "json", *more),
    ]


def _kill(folder: Path, name: str, *more: str) -> None:
    """Begin to fill, and kill the driver once a part is there."""
    with (folder / "killed.log").open("wb") as log:
        driver = subprocess.Popen(
            _command(folder, name, *more), env=_environment(folder), stdout=log, stderr=log
        )
        while not any(_parts(folder / name)) and driver.poll() is None:
            time.sleep(0.01)
        driver.kill()
        driver.wait()
    _settled(folder / name)


def _settled(folder: Path) -> None:
    """Wait until no worker makes a part that it was at when its driver was killed."""
    before, until = -1, time.monotonic() + _PATIENCE
    while (there := len(list(_parts(folder)))) != before and time.monotonic() < until:
        before = there
        time.sleep(5)


def _parts(folder: Path) -> Iterator[Path]:
    return (folder / ".threadwell-backfill" / "parts").glob("*.json")


def _fill(folder: Path, name: str, *more: str) -> dict[str, int]:
    """What it tells."""
    start = time.monotonic()
    command = _command(folder, name, *more)
    done = subprocess.run(command, env=_environment(folder), capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    told: dict[str, int] = json.loads(done.stdout)
    taken = time.monotonic() - start
    print(f"{name}: {told['read']} read, {told['made']} made, {taken:.0f} s", flush=True)
    return told


def _same(folder: Path) -> int:
    """How many resources there are, where both folders have the same."""
    alone, cluster = _resources(folder / "alone"), _resources(folder / "cluster")
    _expect(alone == cluster, "the cluster makes the same resources")
    return len(alone)


def _resources(folder: Path) -> dict[str, object]:
    found = {}
    for file in folder.glob("*.ndjson"):
        for line in file.read_text(encoding="utf-8").splitlines():
            resource = json.loads(line)
            del resource["meta"]
            found[f"{resource['resourceType']}/{resource['id']}"] = resource
    return found


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise SystemExit(f"not so: {what}")


def _write_people(path: Path, patients: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(("kind", "id", "family", "phone"))
        rows.writerow(("organization", "us", "Harbour Lane", _PRACTICE))
        rows.writerows(("patient", f"p{n}", f"Family{n}", _phone(n)) for n in range(patients))


def _write(path: Path, numbers: range | list[int], patients: int = _PATIENTS) -> None:
    """Rows of some patients, of strangers, of two who share an address, and of taken ids."""
    with path.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(("id", "sent", "from", "to", "text"))
        for number in numbers:
            sent = (_START + timedelta(minutes=7 * number)).isoformat()
            ends = (_phone(number % (patients + 2)), _PRACTICE)
            ends = ends[::-1] if number % 3 == 0 else ends
            rows.writerow((number - number % 100 // 99, sent, *ends, f"Message {number}."))


def _phone(patient: int) -> str:
    return f"+1207555{200 + patient - (patient == 1):04}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
