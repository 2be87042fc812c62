"""Somebody has read a thread up to a message: told in the way that the practice has chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.drafts import is_draft
from threadwell.encounters.receipts import (
    PRACTICE,
    READERS,
    is_of_message,
    is_of_two,
    mark,
    mark_identity,
    marked,
    read_in,
    with_read,
)
from threadwell.encounters.times import fhir_time, parse_fhir_time
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import (
    DateFilter,
    Filter,
    Query,
    ReferenceFilter,
    Sort,
    TokenFilter,
)
from threadwell.fhir.search.sought import DateMatch, Prefix, ReferenceMatch, TokenMatch
from threadwell.fhir.stamp import Clock, new_id, now_ms, stamp
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.versions import is_intakes
from threadwell.intake.links import as_key, target
from threadwell.intake.paging import search_all
from threadwell.intake.patience import Contended, Patience
from threadwell.intake.receipts.model import Model, receipt_model
from threadwell.intake.thread_names import NoThread, thread_named
from threadwell.stores.contract import ChangeSet, Conflict, Key, Reading, Store, Stored, Write

#: What counts as a message.
LIVE = TokenFilter(
    "status",
    (TokenMatch(None, "entered-in-error"), TokenMatch(None, "preparation")),
    negate=True,
)


class BadReceipt(ValueError):
    """It cannot be noted; the message says why, without any content."""


@dataclass(frozen=True, slots=True)
class MarkedRead:
    """What has become of it: ``who`` has read the ``thread`` up to the message ``up_to``.

    That is ``""`` where the thread has none. ``news`` tells whether it was not known before.
    """

    thread: str
    who: str
    up_to: str
    news: bool


async def mark_read(
    store: Store,
    project: str,
    thread: str,
    who: str,
    up_to: str = "",
    *,
    until: int | None = None,
    seen: Reading | None = None,
    author: str = "",
    clock: Clock = now_ms,
) -> MarkedRead:
    """Note that ``who`` (``Practitioner/…``) has read a thread (``Communication/…``).

    It may be named by a message, or by its session, too, if that has no other thread. That is up to
    a message, or ``until`` a time (microseconds since 1970 UTC), or all that is there. It is told
    on our own mark of the two, and beside in the way that is chosen. What was read once stays so.
    ``seen`` is what they have of the store: nothing else of the thread is told, or counts as read.
    Raises ``BadReceipt``, and ``Contended`` if others keep writing.
    """
    if not who.startswith(READERS):
        raise BadReceipt("say who has read it: Practitioner/…, Patient/… or RelatedPerson/…")
    try:
        name = await thread_named(
            store, project, thread if "/" in thread else f"Communication/{thread}"
        )
    except NoThread as error:
        raise BadReceipt(str(error)) from None
    seen = seen or store
    patience = Patience()
    while await patience.turn():
        header = await _read(seen, project, name)
        if header.get("partOf"):
            name, up_to = str(header["partOf"][0]["reference"]), up_to or name
            header = await _read(seen, project, name)
        try:
            batch = Batch(updated=clock(), author=author or who)
            asked = _Asked(store, seen, project, header, who, batch)
            return await asked.mark(up_to, until)
        except Conflict:
            continue
    raise Contended("others keep writing to the same thread; try again when they are done")


@dataclass(slots=True)
class _Asked:
    """What is noted of the thread of a ``header``."""

    store: Store
    seen: Reading
    project: str
    header: Resource
    who: str
    batch: Batch

    async def mark(self, up_to: str, until: int | None) -> MarkedRead:
        """Note it; raises ``Conflict``."""
        name = f"Communication/{self.header['id']}"
        model = await receipt_model(self.store, self.project)
        last: Resource = {}
        if up_to:
            last = await self._message(up_to)
            until = _sent(last)
        elif until is None or model is Model.EXTENSION:
            last = await self._last(until)
            until = _sent(last) if until is None else until
        if not until:
            return MarkedRead(name, self.who, "", news=False)
        await self._mark_own(until)
        more: list[Write] = []
        if model is Model.EXTENSION and last:
            more = await self._tell_by_header(last)
        elif model is Model.STATUS and is_of_two(self.header):
            await self._complete(until)
        await self._complete_tasks(until)
        writes = [*self.batch.writes.values(), *more]
        if writes:
            await self.store.commit(self.project, ChangeSet(tuple(writes)))
        read = f"Communication/{last['id']}" if last else ""
        return MarkedRead(name, self.who, read, news=bool(writes))

    async def _mark_own(self, until: int) -> None:
        identity = mark_identity(self.who, self.header["id"])
        key = Key("Task", identity.id)
        there = (await self.store.read_many(self.project, [key])).get(key)
        before = marked(decode(there.body)) if there and not there.deleted else None
        if before is None or before < until:
            self.batch.write(key, mark(identity, self.who, self.header["id"], until), there)

    async def _message(self, up_to: str) -> Resource:
        key = as_key(up_to if "/" in up_to else f"Communication/{up_to}")
        stored = await self.seen.read(self.project, *key) if key.type == "Communication" else None
        body: Resource = decode(stored.body) if stored and not stored.deleted else {}
        parents = [as_key(str(one.get("reference", ""))).id for one in body.get("partOf") or ()]
        if self.header["id"] not in parents or is_draft(body):
            raise BadReceipt(f"{up_to} is no message of the thread")
        return body

    async def _last(self, until: int | None) -> Resource:
        """The last message of the thread, or the last one until then; ``{}`` if it has none."""
        filters: list[Filter] = [self._of_thread(), LIVE]
        if until is not None:
            filters.append(DateFilter("sent", (DateMatch(Prefix.LT, until + 1, until + 1),)))
        newest = (Sort("sent", descending=True),)
        query = Query("Communication", tuple(filters), sort=newest, count=1)
        found = (await self.seen.search(self.project, query)).matches
        return decode(found[0].body) if found else {}

    def _of_thread(self) -> ReferenceFilter:
        whole = ReferenceMatch("Communication", self.header["id"], "")
        return ReferenceFilter("part-of", (whole,))

    async def _complete(self, until: int) -> None:
        """Complete the messages of the other side, in a thread of two."""
        unread = TokenFilter("status", (TokenMatch(None, "in-progress"),))
        query = Query("Communication", (self._of_thread(), unread))
        async for stored in search_all(self.store, self.project, query):
            body: Resource = decode(stored.body)
            if _sent(body) <= until and is_to(body, self.who):
                out = {**body, "status": "completed"}
                out.setdefault("received", fhir_time(self.batch.updated * 1000))
                self.batch.write(Key("Communication", stored.id), out, stored)

    async def _complete_tasks(self, until: int) -> None:
        """Complete the Tasks of what was read, whoever made them."""
        for stored in await requested(self.store, self.project, self.who, [self.header["id"]]):
            body: Resource = decode(stored.body)
            if _time(body.get("authoredOn")) <= until or not is_of_message(body):
                out = {**body, "status": "completed"}
                self.batch.write(Key("Task", stored.id), out, stored)

    async def _tell_by_header(self, last: Resource) -> list[Write]:
        """Have the header tell it, unless it tells as much already."""
        batch, id_ = self.batch, self.header["id"]
        stored = await self.store.read(self.project, "Communication", id_)
        if stored is None or stored.deleted:
            return []
        header: Resource = decode(stored.body)
        name = f"Communication/{last['id']}"
        there = read_in(header, self.who)
        if there is not None and (there[0] == name or await self._is_later(there[0], last)):
            return []
        body = with_read(header, self.who, name, batch.updated * 1000)
        if is_intakes(stored.version_id):
            batch.write(Key("Communication", id_), body, stored)
            return []
        # What somebody else has changed of the header is still to be noticed, by their version.
        version, now = new_id(batch.updated), max(batch.updated, stored.updated)
        stamped, bytes_ = stamp(body, id_, version, now)
        return [
            Write("Communication", id_, version, now, stamped, bytes_, stored, author=batch.author)
        ]

    async def _is_later(self, name: str, last: Resource) -> bool:
        stored = await self.store.read(self.project, *as_key(name)) if name else None
        body: Resource = decode(stored.body) if stored and not stored.deleted else {}
        return _sent(body) >= _sent(last)


async def requested(store: Store, project: str, who: str, headers: Sequence[str]) -> list[Stored]:
    """The Tasks that tell what somebody has not read of those threads, by logical id."""
    code = TokenMatch(codes.READ_RECEIPT["system"], codes.READ_RECEIPT["code"])
    filters: tuple[Filter, ...] = (
        ReferenceFilter("owner", (ReferenceMatch(*as_key(who), ""),)),
        TokenFilter("status", (TokenMatch(None, "requested"),)),
        TokenFilter("code", (code,)),
        ReferenceFilter(
            "focus", tuple(ReferenceMatch("Communication", one, "") for one in headers)
        ),
    )
    return [one async for one in search_all(store, project, Query("Task", filters))]


def is_to(message: Resource, who: str) -> bool:
    """Whether a message was written for the side of somebody: the practice's, or a patient's."""
    by_practice = target(message, "sender").startswith((*PRACTICE, "Organization/"))
    return by_practice != who.startswith(PRACTICE)


def _sent(body: Resource) -> int:
    return _time(body.get("sent"))


def _time(text: Any) -> int:
    """A FHIR time, 0 where there is none."""
    try:
        return parse_fhir_time(str(text)) if text else 0
    except ValueError:
        return 0


async def _read(store: Reading, project: str, name: str) -> Resource:
    key = as_key(name)
    stored = await store.read(project, *key) if key.type == "Communication" else None
    if stored is None or stored.deleted:
        raise BadReceipt(f"there is no {name}")
    body: Resource = decode(stored.body)
    return body
