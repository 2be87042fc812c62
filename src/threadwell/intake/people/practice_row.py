"""The practice's own row of the people, where messages came before it.

The first message of a store makes an Organization for the practice. What the people say of the
practice later is said of that one: a second one would have half of its messages.
"""

from __future__ import annotations

from collections.abc import Collection

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query
from threadwell.intake.people.address_book import keys_of
from threadwell.stores.contract import Key, Store

#: The identifier of the Organization that was made for the practice.
PRACTICE = Identity(codes.PRACTICE, "practice")


async def row_of_practice(
    store: Store,
    project: str,
    people: dict[Key, Resource],
    known: Collection[Key],
    country: str,
) -> dict[Key, Key]:
    """The key of the Organization that is the practice, and the one that the store has for it.

    ``known`` are the keys of those that the store has by their identifiers. The practice is the
    row with an address of the Organization that was made for it, or else the only row; where
    somebody else has made the only Organization, it is the row with an address of that one. It is
    empty where that does not show.
    """
    rows = {key: one for key, one in people.items() if key.type == "Organization"}
    if all(key in known for key in rows):
        return {}
    page = await store.search(project, Query("Organization", count=2))
    alone = len(page.matches) == 1
    stored = await store.read(project, "Organization", PRACTICE.id)
    made = stored is not None and not stored.deleted
    if not made:
        stored = page.matches[0] if alone else None
    if stored is None or decode(stored.body).get("active") is False:
        return {}
    own = keys_of(decode(stored.body), country)
    having = [key for key, one in rows.items() if not own.isdisjoint(keys_of(one, country))]
    if not having and made and alone:
        having = list(rows)
    if len(having) != 1 or having[0] in known:
        return {}
    return {having[0]: Key("Organization", stored.id)}


def with_own_identifiers(wanted: Resource, stored: Resource) -> Resource:
    """The Organization as the people have it, with the identifiers that it had before.

    Those of a system that the people name are theirs.
    """
    if wanted["resourceType"] != "Organization":
        return wanted
    said = list(wanted.get("identifier") or ())
    systems = {one.get("system") for one in said}
    others = [one for one in stored.get("identifier") or () if one.get("system") not in systems]
    return {**wanted, "identifier": [*said, *others]}
