"""Change sets on their way into the database: those that wait share one transaction.

Durability costs a wait for the disk and every statement a way to the server and back, so waiting
change sets share them (group commit). Each project has groups of its own, so that a transaction
stays within one node of a distributed database: one under way, and where much waits another, as
what one connection sends keeps one core of the server busy. Groups of one process meet as those of
two processes do.

A transaction that breaks is done again. When the connection is lost while the commit is on its
way, nobody was told what became of it: then the database is asked before anything is done again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import NamedTuple

import asyncpg

from threadwell.stores.contract import Conflict, StoreError
from threadwell.stores.postgres.database import Connection, Database
from threadwell.stores.postgres.faults import FAULTS, attempts, away, crossed, in_index, store_error
from threadwell.stores.postgres.named import lock
from threadwell.stores.postgres.news import numbering
from threadwell.stores.postgres.parameters import keeping, parameters, still_at, take_turn
from threadwell.stores.postgres.private import is_kept
from threadwell.stores.postgres.projects import Projects
from threadwell.stores.postgres.quick import NumberedProject
from threadwell.stores.postgres.transaction import Later, Verdict, locks, write_group
from threadwell.stores.sql.indexing import Stale
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.prepare import Prepared
from threadwell.stores.watching import Watcher

#: Writes, and bytes of them, in one transaction, beyond which change sets wait for the next.
_GROUP = 1000
_GROUP_BYTES = 16_000_000
#: Groups of a project under way at a time, and how many writes have to wait for another to begin.
_AT_ONCE, _MUCH = 2, 50
#: How long a commit waits for a database that is away, in seconds.
_PATIENCE = 20.0
#: How long new entries are not trusted to be new, after one was there, in seconds.
_WARY = 60.0

_WRITTEN = """
SELECT EXISTS (
  SELECT FROM resource r WHERE r.pid = $1 AND r.id = $2 AND r.type = $3 AND (
    r.version_id = $4 OR EXISTS (
      SELECT FROM version v WHERE v.pid = $1 AND v.rid = r.rid AND v.version_id = $4
    )
  )
)
"""


class _Waiting(NamedTuple):
    prepared: Prepared
    writes: int
    size: int
    done: asyncio.Future[None]


@dataclass(slots=True)
class _Queue:
    """What waits in a project, how many writes that is, and the groups that are under way."""

    waiting: deque[_Waiting] = field(default_factory=deque)
    writes: int = 0
    running: set[asyncio.Task[None]] = field(default_factory=set)

    def add(self, waiting: _Waiting) -> None:
        """Put it at the end."""
        self.waiting.append(waiting)
        self.writes += waiting.writes

    def put_back(self, waiting: Sequence[_Waiting]) -> None:
        """Put them at the beginning."""
        self.waiting.extendleft(reversed(waiting))
        self.writes += sum(one.writes for one in waiting)

    def next_group(self) -> list[_Waiting]:
        """As many from the beginning as go into one transaction."""
        group: list[_Waiting] = []
        writes = size = 0
        while self.waiting and writes < _GROUP and size < _GROUP_BYTES:
            group.append(self.waiting.popleft())
            writes += group[-1].writes
            size += group[-1].size
        self.writes -= writes
        return group

    def fail(self, error: StoreError) -> None:
        """Refuse whatever waits."""
        _fail(self.waiting, error)
        self.waiting.clear()
        self.writes = 0

    def wants_another(self) -> bool:
        """Whether another group is to begin."""
        if not self.running:
            return bool(self.waiting)
        return len(self.running) < _AT_ONCE and self.writes >= _MUCH


class _FateUnknown(Exception):
    """The connection was lost during the commit; ``verdicts`` hold if it happened.

    The transaction holds the advisory lock ``fate`` until it ends, whichever way.
    """

    def __init__(self, verdicts: list[Verdict], fate: int, error: BaseException) -> None:
        super().__init__("the connection was lost during a commit")
        self.verdicts = verdicts
        self.fate = fate
        self.error = error


class Writer:
    """Commits change sets durably. For one event loop."""

    def __init__(self, database: Database, projects: Projects) -> None:
        self._database = database
        self._projects = projects
        self._queues: dict[str, _Queue] = {}
        self._wary_until = 0.0
        self.watcher: Watcher | None = None

    async def commit(self, prepared: Prepared) -> None:
        """Durable when it returns; raises ``Conflict``, ``Stale`` or ``StoreError``, having
        written nothing.

        Where the database stays away after a commit was sent to it, the message of the
        ``StoreError`` says that nobody knows.
        """
        project = prepared.project
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        size = sum(len(w.body) + len(w.content or b"") for w in prepared.change_set.writes)
        size += sum(len(one.value or b"") for one in prepared.change_set.kept)
        queue = self._queues.setdefault(project, _Queue())
        queue.add(_Waiting(prepared, prepared.size, size, done))
        self._begin(project, queue)
        try:
            await done
        finally:
            # A refusal leads here by its traceback: led from here to it, both and what was to be
            # written would stay in memory until Python looks for cycles.
            del done

    async def close(self) -> None:
        """Finish what waits."""
        while self._queues:
            await asyncio.wait([task for q in self._queues.values() for task in q.running])
            # A task that has ended is taken out in the loop's next turn.
            await asyncio.sleep(0)

    def _begin(self, project: str, queue: _Queue) -> None:
        while queue.wants_another():
            task = asyncio.create_task(self._run(project, queue), name="threadwell-writer")
            queue.running.add(task)
            task.add_done_callback(partial(self._ended, project, queue))

    def _ended(self, project: str, queue: _Queue, task: asyncio.Task[None]) -> None:
        queue.running.discard(task)
        if task.cancelled():
            queue.fail(StoreError("the store was stopped"))
        self._begin(project, queue)
        if not queue.running:
            del self._queues[project]

    async def _run(self, project: str, queue: _Queue) -> None:
        try:
            # Whatever is ready to write in this turn of the loop joins the transaction.
            await asyncio.sleep(0)
            while group := queue.next_group():
                await self._watched(project, queue, group)
                if len(queue.running) > 1 and queue.writes < _MUCH:
                    break
                # Whatever is ready by now joins the next one: where much is under way, fewer
                # transactions cost less, and else nobody waits.
                await asyncio.sleep(0)
        except BaseException:
            queue.fail(StoreError("the store was stopped"))
            raise

    async def _watched(self, project: str, queue: _Queue, group: list[_Waiting]) -> None:
        if self.watcher is None:
            await self._commit_group(project, queue, group)
            return
        self.watcher.waiting(sum(len(queue.waiting) for queue in self._queues.values()))
        started = perf_counter()
        await self._commit_group(project, queue, group)
        self.watcher.committed(len(group), perf_counter() - started)

    async def _commit_group(self, project: str, queue: _Queue, group: list[_Waiting]) -> None:
        newest = max(waiting.prepared.turn for waiting in group)
        _fail([one for one in group if one.prepared.turn < newest], Stale())
        group = [one for one in group if one.prepared.turn == newest]
        try:
            verdicts = await self._persist(project, group)
        except Stale as stale:
            _fail(group, stale)
        except StoreError as error:
            if len(group) == 1 or (error.__cause__ and away(error.__cause__)):
                _fail(group, error)
                return
            # One of them may be what PostgreSQL cannot take: each has a transaction of its own.
            for one in group:
                await self._commit_group(project, queue, [one])
        except BaseException:
            _fail(group, StoreError("the store was stopped"))
            raise
        else:
            queue.put_back([w for w, v in zip(group, verdicts, strict=True) if v is Later.LATER])
            for waiting, verdict in zip(group, verdicts, strict=True):
                _settle(waiting, verdict)

    async def _persist(self, project: str, group: list[_Waiting]) -> list[Verdict]:
        """The verdicts of a transaction that is committed."""
        error: BaseException | None = None
        lost: _FateUnknown | None = None
        loop = asyncio.get_running_loop()
        trusting = loop.time() >= self._wary_until
        shown = self._database.address.shown
        async for _ in attempts(_PATIENCE):
            try:
                async with (await self._database.pool()).acquire() as connection:
                    verdicts = await self._transact(connection, project, group, trusting=trusting)
                return await self._mended(project, group, lost, verdicts)
            except _FateUnknown as unknown:
                if await self._happened(project, group, unknown):
                    return unknown.verdicts
                error, lost, trusting = unknown.error, unknown, False
            except asyncpg.DivisionByZeroError:
                raise Stale from None
            except FAULTS as fault:
                if not (away(fault) or crossed(fault)):
                    raise store_error("cannot write to", shown, fault) from fault
                if in_index(fault):
                    # It is being made anew, or others write it otherwise: there is more of that.
                    self._wary_until = loop.time() + _WARY
                error, trusting = fault, False
        assert error is not None
        raise store_error("cannot write to", shown, error) from error

    async def _transact(
        self, connection: Connection, project: str, group: list[_Waiting], *, trusting: bool
    ) -> list[Verdict]:
        fate = secrets.randbits(63)
        keys = await self._database.keys()
        numbered = NumberedProject(project, await self._projects.pid_to_write(connection, project))
        prepared = [waiting.prepared for waiting in group]
        changing = any(one.changing for one in prepared)
        named = await self._database.named(connection)
        held = lock([fate, *locks(keys, prepared)], named=named)
        try:
            await connection.execute(f"BEGIN; {held}")
            verdicts, written = await write_group(
                *(connection, keys, numbered, prepared),
                trusting=trusting,
                joining=self._database.joining,
            )
        except BaseException:
            await _roll_back(connection)
            raise
        try:
            told = await _told(connection, keys, project, prepared, verdicts) if changing else ""
            still = still_at(project, prepared[0].turn, named=named) if written else ""
            numbers = numbering(keys, numbered, written, named=named)
            await connection.execute(f"{numbers} {still} {told} COMMIT")
        except FAULTS as error:
            if not away(error):
                await _roll_back(connection)
                raise
            _drop(connection)
            raise _FateUnknown(verdicts, fate, error) from None
        return verdicts

    async def _mended(
        self,
        project: str,
        group: list[_Waiting],
        lost: _FateUnknown | None,
        verdicts: list[Verdict],
    ) -> list[Verdict]:
        """The verdicts, where what they conflict with may be our own.

        Several nodes bring to an end what one of them lost, seconds later: what had not happened
        when we asked may have happened since.
        """
        if lost is None:
            return verdicts
        # Of the others, this transaction has written what the question looks for.
        doubted = [
            waiting
            for waiting, then, now in zip(group, lost.verdicts, verdicts, strict=True)
            if then is None and isinstance(now, Conflict) and waiting.writes
        ]
        if not doubted:
            return verdicts
        question = _FateUnknown([None] * len(doubted), lost.fate, lost.error)
        if not await self._happened(project, doubted, question):
            return verdicts
        return [
            None if then is None else now for then, now in zip(lost.verdicts, verdicts, strict=True)
        ]

    async def _happened(self, project: str, group: list[_Waiting], unknown: _FateUnknown) -> bool:
        """Whether a commit happened that nobody was told of."""
        done = [
            waiting.prepared.change_set
            for waiting, verdict in zip(group, unknown.verdicts, strict=True)
            if verdict is None
        ]
        # The whole transaction happened or did not: what one write tells is true of all.
        written = next((write for one in done for write in one.writes), None)
        kept = next((value for one in done for value in one.kept), None)
        if written is None and kept is None:
            return True
        pid = await self._projects.pid(project)
        error = unknown.error
        async for _ in attempts(_PATIENCE):
            try:
                async with (
                    (await self._database.pool()).acquire() as connection,
                    connection.transaction(),
                ):
                    # Free as soon as the server has done with the lost transaction.
                    await connection.execute(f"SELECT pg_advisory_xact_lock({unknown.fate})")
                    if written is None:
                        assert kept is not None
                        return await is_kept(connection, kept)
                    found: bool = await connection.fetchval(
                        _WRITTEN, pid, written.id, written.type, written.version_id
                    )
                    return found
            except FAULTS as fault:
                error = fault
        what = "the connection was lost during a commit, and whether it happened is not known:"
        raise store_error(what, self._database.address.shown, error) from error


async def _told(
    connection: Connection,
    keys: Keys,
    project: str,
    prepared: Sequence[Prepared],
    verdicts: Sequence[Verdict],
) -> str:
    """The statements that keep what change sets make of the search parameters."""
    await take_turn(connection, keys, project)
    before = after = await parameters(connection, project)
    for one, verdict in zip(prepared, verdicts, strict=True):
        if one.changing is not None and verdict is None:
            after = one.changing(after)
    return keeping(project, after) if after != before else ""


async def _roll_back(connection: Connection) -> None:
    try:
        await connection.execute("ROLLBACK")
    except FAULTS:
        _drop(connection)


def _drop(connection: Connection) -> None:
    # The pool has taken back what it knows to be lost, and will not have it touched.
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


def _settle(waiting: _Waiting, verdict: Verdict) -> None:
    if waiting.done.done() or verdict is Later.LATER:
        return
    if verdict is None:
        waiting.done.set_result(None)
    else:
        waiting.done.set_exception(_bare(verdict))


def _fail(group: Iterable[_Waiting], error: StoreError | Stale) -> None:
    for waiting in group:
        if not waiting.done.done():
            waiting.done.set_exception(_bare(error))


def _bare(error: Conflict | Stale | StoreError) -> Conflict | Stale | StoreError:
    """The error without what leads to the group, and so back to it."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
