"""The API over each kind of store, asked through ASGI by a client that is logged in.

Tests that take ``api`` or ``unhurried`` run once a store, and so do those that take ``shared_api``,
which only ask. Those that make servers of their own by ``new_api`` are about something else than
what a store does, and have one in memory.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pytest

from in_process import ask
from kept_connections import KeptConnections
from threadwell.api.app import create_app
from threadwell.api.clients import add_client
from threadwell.app import channel_labels
from threadwell.stores.contract import Store
from threadwell.stores.memory import MemoryStore
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sqlite import SqliteStore
from threadwell.users.passwords import Hashing
from threadwell.users.settings import Cost

URL = "http://testserver"
NOON = 1_710_072_000_000

T = TypeVar("T")

#: One event loop for all: a store keeps its connections from one request to the next.
RUNNER = asyncio.Runner()
KEPT = KeptConnections(RUNNER)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now


class Api:
    """A server and a client of it. Paths are below the FHIR base unless they begin with ``/``."""

    def __init__(self, **options: Any) -> None:
        self.store = options.pop("store", None) or MemoryStore()
        self.clock = Clock()
        self.app = create_app(
            self.store, base_url=URL, labels=channel_labels, clock=self.clock, **options
        )
        self.client = self.run(add_client(self.store, "tests"))
        self.basic = self.credentials(self.client.client_id, self.client.client_secret)

    never = "11111111-2222-4333-8444-555555555555"
    url = URL

    @staticmethod
    def tagged(value: str) -> list[dict[str, str]]:
        """An identifier that a condition can name: ``identifier=urn:t|value``."""
        return [{"system": "urn:t", "value": value}]

    @staticmethod
    def entry(
        method: str, url: str, resource: Any = None, full_url: str | None = None, **request: Any
    ) -> dict[str, Any]:
        """A bundle entry."""
        return {
            **({"fullUrl": full_url} if full_url else {}),
            **({"resource": resource} if resource is not None else {}),
            "request": {"method": method, "url": url, **request},
        }

    @staticmethod
    def texts(answer: httpx.Response) -> list[str]:
        """What the issues of an outcome say."""
        return [issue["details"]["text"] for issue in answer.json()["issue"]]

    @staticmethod
    def credentials(client_id: str, secret: str) -> str:
        return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()

    def call(
        self, method: str, path: str, body: Any = None, **headers: str | bytes | None
    ) -> httpx.Response:
        return self.run(self.send(method, path, body, **headers))

    @staticmethod
    def run(work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns, on the loop that the store lives in."""
        return RUNNER.get_loop().run_until_complete(work)

    async def send(
        self, method: str, path: str, body: Any = None, **headers: str | bytes | None
    ) -> httpx.Response:
        """``headers`` are named in snake case; ``None`` leaves one of the usual ones out."""
        usual: dict[str, str | bytes | None] = {
            "authorization": self.basic,
            "content-type": "application/fhir+json" if body is not None else None,
        }
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in (usual | given).items() if value is not None}
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if not path.startswith("http"):
            path = URL + (path if path.startswith("/") else f"/fhir/R4/{path}")
        return await ask(self.app, method, path, content, sent)

    def make(self, type_: str = "Patient", **members: Any) -> dict[str, Any]:
        """Create a resource."""
        answer = self.call("POST", type_, {"resourceType": type_, **members})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def bundle(self, type_: str, *entries: dict[str, Any], **headers: str) -> httpx.Response:
        body = {"resourceType": "Bundle", "type": type_, "entry": list(entries)}
        return self.call("POST", "", body, **headers)

    def ids(self, query: str) -> list[str]:
        """The ids that a search finds."""
        answer = self.call("GET", query)
        assert answer.status_code == 200, answer.text
        return [entry["resource"]["id"] for entry in answer.json().get("entry", [])]

    def versions(self, type_: str, id_: str) -> int:
        return self.call("GET", f"{type_}/{id_}/_history").json()["total"]


@pytest.fixture(scope="session", autouse=True)
def _loop() -> Iterator[None]:
    yield
    KEPT.close()


@pytest.fixture
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords are hashed in no time."""
    hashing = Hashing(Cost(8, 1, 1))
    for module in ("login", "passwords"):
        monkeypatch.setattr(f"threadwell.api.endpoints.auth.{module}.shared", lambda: hashing)
    yield
    hashing.close()


KINDS = ["memory", "sqlite", "postgres"]
Opening = Callable[[str, Path], AbstractContextManager[Store]]


@pytest.fixture(scope="session")
def opened_store(request: pytest.FixtureRequest) -> Opening:
    """Opens an empty store of a kind, whose file is in a folder."""

    @contextmanager
    def opened(kind: str, folder: Path) -> Iterator[Store]:
        if kind != "postgres":
            is_file = kind == "sqlite"
            store = SqliteStore.open(folder / "threadwell.db") if is_file else MemoryStore()
            yield store
            RUNNER.run(store.close())
            return
        url = request.getfixturevalue("postgres_server").url()
        schemas = request.getfixturevalue("postgres_schemas")
        schema = schemas.lend()
        with KEPT.lent():
            store = PostgresStore.open(f"{url}&schema={schema}")
            yield store
            RUNNER.run(store.close())
        schemas.take_back(schema)

    return opened


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, opened_store: Opening, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    if request.param == "memory" and "unhurried" in request.fixturenames:
        store = Unhurried()
        yield store
        RUNNER.run(store.close())
        return
    with opened_store(request.param, tmp_path) as store:
        yield store


@pytest.fixture
def api(store: Store) -> Api:
    return Api(store=store)


@pytest.fixture(scope="module", params=KINDS)
def shared_api(
    request: pytest.FixtureRequest,
    opened_store: Opening,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Api]:
    """One API for all tests of a module that take it.

    They look at nothing but what they have made themselves, or a fixture of the module for all;
    and that they leave as it is.
    """
    with opened_store(request.param, tmp_path_factory.mktemp("shared")) as store:
        yield Api(store=store)


class Unhurried(MemoryStore):
    """A store that lets others go first before it answers, as one on disk does."""

    async def read(self, *of: Any) -> Any:
        stored = await super().read(*of)
        await asyncio.sleep(0.001)
        return stored

    async def search(self, *of: Any) -> Any:
        page = await super().search(*of)
        await asyncio.sleep(0.001)
        return page


@pytest.fixture
def unhurried(store: Store) -> Api:
    """An API where requests that come together overlap."""
    return Api(store=store)


@pytest.fixture
def new_api() -> type[Api]:
    """Makes further servers, with options of ``create_app``."""
    return Api


@pytest.fixture
def mark() -> str:
    return uuid4().hex
