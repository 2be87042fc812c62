"""The sessions that a store holds, each in a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from threadwell.encounters import codes
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import (
    MissingFilter,
    Query,
    ReferenceFilter,
    ReferenceMatch,
    Sort,
    TokenFilter,
    TokenMatch,
)
from threadwell.intake.paging import chunks, search_all
from threadwell.stores.contract import Key, Store


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One session. ``id`` is the logical id of its session encounter.

    ``patients`` are references, in order, none where it is not known whom it is about, and
    ``names`` what they are called. ``start`` and ``end`` are FHIR dateTimes, ``end`` ``""`` while
    it is open. ``headers`` are the logical ids of its threads, ``messages`` how many they have.
    """

    id: str
    status: str
    patients: tuple[str, ...]
    names: tuple[str, ...]
    channels: tuple[str, ...]
    start: str
    end: str
    headers: tuple[str, ...]
    messages: int


async def sessions(store: Store, project: str) -> list[SessionSummary]:
    """Every live session, the newest first."""
    query = Query(
        "Encounter",
        (
            TokenFilter("type", (TokenMatch(codes.ENCOUNTER_TYPE, codes.SESSION_TAG["code"]),)),
            TokenFilter("status", (TokenMatch(None, "entered-in-error"),), negate=True),
        ),
        sort=(Sort("date", descending=True),),
    )
    encounters = [decode(stored.body) async for stored in search_all(store, project, query)]
    headers = await _headers(store, project, [one["id"] for one in encounters])
    counts = await _count(
        store, project, [one["id"] for those in headers.values() for one in those]
    )
    members = await _members(store, project, encounters)
    names = await _names(store, project, [who for those in members.values() for who in those])
    return [
        SessionSummary(
            one["id"],
            one["status"],
            members[one["id"]],
            tuple(names.get(who, who) for who in members[one["id"]]),
            tuple(sorted({channel for header in threads for channel in _channels(header)})),
            (one.get("period") or {}).get("start", ""),
            (one.get("period") or {}).get("end", ""),
            tuple(header["id"] for header in threads),
            sum(counts.get(header["id"], 0) for header in threads),
        )
        for one in encounters
        for threads in [headers.get(one["id"], [])]
    ]


async def _headers(store: Store, project: str, ids: Sequence[str]) -> dict[str, list[Resource]]:
    out: dict[str, list[Resource]] = {}
    for some in chunks(ids):
        matches = tuple(ReferenceMatch("Encounter", id_, "") for id_ in some)
        query = Query(
            "Communication",
            (
                ReferenceFilter("encounter", matches),
                MissingFilter("part-of", missing=True),
                TokenFilter("status", (TokenMatch(None, "entered-in-error"),), negate=True),
            ),
        )
        async for stored in search_all(store, project, query):
            header = decode(stored.body)
            out.setdefault(_target(header["encounter"]).id, []).append(header)
    return out


async def _count(store: Store, project: str, headers: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for some in chunks(headers):
        matches = tuple(ReferenceMatch("Communication", id_, "") for id_ in some)
        query = Query("Communication", (ReferenceFilter("part-of", matches),))
        async for stored in search_all(store, project, query):
            header = _target(decode(stored.body)["partOf"][0]).id
            counts[header] = counts.get(header, 0) + 1
    return counts


async def _members(
    store: Store, project: str, encounters: Sequence[Resource]
) -> dict[str, tuple[str, ...]]:
    """The patients of each session: its subject, or the members of its Group."""
    subjects = {one["id"]: _target(one.get("subject") or {}) for one in encounters}
    groups = [key for key in subjects.values() if key.type == "Group"]
    found = await store.read_many(project, groups) if groups else {}
    out: dict[str, tuple[str, ...]] = {}
    for id_, subject in subjects.items():
        if subject.type == "Group":
            stored = found.get(subject)
            group = decode(stored.body) if stored and not stored.deleted else {}
            out[id_] = tuple(one["entity"]["reference"] for one in group.get("member") or ())
        else:
            out[id_] = (f"{subject.type}/{subject.id}",) if subject.id else ()
    return out


async def _names(store: Store, project: str, patients: Sequence[str]) -> dict[str, str]:
    keys = {Key(*who.split("/", 1)): who for who in patients if "/" in who}
    found = await store.read_many(project, list(keys)) if keys else {}
    return {
        keys[key]: name
        for key, stored in found.items()
        if not stored.deleted and (name := _name(decode(stored.body)))
    }


def _name(patient: Resource) -> str:
    for name in patient.get("name") or ():
        if name.get("text"):
            return str(name["text"])
        if parts := [*(name.get("given") or ()), *filter(None, [name.get("family")])]:
            return " ".join(parts)
    return ""


def _channels(header: Resource) -> list[str]:
    return [
        str(identifier["system"])[len(codes.THREAD) :]
        for identifier in header.get("identifier") or ()
        if str(identifier.get("system", "")).startswith(codes.THREAD)
    ]


def _target(reference: dict[str, Any]) -> Key:
    type_, _, id_ = str(reference.get("reference", "")).partition("/")
    return Key(type_, id_)
