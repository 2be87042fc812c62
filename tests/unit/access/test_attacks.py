"""Nobody can tell, by anything that they ask, what is hidden from them: two worlds answer alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from tests.unit.access.attacks import (
    Ask,
    about,
    acts,
    filters,
    graph_links,
    graph_pages,
    graph_searches,
    graph_writes,
    pages,
    searches,
    writes,
)
from tests.unit.access.roundabout import roundabout
from tests.unit.access.world import (
    ALL_ROLES,
    KEPT,
    NAMES,
    ROLES,
    RUNNER,
    WORLD,
    Answered,
    World,
    key,
)
from threadwell.api.endpoints import table
from threadwell.api.exchange import Request
from threadwell.api.rest import capability, export, import_, routes, versions, view_run
from threadwell.fhir.outcome import FhirError
from threadwell.fhir.search import parse
from threadwell.stores.contract import Store
from threadwell.stores.memory import MemoryStore
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sqlite import SqliteStore

#: Operations of ours, as the routes have them.
OPERATIONS = sorted(set(routes._OWN))
OF_TYPE = sorted(set(routes._OWN_OF_TYPE))
IS_CAMPAIGN = os.environ.get("THREADWELL_EXAMPLES") == "campaign"
#: One attack of so many is made in memory, and on a store with SQL; a campaign makes all.
PARTS = (1, 1) if IS_CAMPAIGN else (6, 20)


def asks(role: str) -> Iterator[Ask]:
    """All attacks of somebody with a role, each once; those that write come last."""
    # What is asked about a type is the same for each hidden resource of it.
    yield from {repr(ask): ask for ask in _asks(role)}.values()


def _asks(role: str) -> Iterator[Ask]:
    hidden = ALL_ROLES[role].hidden
    each = list({key(name).type: name for name in reversed(hidden)}.values())
    graph = chain(graph_pages(), *(graph_searches(name) for name in each))
    expressions = chain(*(filters(name) for name in each))
    reading = chain(pages(), *(searches(name) for name in each), expressions, graph)
    yield from (Ask("GET", path) for path in dict.fromkeys(reading))
    yield from graph_links()
    yield from chain(*(about(name) for name in hidden))
    yield from chain(*(roundabout(name) for name in each))
    yield from chain(*(acts(name, OPERATIONS, OF_TYPE) for name in each[:3]))
    yield from chain(*(writes(name) for name in each))
    yield from chain(*(graph_writes(name) for name in each))


def differ(ask: Ask, here: Answered, there: Answered) -> bool:
    """Whether two answers tell the worlds apart: a search also by how often it asks the store."""
    is_search = ask.method == "GET" and "/" not in ask.path and "_history" not in ask.path
    return here[:3] != there[:3] or (is_search and here.steps != there.steps)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Two empty stores of a kind."""
    pair: tuple[Store, Store]
    match request.param:
        case "memory":
            pair = MemoryStore(), MemoryStore()
        case "sqlite":
            pair = SqliteStore.open(tmp_path / "a.db"), SqliteStore.open(tmp_path / "b.db")
        case _:
            urls = request.getfixturevalue("empty_postgres_urls")
            pair = PostgresStore.open(next(urls)), PostgresStore.open(next(urls))
    with KEPT.lent():
        yield pair
        for store in pair:
            RUNNER.run(store.close())


@pytest.mark.parametrize("role", ALL_ROLES)
def test_the_worlds_cannot_be_told_apart(stores: tuple[Store, Store], role: str) -> None:
    one = World(stores[0], role, whole=True)
    other = World(stores[1], role, whole=False)
    part = PARTS[not isinstance(stores[0], MemoryStore)]
    made = list(asks(role))
    # Which of them, that differs from role to role.
    chosen = made[list(ALL_ROLES).index(role) % part :: part]
    apart = []
    for ask in chosen:
        here = one.ask(ask.method, ask.path, ask.body, **ask.headers)
        there = other.ask(ask.method, ask.path, ask.body, **ask.headers)
        if differ(ask, here, there):
            apart.append((ask, here, there))
    told = "\n".join(f"{ask}\n  {here}\n  {there}" for ask, here, there in apart[:3])
    assert not apart, f"{len(apart)} of {len(chosen)}\n{told}"


@pytest.mark.parametrize("role", ALL_ROLES)
def test_what_is_not_hidden_is_seen(role: str) -> None:
    """A policy that hides everything would pass the other test."""
    world = World(MemoryStore(), role, whole=True)
    hidden = set(ALL_ROLES[role].hidden)
    for name in WORLD:
        status = world.ask("GET", NAMES[name]).status
        assert (status == 200) is (name not in hidden), (name, status)


def test_the_worlds_are_not_the_same() -> None:
    """Whoever may see everything tells them apart at once: the test above can fail."""
    for role in ROLES:
        one, other = (World(MemoryStore(), role, whole=whole) for whole in (True, False))
        for world in (one, other):
            world.free()
        name = ROLES[role].hidden[-1]
        told = [
            ask
            for ask in chain(about(name), roundabout(name))
            if ask.method == "GET"
            and differ(ask, one.ask("GET", ask.path), other.ask("GET", ask.path))
        ]
        assert len(told) > 8, role


def test_every_handler_is_attacked() -> None:
    """A way to data without an attack fails here: make one in ``attacks``."""
    reached = set()
    for role in ROLES:
        for ask in asks(role):
            request = Request(ask.method, ask.path.partition("?")[0], "", {})
            with suppress(FhirError):
                methods = routes._find(request)
                reached.add(methods.get("GET" if ask.method == "HEAD" else ask.method))
    tables = [
        *(routes._TYPE, routes._EVERYTHING, routes._TYPE_OPERATIONS["_search"], routes._INSTANCE),
        *(
            routes._TYPE_OPERATIONS["$validate"],
            routes._TYPE_OPERATIONS["_history"],
            *routes._INSTANCE_OPERATIONS.values(),
        ),
        *(routes._VERSION, routes._SEARCH, routes._SEARCH_BY_FORM, routes._ACROSS),
        *(routes._ACROSS_BY_FORM, routes._BINARY_TYPE, routes._BINARY_INSTANCE),
        *(routes._AUDIT_TYPE, routes._AUDIT_BY_FORM, routes._AUDIT_INSTANCE),
        *(routes._BINARY_VERSION, *routes._OWN.values(), *routes._OWN_OF_TYPE.values()),
        *routes._SYSTEM.values(),
    ]
    # Those of terminology are in the tables of operations, of one resource and of a type.
    assert tables_of(routes) == len(tables) + len(routes._OF_TERMINOLOGY)
    below = (export.STATUS, export.FILE, import_.STATUS, import_.FILE, view_run.SENT, view_run.OURS)
    all_there = {handler for methods in (*tables, *below) for handler in methods.values()}
    without_data = {capability.metadata, versions.versions}
    assert all_there - without_data - reached == set()


def tables_of(module: object) -> int:
    """How many tables of methods the routes have: the test above names each."""
    found = 0
    for name, value in vars(module).items():
        if name.startswith("_") and isinstance(value, dict) and name != "_INTERACTIONS":
            values = list(value.values())
            if values and all(isinstance(one, dict) for one in values):
                found += len(values)
            elif values and all(callable(one) for one in values) and not name.startswith("__"):
                found += 1
    return found


def test_every_parameter_about_a_result_is_attacked() -> None:
    """One that is new needs an attack of its own, in ``attacks.pages``."""
    names = {
        name
        for ask in [Ask("GET", path) for path in pages()]
        for name, _ in parse_qsl(ask.path.partition("?")[2], keep_blank_values=True)
    }
    same = {"_include:recurse", "_revinclude:recurse", "_fields", "_cursor", "_summary"}
    without_data = {"_format", "_pretty"}
    assert set(parse._RESULTS) - names - same - without_data == set()


def test_every_endpoint_is_known() -> None:
    """What is beside FHIR shows no resource, but for what ``test_doors`` names."""
    several = {path.partition("/")[0] for path in table._OF_SEVERAL}
    assert {path.partition("/")[0] for path in table._PATHS} | set(table._PATTERNS) | several == {
        *("healthcheck", "health", "metrics", "oauth2", "auth", ".well-known", "fhir"),
        *("storage", "hooks", "admin"),
    }
