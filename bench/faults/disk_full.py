"""A disk without space: writes are refused, reads go on, and all is well once there is room.

Needs a small file system of its own: run as root on Linux (a tmpfs is mounted), or give its folder
in $THREADWELL_SMALL_DISK.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.faults.server import Options, Server, serving, until

_SIZE = "24m"


def run(options: Options) -> None:
    """Fill the disk with something else, write, make room, write."""
    if options.store:
        print("skipped: this is about a file")
        return
    with _small_disk() as folder:
        if folder is None:
            print("skipped: it takes root on Linux, or $THREADWELL_SMALL_DISK")
            return
        with serving(options, folder=folder) as server, server.client() as client:
            _show(server, client, folder / "something-else")


def _show(server: Server, client: httpx.Client, other: Path) -> None:
    ids = [_create(client).json()["id"] for _ in range(20)]
    _fill(other)
    statuses: Counter[int] = Counter()
    for _ in range(200):
        answer = _create(client)
        statuses[answer.status_code] += 1
        if answer.status_code == 201:
            ids.append(answer.json()["id"])
    told = ", ".join(f"{n} × {status}" for status, n in sorted(statuses.items()))
    lines = sum("failed" in line for line in server.log.read_text().splitlines())
    print(f"full: {told}; lines of that in the log: {lines}", end="; ")
    print(f"not ready after {until(server, 'health/ready', 503):.1f} s")
    print(f"full: {_readable(client, ids)} of {len(ids)} acknowledged can be read")
    other.unlink()
    print(f"room: ready after {until(server, 'health/ready', 200):.1f} s, no restart", end=" ")
    print(f"({server.metrics()['threadwell_worker_restarts_total']:.0f})")
    ids += [_create(client).raise_for_status().json()["id"] for _ in range(20)]
    print(f"room: {_readable(client, ids)} of {len(ids)} acknowledged can be read")


def _create(client: httpx.Client) -> httpx.Response:
    return client.post("Basic", json={"resourceType": "Basic", "code": {"text": "x" * 20_000}})


def _readable(client: httpx.Client, ids: list[str]) -> int:
    return sum(client.get(f"Basic/{id_}").status_code == 200 for id_ in ids)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(65536)):
                pass
        except OSError:
            return


@contextmanager
def _small_disk() -> Iterator[Path | None]:
    given = os.environ.get("THREADWELL_SMALL_DISK")
    if given:
        yield Path(given)
        return
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", folder]
        try:
            mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
        except OSError:
            mounted = False
        try:
            yield Path(folder) if mounted else None
        finally:
            if mounted:
                subprocess.run(["umount", folder], check=True)
