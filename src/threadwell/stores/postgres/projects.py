"""The numbers that stand for projects in every key."""

from __future__ import annotations

from threadwell.stores.postgres.database import Connection, Database, storable

#: What a project without a number is looked for under: it has no rows.
NOBODY = 0


class Projects:
    """Remembers the numbers; they never change."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pids: dict[str, int] = {}

    async def pid(self, project: str) -> int:
        """The number of a project; ``NOBODY`` for one that nothing was written to."""
        pid = self._pids.get(project)
        if pid is not None:
            return pid
        if not storable(project):
            return NOBODY
        sql = "SELECT pid FROM project WHERE name = $1"
        pid = await self._database.run(lambda connection: connection.fetchval(sql, project))
        if pid is None:
            return NOBODY
        self._pids[project] = pid
        return pid

    async def pid_to_write(self, connection: Connection, project: str) -> int:
        """The number of a project, given to it now if it has none; outside of a transaction."""
        if project not in self._pids:
            await connection.execute(
                "INSERT INTO project (name) VALUES ($1) ON CONFLICT DO NOTHING", project
            )
            sql = "SELECT pid FROM project WHERE name = $1"
            self._pids[project] = await connection.fetchval(sql, project)
        return self._pids[project]
