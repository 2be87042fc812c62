"""How a test of the suite runs: one event loop, one empty store, closed at its end.

Tests that only read share a store: to fill one takes many times as long as to ask it.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar
from urllib.parse import parse_qsl

import pytest

from threadwell.fhir.resource import Resource
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Page, Store, Stored, Write

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="Contract")

#: 2024-04-10T09:00:00Z in milliseconds: when the first write of a scenario happens.
START = 1_712_739_600_000

#: Seconds after which a store is taken to have lost what a test waits for: it fails, and does not
#: hang. No store needs a hundredth of them.
_PATIENCE = 120


class Contract:
    """What the parts of the suite have in common."""

    def open(self, path: Path) -> Store:
        """An empty store; ``path`` is an empty folder."""
        raise NotImplementedError

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Have a test run to its end: on an event loop of its own, unless it is overridden."""
        asyncio.run(work)

    @pytest.fixture(scope="class")
    @classmethod
    def shared(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
        """The stores of those tests that only read."""
        shared = Shared(tmp_path_factory)
        yield shared
        shared.close()


@asynccontextmanager
async def nothing_kept() -> AsyncIterator[None]:
    """Whatever was to be written is free in the end, without a look of Python's for cycles.

    Servers let Python look rarely, and what is refused may be large. A thread that wrote may hold
    its last batch until it is scheduled again: what is in a cycle is never free, and that fails.
    """
    gc.collect()
    # What other tests of this process have left behind is none of this one's.
    others = _writes()
    known = {id(one) for one in others}
    gc.disable()
    try:
        yield
        patience = time.monotonic() + _PATIENCE / 10
        while kept := sum(id(one) not in known for one in _writes()):
            assert time.monotonic() < patience, f"{kept} writes are held"
            await asyncio.sleep(0.01)
    finally:
        gc.enable()


def _writes() -> list[Write]:
    return [one for one in gc.get_objects() if isinstance(one, Write)]


class Desk:
    """A store with the clock and the short cuts that tests like to have."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._now = START

    def write(
        self, resource: Resource, before: Stored | None = None, content: bytes | None = None
    ) -> Write:
        """A write of the resource under its ``id``, a second later than the one before."""
        self._now += 1000
        id_ = resource["id"]
        stamped, body = stamp(resource, id_, new_id(self._now), self._now)
        return Write(
            resource["resourceType"],
            id_,
            stamped["meta"]["versionId"],
            self._now,
            stamped,
            body,
            before,
            "ClientApplication/desk",
            content,
        )

    def deletion(self, before: Stored) -> Write:
        """The deletion of a version."""
        self._now += 1000
        version_id = new_id(self._now)
        return Write(before.type, before.id, version_id, self._now, None, b"", before)

    async def put(self, *resources: Resource, project: str = DEFAULT_PROJECT) -> list[Stored]:
        """Create or update the resources, one commit each, and read them."""
        out = []
        for resource in resources:
            before = await self.read(resource["resourceType"], resource["id"], project)
            await self.commit(self.write(resource, before), project=project)
            out.append(await self.must_read(resource["resourceType"], resource["id"], project))
        return out

    async def commit(self, *writes: Write, project: str = DEFAULT_PROJECT) -> None:
        """One change set without further preconditions."""
        await self.store.commit(project, ChangeSet(writes))

    async def read(self, type_: str, id_: str, project: str = DEFAULT_PROJECT) -> Stored | None:
        """The current version."""
        return await self.store.read(project, type_, id_)

    async def must_read(self, type_: str, id_: str, project: str = DEFAULT_PROJECT) -> Stored:
        """The current version of what is there."""
        stored = await self.read(type_, id_, project)
        assert stored is not None
        return stored

    async def search(self, search: str, project: str = DEFAULT_PROJECT) -> Page:
        """The page for ``Type?parameters``."""
        return await self.store.search(project, query(search))

    async def ids(self, search: str, project: str = DEFAULT_PROJECT) -> list[str]:
        """The ids of the matches, in their order."""
        return [stored.id for stored in (await self.search(search, project)).matches]


#: Fills a store.
Begin: TypeAlias = Callable[[Desk], Awaitable[None]]


def scenario(
    test: Callable[Concatenate[S, Desk, P], Awaitable[None]],
) -> Callable[..., None]:
    """A test of the suite from a coroutine that takes a ``Desk`` after ``self``."""

    async def run(self: S, path: Path, *args: Any, **kwargs: Any) -> None:
        store = self.open(path)
        try:
            async with asyncio.timeout(_PATIENCE):
                await test(self, Desk(store), *args, **kwargs)
        finally:
            await store.close()

    @wraps(test)
    def runner(self: S, tmp_path: Path, *args: Any, **kwargs: Any) -> None:
        self.run(run(self, tmp_path, *args, **kwargs))

    # pytest reads the fixtures off the signature: the desk is ours, the folder is pytest's.
    _replace_parameter(runner, "desk", "tmp_path")
    return runner


class Shared:
    """Stores that were filled once, on an event loop of their own."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._runner = asyncio.Runner()
        self._desks: dict[Begin, Desk] = {}

    def run(self, work: Callable[[Desk], Awaitable[T]], contract: Contract, begin: Begin) -> T:
        """What ``work`` returns about the store that begins so."""
        return self._runner.run(self._run(work, contract, begin))

    def close(self) -> None:
        """Let go of every store."""
        for desk in self._desks.values():
            self._runner.run(desk.store.close())
        self._runner.close()

    async def _run(
        self, work: Callable[[Desk], Awaitable[T]], contract: Contract, begin: Begin
    ) -> T:
        async with asyncio.timeout(_PATIENCE):
            if begin not in self._desks:
                desk = Desk(contract.open(self._folders.mktemp("shared")))
                await begin(desk)
                self._desks[begin] = desk
            return await work(self._desks[begin])


def reading(
    begin: Begin,
) -> Callable[[Callable[Concatenate[S, Desk, P], Awaitable[None]]], Callable[..., None]]:
    """As ``scenario``, for a test that writes nothing to a store that ``begin`` has filled.

    All such tests of a class share the store that begins as theirs does.
    """

    def decorate(
        test: Callable[Concatenate[S, Desk, P], Awaitable[None]],
    ) -> Callable[..., None]:
        @wraps(test)
        def runner(self: S, shared: Shared, *args: Any, **kwargs: Any) -> None:
            shared.run(lambda desk: test(self, desk, *args, **kwargs), self, begin)

        _replace_parameter(runner, "desk", "shared")
        return runner

    return decorate


def query(search: str) -> Query:
    """The query of ``Type?parameters``."""
    type_, _, parameters = search.partition("?")
    return parse_query(type_, pairs(parameters))


def pairs(parameters: str) -> Sequence[tuple[str, str]]:
    """The parameters of a query string; a plus stays one."""
    return parse_qsl(parameters.replace("+", "%2B"), keep_blank_values=True)


def _replace_parameter(function: Callable[..., None], old: str, new: str) -> None:
    was = signature(function)
    parameters = [p.replace(name=new) if p.name == old else p for p in was.parameters.values()]
    function.__signature__ = was.replace(parameters=parameters)  # type: ignore[attr-defined]
