"""One import: reads the store, decides, and makes the batches that are committed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from threadwell.encounters import codes
from threadwell.encounters.child import child, files, relink
from threadwell.encounters.identity import Identity
from threadwell.encounters.placed import Link, Placed
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import Clock
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.load import load_circles
from threadwell.intake.circles.place import Heard, Keywords, child_id, place
from threadwell.intake.circles.plan import Plan, Rules, plan
from threadwell.intake.circles.writing import write_plan
from threadwell.intake.commits.batch import Batch, as_stored
from threadwell.intake.held.hold import held_id, holding, message_held_id, placed_at_last
from threadwell.intake.held.listing import is_waiting, open_held
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.route import Held, Refusal, Route, route
from threadwell.intake.settings import Settings
from threadwell.messages import Address, Broken, Message
from threadwell.stores.contract import Key, Store, Stored, Write

#: Messages and resources of circles that a run keeps at hand before it lets go of the oldest.
_MOST_AT_HAND = 200_000

#: How far ahead of ours a sender's clock may be.
_AHEAD = timedelta(days=1)
_INTAKE = Identity(codes.INTAKE, "intake")
_MARKER = Key("Basic", _INTAKE.id)
_MARKER_RESOURCE: Resource = {
    "resourceType": "Basic",
    "identifier": [_INTAKE.as_json()],
    "code": {"coding": [codes.INTAKE_STATE]},
}


class Run:
    """The state of one import. After a ``Conflict`` it is thrown away, and another one begins.

    What it has at hand is the truth while its last batch is still being committed: ``pending``
    are the writes that a search of the store may not show yet. ``recutting`` is what a Provenance
    then tells: that settings have changed, and not messages. A ``careful`` run looks whether
    somebody has deleted what it is going to make, which is rare and would be a conflict.
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
    ) -> None:
        self._store = store
        self._project = project
        self._settings = settings
        self._clock = clock
        self._recutting = recutting
        self._careful = careful
        self._keywords = Keywords(settings)
        self._people = AddressBook(store, project, settings)
        self._circles: dict[str, Circle] = {}
        self._latest: frozenset[str] = frozenset()
        self._pending: dict[Key, Write] = {}
        self._marker: Stored | None = None
        self._routes: dict[tuple[Address, tuple[Address, ...]], Route | Refusal] = {}
        self.held: dict[str, Stored] = {}

    @property
    def people(self) -> AddressBook:
        """The people whom this run has met."""
        return self._people

    async def start(self) -> None:
        """Find the practice and what is held."""
        self._marker = await self._store.read(self._project, *_MARKER)
        await self._people.start()
        self.held = {stored.id: stored async for stored in open_held(self._store, self._project)}

    async def prepare(self, items: Sequence[Message | Broken], *, replay: bool = False) -> Batch:
        """The batch that takes in ``items``; what it writes is at hand from now on.

        Every item is counted once, as new, known or quarantined; those of a replay are not
        counted, but for the ones that have their place now.
        """
        batch = Batch(self._clock())
        ids = [child_id(item) for item in items if isinstance(item, Message)]
        messages = [item for item in items if isinstance(item, Message)]
        fresh = await self._unknown_of(dict(zip(ids, messages, strict=True)))
        placed, held = await self._place(fresh, batch.updated)
        if placed:
            await self._write_made(batch)
        held += await self._write_circles(batch, placed)
        held_ids = {child_id(one.message): one for one in held}
        new = [message for id_, message in fresh.items() if id_ not in held_ids]
        if replay:
            batch.replayed = len(new)
        else:
            waiting: list[Held | Broken] = [held_ids[id_] for id_ in ids if id_ in held_ids]
            waiting += [item for item in items if isinstance(item, Broken)]
            quarantined = await self._write_held(batch, waiting)
            batch.counts.read = len(items)
            batch.counts.new = len(new)
            batch.counts.quarantined = quarantined
            batch.counts.known = len(items) - len(new) - quarantined
        self._close_held(batch, new)
        return self._marked(batch)

    async def settle(self, circles: Mapping[str, tuple[str, ...]]) -> Batch:
        """The batch that brings circles up to now, though nothing was added to them.

        They are given as their keys and patients.
        """
        batch = Batch(self._clock())
        await self._have_at_hand(circles)
        await self._write_circles(batch, circles)
        return self._marked(batch)

    def has_at_hand(self, circle: str) -> bool:
        """Whether a circle is up to date already."""
        return circle in self._circles

    @property
    def _by_patient(self) -> bool:
        return self._settings.scope == "patient"

    def committing(self, batch: Batch) -> None:
        """The batch is on its way: searches of the store need not show it yet."""
        self._pending.update(batch.writes)

    def committed(self) -> None:
        """Everything that was on its way has arrived.

        Circles that have not been used for long are let go of, but never one of the batch that
        was prepared last: the store does not know yet what that makes of them.
        """
        self._pending.clear()
        at_hand = sum(len(one.messages) + len(one.stored) for one in self._circles.values())
        for key in [key for key in self._circles if key not in self._latest]:
            if at_hand <= _MOST_AT_HAND:
                break
            gone = self._circles.pop(key)
            at_hand -= len(gone.messages) + len(gone.stored)

    def _marked(self, batch: Batch) -> Batch:
        """The batch with the marker, by which another import that is running takes note of it.

        What somebody else adds to a circle need not touch anything that we have read of it.
        """
        if batch.writes:
            self._marker = batch.write(_MARKER, _MARKER_RESOURCE, self._marker)
        return batch

    async def _unknown_of(self, messages: Mapping[str, Message]) -> dict[str, Message]:
        """Those of the messages, by their logical ids, that are not in the store yet."""
        keys = [key for id_ in messages if (key := Key("Communication", id_)) not in self._pending]
        known = await self._store.read_many(self._project, keys)
        return {key.id: messages[key.id] for key in keys if key not in known}

    async def _place(
        self, fresh: Mapping[str, Message], updated: int
    ) -> tuple[dict[str, list[Placed]], list[Held]]:
        """The fresh messages by their circles, and those that have to wait."""
        people = self._people
        await self._find_routes(fresh.values())
        circles: dict[str, list[tuple[str, Message, Route]]] = {}
        held: list[Held] = []
        latest = datetime.fromtimestamp(updated / 1000, UTC) + _AHEAD
        for id_, message in fresh.items():
            way = self._routes[message.sender, message.recipients]
            if message.sent > latest:
                held.append(Held(message, "future-date"))
            elif isinstance(way, Refusal):
                held.append(Held(message, way.reason, way.unknown))
            else:
                circles.setdefault(way.circle, []).append((id_, message, way))
        keys = {key: messages[0][2].patients for key, messages in circles.items()}
        await people.name(
            who for patients in keys.values() if len(patients) > 1 for who in patients
        )
        await self._have_at_hand(keys)
        placed: dict[str, list[Placed]] = {}
        for key, patients in keys.items():
            circle = self._circles[key]
            names = people.names(patients) if len(patients) > 1 else None
            mine = placed[key] = []
            for way in {way for _, _, way in circles[key]}:
                for name, party in zip(way.keys, way.parties, strict=True):
                    circle.parties.setdefault(name, party)
            for id_, message, way in circles[key]:
                heard = Heard(names, people.own_names(message.sender)) if names else None
                one = place(message, id_, way, heard, self._keywords)
                circle.add(one, self._by_patient)
                mine.append(one)
        return placed, held

    async def _find_routes(self, messages: Iterable[Message]) -> None:
        """Have the route of every message at hand."""
        people, routes = self._people, self._routes
        strangers = self._settings.unknown == "patient"
        unmet = {(one.sender, one.recipients) for one in messages}.difference(routes)
        await people.resolve(one for ends in unmet for one in (ends[0], *ends[1]))
        for sender, recipients in unmet:
            way = route(sender, recipients, people, strangers=strangers)
            if strangers and isinstance(way, Refusal):
                for address in way.unknown:
                    people.make_patient(address)
                way = route(sender, recipients, people, strangers=strangers)
            routes[sender, recipients] = way

    async def _have_at_hand(self, keys: Mapping[str, tuple[str, ...]]) -> None:
        self._latest = frozenset(keys)
        missing = {key: who for key, who in keys.items() if key not in self._circles}
        loaded = await load_circles(
            missing, self._people, self._keywords, by_patient=self._by_patient
        )
        for key in keys:
            # The one used last stands last: the first are let go of first.
            self._circles[key] = loaded[key] if key in loaded else self._circles.pop(key)

    async def _write_circles(self, batch: Batch, keys: Iterable[str]) -> list[Held]:
        """Project what has changed in those circles; the messages that a lock keeps out."""
        rules = Rules(
            self._settings, self._settings.assign, self._people.practice, batch.updated * 1000
        )
        held: list[Held] = []
        relinked: list[tuple[Circle, Placed, Link]] = []
        plans = [(self._circles[key], plan(self._circles[key], rules)) for key in keys]
        deleted = await self._deleted(plans) if self._careful else {}
        for circle, todo in plans:
            held += [Held(one.message, "locked-session") for one in todo.late if one.message]
            write_plan(batch, circle, todo, self._settings, deleted, recutting=self._recutting)
            if any(key.type == "Communication" and key in deleted for key in todo.resources):
                # Its messages could not be found without it.
                batch.revived[circle.key] = circle.patients
            for one, link in todo.links:
                if one.message is None:
                    relinked.append((circle, one, link))
                else:
                    self._write_child(batch, one, one.message, link)
        await self._write_relinked(batch, relinked)
        return held

    def _write_child(self, batch: Batch, placed: Placed, message: Message, link: Link) -> None:
        batch.write(Key("Communication", placed.child), child(message, placed.child, link))
        for file in files(message, placed.child):
            batch.write(Key("Binary", file.id), file.resource, content=file.content)
        placed.link, placed.message = link, None

    async def _write_relinked(
        self, batch: Batch, relinked: Sequence[tuple[Circle, Placed, Link]]
    ) -> None:
        keys = [Key("Communication", placed.child) for _, placed, _ in relinked]
        stored = await self._current(keys)
        for key, (circle, placed, link) in zip(keys, relinked, strict=True):
            before = stored.get(key)
            if before is None or before.deleted:
                continue  # Somebody has deleted the message meanwhile: so it stays.
            sender = circle.parties[placed.sender].address
            recipients = tuple([circle.parties[one].address for one in placed.recipients])
            batch.write(key, relink(decode(before.body), link, sender, recipients), before)
            placed.link = link

    async def _deleted(self, plans: Iterable[tuple[Circle, Plan]]) -> dict[Key, Stored]:
        """What somebody has deleted of the resources that the plans make."""
        new = [key for circle, todo in plans for key in todo.resources if key not in circle.stored]
        return {key: one for key, one in (await self._current(new)).items() if one.deleted}

    async def _write_made(self, batch: Batch) -> None:
        made = self._people.made
        there = await self._current(list(made))
        for key, resource in made.items():
            if key not in there or there[key].deleted:
                batch.write(key, resource, there.get(key))
        made.clear()

    async def _write_held(self, batch: Batch, waiting: Sequence[Held | Broken]) -> int:
        """Hold what has to wait; how many do, without those that somebody has dismissed."""
        by_id = {held_id(item): item for item in waiting}
        keys = [Key("Task", id_) for id_ in by_id]
        there = await self._current(keys)
        dismissed = {key.id for key, stored in there.items() if not is_waiting(stored)}
        for key in keys:
            item = by_id[key.id]
            if key not in there:
                what = holding(item)
                self.held[key.id] = batch.write(key, what.task)
                batch.reviews += what.to_review
                binary = Key("Binary", what.binary_id)
                batch.write(binary, what.binary, content=what.content)
        still = [item for item in waiting if held_id(item) not in dismissed]
        batch.reasons.update(item.reason if isinstance(item, Held) else "broken" for item in still)
        return len(still)

    def _close_held(self, batch: Batch, messages: Iterable[Message]) -> None:
        if not self.held:
            return
        for message in messages:
            before = self.held.pop(message_held_id(message), None)
            if before is not None:
                key = Key("Task", before.id)
                batch.write(key, placed_at_last(decode(before.body)), before)

    async def _current(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """The current versions of ``keys``, with those that are on their way."""
        ours = {key: as_stored(self._pending[key]) for key in keys if key in self._pending}
        rest = [key for key in keys if key not in ours]
        return {**(await self._store.read_many(self._project, rest) if rest else {}), **ours}
