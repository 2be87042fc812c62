"""A real server process on a real socket, and one client registration on it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

import stem
from threadwell.app import open_store
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.stores.contract import DEFAULT_PROJECT

from .desk import enter, troubled, troubled_sample
from .pages import FLAGS

__all__ = ["enter", "troubled", "troubled_sample"]

_SCHEMAS = count()
THREADWELL = [sys.executable, "-m", "threadwell"]

# Whoever waits for a page goes on once it is as expected: five seconds are none on a busy machine.
expect.set_options(timeout=60_000)


@dataclass(frozen=True)
class Server:
    """Where a running server is, and how to log in to it."""

    base_url: str
    store: str
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


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """``threadwell serve`` on an empty store: a file and one process, PostgreSQL and two."""
    folder = tmp_path_factory.mktemp("server")
    log = folder / "log"
    store, workers = str(folder / "threadwell.db"), "1"
    if request.param == "postgres":
        store, workers = f"{request.getfixturevalue('postgres_server').url()}&schema=e2e", "2"
    port = free_port()
    client = json.loads(stem.run([*THREADWELL, "client", "add", "tests", "--store", store]))
    command = [*THREADWELL, "serve", "--store", store, "--port", str(port)]
    command += ["--workers", workers]
    with log.open("wb") as out:
        process = stem.start(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            base_url = f"http://127.0.0.1:{port}/"
            _wait(base_url + "healthcheck", process, log)
            yield Server(base_url, store, client["client_id"], client["client_secret"])
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture(params=["sqlite", "postgres"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Answers with the URL of another store that does not exist yet, each time."""
    numbers = count()

    def make() -> str:
        number = next(numbers)
        if request.param == "sqlite":
            return str(tmp_path / f"store{number}.db")
        server = request.getfixturevalue("postgres_server")
        return f"{server.url()}&schema=new{next(_SCHEMAS)}"

    return make


@pytest.fixture(params=["sqlite", "postgres"])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Answers with the URL of another store that has nothing in it, each time.

    In PostgreSQL it is lent: for tests of which no process is killed.
    """
    if request.param == "sqlite":
        numbers = count()
        yield lambda: str(tmp_path / f"store{next(numbers)}.db")
        return
    server = request.getfixturevalue("postgres_server")
    schemas = request.getfixturevalue("postgres_schemas")
    lent: list[str] = []

    def lend() -> str:
        lent.append(schemas.lend())
        return f"{server.url()}&schema={lent[-1]}"

    yield lend
    for schema in lent:
        schemas.take_back(schema)


@pytest.fixture(scope="module")
def chrome(chromium: str) -> Iterator[Browser]:
    """A real Chromium, for the tests of a module."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


def free_port() -> int:
    """A port that nobody listens on."""
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


@pytest.fixture
def live_resources() -> Callable[[str | Path], dict[str, Any]]:
    """Answers with all that counts in a store of messages, without what a server adds to it.

    What is withdrawn does not count. A Binary comes with its bytes.
    """
    return lambda url: asyncio.run(_live(url))


_WRITTEN = (
    *("Encounter", "Communication", "Group", "Task", "Binary"),
    *("Organization", "Patient", "RelatedPerson", "Practitioner"),
)


async def _live(url: str | Path) -> dict[str, Any]:
    store = open_store(url)
    found: dict[str, Any] = {}
    try:
        for type_ in _WRITTEN:
            page = await store.search(DEFAULT_PROJECT, Query(type_, count=1000))
            assert not page.more
            for stored in page.matches:
                body = decode(stored.body)
                del body["meta"]
                withdrawn = body.get("status") in ("entered-in-error", "cancelled")
                if not withdrawn and body.get("active") is not False:
                    content = await store.content(DEFAULT_PROJECT, stored.id, stored.version_id)
                    found[f"{type_}/{stored.id}"] = body, content
    finally:
        await store.close()
    return found
