"""Which circles have something about patients, whether or not these are members of them.

A person may have said that messages are about somebody to whom no address of theirs leads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from threadwell.encounters import codes
from threadwell.encounters.attribution import patients_of, reasons_of
from threadwell.encounters.merge import is_live
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Filter, MissingFilter, Query, ReferenceFilter, TokenFilter
from threadwell.fhir.search.sought import ReferenceMatch, TokenMatch
from threadwell.intake.circles.due import Circles, Touched, all_circles
from threadwell.intake.links import as_key
from threadwell.intake.paging import chunks, search_all
from threadwell.intake.people.address_book import AddressBook

_OURS = TokenFilter("identifier", (TokenMatch(codes.CIRCLE, None),))
_IS_HEADER = MissingFilter("part-of", missing=True)
_IS_OUTSIDE = MissingFilter("encounter", missing=True)


async def circles_with(people: AddressBook, merged: Mapping[str, str]) -> Circles:
    """The circles that have any who is replaced (``Patient/…``), or anything about them.

    Those of which they are no members come first: nobody counts twice where messages move to one.
    """
    every = await all_circles(people, merged)
    theirs = {key: who for key, who in every.items() if not merged.keys().isdisjoint(who)}
    about = await _circles_about(people, merged)
    return {**{key: who for key, who in about.items() if key not in theirs}, **theirs}


async def _circles_about(people: AddressBook, patients: Collection[str]) -> Circles:
    """The circles that have messages, headers or sessions about any of them."""
    touched = Touched()
    groups: set[str] = set()
    for some in chunks(sorted(patients)):
        async for stored in search_all(
            people.store, people.project, Query("Group", (_to("member", some),))
        ):
            groups.add(f"Group/{stored.id}")
    for some in chunks(sorted({*patients, *groups})):
        await _note(people, touched, Query("Encounter", (_to("subject", some), _OURS)))
        await _note(people, touched, Query("Communication", (_to("subject", some),)))
    await _note_outside(people, touched, patients)
    return await touched.find(people)


async def _note(people: AddressBook, touched: Touched, query: Query) -> None:
    async for stored in search_all(people.store, people.project, query):
        body = decode(stored.body)
        # A message that was taken back still is of a live thread.
        if is_live(body) or "partOf" in body:
            touched.add(stored, body)


async def _note_outside(people: AddressBook, touched: Touched, patients: Collection[str]) -> None:
    """Note messages of no session: what is about several has no subject there."""
    headers = Query("Communication", (_IS_HEADER, _IS_OUTSIDE, _OURS))
    found = [
        stored.id
        async for stored in search_all(people.store, people.project, headers)
        if is_live(decode(stored.body))
    ]
    for some in chunks(found):
        of = _to("part-of", [f"Communication/{one}" for one in some])
        children = Query("Communication", (of,))
        async for stored in search_all(people.store, people.project, children):
            body = decode(stored.body)
            if not patients_of(reasons_of(body)).isdisjoint(patients):
                touched.add(stored, body)


def _to(parameter: str, names: Collection[str]) -> Filter:
    return ReferenceFilter(parameter, tuple(ReferenceMatch(*as_key(one), "") for one in names))
