"""A server to be hard on: started, logged in to, watched."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

_THREADWELL = [sys.executable, "-m", "threadwell"]


@dataclass(frozen=True)
class Options:
    """How long each load is held, by how many workers, on which store (``""``: a new file).

    Of ``live``: how many ``kills`` there are at least, at every how many steps, from which
    ``seed``, and on which ``ways`` (``()``: all). Of ``hostile``: how many ``requests`` a store.
    """

    seconds: float
    workers: int
    store: str = ""
    kills: int = 0
    every: int = 20
    seed: int = 0
    ways: tuple[str, ...] = ()
    requests: int = 20_000


@dataclass(frozen=True)
class Server:
    """A running server. ``authorization`` is the value of that header."""

    process: subprocess.Popen[str]
    url: str
    port: int
    store: str
    authorization: str
    log: Path

    def client(self) -> httpx.Client:
        """A client that is logged in."""
        headers = {"authorization": self.authorization}
        return httpx.Client(base_url=f"{self.url}fhir/R4/", headers=headers, timeout=30)

    def metrics(self) -> dict[str, float]:
        """Every series by its name and labels."""
        text = httpx.get(f"{self.url}metrics", timeout=10).text
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    def resident(self) -> float:
        """MiB of all workers."""
        told = self.metrics().items()
        return sum(v for k, v in told if k.startswith("process_resident_memory_bytes")) / 2**20

    def workers(self) -> list[int]:
        """Their process ids."""
        return [int(v) for k, v in self.metrics().items() if k.startswith("threadwell_worker_pid")]


@contextmanager
def serving(
    options: Options, *more: str, folder: Path | None = None, **environment: str
) -> Iterator[Server]:
    """``threadwell serve`` until the end; its log is shown if it held a traceback."""
    with tempfile.TemporaryDirectory() as own:
        store = options.store or str((folder or Path(own)) / "faults.db")
        added = subprocess.run(
            [*_THREADWELL, "client", "add", "faults", "--store", store],
            check=True,
            capture_output=True,
        )
        log = Path(own) / "server.log"
        command = [*_THREADWELL, "serve", "--store", store, "--port", "0", *more]
        command += ["--workers", str(options.workers)]
        with log.open("w") as errors:
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, **environment},
            )
        try:
            yield _logged_in(process, json.loads(added.stdout), store, log)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(40)
            if "Traceback" in log.read_text():
                print(log.read_text())


def _logged_in(
    process: subprocess.Popen[str], client: dict[str, str], store: str, log: Path
) -> Server:
    assert process.stdout
    shown = ""
    while "Ctrl-C" not in shown:
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"the server did not start:\n{log.read_text()}")
        shown += line
    found = re.search(r"http://\S+:(\d+)/", shown)
    assert found
    form = {"grant_type": "client_credentials", **client}
    token = httpx.post(f"{found[0]}oauth2/token", data=form).raise_for_status().json()
    bearer = f"Bearer {token['access_token']}"
    return Server(process, found[0], int(found[1]), store, bearer, log)


def until(server: Server, path: str, status: int, seconds: float = 30) -> float:
    """Seconds until ``path`` answers with that status."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        try:
            if httpx.get(f"{server.url}{path}", timeout=5).status_code == status:
                return time.monotonic() - started
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"{path} does not come to answer {status}")
