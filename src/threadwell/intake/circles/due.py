"""Which circles have to be looked at though no message was added to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from threadwell.encounters import codes
from threadwell.encounters.acts import done_by
from threadwell.encounters.identity import OPENED
from threadwell.encounters.people import addresses_of
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import (
    DateFilter,
    Filter,
    MissingFilter,
    Query,
    ReferenceFilter,
    TokenFilter,
)
from threadwell.fhir.search.sought import DateMatch, Prefix, ReferenceMatch, TokenMatch
from threadwell.intake.circles.place import ThreadOf, thread_of
from threadwell.intake.links import circle_of
from threadwell.intake.paging import chunks, search_all
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.route import Refusal, route
from threadwell.intake.people.writers import ANYWHERE, where_it_stands
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Key, Stored
from threadwell.threads import circle_key

#: How the key of a circle begins that names its patients; others are digests.
_NAMED = "Patient/"
_IS_PART = MissingFilter("part-of", missing=False)
_IS_HEADER = MissingFilter("part-of", missing=True)
#: Drafts have no addresses, and what others have written into a thread may have none.
_IS_SAID = TokenFilter("status", (TokenMatch(None, "preparation"),), negate=True)
_FEW = 10
_NOBODY: Mapping[str, str] = MappingProxyType({})
#: Merges into one large family that are undone in thought, each in three ways.
_MOST_MERGED = 6
_IS_ACT = TokenFilter("identifier", (TokenMatch(codes.ACT, None),))

#: Circles by their keys, with their patients.
Circles: TypeAlias = dict[str, tuple[str, ...]]


class _Header(NamedTuple):
    """A thread header: its logical id, its identity and the key of its circle."""

    id: str
    identity: str
    circle: str


async def open_circles(people: AddressBook, settings: Settings) -> Circles:
    """The circles with open threads that the policy and scope of ``settings`` made.

    Those are the ones with sessions that time alone may have finished.
    """
    status = TokenFilter("status", (TokenMatch(None, "in-progress"),))
    found: list[_Header] = []
    async for header in _headers(people, status):
        opened = header.identity.startswith(f"{settings.policy}|{OPENED}|")
        by_patient = header.identity.startswith(f"{settings.policy}|{header.circle}|")
        if header.identity.startswith(f"{settings.policy}|") and (
            opened or by_patient == (settings.scope == "patient")
        ):
            found.append(header)
    waiting = TokenFilter("status", (TokenMatch(None, "arrived"),))
    ours = TokenFilter("identifier", (TokenMatch(codes.CIRCLE, None),))
    async for stored in search_all(
        people.store, people.project, Query("Encounter", (waiting, ours))
    ):
        body = decode(stored.body)
        if str(body["identifier"][0].get("value", "")).startswith(f"{settings.policy}|{OPENED}|"):
            found.append(_Header("", "", circle_of(body)))
    return await _circles(people, found)


async def all_circles(people: AddressBook, merged: Mapping[str, str] = _NOBODY) -> Circles:
    """All circles with messages or acts; also those from before patients were ``merged``."""
    status = TokenFilter("status", (TokenMatch(None, "entered-in-error"),), negate=True)
    headers = [header async for header in _headers(people, status)]
    found = await _circles(people, headers, merged)
    return {**await acted_circles(people), **found}


async def acted_circles(people: AddressBook) -> Circles:
    """The circles of which somebody has opened, closed or opened again a session."""
    found: Circles = {}
    acts = Query("Task", (_IS_ACT,))
    async for stored in search_all(people.store, people.project, acts):
        body = decode(stored.body)
        if (done := done_by(body)) and (circle := circle_of(body)):
            found[circle] = done.patients
    return found


async def changed_circles(people: AddressBook, since: int) -> Circles:
    """The circles of which somebody else has changed anything after ``since``.

    That is in milliseconds since 1970 UTC; no import has written anything since then. It is 0
    where there was none yet: all that can be there are acts, of another store for one.
    """
    if not since:
        return await acted_circles(people)
    after = DateFilter("_lastUpdated", (DateMatch(Prefix.GT, since * 1000, (since + 1) * 1000),))
    ours = TokenFilter("identifier", (TokenMatch(codes.CIRCLE, None),))
    touched = Touched()
    for query in (
        Query("Encounter", (after, ours)),
        Query("Group", (after, ours)),
        Query("Task", (after, _IS_ACT)),
        Query("Communication", (after, ours, _IS_HEADER)),
        Query("Communication", (after, _IS_PART)),
    ):
        async for stored in search_all(people.store, people.project, query):
            touched.add(stored, decode(stored.body))
    return await touched.find(people)


@dataclass(slots=True)
class Touched:
    """The circles to which resources belong that somebody has changed, as the resources tell.

    ``circles`` are by key, each with one of its headers where one is known, and ``headers`` those
    of ``messages``, by id.
    """

    circles: dict[str, str] = field(default_factory=dict)
    headers: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)

    def add(self, stored: Stored, body: Resource) -> None:
        """Note one of them."""
        if circle := circle_of(body):
            header = stored.id if stored.type == "Communication" else ""
            self.circles[circle] = header or self.circles.get(circle, "")
        elif stored.type == "Communication" and _is_ours(body) and (header := parent_of(body)):
            self.headers.add(header)
            self.messages.add(stored.id)

    def update(self, other: Touched) -> None:
        """Note those of another one."""
        self.circles |= other.circles
        self.headers |= other.headers
        self.messages |= other.messages

    async def find(self, people: AddressBook) -> Circles:
        """The circles with their patients."""
        circles = dict(self.circles)
        for some in chunks(self.headers):
            keys = [Key("Communication", id_) for id_ in some]
            for key, stored in (await people.store.read_many(people.project, keys)).items():
                if not stored.deleted and (circle := circle_of(decode(stored.body))):
                    circles[circle] = key.id
        return await _circles(people, [_Header(id_, "", key) for key, id_ in circles.items()])


def parent_of(body: Resource) -> str:
    """The id of the header of a message; ``""`` for anything else."""
    parents = body.get("partOf")
    first = parents[0] if isinstance(parents, list) and parents else {}
    return str(first.get("reference", "")).rpartition("/")[2]


async def patients_of(
    people: AddressBook, circle: str, header: str, merged: Mapping[str, str] = _NOBODY
) -> tuple[str, ...]:
    """The patients of a circle; ``header`` is one of its thread headers, by id.

    Where the key is a digest, they follow from the addresses of one of its messages. If somebody
    has those no longer, there are none; but who had them before patients were ``merged`` (the one
    who stays by the one who is replaced) is found. ``header`` may be ``""``.
    """
    if circle.startswith(_NAMED):
        return tuple(circle.split("+"))
    if not header and (acted := await _patients_acted_for(people, circle)):
        return acted
    if not header:
        mine = TokenFilter("identifier", (TokenMatch(codes.CIRCLE, circle),))
        query = Query("Communication", (mine, _IS_HEADER), count=1)
        found = (await people.store.search(people.project, query)).matches
        header = found[0].id if found else ""
    whole = ReferenceFilter("part-of", (ReferenceMatch("Communication", header, ""),))
    query = Query("Communication", (whole, _IS_SAID), count=_FEW)
    page = await people.store.search(people.project, query)
    for stored in page.matches:
        body = decode(stored.body)
        actors = (body.get("sender") or {}, *(body.get("recipient") or ()))
        addresses = [address for actor in actors for address in addresses_of(actor)]
        if not addresses:
            continue
        await people.resolve(addresses)
        sender, *recipients = addresses
        thread = (await _thread(people, header)) if people.writers.narrow else None
        where = (
            where_it_stands(body, thread.id, by_references=thread.by_references)
            if thread
            else ANYWHERE
        )
        way = route(sender, recipients, people.users(where))
        if not isinstance(way, Refusal):
            for patients in _formerly(way.patients, merged):
                if circle_key(patients) == circle:
                    return patients
    return ()


def _formerly(patients: tuple[str, ...], merged: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """The patients, and who they may have been before: each who was replaced, or both."""
    yield patients
    theirs = [(old, new) for old, new in merged.items() if new in patients][:_MOST_MERGED]
    for ways in product(("now", "before", "both"), repeat=len(theirs)):
        former = set(patients)
        for way, (old, new) in zip(ways, theirs, strict=True):
            if way != "now":
                former.add(old)
            if way == "before":
                former.discard(new)
        yield tuple(sorted(former))


async def _patients_acted_for(people: AddressBook, circle: str) -> tuple[str, ...]:
    """The patients of a circle, as an act on a session of it names them."""
    mine = TokenFilter("identifier", (TokenMatch(codes.CIRCLE, circle),))
    async for stored in search_all(people.store, people.project, Query("Task", (mine, _IS_ACT))):
        if done := done_by(decode(stored.body)):
            return done.patients
    return ()


async def _thread(people: AddressBook, header: str) -> ThreadOf | None:
    found = await people.store.read(people.project, "Communication", header)
    return thread_of(decode(found.body)) if found and not found.deleted else None


async def _circles(
    people: AddressBook, headers: Iterable[_Header], merged: Mapping[str, str] = _NOBODY
) -> Circles:
    by_circle = {header.circle: header for header in headers if header.circle}
    found = {
        key: await patients_of(people, key, header.id, merged) for key, header in by_circle.items()
    }
    return {key: patients for key, patients in found.items() if patients}


def _is_ours(child: Resource) -> bool:
    return any(
        str(one.get("system", "")).startswith(codes.MESSAGE)
        for one in child.get("identifier") or ()
    )


async def _headers(people: AddressBook, status: Filter) -> AsyncIterator[_Header]:
    """The thread headers of a status; those of others have neither identity nor circle."""
    query = Query("Communication", (status, _IS_HEADER))
    async for stored in search_all(people.store, people.project, query):
        values = {
            one.get("system"): str(one.get("value", ""))
            for one in decode(stored.body).get("identifier") or ()
        }
        yield _Header(stored.id, values.get(codes.HEADER, ""), values.get(codes.CIRCLE, ""))
