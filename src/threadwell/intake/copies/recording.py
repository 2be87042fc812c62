"""Meetings become writes: stored messages are completed, renamed or withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from threadwell.encounters.child import (
    Content,
    content,
    contents,
    files_of,
    retired,
    revised,
    told_apart,
    urls,
    vacancy,
)
from threadwell.encounters.copies import joined
from threadwell.encounters.placed import Placed
from threadwell.encounters.said import File
from threadwell.encounters.superseded import (
    COMPLETED,
    SHARED_ID,
    provenance,
    provenance_id,
    retimed,
    taking_over,
)
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import instant
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.load import placed_in
from threadwell.intake.circles.place import Keywords, ThreadOf
from threadwell.intake.circles.plan import is_kept_out
from threadwell.intake.circles.rules import Rules
from threadwell.intake.commits.batch import Batch
from threadwell.intake.copies.meeting import Meeting, Record, adds, as_message, bytes_of, is_moved
from threadwell.intake.copies.occupants import AtHand, Occupant, SharedId
from threadwell.intake.links import as_key
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.route import Held, Refusal
from threadwell.intake.people.writers import ANYWHERE, At, where_it_stands
from threadwell.messages import Message
from threadwell.stores.contract import Key, Stored


class Desk(AtHand, Protocol):
    """What else of a run it takes."""

    keywords: Keywords
    people: AddressBook
    by_patient: bool

    async def content_of(self, binary: Key) -> bytes | None:
        """The bytes of a Binary."""
        ...


@dataclass(slots=True)
class Draft:
    """A stored message as it will be written, but for its links.

    ``before`` is the version that it follows, and ``files`` are Binaries that it has not had.
    """

    circle: Circle
    placed: Placed
    body: Resource
    before: Stored | None
    files: Sequence[Content]


@dataclass(slots=True)
class Recorded:
    """What meetings come to: messages to be placed, by child, and those that are changed.

    ``former`` are the versions that new messages and their Binaries follow. The circles that are
    ``touched`` have to be brought up to date. ``completed`` counts the messages that say more,
    ``retimed`` those whose time was put right, ``reworded`` the wordings that others replace.
    ``shared`` are those of the fresh whose id another message had before.
    """

    fresh: dict[str, Message] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)
    former: dict[Key, Stored] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    completed: int = 0
    retimed: int = 0
    reworded: int = 0
    shared: set[str] = field(default_factory=set)


async def record_meetings(
    meetings: Sequence[Meeting], batch: Batch, rules: Rules, desk: Desk
) -> Recorded:
    """Do what the meetings have come to, as far as it is not for the circles to decide."""
    out = Recorded()
    for meeting in meetings:
        place = meeting.place
        for one in meeting.records:
            if one.base is None:
                out.fresh[one.child] = as_message(one)
            else:
                await _Change(one, one.base, place, batch, rules, desk).make(out)
        apart = [one.child for one in meeting.records if one.base is None and one.apart]
        out.shared.update(apart if place.occupants else apart[1:])
        out.former.update((key, one) for key, one in place.former.items() if key.id in out.fresh)
        if meeting.vacancy:
            batch.write(place.plain, vacancy(place.channel, place.external_id))
    await _write_files(out, batch, desk)
    return out


async def _write_files(out: Recorded, batch: Batch, desk: Desk) -> None:
    """Write the files of drafts, and find those that a new message has left when it was there."""
    files = {Key("Binary", f.id): f for each in out.drafts.values() for f in each.files}
    left = [
        Key("Binary", one.id)
        for id_, message in out.fresh.items()
        if Key("Communication", id_) in out.former
        for one in contents(message, id_, files_of(message))
    ]
    there = await desk.current([*files, *left])
    for key, file in files.items():
        batch.write(key, file.resource, there.get(key), content=file.content)
    out.former.update((key, there[key]) for key in left if key in there)


@dataclass(slots=True)
class _Change:
    """One stored message that says more, or has another identity, from now on."""

    record: Record
    base: Occupant
    place: SharedId
    batch: Batch
    rules: Rules
    desk: Desk

    async def make(self, out: Recorded) -> None:
        """Add it to what is recorded; where it has to wait, note that on the newcomers."""
        more = adds(self.base.said, self.record.said)
        if not (more or self.record.moved or self.record.others):
            return
        circle = await self._home()
        draft = await self._draft(circle) if circle else None
        if draft and self._is_kept_out(draft):
            self._hold(Held(self.record.newcomers[0].message, "locked-session"))
            draft = None
        if draft is None:
            self.record.said, more = self.base.said, False
            if not self.record.moved:
                return
            draft = await self._draft(self._circle)
        for one in (self.base, *self.record.others):
            if one.circle is not None and one.placed is not None:
                one.circle.let_go(one.placed, self.desk.by_patient)
                out.touched.add(one.circle.key)
            if one.key.id != self.record.child:
                self._retire(one)
        draft.circle.take_back(draft.placed, self.desk.by_patient)
        out.touched.add(draft.circle.key)
        out.drafts[self.record.child] = draft
        moved = is_moved(self.base.said, self.record.said)
        out.retimed += moved
        if moved and not self.record.moved:
            self._tell_of_time()
        out.completed += more and not moved

    @property
    def _circle(self) -> Circle:
        assert self.base.circle is not None  # It would be fixed.
        return self.base.circle

    async def _home(self) -> Circle | None:
        """The circle that it belongs to; ``None`` where it has to wait with what it says more."""
        known, now = self.base.said, self.record.said
        if set(known.recipients) == set(now.recipients):
            return self._circle
        way = await self.desk.ways.between(now.sender, now.recipients, self._where)
        if isinstance(way, Refusal):
            self._hold(Held(self.record.newcomers[0].message, *way))
            return None
        return (await self.desk.circles({way.circle: way.patients}))[way.circle]

    async def _draft(self, circle: Circle) -> Draft:
        base, now, id_ = self.base, self.record.said, self.record.child
        channel, external_id = self.place.channel, self.place.external_id
        there, files = await self._files()
        body = told_apart({**base.body, "id": id_}, channel, external_id, self.record.apart)
        body = revised(body, now, channel, id_, there)
        placed = base.placed
        assert placed is not None  # It would be fixed.
        thread = ThreadOf(now.thread or placed.thread_id, placed.by_references)
        again = await placed_in(circle, thread, body, self.desk.people, self.desk.keywords)
        assert again is not None  # It is one of ours: its base was.
        return Draft(circle, again, body, self._before(), files)

    def _before(self) -> Stored | None:
        key = Key("Communication", self.record.child)
        there = {one.key: one.before for one in (self.base, *self.record.others)}
        return there.get(key) or self.place.former.get(key)

    def _is_kept_out(self, draft: Draft) -> bool:
        """Whether it would change a billed session, by a move or by another time."""
        moves = draft.circle is not self.base.circle or self.base.said.sent != self.record.said.sent
        return moves and is_kept_out(draft.circle, draft.placed, self.rules)

    @property
    def _where(self) -> At:
        """Where it stands, for what was said of the addresses on it."""
        placed = self.base.placed
        if placed is None or not self.desk.people.writers.narrow:
            return ANYWHERE
        return where_it_stands(self.base.body, placed.thread_id, by_references=placed.by_references)

    def _hold(self, why: Held) -> None:
        for new in self.record.newcomers:
            if adds(self.base.said, joined(self.base.said, new.said)):
                new.held = replace(why, message=new.message)

    async def _files(self) -> tuple[dict[tuple[str, int], str], list[Content]]:
        """Where files are that need no new Binary, and the Binaries of the others."""
        stays = {} if self.record.moved else urls(self.base.body)
        came = bytes_of(new.message for new in self.record.newcomers)
        made = []
        for file in self.record.said.files:
            if file.there and file.bytes_key not in stays:
                url = self._stored_url(file)
                bytes_ = came.get(file.bytes_key)
                if bytes_ is None and url:
                    bytes_ = await self.desk.content_of(as_key(url))
                if bytes_ is not None:
                    made.append(content(file, self.record.child, bytes_))
                elif url:
                    stays[file.bytes_key] = url
        return stays, made

    def _stored_url(self, file: File) -> str:
        there = (urls(one.body).get(file.bytes_key) for one in (self.base, *self.record.others))
        return next(filter(None, there), "")

    def _tell_of_time(self) -> None:
        batch, (type_, id_) = self.batch, self.base.key
        version = self.base.before.version_id
        told = retimed(
            f"{type_}/{id_}", f"{type_}/{id_}/_history/{version}", instant(batch.updated)
        )
        batch.write(Key("Provenance", provenance_id(type_, id_, version)), told)

    def _retire(self, one: Occupant) -> None:
        """What one was recorded as is no longer so."""
        batch, id_ = self.batch, one.key.id
        batch.write(one.key, retired(decode(one.before.body)), one.before)
        batch.superseded += 1
        why = SHARED_ID if one is self.base and self.record.apart else COMPLETED
        recorded, version = instant(batch.updated), one.before.version_id
        told = Key("Provenance", provenance_id("Communication", id_, version))
        batch.write(told, provenance("Communication", id_, recorded, why))
        heir = f"Communication/{self.record.child}"
        over = Key("Provenance", provenance_id("Communication", id_, version, heir))
        source = f"Communication/{id_}/_history/{version}"
        batch.write(over, taking_over(heir, source, recorded))
