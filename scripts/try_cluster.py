"""Tries the backfill on a real cluster: a standalone Spark of two workers on loopback.

It brings Spark into ``.cache/spark`` (400 MB), starts a master and two workers, and has a table
filled by them: into a folder that has to equal one that this machine fills alone, which the tests
compare with an import. Then again, over the same table and over one with more rows.
Where there is no Java, or Spark cannot be had, it says so and ends with 1. With ``--ratio`` it
fills the folder by one worker too, and tells how much faster two are than one: by the clock, which
says nothing where others use the same cores, and what this machine alone takes.

    python scripts/try_cluster.py [--rows 2000] [--ratio]
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

_SPARK = toolbox.ROOT / ".cache" / "spark"
#: `mapInArrow` wants pandas, though it hands over Arrow alone.
_PACKAGES = ("pyspark==4.3.0", "pandas==2.3.3")
_PRACTICE = "+12075550100"
_PATIENTS = 40
_START = datetime(2024, 1, 1, tzinfo=UTC)
_MASTER = "org.apache.spark.deploy.master.Master"
_WORKER = "org.apache.spark.deploy.worker.Worker"
_PATIENCE = 300


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ratio", action="store_true", help="how much faster are two than one?")
    asked = parser.parse_args(arguments)
    if not _bring():
        return 1
    with tempfile.TemporaryDirectory() as name, ExitStack() as ending:
        folder = Path(name)
        master = ending.enter_context(_cluster(folder, asked.workers))
        _lay_out(folder, asked.rows)
        _, alone = _fill(folder, "alone")
        _, several = _fill(folder, "cluster", "--spark", master)
        count = _same(folder)
        print(f"{count} resources, each equal to the one that this machine makes alone")
        again, _ = _fill(folder, "cluster", "--spark", master)
        _expect(again["made"] == 0, f"nothing is made again, and not {again['made']} parts")
        _write(folder / "source" / "three.csv", [asked.rows + 900])
        more, _ = _fill(folder, "cluster", "--spark", master)
        _expect(more["made"] == 1, f"one row more makes one part anew, and not {more['made']}")
        _fill(folder, "alone")
        _same(folder)
    print("the cluster makes what one machine makes")
    if asked.ratio:
        _print_ratio(asked.rows, asked.workers, alone, several)
    return 0


def _print_ratio(rows: int, workers: int, alone: float, several: float) -> None:
    with tempfile.TemporaryDirectory() as name, _cluster(Path(name), 1) as master:
        folder = Path(name)
        _lay_out(folder, rows)
        _, one = _fill(folder, "cluster", "--spark", master)
    print(f"{workers} workers : 1 worker {one / several:.2f}; this machine alone {one / alone:.2f}")


def _lay_out(folder: Path, rows: int) -> None:
    (folder / "source").mkdir()
    _write_people(folder / "people.csv")
    _write(folder / "source" / "one.csv", range(rows))
    _write(folder / "source" / "two.csv", range(rows - 5, rows + 200))


def _bring() -> bool:
    if shutil.which("java") is None and not toolbox.apt_install("default-jre-headless"):
        print("LEFT OUT: there is no Java, and it cannot be installed here", file=sys.stderr)
        return False
    there = all((_SPARK / one.partition("=")[0]).is_dir() for one in _PACKAGES)
    if not there and not toolbox.pip_install("-q", "--target", str(_SPARK), *_PACKAGES):
        print("LEFT OUT: Spark cannot be had from PyPI", file=sys.stderr)
        return False
    return True


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(_SPARK),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_HOME": str(_SPARK / "pyspark"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_NO_DAEMONIZE": "1",
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
                    subprocess.Popen(command, stdout=log, stderr=log, env=_environment())
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


def _fill(folder: Path, name: str, *more: str) -> tuple[dict[str, int], float]:
    """What it tells, and how many seconds it took."""
    command = [
        *(sys.executable, "-m", "threadwell", "backfill", str(folder / "source")),
        *("--people", str(folder / "people.csv"), "--zone", "America/New_York"),
        *("--to", str(folder / name), "--partitions", "7", "--format", "json", *more),
    ]
    start = time.monotonic()
    done = subprocess.run(command, env=_environment(), capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    told: dict[str, int] = json.loads(done.stdout)
    taken = time.monotonic() - start
    print(f"{name}: {told['read']} read, {told['made']} made, {taken:.0f} s", flush=True)
    return told, taken


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


def _write_people(path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(("kind", "id", "family", "phone"))
        rows.writerow(("organization", "us", "Harbour Lane", _PRACTICE))
        rows.writerows(("patient", f"p{n}", f"Family{n}", _phone(n)) for n in range(_PATIENTS))


def _write(path: Path, numbers: range | list[int]) -> None:
    """Rows of some patients, of strangers, of two who share an address, and of taken ids."""
    with path.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(("id", "sent", "from", "to", "text"))
        for number in numbers:
            sent = (_START + timedelta(minutes=7 * number)).isoformat()
            ends = (_phone(number % (_PATIENTS + 2)), _PRACTICE)
            ends = ends[::-1] if number % 3 == 0 else ends
            rows.writerow((number - number % 100 // 99, sent, *ends, f"Message {number}."))


def _phone(patient: int) -> str:
    return f"+1207555{200 + patient - (patient == 1):04}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
