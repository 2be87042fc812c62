"""A real server process on a real socket, and one client registration on it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

THREADWELL = [sys.executable, "-m", "threadwell"]


@dataclass(frozen=True)
class Server:
    """Where a running server is, and how to log in to it."""

    base_url: str
    store: Path
    client_id: str
    client_secret: str

    @property
    def environment(self) -> dict[str, str]:
        """What the client programs read."""
        return {
            **os.environ,
            "BASE_URL": self.base_url,
            "CLIENT_ID": self.client_id,
            "CLIENT_SECRET": self.client_secret,
        }

    def http(self) -> httpx.Client:
        """A logged-in HTTP client of the FHIR base."""
        answer = httpx.post(
            self.base_url + "oauth2/token",
            data={
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": self.client_secret,
            },
        )
        token = answer.raise_for_status().json()["access_token"]
        return httpx.Client(
            base_url=self.base_url + "fhir/R4/", headers={"Authorization": f"Bearer {token}"}
        )


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``threadwell serve`` on an empty SQLite store."""
    store = tmp_path_factory.mktemp("server") / "threadwell.db"
    log = store.with_suffix(".log")
    port = _free_port()
    client = json.loads(
        subprocess.run(
            [*THREADWELL, "client", "add", "tests", "--store", str(store)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    )
    command = [*THREADWELL, "serve", "--store", str(store), "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            base_url = f"http://127.0.0.1:{port}/"
            _wait(base_url + "healthcheck", process, log)
            yield Server(base_url, store, client["client_id"], client["client_secret"])
        finally:
            process.terminate()
            process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")
