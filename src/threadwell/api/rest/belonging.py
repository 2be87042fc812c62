"""Which resources belong to the compartment of anything that is there."""

from __future__ import annotations

from collections.abc import Sequence

from threadwell.api.context import Context
from threadwell.fhir.json import decode
from threadwell.fhir.search.compartments import links
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.values import ReferenceValue
from threadwell.stores.contract import Key, Stored


async def belonging(context: Context, of: str, versions: Sequence[Stored]) -> set[Key]:
    """Those of the versions that belong to a compartment of the type ``of``, themselves included.

    They refer to one that exists; what belonged to a patient who is deleted belongs to none.
    """
    refer = {Key(one.type, one.id): _owners(context, of, one) for one in versions if one.type != of}
    owners = {owner for each in refer.values() for owner in each}
    there = await context.view.read_many(context.project, sorted(owners))
    alive = {key for key, stored in there.items() if not stored.deleted}
    found = {key for key, each in refer.items() if not alive.isdisjoint(each)}
    return found | {Key(one.type, one.id) for one in versions if one.type == of}


def _owners(context: Context, of: str, version: Stored) -> set[Key]:
    values = extract(decode(version.body), context.bases)
    return {
        Key(of, value.id)
        for param in links(of, version.type)
        for value in values.get(param, ())
        if isinstance(value, ReferenceValue) and value.type == of and value.id
    }
