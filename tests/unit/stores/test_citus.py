"""The PostgreSQL store over several nodes, distributed as the guide says.

It needs an installed Citus, which ``make test`` does not bring. Statements that would go to more
than one node fail there, so whatever passes here was for the node of its project.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from itertools import count
from pathlib import Path

import pytest

import citus
import postgres
from threadwell.stores.contract import DEFAULT_PROJECT, START, Change, ChangeSet, Conflict
from threadwell.stores.postgres import PostgresStore, migrate
from threadwell.stores.postgres.address import parse_address
from threadwell.stores.suite import StoreContract
from threadwell.stores.suite.scenario import Desk, query
from threadwell.stores.suite.world import WORLD

BY_HAND = "left out, installed by hand only: "
CHILD = Path(__file__).with_name("postgres_child.py")
_SCHEMAS = count()


@pytest.fixture(scope="module")
def cluster(postgres_server: postgres.Server) -> Iterator[citus.Cluster]:
    """A coordinator and two workers."""
    if not citus.offered(postgres_server):
        pytest.skip(BY_HAND + "no Citus in this PostgreSQL (or in $THREADWELL_POSTGRES)")
    cluster = citus.start(postgres_server.binaries)
    yield cluster
    cluster.remove()


@pytest.fixture
def url(cluster: citus.Cluster) -> str:
    """The URL of an empty store."""
    return _distributed(cluster, cluster.url(f"citus{next(_SCHEMAS)}"))


@pytest.fixture(scope="module")
def emptied(cluster: citus.Cluster) -> str:
    """The URL of a store that is emptied for each test of the contract."""
    return _distributed(cluster, cluster.url("contract"))


def _distributed(cluster: citus.Cluster, url: str) -> str:
    asyncio.run(_fill(url))
    cluster.distribute(parse_address(url).schema)
    return url


async def _fill(url: str, *projects: str) -> None:
    store = PostgresStore.open(url)
    await store.connect()
    for project in projects:
        await store.commit(project, ChangeSet(tuple(map(Desk(store).write, WORLD))))
    await store.close()


class TestDistributedStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _database(self, cluster: citus.Cluster, emptied: str) -> None:
        tables = "resource, version, content, posting, folded, change, project, private"
        cluster.ask(f"SET search_path = contract; TRUNCATE {tables}")
        self.url = emptied

    def open(self, path: Path) -> PostgresStore:
        return PostgresStore.open(self.url)


def test_a_statement_for_more_than_one_node_fails_here(cluster: citus.Cluster, url: str) -> None:
    count = f"SELECT count(*) FROM {parse_address(url).schema}.resource"
    with pytest.raises(RuntimeError, match="multi-task query"):
        cluster.coordinator.psql(count)
    assert cluster.ask(count) == "0"


def test_each_project_is_on_a_node_with_all_that_it_had(cluster: citus.Cluster) -> None:
    url = cluster.url("citus_filled")
    projects = [DEFAULT_PROJECT, *(f"practice {n}" for n in range(5))]
    asyncio.run(_fill(url, *projects))
    cluster.distribute("citus_filled")
    homes = {pid: cluster.home("citus_filled", pid) for pid in range(1, 7)}
    assert set(homes.values()) == set(cluster.workers)
    for pid, home in homes.items():
        for worker in cluster.workers:
            assert _rows(cluster, worker, "citus_filled", pid) == len(WORLD) * (worker is home)

    async def work() -> None:
        store = PostgresStore.open(url)
        desk = Desk(store)
        for project in projects:
            assert await desk.ids("Patient?name=prado", project) == ["ana", "cem"]
            await desk.put({"resourceType": "Patient", "id": "new"}, project=project)
            assert await store.position(project) == len(WORLD) + 1
        await store.close()

    asyncio.run(work())


def _rows(cluster: citus.Cluster, worker: postgres.Server, schema: str, pid: int) -> int:
    """How many resources of a project a worker has in its own tables."""
    shards = cluster.ask(
        f"SELECT shard_name FROM citus_shards WHERE table_name = '{schema}.resource'::regclass"
        f" AND nodename = '{worker.folder}'"
    ).split()
    counts = [f"SELECT count(*) FROM {shard} WHERE pid = {pid}" for shard in shards]
    return sum(int(worker.psql(sql)) for sql in counts)


def test_the_index_is_made_anew_on_every_node(cluster: citus.Cluster, url: str) -> None:
    schema = parse_address(url).schema
    asyncio.run(_fill(url, DEFAULT_PROJECT, "another"))
    cluster.ask(
        f"SET search_path = {schema}; DELETE FROM posting; DELETE FROM folded;"
        " UPDATE setting SET value = '0' WHERE name = 'index'"
    )

    async def work() -> None:
        store = PostgresStore.open(f"{url}&citus.multi_task_query_log_level=off")
        for project in (DEFAULT_PROJECT, "another"):
            assert await Desk(store).ids("Patient?name=prado", project) == ["ana", "cem"]
            assert await Desk(store).ids("Communication?part-of=Communication/h1", project)
        await store.close()

    asyncio.run(work())


def test_a_later_schema_reaches_every_node(
    cluster: citus.Cluster, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = (
        "-- More columns.\nALTER TABLE resource ADD COLUMN colour text, ADD COLUMN size bigint;\n"
        "CREATE INDEX resource_size ON resource (pid, size);\n",
        "-- apart\nCREATE INDEX CONCURRENTLY IF NOT EXISTS resource_colour ON resource (colour);",
    )
    steps = (*migrate.migrations(), *later)
    monkeypatch.setattr(migrate, "migrations", lambda: steps)
    asyncio.run(_fill(url, DEFAULT_PROJECT))
    schema = parse_address(url).schema
    sql = (
        "SET citus.override_table_visibility = off;"
        f" SELECT count(*) FROM pg_indexes WHERE schemaname = '{schema}' AND indexname ~ "
    )
    for worker in cluster.workers:
        for name in ("size", "colour"):
            assert int(worker.psql(f"{sql} '^resource_{name}_[0-9]+$'")) == 2


def test_a_search_walks_indexes_on_the_node(url: str) -> None:
    search = (
        "Communication?part-of:missing=true&status:not=completed,entered-in-error,stopped,unknown"
        "&_sort=-_lastUpdated"
    )

    async def work() -> list[str]:
        store = PostgresStore.open(url)
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(map(Desk(store).write, WORLD))))
        plan = await store.plan(DEFAULT_PROJECT, query(search))
        await store.close()
        return [line.strip().removeprefix("->").strip() for line in plan]

    plan = asyncio.run(work())
    assert "Task Count: 1" in plan
    assert any(step.startswith("Index Only Scan Backward using posting_pkey") for step in plan)
    assert not [s for s in plan if s == "Sort" or s.startswith(("Seq Scan", "Bitmap", "Hash"))]


class Child:
    """A process that writes: see ``postgres_child``."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, str(CHILD), *arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.told: list[str] = []

    def listen(self, least: int) -> None:
        """Until it has told so many lines more."""
        assert self._process.stdout is not None
        for _ in range(least):
            line = self._process.stdout.readline()
            assert line, "it ended by itself"
            self.told.append(line.strip())

    def listen_until(self, word: str) -> None:
        self.listen(1)
        while self.told[-1] != word:
            self.listen(1)

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """End it, and take what it told before."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        text = self._process.stdout.read()
        self.told += text[: text.rfind("\n") + 1].split()
        self._process.wait(60)
        self._process.stdout.close()
        self._process.stdin.close()


def test_of_two_processes_one_creates_what_neither_found(url: str) -> None:
    children = [Child("race", url, "100") for _ in range(2)]
    for _ in range(10):
        for child in children:
            child.listen_until("done")
        for child in children:
            child.go()
    for child in children:
        child.listen_until("done")
        child.kill()
    told = [line for child in children for line in child.told if line != "done"]
    assert sorted(told) == sorted(f"v{n}" for n in range(100))


def test_of_two_processes_that_create_the_same_one_is_in_conflict(url: str) -> None:
    """Citus tells of a row that is there already as of an error without a class."""

    async def create(store: PostgresStore, n: int) -> bool:
        write = Desk(store).write({"resourceType": "Patient", "id": f"p{n}"})
        try:
            await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))
        except Conflict:
            return False
        return True

    async def work() -> None:
        stores = [PostgresStore.open(url) for _ in range(2)]
        for n in range(40):
            assert sorted(await asyncio.gather(*(create(s, n) for s in stores))) == [False, True]
        for store in stores:
            await store.close()

    asyncio.run(work())


def test_who_follows_is_told_of_all_that_two_others_write_in_order(url: str) -> None:
    async def write(store: PostgresStore, name: str) -> None:
        for n in range(40):
            await Desk(store).put({"resourceType": "Patient", "id": f"{name}{n}"})

    async def work() -> list[Change]:
        following, *writing = (PostgresStore.open(url) for _ in range(3))
        told: list[Change] = []
        both = asyncio.gather(*(write(s, name) for s, name in zip(writing, "ab", strict=True)))
        async with asyncio.timeout(60), aclosing(following.follow(DEFAULT_PROJECT, 0)) as changes:
            async for change in changes:
                told.append(change)
                if len(told) == 80:
                    break
        await both
        for store in (following, *writing):
            await store.close()
        return told

    told = asyncio.run(work())
    assert [change.position for change in told] == list(range(1, 81))
    assert {c.stored.id for c in told} == {f"{name}{n}" for name in "ab" for n in range(40)}


@pytest.mark.parametrize("lost", ["worker", "coordinator"])
def test_a_node_crashes_in_mid_write(cluster: citus.Cluster, url: str, lost: str) -> None:
    """Everything acknowledged is there once, and of each pair both or none."""
    children = [Child("write", url, name) for name in ("a", "b")]
    for child in children:
        child.listen(100)
    home = cluster.home(parse_address(url).schema, 1)
    server = home if lost == "worker" else cluster.coordinator
    for _ in range(3):
        server.stop("immediate")
        time.sleep(0.5)
        server.start()
        # They go on by themselves.
        for child in children:
            child.listen(200)
    assert_whole(url, children)


def test_projects_of_other_nodes_go_on_while_one_is_away(cluster: citus.Cluster, url: str) -> None:
    schema = parse_address(url).schema
    projects = [DEFAULT_PROJECT, *(f"practice {n}" for n in range(5))]
    asyncio.run(_fill(url, *projects))
    away = cluster.home(schema, 1)
    others = [p for pid, p in enumerate(projects, 1) if cluster.home(schema, pid) is not away]

    async def work() -> None:
        store = PostgresStore.open(url)
        for project in others:
            await Desk(store).put({"resourceType": "Patient", "id": "new"}, project=project)
            assert await store.position(project) == len(WORLD) + 1
        await store.close()

    away.stop("immediate")
    try:
        assert others
        asyncio.run(work())
    finally:
        away.start()


def test_a_project_moves_to_another_node_while_it_is_written_to(
    cluster: citus.Cluster, url: str
) -> None:
    schema = parse_address(url).schema
    children = [Child("write", url, name) for name in ("a", "b")]
    for child in children:
        child.listen(50)
    cluster.ask(f"SELECT isolate_tenant_to_new_shard('{schema}.resource', 1, 'CASCADE')")
    home = cluster.home(schema, 1)
    (other,) = set(cluster.workers) - {home}
    shard = f"get_shard_id_for_distribution_column('{schema}.resource', 1)"
    way = f"'{home.folder}', {home.port}, '{other.folder}', {other.port}"
    cluster.ask(f"SELECT citus_move_shard_placement({shard}, {way})")
    assert cluster.home(schema, 1) is other
    for child in children:
        child.listen(100)
    assert_whole(url, children)


def assert_whole(url: str, children: list[Child]) -> None:
    """End the children, and see that the store has what it told them, and no half of a pair."""
    for child in children:
        child.kill()

    async def work() -> list[str]:
        store = PostgresStore.open(url)
        found = []
        after = START
        while part := await store.versions(DEFAULT_PROJECT, after, 1000):
            found += [version.stored.id for version in part]
            after = part[-1].position
        assert await store.position(DEFAULT_PROJECT) == len(found)
        await store.close()
        return found

    found = asyncio.run(work())
    assert len(found) == len(set(found))
    assert {id_ for child in children for id_ in child.told} <= set(found)
    alone = {id_.removesuffix("-too") for id_ in found if id_.endswith("-too")}
    assert alone == {id_ for id_ in found if not id_.endswith("-too")}
