"""Why the sessions of a store are about whom they are about."""

from __future__ import annotations

from collections.abc import Iterable

from threadwell.encounters.merge import is_live
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, ReferenceFilter
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.intake.explained import ToldAt, Why, summed, told_by
from threadwell.intake.links import as_key, circle_of, target
from threadwell.intake.paging import chunks, search_all
from threadwell.intake.reports.sessions import session_headers
from threadwell.intake.reports.whom import whom
from threadwell.stores.contract import Store


async def why(store: Store, project: str, session: str) -> tuple[Why, ...]:
    """Why a session encounter, by its logical id, is about whom it is about.

    Nothing where no import has made it, or nobody knows whom it is about.
    """
    stored = await store.read(project, "Encounter", session)
    if stored is None or stored.deleted:
        return ()
    encounter = decode(stored.body)
    headers = await session_headers(store, project, [session])
    threads = headers.get(session, [])
    if not any(map(circle_of, threads)):
        return ()
    found = await told_in(store, project, [one["id"] for one in threads])
    told = [one for those in found.values() for one in those.values()]
    about = (await whom(store, project, [encounter], headers))[session]
    patients = about.patients if target(encounter, "subject") else ()
    known = await referred(store, project, names_in(told, patients))
    return summed(told, patients, known)


async def told_in(
    store: Store, project: str, headers: Iterable[str]
) -> dict[str, dict[str, ToldAt]]:
    """What each live message of those thread headers tells, by the logical ids of both."""
    told: dict[str, dict[str, ToldAt]] = {}
    for some in chunks(headers):
        matches = tuple(ReferenceMatch("Communication", one, "") for one in some)
        query = Query("Communication", (ReferenceFilter("part-of", matches),))
        async for stored in search_all(store, project, query):
            body = decode(stored.body)
            if is_live(body):
                header = as_key(str(body["partOf"][0].get("reference", ""))).id
                told.setdefault(header, {})[stored.id] = told_by(body)
    return told


def names_in(told: Iterable[ToldAt], patients: Iterable[str] = ()) -> set[str]:
    """The references to those patients, to whom and what reasons name, and to what was said."""
    named = set(patients)
    for one in told:
        named |= {name for why in one.reasons for name in (why.patient, why.source)}
        named |= {task for _, task in one.said}
    return {name for name in named if "/" in name}


async def referred(store: Store, project: str, names: Iterable[str]) -> dict[str, Resource]:
    """The resources of those references that are there."""
    known: dict[str, Resource] = {}
    for some in chunks(sorted(names)):
        found = await store.read_many(project, [as_key(one) for one in some])
        for key, one in found.items():
            if not one.deleted:
                known[f"{key.type}/{key.id}"] = decode(one.body)
    return known
