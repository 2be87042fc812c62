"""A PostgreSQL of several nodes for tests: Citus, where it is installed; nothing here brings it.

A coordinator and two workers, each a server of its own that listens on a Unix socket, by whose
folder the others know it. What is done to them is what ``docs/stores.md`` tells to do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import postgres
import toolbox

_GUIDE = toolbox.ROOT / "docs" / "stores.md"
_CHAPTER = "## Several nodes: Citus"
_STATEMENT = re.compile(r"[^;]+;")
_SETTINGS = {
    "shared_preload_libraries": "citus",
    "wal_level": "logical",
    # Minutes are long for a test.
    "citus.recover_2pc_interval": "1s",
    # Tables of so few rows want no more parts.
    "citus.shard_count": "4",
    # A statement that would go to more than one node fails.
    "citus.multi_task_query_log_level": "error",
}


def offered(server: postgres.Server) -> bool:
    """Whether Citus is installed beside that server's programs."""
    sql = "SELECT count(*) FROM pg_available_extensions WHERE name = 'citus'"
    return server.psql(sql) == "1"


@dataclass(frozen=True)
class Cluster:
    """The servers. Threadwell and everybody else connect to the coordinator only."""

    coordinator: postgres.Server
    workers: tuple[postgres.Server, ...]

    def url(self, schema: str) -> str:
        """The URL of a store."""
        return f"{self.coordinator.url()}&schema={schema}"

    def distribute(self, schema: str) -> None:
        """What the guide says of a schema that a store has made."""
        where = f"SET search_path = {schema}, public; "
        for statement in _guide("ALTER TABLE folded"):
            if not statement.startswith("SET search_path"):
                self.ask(where + statement.replace("threadwell", schema))

    def home(self, schema: str, pid: int) -> postgres.Server:
        """The worker where a project is."""
        folder = self.ask(
            f"SET search_path = {schema}, public; SELECT nodename FROM citus_shards"
            f" WHERE shardid = get_shard_id_for_distribution_column('resource', {pid})"
        )
        return next(worker for worker in self.workers if str(worker.folder) == folder)

    def ask(self, sql: str) -> str:
        """What the coordinator answers to statements that may go to every node."""
        every = "SET client_min_messages = error; SET citus.multi_task_query_log_level = off; "
        return self.coordinator.psql(every + sql)

    def remove(self) -> None:
        """Stop the servers and remove their files."""
        for server in (self.coordinator, *self.workers):
            server.remove()


def start(binaries: Path) -> Cluster:
    """New servers that know each other, with nothing in them. They wait for the disk."""
    servers: list[postgres.Server] = []
    try:
        for _ in range(3):
            server = postgres.start_server(binaries, durable=True, **_SETTINGS)
            servers.append(server)
            server.psql("CREATE EXTENSION citus")
            # Where it finds itself; by another's name it would look for a host.
            server.psql(f"ALTER SYSTEM SET citus.local_hostname = '{server.folder}'")
            server.psql("SELECT pg_reload_conf()")
        coordinator, *workers = servers
        cluster = Cluster(coordinator, tuple(workers))
        coordinator.psql(f"SELECT citus_set_coordinator_host('{coordinator.folder}', 5432)")
        for worker in workers:
            coordinator.psql(f"SELECT citus_add_node('{worker.folder}', {worker.port})")
        for statement in _guide("run_command_on_workers"):
            coordinator.psql(statement.replace("threadwell", "postgres"))
    except BaseException:
        for server in servers:
            server.remove()
        raise
    return cluster


def _guide(word: str) -> list[str]:
    """The statements of that block of the guide's chapter that has the word."""
    chapter = _GUIDE.read_text().split(_CHAPTER)[1].split("\n## ")[0]
    blocks = re.findall(r"```sql\n(.*?)```", chapter, re.DOTALL)
    (block,) = [block for block in blocks if word in block]
    return [found.strip() for found in _STATEMENT.findall(block)]
