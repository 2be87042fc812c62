"""A filter by a value set or a hierarchy of codes as one by codes (FHIR R4 §3.1.1.5.10)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.field import Field
from threadwell.fhir.search.parse import MAX_LOOKED_UP
from threadwell.fhir.search.query import ConceptFilter, Relation, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.fhir.search.terms import plain_code
from threadwell.fhir.terminology.library import NotDone, TooMuch, Unknown
from threadwell.fhir.terminology.members import members
from threadwell.stores.contract import Reading
from threadwell.stores.terms import Packaged, code_system, gather, known, no_packages

_OURS = "ValueSet/"
#: What no resource has: a filter that nothing can match.
_NOTHING = TokenMatch("urn:threadwell:nothing", "\0")


async def tokens_of(
    store: Reading,
    project: str,
    of: Field,
    filter_: ConceptFilter,
    packaged: Packaged = no_packages,
) -> TokenFilter:
    """The codes that it asks for; raises ``FhirError`` 400 where that cannot be told."""
    found: dict[TokenMatch, None] = {}
    try:
        async for system, code in _codes(store, project, filter_, packaged):
            found[plain_code(of, system, code) or TokenMatch(system, code)] = None
            if len(found) > MAX_LOOKED_UP:
                raise TooMuch(f"A search looks up at most {MAX_LOOKED_UP:,} codes")
    except (NotDone, TooMuch, Unknown) as error:
        text = f"Search parameter {filter_.param}:{filter_.relation}: {error}"
        raise FhirError(400, [Issue("not-supported", text)]) from None
    return TokenFilter(filter_.param, tuple(found) or (_NOTHING,), filter_.negate)


async def _codes(
    store: Reading, project: str, filter_: ConceptFilter, packaged: Packaged
) -> AsyncIterator[tuple[str, str]]:
    for named in filter_.value_sets:
        value_set = await _value_set(store, project, named, packaged)
        library = await gather(store, project, given=value_set, packaged=packaged)
        for key in members(value_set, library):
            yield key
    for match in filter_.matches:
        url, named_code = match.system or "", match.code or ""
        system = await code_system(store, project, url, packaged)
        if system is None or not system.is_whole:
            raise Unknown("CodeSystem", url)
        reach = system.below if filter_.relation is Relation.BELOW else system.above
        # A code that the system does not know is still itself.
        for code in reach(named_code) or [named_code]:
            yield url, code


async def _value_set(store: Reading, project: str, named: str, packaged: Packaged) -> Resource:
    if not named.startswith(_OURS):
        found = await known(store, project, "ValueSet", named, packaged)
    else:
        stored = await store.read(project, "ValueSet", named.removeprefix(_OURS))
        found = None if stored is None or stored.deleted else decode(stored.body)
    if found is None:
        raise Unknown("ValueSet", named)
    return found
