"""Two projects of a server do not see each other, by anything that can be asked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.unit.projects.neighbours import FURTHER, RUNNER, SECRETS, Neighbours

# The path of these is set by the module above.
from tests.unit.access.attacks import (  # isort: skip
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
from tests.unit.access.world import NAMES, WORLD, Answered, key, uuid  # isort: skip

from threadwell.api.endpoints import table
from threadwell.api.rest import routes
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.memory import MemoryStore
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sqlite import SqliteStore

IS_CAMPAIGN = os.environ.get("THREADWELL_EXAMPLES") == "campaign"
#: One attack of so many is made in memory, and on a store with SQL; a campaign makes all.
PARTS = (1, 1) if IS_CAMPAIGN else (13, 60)
#: One resource of each type that the other project has.
EACH = tuple({key(name).type: name for name in reversed(WORLD)}.values())


def beside() -> Iterator[Ask]:
    """What is there beside resources: accounts, clients, policies, keys, deliveries, the trail."""
    for path in (
        *("User", "ProjectMembership", "Project", "ClientApplication", "AccessPolicy"),
        *(f"User?email={SECRETS[2]}", f"ClientApplication/{uuid(7000)}", "Bot"),
        *(f"AccessPolicy/{uuid(7001)}", f"Project/{DEFAULT_PROJECT}", f"Project/{FURTHER}"),
        *(f"/admin/projects/{project}" for project in (DEFAULT_PROJECT, FURTHER)),
        *("AuditEvent?_total=accurate", "/auth/me", "/hooks/desk", "_history", "$export"),
        *("/oauth2/userinfo", "/health/ready", "/metrics", ".well-known/smart-configuration"),
    ):
        yield Ask("GET", path)
    for project in (DEFAULT_PROJECT, FURTHER):
        client = {"resourceType": "ClientApplication", "name": "made"}
        yield Ask("POST", f"/admin/projects/{project}/client", client)
        body = {"resourceType": "Practitioner", "firstName": "A", "lastName": "B"}
        invited = {**body, "email": SECRETS[2], "sendEmail": False}
        yield Ask("POST", f"/admin/projects/{project}/invite", invited)
        yield Ask("POST", f"/admin/projects/{project}/bot", {})
        for kept in ("secrets", "settings", "sites"):
            yield Ask("POST", f"/admin/projects/{project}/{kept}", [{"name": "x", "domain": []}])
        for method in ("GET", "POST", "DELETE"):
            yield Ask(method, f"/admin/projects/{project}/members/{uuid(7003)}", {})
    form = {"content-type": "application/x-www-form-urlencoded"}
    for name in ("User", "ProjectMembership", "Project", "ClientApplication", "AccessPolicy"):
        yield Ask("POST", f"{name}/_search", b"name=q", form)
        yield Ask("POST", name, {"resourceType": name})
    yield Ask("POST", f"ClientApplication/{uuid(7000)}/$rotate-secret", {})
    for name in ("introspect", "revoke"):
        yield Ask("POST", f"/oauth2/{name}", f"token={uuid(7002)}".encode(), form)
    used = {"resourceType": "ClientApplication", "id": uuid(7000), "name": "ours"}
    yield Ask("PUT", f"ClientApplication/{uuid(7000)}", used)
    yield Ask("DELETE", f"ClientApplication/{uuid(7000)}")
    yield Ask("DELETE", f"AccessPolicy/{uuid(7001)}")


def asks() -> Iterator[Ask]:
    """All of it; what writes comes last."""
    own, of_type = sorted(set(routes._OWN)), sorted(set(routes._OWN_OF_TYPE))
    reading = chain(pages(), *(searches(n) for n in EACH), *(filters(n) for n in EACH))
    graph = chain(graph_pages(), *(graph_searches(n) for n in EACH))
    yield from (Ask("GET", path) for path in dict.fromkeys(chain(reading, graph)))
    yield from graph_links()
    yield from chain(*(about(name) for name in WORLD))
    yield from chain(*(acts(name, own, of_type) for name in EACH[:3]))
    yield from chain(*(writes(name) for name in EACH))
    yield from chain(*(graph_writes(name) for name in EACH))


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
            url: str = request.getfixturevalue("postgres_url")
            pair = PostgresStore.open(url), PostgresStore.open(f"{url}other")
    yield pair
    for store in pair:
        RUNNER.run(store.close())


@pytest.mark.parametrize("asker", [DEFAULT_PROJECT, FURTHER], ids=["the first", "a further one"])
def test_nobody_can_tell_what_the_other_project_has(
    stores: tuple[Store, Store], asker: str
) -> None:
    beside_it = Neighbours(stores[0], asker, whole=True)
    alone = Neighbours(stores[1], asker, whole=False)
    part = PARTS[not isinstance(stores[0], MemoryStore)]
    chosen = [*list(asks())[len(asker) % part :: part], *beside()]
    apart: list[tuple[Ask, Answered, Answered]] = []
    for ask in chosen:
        here = beside_it.ask(ask.method, ask.path, ask.body, **ask.headers)
        there = alone.ask(ask.method, ask.path, ask.body, **ask.headers)
        is_told = any(secret in here.body and secret not in str(ask) for secret in SECRETS)
        same = here[:2] == there[:2] and _drawn(here.body) == _drawn(there.body)
        if is_told or not (same or ask.path in _OF_THE_SERVER):
            apart.append((ask, here, there))
    told = "\n".join(f"{ask}\n  {here}\n  {there}" for ask, here, there in apart[:3])
    assert not apart, f"{len(apart)} of {len(chosen)}\n{told}"


def _drawn(text: str) -> str:
    """A body without the secrets that are drawn anew for whoever asks for one."""
    return re.sub(r"[0-9a-f]{64}|(?<=/setpassword/~/)[\w.~-]+", "~", text)


#: What is about all that a server does: it counts requests, and knows nothing of their content.
_OF_THE_SERVER = ("/health/ready", "/metrics")


def test_the_attacks_would_notice() -> None:
    """Whoever asks the other project itself sees all of it: the test above can fail."""
    world = Neighbours(MemoryStore(), FURTHER, whole=True)
    seen = Neighbours(MemoryStore(), DEFAULT_PROJECT, whole=False)
    seen.run(seen._settle(seen._mine()))
    found = {ask.path for ask in beside() if any(s in seen.ask(*ask[:3]).body for s in SECRETS)}
    assert {"User", "ProjectMembership"} <= found
    assert world.ask("GET", NAMES["bell"]).status == 404
    assert seen.ask("GET", NAMES["bell"]).status == 200


#: Endpoints at which nobody is anybody yet, or that a test of their own asks: why.
ELSEWHERE = {
    "auth": "signing in has tests of its own",
    "oauth2": "signing in has tests of its own",
    "healthcheck": "it says that the process is there",
    "health": "it tells of the server",
    "storage": "its URL is signed with the secret of a project",
    "hooks": "its path names the project",
    ".well-known": "public keys, and where things are",
}


def test_every_endpoint_is_asked() -> None:
    """One that is new fails here: ask for it in ``beside``, or say why not."""
    whole = [ask.path if ask.path[0] == "/" else f"/fhir/R4/{ask.path}" for ask in beside()]
    paths = {path[1:].partition("?")[0] for path in whole}
    lacking = [path for path in table._PATHS if path not in paths]
    lacking += [
        one.pattern
        for one, _ in (*table._PATTERNS.values(), *table._SEVERAL)
        if not any(one.fullmatch(path) for path in paths)
    ]
    assert [one for one in lacking if one.partition("/")[0] not in ELSEWHERE] == []
