"""Drives a run: one batch is on its way while the next is made; after a conflict it starts anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from functools import partial
from itertools import chain, islice

from threadwell.intake.circles.answers import answered_circles
from threadwell.intake.circles.due import (
    Circles,
    Touched,
    all_circles,
    changed_circles,
    open_circles,
    patients_of,
)
from threadwell.intake.circles.naming import circles_with
from threadwell.intake.collecting import rare_collections
from threadwell.intake.commits.looked import (
    WORTH_KEEPING,
    imported_before,
    looked_until,
)
from threadwell.intake.commits.marks import sweep
from threadwell.intake.commits.timers import Timer, have_timers, keep_have_timers, timers
from threadwell.intake.gathered.crew import WORTH, Crew, is_possible
from threadwell.intake.gathered.gathering import Gathering
from threadwell.intake.gathered.packing import batches
from threadwell.intake.gathered.spool import unpacked
from threadwell.intake.gathered.whose import Whose
from threadwell.intake.held.listing import all_held
from threadwell.intake.held.release import Wanted, hopeful, messages_of
from threadwell.intake.noticed import changed_by_people
from threadwell.intake.on_its_way import Make
from threadwell.intake.paging import chunks
from threadwell.intake.people.asked import all_asked, is_found_by_address, keep_found_by_address
from threadwell.intake.people.replaced import keep_merged, replaced
from threadwell.intake.placing import AHEAD_US
from threadwell.intake.run import Run
from threadwell.intake.sending import Sending
from threadwell.intake.settled import follow, hand, mark, merge, move, take_answers, take_over
from threadwell.messages import Address, Broken, Message

#: How much larger a commit may be where there is much, into how many batches all of it falls, so
#: that nobody waits long for the last one, and how small they may be for that.
_LARGER, _SHARES, _SMALL = 5, 16, 1000
#: Addresses, names and ways of people beyond which those of circles that are done are let go of.
_MOST_PEOPLE = 5000
#: Timers that are read at once.
_AT_A_TIME = 1000
#: Circles that are cut anew at once, before it is clear how large they are.
_FEW = 10


class Importing(Sending):
    """What an import does, step by step."""

    @property
    def batch(self) -> int:
        """How many messages are committed at once."""
        return self._settings.batch

    def write_as(self, author: str) -> None:
        """From now on it is that person or client (a reference) by whose word it writes."""
        if author != self._author:
            self._author, self._run = author, None

    async def take(self, items: Iterable[Message | Broken]) -> None:
        """Import everything that is not there yet: what is more than a batch, circle by circle."""
        every = iter(items)
        first = list(islice(every, self._settings.batch + 1))
        if len(first) <= self._settings.batch:
            await self.take_batches([first] if first else [])
            return
        gathered = Gathering(
            Whose(self._store, self._project, self._settings),
            self._settings.memory,
            self._tell_gathered,
        )
        with rare_collections(), gathered as gathering:
            crew = Crew(self._store, self._project, self._tell_counts)
            try:
                await gathering.read(chain(first, every), self._starting(crew))
                del first
                async with self._in_bulk():
                    await self._take_gathered(gathering, crew)
            finally:
                await crew.close()
        if gathering.error is not None:
            raise gathering.error

    def _starting(self, crew: Crew) -> Callable[[int], Awaitable[None]]:
        """Starts the crew once it is clear that there is enough to do."""
        count = self._settings.workers
        # Nothing of a dry run can be read back: all of it has to be decided in one place.
        wanted = count > 0 and not self._settings.dry_run and is_possible()

        async def start(read: int) -> None:
            nonlocal wanted
            if wanted and read >= WORTH:
                wanted = False
                await crew.begin(count)

        return start

    def _in_bulk(self) -> AbstractAsyncContextManager[None]:
        """Meanwhile the store, if there is a way, writes as is best where much is written."""
        if self._settings.dry_run:
            return nullcontext()
        way: Callable[[], AbstractAsyncContextManager[None]]
        way = getattr(self._store, "in_bulk", nullcontext)
        return way()

    async def _take_gathered(self, gathering: Gathering, crew: Crew) -> None:
        if crew:
            # The larger the commit, the fewer pages of the index it writes for each message; it has
            # a batch of each process.
            least = min(self.batch, _SMALL)
            share = max(least, gathering.count // _SHARES)
            size = min(share, max(least, _LARGER * self.batch // len(crew)))
            settings = replace(self._settings, batch=size)
            shares = gathering.shares(size, len(crew))
            report = await crew.work(shares, settings, self._clock, gathering.ours)
            self.report.add(report)
            self._written += crew.written
        self.bring_together(gathering.ours)
        if not crew:
            await self.take_batches(batches(map(unpacked, gathering.parts()), self.batch))
        await self.take_batches(batches(map(unpacked, gathering.waiting()), self.batch))
        self._run, self._brief = None, False

    def bring_together(self, ours: Iterable[Address]) -> None:
        """From now on it is given whole circles; of all messages it is known which are ``ours``."""
        self._run, self._brief = None, True
        self._ours.update(ours)

    async def take_batches(self, parts: Iterable[list[Message | Broken]]) -> None:
        """Import what is not there yet of each part, one after the other."""
        await self._send(partial(Run.prepare, items=some) for some in parts)

    async def begin_batches(self, parts: Iterable[list[Message | Broken]]) -> None:
        """The same, but the last one may still be on its way: ``take_batches`` waits for it."""
        run = self._run
        if run is not None and run.people.size + run.ways.size > _MOST_PEOPLE:
            # Of each whole circle its people are needed once.
            await self._arrive()
            self._run = None
        await self._begin(partial(Run.prepare, items=some) for some in parts)

    async def answer(self) -> None:
        """Apply what people have answered and changed, before anything else is added."""
        looked = await looked_until(self._store, self._project)
        until = self._looked = await self._store.position(self._project)
        self._written = 0
        await self._find_by_address()
        touched, tasks = await changed_by_people(
            self._store, self._project, until if looked is None else looked, until
        )
        await self._take_over(tasks.held, tasks.asked)
        await self._merge()
        await self._settle_writers()
        run = await self._running()
        if looked is not None:
            changed = await touched.find(run.people)
        else:
            since = await imported_before(self._store, self._project)
            changed = await changed_circles(run.people, since)
            changed |= await answered_circles(self._store, self._project)
        await self._settle(changed)
        await self._follow(touched)
        if looked is None or until - looked >= WORTH_KEEPING:
            await self._keep_looked(until)

    async def _find_by_address(self) -> None:
        """Let all that an earlier build has held and asked be found by its addresses, once."""
        if self._settings.dry_run or await is_found_by_address(self._store, self._project):
            return
        for scan, kind in (
            (all_held(self._store, self._project), "held"),
            (all_asked(self._store, self._project), "asked"),
        ):
            some: list[str] = []
            async for stored in scan:
                some.append(stored.id)
                if len(some) >= _AT_A_TIME:
                    await self._take_over(**{"held": (), "asked": (), kind: some})
                    some = []
            await self._take_over(**{"held": (), "asked": (), kind: some})
        await keep_found_by_address(self._store, self._project)
        self._run = None

    async def _take_over(self, held: Collection[str], asked: Collection[str]) -> None:
        """Take over what people have done to Tasks that hold messages, or ask who writes."""
        await self._send(partial(take_over, held=some, asked=()) for some in chunks(sorted(held)))
        await self._send(partial(take_over, held=(), asked=some) for some in chunks(sorted(asked)))
        if asked:
            self._run = None  # What is said counts for a run from its beginning.

    async def _merge(self) -> None:
        """Let everything of patients who have been merged be the other one's."""
        merged = await replaced(self._store, self._project)
        if not merged or self._settings.dry_run:
            return
        for old, new in merged.items():
            await self._send([partial(hand, old=old, new=new)])
        # Who has an address counts for a run from its beginning.
        self._run = None
        run = await self._running()
        circles = await circles_with(run.people, merged)
        await self._send(
            partial(merge, circles={key: who}, merged=merged) for key, who in circles.items()
        )
        await keep_merged(self._store, self._project, merged)

    async def _settle_writers(self) -> None:
        """Let count who writes, by what people have said since: what has a place moves to it."""
        run = await self._running()
        if run.quarantine.answered:
            await self._send([take_answers])
            # What is said counts for a run from its beginning.
            self._run = None
            run = await self._running()
        if not (unsettled := await run.questions.unsettled()):
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

    async def finish(self) -> None:
        """Keep how far it has looked, where nobody else has written meanwhile."""
        now = await self._store.position(self._project)
        if now - self._looked == self._written and self._written >= WORTH_KEEPING:
            await self._keep_looked(now)

    async def replay(self, wanted: Wanted | None = None) -> None:
        """Import what is held and may have its place now: what is wanted, else all of it."""
        run = await self._running()
        strangers = self._settings.unknown == "patient"
        until = self._clock() * 1000 + AHEAD_US
        wanted = wanted or Wanted(all=True)
        gone: list[str] = []
        async for tasks in hopeful(run, wanted, until, strangers=strangers):
            for some in chunks(tasks, self._settings.batch):
                held, closed = await messages_of(run, some, strangers=strangers)
                gone += closed
                if held:
                    await self._send(
                        [partial(Run.prepare, items=list(held.values()), replayed=list(held))]
                    )
                    run = await self._running()
        if gone:
            await self._take_over(gone, ())

    async def replay_said(self) -> None:
        """Import what is held at addresses of which somebody has said now who writes there."""
        said, self._said = self._said, set()
        await self.replay(Wanted(said))

    async def settle(self) -> None:
        """Finish the sessions that were open and are over by now."""
        await self.revive()
        if not await have_timers(self._store, self._project):
            await self._settle_all_open()
            return
        after, now = "", self._clock() * 1000
        while found := await timers(self._store, self._project, now, after=after, count=_AT_A_TIME):
            await self.settle_due(found)
            after = found[-1].name

    async def settle_due(self, due: Sequence[Timer]) -> None:
        """Finish the sessions of those circles that are over by now, and set their timers anew."""
        run = await self._running()
        circles = {one.circle: await patients_of(run.people, one.circle, "") for one in due}
        known = {key: who for key, who in circles.items() if who}
        self._let_time_pass(run, known)
        due_now = {key: who for key, who in known.items() if not run.is_up_to_date(key)}
        await self._settle(due_now, only_time=True)
        if not self._settings.dry_run:
            nobody = {key for key, who in circles.items() if not who}
            await sweep(self._store, self._project, due, nobody)

    async def _settle_all_open(self) -> None:
        """Finish what is over of all that is open: from then on each has its timer."""
        run = await self._running()
        every = await open_circles(run.people, self._settings)
        self._let_time_pass(run, every)
        await self._settle({key: who for key, who in every.items() if not run.is_up_to_date(key)})
        if not self._settings.dry_run:
            await keep_have_timers(self._store, self._project)

    def _let_time_pass(self, run: Run, circles: Iterable[str]) -> None:
        now = self._clock() * 1000
        for key in circles:
            end = run.shelf[key].next_end() if key in run.shelf else None
            if end is not None and end <= now:
                run.shelf[key].let_time_pass()

    async def revive(self) -> None:
        """Take in the messages of headers that had been deleted, and were made anew."""
        if self._revived and not self._settings.dry_run:
            self._run, revived, self._revived = None, self._revived, {}
            await self._settle(revived)

    async def recut(self) -> None:
        """Cut all sessions anew, some circles at a time: no more than a batch of messages has."""
        run = await self._running()
        every = list((await all_circles(run.people)).items())
        self._brief = run.shelf.brief = True

        def settled() -> Iterator[Make]:
            at, size = 0, _FEW
            while at < len(every):
                some = dict(every[at : at + size])
                yield partial(Run.settle, circles=some)
                at += len(some)
                self.report.counts.circles = at
                # As many as have about a batch of messages, going by those.
                met = self._run.shelf.weight(some) if self._run is not None else 0
                size = max(1, min(2 * size, len(some) * self.batch // max(met, 1)))

        await self._send(settled())
        self._run, self._brief = None, False

    async def revise(self, make: Make) -> None:
        """Commit what somebody has decided."""
        await self._send([make])
        self._run = None

    async def _follow(self, touched: Touched) -> None:
        """Let who has to read messages follow what others have made of those."""
        await self._send(
            partial(follow, children=some) for some in chunks(sorted(touched.messages))
        )

    async def _settle(self, circles: Circles, *, only_time: bool = False) -> None:
        await self._send(
            partial(Run.settle, circles={key: circles[key] for key in some}, only_time=only_time)
            for some in chunks(circles)
        )
