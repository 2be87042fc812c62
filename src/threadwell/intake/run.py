"""One import: reads the store, decides, and makes the batches that are committed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from threadwell.encounters.said import said
from threadwell.fhir.stamp import Clock
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.earlier import Earlier
from threadwell.intake.circles.place import Keywords, child_id
from threadwell.intake.circles.plan import plan
from threadwell.intake.circles.rules import Rules
from threadwell.intake.circles.shelf import Shelf
from threadwell.intake.circles.tails import Tails
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.marks import SAID, Marks, circle_mark, id_mark
from threadwell.intake.commits.pending import Pending
from threadwell.intake.commits.values import Values
from threadwell.intake.copies.children import write_changed
from threadwell.intake.copies.meeting import Newcomer, is_known, meet
from threadwell.intake.copies.occupants import find_places
from threadwell.intake.copies.recording import Recorded, record_meetings
from threadwell.intake.copies.sorting import by_id, sort
from threadwell.intake.copies.twins import Twins, with_other_ids
from threadwell.intake.copies.undoing import undo
from threadwell.intake.drafting import TooNarrow, strayed_of, were_before, write_made, write_plans
from threadwell.intake.earlier_ids import EarlierIds
from threadwell.intake.expunged import which_were
from threadwell.intake.held.awaited import Waits
from threadwell.intake.held.keeping import Quarantine
from threadwell.intake.held.questions import Questions
from threadwell.intake.noticed import Noticed, found_in, met_in
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.resting import rest_on_people
from threadwell.intake.people.route import Held
from threadwell.intake.people.ways import Ways
from threadwell.intake.placing import Placing
from threadwell.intake.receipts.following import follow_moves, follow_taken_back, gone_in, moved_in
from threadwell.intake.repeats import Repeats
from threadwell.intake.reply_addresses import ReplyAddresses
from threadwell.intake.sent_ids import SentIds
from threadwell.intake.settings import Settings
from threadwell.intake.taken import Taken
from threadwell.messages import Broken, Message
from threadwell.sessions import NEVER
from threadwell.stores.aside import aside
from threadwell.stores.contract import Key, Store, Stored

#: What the work on a message of a circle is like, in bytes of JSON that are looked through.
_MESSAGE_BYTES = 1000

#: Addresses, names and ways of people that a run that lives on remembers.
_MOST_PEOPLE = 100_000


class Run:
    """The state of one import. After a ``Conflict`` it is thrown away, and another one begins.

    What it has at hand is the truth while its last batch is still being committed. ``recutting`` is
    what a Provenance then tells: that settings have changed, and not messages. Others seem to write
    ``beside`` it; it is ``relying`` where a commit compares who has the addresses. A ``careful``
    run looks whether somebody has deleted what it is going to make, or taken its identifiers away,
    which is rare and would be a conflict. A ``narrow`` one reads no more of long circles than may
    change; ``arrival`` waits for what is on its way. ``author`` is the reference of the person or
    client by whose word it writes, ``""`` for none.
    """

    def __init__(
        self,
        store: Store,
        project: str,
        settings: Settings,
        clock: Clock,
        *,
        recutting: bool = False,
        careful: bool = False,
        narrow: bool,
        arrival: Callable[[], Awaitable[None]],
        author: str = "",
    ) -> None:
        self.store = store
        self.project = project
        self.keywords = Keywords(settings)
        self.values = Values(store)
        self.people = AddressBook(store, project, settings, values=self.values)
        self.own = frozenset(one.key for one in settings.owner)
        self.questions = Questions(self.people, self.current)
        self.ways = Ways(self.people, strangers=settings.unknown == "patient")
        self.by_patient = settings.scope == "patient"
        self.marks = Marks(store, project)
        self._tails = Tails(self.people, self.marks, settings)
        self.shelf = Shelf(
            *(self.people, self.keywords, self.marks, self._tails, settings.memory),
            by_patient=self.by_patient,
            narrow=narrow,
            arrival=arrival,
        )
        earlier = Earlier(store, project, self.current, tracked=settings.tracking is not None)
        self.twins = Twins(self.values, project, self.current)
        self._placing = Placing(
            self.people, self.ways, self.shelf, self.twins, self.keywords, earlier
        )
        self.quarantine = Quarantine(
            *(self.current, self.content_of, self._placing.circle_of, self.own, self.questions),
            Waits(self.values, project),
        )
        self._settings = settings
        self._clock = clock
        self._recutting = recutting
        self.careful = careful
        self.beside = False
        self.relying = True
        self._author = author
        self._pending = Pending(store, project)
        self._ids: set[str] = set()
        self._shared: dict[str, set[str]] = {}
        self._earlier = EarlierIds(self.own, self.current)
        self._sent = SentIds(store, project)
        self._repeats = Repeats(self.values, project)
        self._answered = ReplyAddresses(store, project)

    async def start(self) -> None:
        """Find the practice, and whether anything is held."""
        await self.marks.read_or_make(SAID)
        await self.people.start()
        await self.quarantine.start()

    async def prepare(
        self, items: Sequence[Message | Broken], *, replayed: Sequence[str] | None = None
    ) -> Batch:
        """The batch that takes in ``items``; what it writes is at hand from now on.

        Every item is counted once, as new, known or quarantined. ``replayed`` are the Tasks of
        items that were held before: those are not counted, but for the ones that have their place
        now.
        """
        batch = self.begin()
        items = await self._answered.known(items)
        items = await self._sent.known(await self._earlier.known(items))
        items = await self.twins.known(items)
        messages = [item for item in items if isinstance(item, Message)]
        taken = await self._take(batch, messages)
        if self.relying:
            rest_on_people(batch, self.people, messages, beside=self.beside)
        if replayed is not None:
            outcome = dict(zip(replayed, taken.held, strict=True))
            done = [task for task, held in outcome.items() if held is None]
            batch.replayed += await self.quarantine.finish(batch, done)
            still = {task: held for task, held in outcome.items() if held is not None}
            await self.quarantine.renew(batch, still)
        else:
            await self.quarantine.close(batch, taken.placed)
            broken = [item for item in items if isinstance(item, Broken)]
            quarantined = await self.quarantine.hold(
                batch, [*(held for held in taken.held if held), *broken]
            )
            batch.counts.read = len(items)
            batch.counts.new = taken.new
            batch.counts.quarantined = quarantined
            batch.counts.known = len(items) - taken.new - quarantined
        await self.quarantine.ask_no_longer(batch)
        return self.marked(batch)

    async def settle(
        self, circles: Mapping[str, tuple[str, ...]], *, only_time: bool = False
    ) -> Batch:
        """The batch that brings circles up to now, though nothing was added to them.

        They are given as their keys and patients. Where ``only_time`` has passed, nothing but what
        was not over has to be looked at.
        """
        batch = self.begin()
        await self.shelf.take(circles, dict.fromkeys(circles, NEVER) if only_time else {})
        await self._write_circles(batch, circles, Recorded(), self._rules(batch))
        return self.marked(batch)

    async def revise(
        self, circle: str, patients: tuple[str, ...], change: Callable[[Circle, Rules], None]
    ) -> Batch:
        """The batch that writes what ``change`` makes of a circle, given as key and patients.

        A server asks for it: while a large circle is worked on, others have their turn.
        """
        batch = self.begin()
        found = (await self.circles({circle: patients}))[circle]
        rules = self._rules(batch)
        change(found, rules)
        size = _MESSAGE_BYTES * len(found.messages)
        await self._write_circles(batch, [circle], Recorded(), rules, size)
        return self.marked(batch)

    def begin(self) -> Batch:
        """An empty batch, and what is needed for the last one is needed no longer."""
        self.shelf.latest, self._ids = set(), set()
        return Batch(updated=self._clock(), author=self._author)

    async def bring_up(
        self, batch: Batch, circles: Iterable[str], change: Callable[[Rules], Awaitable[Recorded]]
    ) -> Batch:
        """The batch with what has to be written of circles at hand after ``change``."""
        rules = self._rules(batch)
        recorded = await change(rules)
        touched = dict.fromkeys((*circles, *recorded.touched))
        size = _MESSAGE_BYTES * self.shelf.weight(touched)
        await self._write_circles(batch, touched, recorded, rules, size)
        return self.marked(batch)

    def is_up_to_date(self, circle: str) -> bool:
        """Whether nothing is left to do for a circle."""
        return circle in self.shelf and not self.shelf[circle].dirty

    def committing(self, batch: Batch) -> None:
        """The batch is on its way: searches of the store need not show it yet."""
        self._pending.add(batch.writes)
        if self.shelf.brief and not (self._recutting or self._settings.dry_run):
            self.shelf.let_go(self._settings.batch)

    def committed(self) -> None:
        """Everything that was on its way has arrived."""
        grown = self._pending.clear()
        self.values.arrived()
        self.shelf.trim(grown)

    def undo(self) -> None:
        """Nothing came of the batch that was prepared last: what it rests on is read again."""
        self._pending.clear()
        self.values.arrived()
        self.shelf.drop(list(self.shelf.latest))
        self.marks.forget(self._ids)
        self.careful = True

    def forget(self, noticed: Noticed) -> None:
        """Let go of what others have changed."""
        self.shelf.drop(found_in(self.shelf, noticed))
        if noticed.waiting:
            self.quarantine.something_waits()
        if noticed.people:
            gone = self.people.forget(noticed.people, noticed.addresses)
            self.ways.forget()
            self.shelf.drop(met_in(self.shelf, noticed.people, gone))

    @property
    def is_full(self) -> bool:
        """Whether so much is at hand of people that it is time to begin anew."""
        return self.people.size + self.ways.size + len(self._shared) > _MOST_PEOPLE

    def marked(self, batch: Batch) -> Batch:
        """The batch with the markers, by which others who write take note of it, and it of them."""
        ends = self._ends(batch)
        if batch.writes or batch.says or ends or self._repeats.rests(batch):
            seen = {circle_mark(key) for key in self.shelf.latest}
            changed = {circle_mark(key) for key in (*batch.circles, *ends)} | self._ids
            (changed if batch.says else seen).add(SAID)
            self.marks.put(batch, changed, seen, ends)
        return batch

    def _ends(self, batch: Batch) -> dict[str, int | None]:
        """When the timers of circles are to go off, of those whose markers have to tell it anew."""
        out: dict[str, int | None] = {}
        for key in self.shelf.latest:
            circle = self.shelf[key]
            if circle.projected and not circle.dirty:
                told, before = self.marks.ends(key)
                at = circle.next_end()
                if at != before or (not told and key in batch.circles):
                    out[key] = at
        return out

    async def _take(self, batch: Batch, messages: Sequence[Message]) -> Taken:
        """Give messages their place, as far as they can have one."""
        ids = [child_id(one) for one in messages]
        groups = by_id(ids, messages)
        known = await self._repeats.beside(groups)
        groups |= known
        keys = [Key("Communication", id_) for id_ in groups]
        found = await self.current(keys)
        # What was expunged is known, and is not brought back.
        lacking = [key for key in keys if key not in found] if found else keys
        for key in await which_were(self.store, lacking):
            del groups[key.id]
        fresh, met = sort(groups, found, self._is_known)
        await self.ways.find([*fresh.values(), *(one for those in met.values() for one in those)])
        rules = self._rules(batch)
        newcomers: dict[str, list[Newcomer]] = {}
        recorded = Recorded()
        if met:
            newcomers, recorded = await self._meet(batch, met, found, rules)
            apart = [Key("Communication", id_) for id_ in recorded.fresh]
            gone = {key.id for key in await which_were(self.store, apart)}
            fresh |= {id_: one for id_, one in recorded.fresh.items() if id_ not in gone}
        placed, held = await self._placing.place(fresh, rules.now)
        at_hand = [(self.shelf[key], those) for key, those in placed.items()]
        repeats = await undo(groups, found, at_hand, recorded, batch, rules, self)
        self._repeats.keep(batch, repeats, fresh)
        touched = dict.fromkeys((*placed, *recorded.touched))
        if touched:
            await write_made(batch, self.people, self.current)
        named = with_other_ids(placed.values())
        held |= await self._write_circles(batch, touched, recorded, rules)
        self.twins.say_also(batch, named, held)
        batch.completed, batch.retimed = recorded.completed, recorded.retimed
        batch.reworded = recorded.reworded
        counted = {id_: one for id_, one in fresh.items() if id_ not in known}
        batch.shared_ids = sum(id_ in counted and id_ not in held for id_ in recorded.shared)
        return Taken.of(ids, messages, counted, newcomers, held)

    async def _meet(
        self,
        batch: Batch,
        met: Mapping[str, Sequence[Message]],
        found: Mapping[Key, Stored],
        rules: Rules,
    ) -> tuple[dict[str, list[Newcomer]], Recorded]:
        """What becomes of messages whose id somebody has: by the id of a sole child."""
        self._ids = {id_mark(those[0].channel, those[0].external_id) for those in met.values()}
        await self.marks.read(self._ids)
        places = await find_places(met, found, self)
        newcomers = {
            id_: [Newcomer(one, said(one), self._placing.refusal(one, rules.now)) for one in those]
            for id_, those in met.items()
        }
        meetings = [
            meet(
                places[id_],
                those,
                self.own,
                one=all(one.message.made_id for one in those),
                correct=self._settings.correct_times,
            )
            for id_, those in newcomers.items()
        ]
        recorded = await record_meetings(meetings, batch, rules, self)
        for id_, meeting in zip(newcomers, meetings, strict=True):
            self._shared.setdefault(id_, set()).update(one.child for one in meeting.records)
        await self.ways.find(recorded.fresh.values())
        return newcomers, recorded

    def _is_known(self, before: Stored, message: Message) -> bool:
        return is_known(before, message, self.own, correct=self._settings.correct_times)

    async def circles(
        self, keys: Mapping[str, tuple[str, ...]], since: Mapping[str, int] = MappingProxyType({})
    ) -> dict[str, Circle]:
        """The circles of those keys and patients, whole but for what ``Shelf.take`` says."""
        return await self.shelf.take(keys, since)

    def on_their_way(self, child: str) -> Collection[str]:
        """The messages that this run has told apart from that one, or renamed."""
        return self._shared.get(child, ())

    async def current(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """The current versions of ``keys``, with those that are on their way."""
        return await self._pending.current(keys)

    async def content_of(self, binary: Key) -> bytes | None:
        """The bytes of a Binary as it is, or will be."""
        return await self._pending.content_of(binary)

    def _rules(self, batch: Batch) -> Rules:
        return Rules(
            self._settings, self._settings.assign, self.people.practice, batch.updated * 1000
        )

    async def _write_circles(
        self,
        batch: Batch,
        keys: Iterable[str],
        recorded: Recorded,
        rules: Rules,
        size: int = 0,
    ) -> dict[str, Held]:
        """Project what has changed in those circles; the messages that a lock keeps out.

        ``size`` is that of what is looked through, in bytes, where others wait for their turn.
        """
        circles = [self.shelf[key] for key in keys]
        batch.circles |= recorded.touched
        plans = await aside(size, lambda: [(circle, plan(circle, rules)) for circle in circles])
        if await were_before(plans, self.current):
            raise TooNarrow
        strayed = await strayed_of(plans, self.current) if self.careful else {}
        held, relinked = await aside(
            size,
            lambda: write_plans(
                *(batch, self.project, plans, recorded, strayed, self._settings),
                recutting=self._recutting,
            ),
        )
        current = await self.current(
            [Key("Communication", placed.child) for _, placed, _ in relinked]
        )
        moves = moved_in((placed, link) for _, placed, link in relinked)
        write_changed(batch, relinked, recorded.drafts, current)
        await follow_moves(batch, moves, self.store, self.project, self.current)
        await follow_taken_back(batch, gone_in(batch), self.store, self.project)
        await self._tails.put(batch, [one for one in circles if one.key in batch.circles], rules)
        return held
