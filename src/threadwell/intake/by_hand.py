"""Sessions that somebody has made over FHIR, as Medplum's guide tells: their status is the truth.

No import made them, so nothing cuts them anew: an act changes the Encounter itself, its parts and
the headers that are linked to it.
"""

from __future__ import annotations

from typing import Any

from threadwell.encounters.merge import is_live, is_locked
from threadwell.encounters.times import fhir_time, parse_fhir_time
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import MissingFilter, Query, ReferenceFilter
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.intake.commits.batch import Batch
from threadwell.intake.paging import search_all
from threadwell.sessions import Kind
from threadwell.stores.contract import ChangeSet, Key, Store, Stored

#: The status of an Encounter that is over.
_OVER = frozenset({"finished", "cancelled"})


class Billed(ValueError):
    """It has been billed: it stays as it was billed."""


async def act_by_hand(store: Store, project: str, id_: str, kind: Kind, batch: Batch) -> str:
    """Close an Encounter of that logical id, or open it again; its status then.

    Nothing is written where it is so already. Raises ``Billed``, and ``Conflict`` where somebody
    else has changed it meanwhile.
    """
    stored = await store.read(project, "Encounter", id_)
    if stored is None or stored.deleted:
        return ""
    body: Resource = decode(stored.body)
    parts = [one async for one in search_all(store, project, _parts(id_))]
    if any(is_locked(one) for one in (body, *(decode(part.body) for part in parts))):
        raise Billed
    if (body["status"] in _OVER) == (kind is Kind.CLOSE):
        return str(body["status"])
    headers = [one async for one in search_all(store, project, _headers(id_))]
    last = await _last(store, project, headers)
    for one in (stored, *parts):
        encounter = decode(one.body)
        if is_live(encounter):
            changed = _turned(encounter, kind, batch.updated * 1000, last)
            batch.write(Key("Encounter", one.id), changed, one)
    for one in headers:
        header = decode(one.body)
        wanted = "completed" if kind is Kind.CLOSE else "in-progress"
        if header["status"] in ("in-progress", "completed") and header["status"] != wanted:
            batch.write(Key("Communication", one.id), {**header, "status": wanted}, one)
    await store.commit(project, ChangeSet(tuple(batch.writes.values())))
    written = batch.writes[Key("Encounter", id_)].resource or {}
    return str(written["status"])


def _turned(encounter: Resource, kind: Kind, now: int, last: int) -> Resource:
    """The Encounter with the status that the act gives it, and what it was before."""
    before = str(encounter["status"])
    period = dict(encounter.get("period") or {})
    begun = before not in ("planned", "arrived") or last > 0
    status = "in-progress" if kind is Kind.REOPEN else "finished" if begun else "cancelled"
    if kind is not Kind.REOPEN and before == status:
        return encounter
    past: list[Any] = list(encounter.get("statusHistory") or ())
    ended = [end for one in past if (end := (one.get("period") or {}).get("end"))]
    since = ended[-1] if ended else period.get("start")
    was: dict[str, Any] = {"end": fhir_time(now)}
    if since:
        was = {"start": since, **was}
    out = {**encounter, "status": status}
    out["statusHistory"] = [*past, {"status": before, "period": was}]
    if kind is Kind.REOPEN:
        period.pop("end", None)
    else:
        period["end"] = fhir_time(_not_before(last or now, period.get("start")))
    if period:
        out["period"] = period
    else:
        out.pop("period", None)
    return out


def _not_before(at: int, start: str | None) -> int:
    """A period ends no sooner than it begins."""
    try:
        return max(at, parse_fhir_time(start)) if start else at
    except ValueError:
        return at


async def _last(store: Store, project: str, headers: list[Stored]) -> int:
    """When the last message of those threads was sent, 0 where there is none."""
    at = 0
    for one in headers:
        whole = ReferenceFilter("part-of", (ReferenceMatch("Communication", one.id, ""),))
        async for child in search_all(store, project, Query("Communication", (whole,))):
            body = decode(child.body)
            if is_live(body) and (sent := body.get("sent")):
                at = max(at, parse_fhir_time(str(sent)))
    return at


def _parts(id_: str) -> Query:
    return Query(
        "Encounter", (ReferenceFilter("part-of", (ReferenceMatch("Encounter", id_, ""),)),)
    )


def _headers(id_: str) -> Query:
    linked = ReferenceFilter("encounter", (ReferenceMatch("Encounter", id_, ""),))
    return Query("Communication", (linked, MissingFilter("part-of", missing=True)))
