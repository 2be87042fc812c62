"""How thread headers follow each other, and what has taken the place of a superseded session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.merge import is_live
from threadwell.encounters.times import parse_fhir_time
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import (
    DateFilter,
    Filter,
    MissingFilter,
    Query,
    ReferenceFilter,
    Sort,
    TokenFilter,
)
from threadwell.fhir.search.sought import DateMatch, Prefix, ReferenceMatch, TokenMatch
from threadwell.intake.links import as_key, circle_of, target
from threadwell.intake.paging import search_all
from threadwell.stores.contract import Reading

#: Headers of a thread that are looked at for the one that follows; more begin at one moment never.
_NEXT = 50
#: The width of most times of messages, in microseconds.
_SECOND = 1_000_000


class Neighbours(NamedTuple):
    """The sessions, by the ids of their encounters, before and after in a rolling thread."""

    before: str
    after: str


async def neighbours(store: Reading, project: str, header: Resource) -> Neighbours:
    """Where a thread comes from and where it goes on; ``""`` where it begins or ends."""
    before = ""
    for reference in header.get("inResponseTo") or ():
        key = as_key(str(reference.get("reference", "")))
        if key.type == "Communication":
            stored = await store.read(project, *key)
            if stored is not None and not stored.deleted:
                before = before or _session(decode(stored.body))
    return Neighbours(before, await _after(store, project, header))


async def successor(store: Reading, project: str, headers: Sequence[Resource]) -> str:
    """The id of the session that has taken the place of a superseded one, ``""`` if none has.

    ``headers`` are those of the superseded one, the earliest first. The successor is where the
    first message is now.
    """
    likely = ""
    for header in headers:
        thread, sent = thread_of(header), str(header.get("sent", ""))
        if thread is None or not sent:
            continue
        at = _at(sent)
        exact = DateMatch(Prefix.EQ, at, at + _SECOND)
        query = Query(
            "Communication",
            (MissingFilter("part-of", missing=False), DateFilter("sent", (exact,))),
        )
        async for stored in search_all(store, project, query):
            child = decode(stored.body)
            if _at(str(child.get("sent", ""))) != at:
                continue
            key = as_key(_part_of(child))
            now = await store.read(project, *key)
            other = decode(now.body) if now is not None and not now.deleted else {}
            if not other or not is_live(other) or not _session(other):
                continue
            if thread_of(other) == thread:
                return _session(other)
            # Two threads may have turned out to be one, which has another's name.
            same_people = circle_of(other) == circle_of(header) != ""
            if same_people and (thread_of(other) or ("",))[0] == thread[0]:
                likely = likely or _session(other)
    return likely


async def superseded_because(store: Reading, project: str, encounter: str) -> str:
    """Why a session encounter was superseded, as its Provenance tells; ``""`` if none does."""
    about = ReferenceFilter("target", (ReferenceMatch("Encounter", encounter, ""),))
    query = Query("Provenance", (about,), sort=(Sort("recorded", descending=True),), count=20)
    for stored in (await store.search(project, query)).matches:
        one = decode(stored.body)
        activity = (one.get("activity") or {}).get("coding") or ()
        if any(coding.get("code") == "NULLIFY" for coding in activity):
            reasons = (reason.get("text") for reason in one.get("reason") or ())
            return str(next(filter(None, reasons), ""))
    return ""


def thread_of(header: Resource) -> tuple[str, str] | None:
    """The channel's own identifier of the thread, which all of its headers have."""
    for identifier in header.get("identifier") or ():
        system = str(identifier.get("system", ""))
        if system.startswith(codes.THREAD) and identifier.get("value"):
            return system, str(identifier["value"])
    return None


async def _after(store: Reading, project: str, header: Resource) -> str:
    filters: list[Filter] = [MissingFilter("part-of", missing=True)]
    if thread := thread_of(header):
        filters.append(TokenFilter("identifier", (TokenMatch(*thread),)))
    elif people := _people(header):
        filters.append(ReferenceFilter("recipient", people))
    else:
        return ""
    if sent := header.get("sent"):
        at = _at(str(sent))
        filters.append(DateFilter("sent", (DateMatch(Prefix.SA, at, at),)))
    query = Query("Communication", tuple(filters), sort=(Sort("sent"),), count=_NEXT)
    own = f"Communication/{header['id']}"
    for stored in (await store.search(project, query)).matches:
        other = decode(stored.body)
        follows = [one.get("reference") for one in other.get("inResponseTo") or ()]
        if own in follows and is_live(other):
            return _session(other)
    return ""


def _people(header: Resource) -> tuple[ReferenceMatch, ...]:
    everybody = [header.get("sender"), *(header.get("recipient") or ())]
    keys = (as_key(str((one or {}).get("reference", ""))) for one in everybody)
    return tuple(ReferenceMatch(key.type, key.id, "") for key in dict.fromkeys(keys) if key.id)


def _session(header: Resource) -> str:
    key = as_key(target(header, "encounter"))
    return key.id if key.type == "Encounter" else ""


def _part_of(child: Resource) -> str:
    return str((child.get("partOf") or [{}])[0].get("reference", ""))


def _at(text: str) -> int:
    try:
        return parse_fhir_time(text)
    except ValueError:
        return 0
