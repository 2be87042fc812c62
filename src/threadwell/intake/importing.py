"""Messages into a store: in batches, each committed whole, one being written as the next is made.

An import that is killed has written some of its batches, and nothing of the others; run again, it
finds those messages known and goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from threadwell.fhir.json import decode
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.circles.answers import answered_circles
from threadwell.intake.circles.due import Circles, all_circles, changed_circles, open_circles
from threadwell.intake.collecting import rare_collections
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Counts, Report
from threadwell.intake.commits.trial import Trial
from threadwell.intake.held.hold import MESSAGE_TYPE, NO_MESSAGE, decode_message
from threadwell.intake.held.listing import Quarantined, quarantined
from threadwell.intake.paging import chunks
from threadwell.intake.run import Run
from threadwell.intake.settings import Settings
from threadwell.intake.settled import mark, move, take_answers
from threadwell.messages import Broken, Message
from threadwell.stores.contract import Conflict, Key, Store, StoreError

#: How often a batch is decided anew when somebody else writes at the same time, and how many
#: seconds longer it waits each time.
_ATTEMPTS = 20
_PATIENCE = 0.02

_BUSY = "others keep writing to the same sessions; import again when they are done"


class Contended(StoreError):
    """Others kept writing to what was to be changed."""


Progress = Callable[[Counts], None]


async def import_messages(
    store: Store,
    project: str,
    items: Iterable[Message | Broken],
    settings: Settings,
    progress: Progress | None = None,
    *,
    clock: Clock = now_ms,
) -> Report:
    """Take in ``items``, after what people have answered, and what earlier imports had to hold.

    At the end every session that the same policy left open, and that is over now, is finished.

    ``progress`` is called with the counts after every batch. ``clock`` tells which sessions are
    over. Raises what ``items`` raises, and ``StoreError`` if others keep writing; what was
    committed until then stays, and a second import goes on from there.
    """
    importing = _Importing(store, project, settings, progress, clock)
    await importing.answer()
    await importing.replay()
    await importing.take(items)
    await importing.settle()
    return importing.report


async def replay(
    store: Store,
    project: str,
    settings: Settings,
    *,
    only: Collection[str] | None = None,
    author: str = "",
    clock: Clock = now_ms,
) -> Report:
    """Take in what is held and can have its place now; ``Report.replayed`` counts it.

    ``only`` are the ids of the Tasks of those that are meant, where it is not all of them, and
    ``author`` is the reference of whoever wants it, ``""`` for nobody.
    """
    importing = _Importing(store, project, settings, None, clock)
    await importing.answer()
    importing.write_as(author)
    await importing.replay(only)
    return importing.report


async def settle_answers(
    store: Store, project: str, settings: Settings, *, author: str = "", clock: Clock = now_ms
) -> Report:
    """Let count what people have answered since; ``Report.answers`` counts it.

    ``author`` is the reference of whoever has, ``""`` for nobody.
    """
    importing = _Importing(store, project, settings, None, clock)
    importing.write_as(author)
    await importing.answer()
    return importing.report


async def say_who_writes(
    store: Store,
    project: str,
    settings: Settings,
    make: Callable[[Run], Awaitable[Batch]],
    *,
    author: str = "",
    clock: Clock = now_ms,
) -> Report:
    """Commit the batch in which somebody says who writes, and let it count at once.

    ``author`` is the reference of whoever says it, ``""`` for nobody.
    """
    importing = _Importing(store, project, settings, None, clock)
    await importing.answer()
    importing.write_as(author)
    await importing.revise(make)
    await importing.answer()
    await importing.replay()
    return importing.report


async def revise(
    store: Store,
    project: str,
    settings: Settings,
    make: Callable[[Run], Awaitable[Batch]],
    *,
    author: str = "",
    clock: Clock = now_ms,
) -> Report:
    """Commit the batch that ``make`` decides, after what people have answered and changed.

    ``author`` is the reference of whoever it is decided for, ``""`` for nobody.
    """
    importing = _Importing(store, project, settings, None, clock)
    await importing.answer()
    importing.write_as(author)
    await importing.revise(make)
    return importing.report


async def recut(
    store: Store,
    project: str,
    settings: Settings,
    progress: Progress | None = None,
    *,
    clock: Clock = now_ms,
) -> Report:
    """Cut every session of the store anew, as ``settings`` say; what no longer holds is superseded.

    Sessions that were billed stay. Killed half-way and run again, it ends with the same resources.
    """
    importing = _Importing(store, project, settings, progress, clock, recutting=True)
    await importing.answer()
    await importing.recut()
    return importing.report


#: Decides a batch; called again on a new run if the store has moved on meanwhile.
_Make = Callable[[Run], Awaitable[Batch]]


@dataclass(slots=True)
class _OnItsWay:
    """A batch that is being committed, and how it was made, should it be refused."""

    commit: asyncio.Task[None]
    batch: Batch
    make: _Make


class _Importing:
    """Drives a ``Run``: keeps one batch on its way, and starts anew after a conflict."""

    def __init__(
        self,
        store: Store,
        project: str,
        settings: Settings,
        progress: Progress | None,
        clock: Clock,
        *,
        recutting: bool = False,
    ) -> None:
        self._store = store
        self._project = project
        self._settings = settings
        self._progress = progress
        self._clock = clock
        self._recutting = recutting
        self._run: Run | None = None
        self._author = ""
        self._careful = False
        self._revived: Circles = {}
        self._on_its_way: _OnItsWay | None = None
        self.report = Report(trial=Trial() if settings.dry_run else None)

    def write_as(self, author: str) -> None:
        """From now on it is that person or client (a reference) by whose word it writes."""
        if author != self._author:
            self._author, self._run = author, None

    async def take(self, items: Iterable[Message | Broken]) -> None:
        """Import everything that is not there yet."""
        await self._send(
            partial(Run.prepare, items=some) for some in _batched(items, self._settings.batch)
        )

    async def answer(self) -> None:
        """Apply what people have answered and changed, before anything else is added."""
        await self._settle_writers()
        run = await self._running()
        changed = await changed_circles(run.people, run.since)
        await self._settle(changed | await answered_circles(self._store, self._project))

    async def _settle_writers(self) -> None:
        """Let count who writes, by what people have said since: what has a place moves to it."""
        run = await self._running()
        if run.quarantine.answered:
            await self._send([take_answers])
            # What is said counts for a run from its beginning.
            self._run = None
            run = await self._running()
        if not (unsettled := run.questions.unsettled()):
            return
        addresses, patients = await run.questions.moves(unsettled)
        if addresses:
            every = await all_circles(run.people)
            circles = {key: who for key, who in every.items() if not patients.isdisjoint(who)}
            await self._send(
                partial(move, circles={key: circles[key] for key in some}, addresses=addresses)
                for some in chunks(circles)
            )
        await self._send([partial(mark, tasks=unsettled)])

    async def replay(self, only: Collection[str] | None = None) -> None:
        """Import what is held and may have its place now; ``only`` of those Tasks, if given."""
        run = await self._running()
        size = self._settings.batch
        hopeful = await self._hopeful(run)
        if only is not None:
            hopeful = [one for one in hopeful if one.task.removeprefix("Task/") in only]
        for at in range(0, len(hopeful), size):
            held = await self._contents(hopeful[at : at + size])
            tasks, messages = list(held), list(held.values())
            await self._send([partial(Run.prepare, items=messages, replayed=tasks)])

    async def settle(self) -> None:
        """Finish the sessions that were open and are over by now."""
        if self._revived and not self._settings.dry_run:
            self._run, revived, self._revived = None, self._revived, {}
            await self._settle(revived)
        run = await self._running()
        due = await open_circles(run.people, self._settings)
        await self._settle({key: who for key, who in due.items() if not run.is_up_to_date(key)})

    async def recut(self) -> None:
        """Cut all sessions anew."""
        run = await self._running()
        await self._settle(await all_circles(run.people))

    async def revise(self, make: _Make) -> None:
        """Commit what somebody has decided."""
        await self._send([make])
        self._run = None

    async def _settle(self, circles: Circles) -> None:
        await self._send(
            partial(Run.settle, circles={key: circles[key] for key in some})
            for some in chunks(circles)
        )

    async def _send(self, makes: Iterable[_Make]) -> None:
        """Commit the batches in turn; nothing is on its way any more when it returns or raises."""
        with rare_collections():
            try:
                for make in makes:
                    await self._send_one(make)
            finally:
                await self._arrive()

    async def _send_one(self, make: _Make) -> None:
        while True:
            run = await self._running()
            batch = await make(run)
            if await self._arrive():
                break
            # The batch before was refused and made again: this one was decided in vain.
        run.committing(batch)
        commit = asyncio.create_task(self._commit(batch))
        self._on_its_way = _OnItsWay(commit, batch, make)
        await asyncio.sleep(0)  # The commit begins before the next batch is made.

    async def _arrive(self) -> bool:
        """Wait for the batch that is on its way; false if it had to be made again."""
        if self._on_its_way is None:
            return True
        sent, self._on_its_way = self._on_its_way, None
        try:
            await sent.commit
        except Conflict:
            await self._again(sent.make)
            return False
        self._account(sent.batch)
        return True

    async def _again(self, make: _Make) -> None:
        self._careful = True
        for attempt in range(1, _ATTEMPTS + 1):
            self._run = None
            run = await self._running()
            batch = await make(run)
            run.committing(batch)
            try:
                await self._commit(batch)
            except Conflict:
                if attempt == _ATTEMPTS:
                    raise Contended(_BUSY) from None
                await asyncio.sleep(_PATIENCE * attempt)
            else:
                self._account(batch)
                return

    async def _commit(self, batch: Batch) -> None:
        if batch.writes and not self._settings.dry_run:
            await self._store.commit(self._project, batch.change_set())

    def _account(self, batch: Batch) -> None:
        self.report.add(batch)
        if self.report.trial is not None:
            self.report.trial.add(batch.writes.values())
        self._revived.update(batch.revived)
        # Nothing of a dry run can be read back: all of it stays at hand, but for circles that are
        # cut anew, each once.
        if self._run is not None and (self._recutting or not self._settings.dry_run):
            self._run.committed()
        if self._progress is not None:
            self._progress(replace(self.report.counts))

    async def _running(self) -> Run:
        if self._run is None:
            run = Run(
                self._store,
                self._project,
                self._settings,
                self._clock,
                recutting=self._recutting,
                careful=self._careful,
                author=self._author,
            )
            await run.start()
            self._run = run
        return self._run

    async def _hopeful(self, run: Run) -> list[Quarantined]:
        """What is held for a reason that may have passed."""
        waiting = [quarantined(decode(stored.body)) for stored in run.quarantine.waiting.values()]
        waiting = [one for one in waiting if one.reason not in NO_MESSAGE]
        people = run.people
        await people.resolve(address for one in waiting for address in (*one.unknown, *one.shared))
        waiting = [one for one in waiting if not one.shared or any(map(people.may_use, one.shared))]
        if self._settings.unknown == "patient":
            return waiting
        return [
            one
            for one in waiting
            if not one.unknown or any(people.party(address).known for address in one.unknown)
        ]

    async def _contents(self, held: Sequence[Quarantined]) -> dict[str, Message]:
        """The messages that are held, by the ids of their Tasks."""
        keys = {Key("Binary", one.content.partition("/")[2]): one.task for one in held}
        found = await self._store.read_many(self._project, list(keys))
        messages: dict[str, Message] = {}
        for key, stored in found.items():
            if decode(stored.body).get("contentType") == MESSAGE_TYPE and not stored.deleted:
                content = await self._store.content(self._project, stored.id, stored.version_id)
                if content is not None:
                    messages[keys[key].removeprefix("Task/")] = decode_message(content)
        return messages


def _batched(items: Iterable[Message | Broken], size: int) -> Iterator[list[Message | Broken]]:
    every = iter(items)
    while some := list(islice(every, size)):
        yield some
