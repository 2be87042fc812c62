"""A search as its caller may make it: the criteria of the policy enter the query.

So totals, orders and pages are those of a store without what is hidden. Of what a chain or a
``_has`` leads to only that counts which may be seen too: else one could learn what is in a hidden
resource by asking whether it matches. The same goes for what is included, and each step of it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from threadwell.access.implied import beyond
from threadwell.access.policy import NOTHING, Interaction
from threadwell.access.refusing import forbidden
from threadwell.access.sight import Sight
from threadwell.access.standing import under
from threadwell.fhir.search.query import (
    AllFilter,
    ChainFilter,
    EitherFilter,
    Filter,
    HasFilter,
    NotFilter,
    Query,
    ReferenceFilter,
    Total,
    UriFilter,
    lasting,
    parts_of,
)
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.stores.contract import Key, Page, Store, StoreBusy, Stored
from threadwell.stores.including import (
    Asked,
    Current,
    Named,
    Referring,
    Target,
    Versions,
    bounded,
    including,
)
from threadwell.stores.scanning import scan

#: Callers whose form of one query is remembered.
_MOST = 64
_HIDDEN = "The search asks by an element that you may not see"


async def searched(view: Sight, store: Store, project: str, query: Query) -> Page:
    """The page of a query; raises ``FhirError`` 403 where it asks by what is hidden."""
    if not view.policy.of(query.type, Interaction.SEARCH):
        counts = query.total is not Total.NONE or query.summary_count
        return Page([], [], 0 if counts else None, more=False)
    asked, moment = await _asked(view, store, query)
    page = await store.search(project, asked)
    if moment is not None and moment != store.moment(just_read=True):
        asked, _ = await _asked(view, store, query, anew=True)
        page = await store.search(project, asked)
    await _check_meaning(view, store, project)
    if any(entry.hidden for entry in view.policy.of(query.type, Interaction.SEARCH)):
        page = page._replace(
            matches=await view.see_all(query.type, page.matches, Interaction.SEARCH)
        )
    if not (query.includes or query.rev_includes):
        return page
    walk = including(query, page.matches, view.bases)
    try:
        step = next(walk)
        while True:
            step = walk.send(await _answer(view, project, step))
    except StopIteration as end:
        found, cut = end.value
        return page._replace(included=found, cut=cut)


async def _check_meaning(view: Sight, store: Store, project: str) -> None:
    """Raise ``StoreBusy`` where the criteria mean something else by now than when it was asked.

    A request may have taken so long that what they ask by has left the index meanwhile.
    """
    now = (await store.home(project)).catalogue
    policy = view.policy
    if policy.catalogue is not now and under(policy, now).entries != policy.entries:
        raise StoreBusy("what a policy asks by has changed meanwhile")


class _Limited(NamedTuple):
    """What a query that is asked again has become: for good, or for as long as the store is as it
    was at that ``moment``.
    """

    asked: Query
    moment: Hashable | None


async def _asked(view: Sight, store: Store, query: Query, *, anew: bool = False) -> _Limited:
    """What is asked of the store: what may be seen, without what that includes.

    It may be what was asked before, at another ``moment``, unless it is to be found out ``anew``.
    """
    derived, policy = query.derived, view.policy
    if derived is None:
        found, _ = await _limited(view, query)
        return _Limited(replace(found, includes=(), rev_includes=()), None)
    known: _Limited | None = derived.get(policy)
    if known is not None and not anew:
        return known
    moment = store.moment(just_read=True)
    found, has_looked = await _limited(view, query)
    asked = replace(found, includes=(), rev_includes=(), dated=has_looked)
    is_known = not has_looked or (moment is not None and moment == store.moment(just_read=True))
    made = _Limited(lasting(asked), moment if has_looked else None)
    if is_known:
        if known is None and len(derived) >= _MOST:
            derived.clear()
        derived[policy] = made
    return made if is_known else made._replace(moment=None)


async def limited(view: Sight, query: Query) -> Query:
    """The query of what may be seen."""
    return (await _limited(view, query))[0]


async def _limited(view: Sight, query: Query) -> tuple[Query, bool]:
    """The same, and whether it hangs on what is stored."""
    has_looked = False
    filters = tuple([_inside(view, filter_) for filter_ in query.filters])
    limit = view.policy.limit(query, Interaction.SEARCH)
    if limit == (NOTHING,):
        raise forbidden(_HIDDEN)

    async def all_hold(keys: Sequence[Key], chain: ChainFilter) -> bool:
        nonlocal has_looked
        has_looked = True
        found = await view.current(keys)
        by_type = dict(zip(chain.types, chain.filters, strict=True))
        return len(found) == len(set(keys)) and all(
            [await view.all_hold((by_type[key.type],), one) for key, one in found.items()]
        )

    more = await beyond(query.type, filters, limit, all_hold) if limit else ()
    return replace(query, filters=(*filters, *more)), has_looked


def _inside(view: Sight, filter_: Filter) -> Filter:
    """A filter that looks at nothing but what may be seen."""
    match filter_:
        case ChainFilter(param, types, filters):
            pairs = [
                (type_, inner)
                for type_, further in zip(types, filters, strict=True)
                if (inner := _led(view, type_, further)) is not None
            ]
            if not pairs:
                return NOTHING
            return ChainFilter(param, *map(tuple, zip(*pairs, strict=True)))
        case HasFilter(type_, param, further):
            from_it = ReferenceFilter(param, ())
            inner = _led(view, type_, further, from_it)
            return NOTHING if inner is None else HasFilter(type_, param, inner)
        case AllFilter(filters):
            return AllFilter(tuple([_inside(view, one) for one in filters]))
        case EitherFilter(alternatives):
            return EitherFilter(
                tuple([tuple([_inside(view, one) for one in some]) for some in alternatives])
            )
        case NotFilter(further):
            return NotFilter(_inside(view, further))
        case _:
            return filter_


def _led(view: Sight, type_: str, further: Filter, *more: Filter) -> Filter | None:
    """What a resource at the other end of a link has to match; ``None`` where none may be seen."""
    inner = _inside(view, further)
    limit = view.policy.limit_of_links(type_, (inner, *more))
    if limit == (NOTHING,):
        return None
    return AllFilter((*parts_of(inner), *limit)) if limit else inner


async def _answer(view: Sight, project: str, asked: Asked) -> list[Stored]:
    """What a step of the walk asks for, of that which may be seen."""
    ask, most = asked
    match ask:
        case Current(keys):
            found = await view.read_many(project, keys)
            there = [found[key] for key in keys if key in found]
            return bounded([one for one in there if not one.deleted], most)
        case Versions(versions):
            each = [await view.read_version(project, v.type, v.id, v.version) for v in versions]
            return bounded([one for one in each if one is not None and not one.deleted], most)
        case Named(types, urls):
            queries = [Query(type_, (UriFilter("url", tuple(urls)),)) for type_ in types]
            return bounded(await _all(view, project, queries, None), most)
        case Referring(params, targets, limit):
            queries = [Query(type_, (_refers(param, targets),)) for type_, param in params]
            return bounded(await _all(view, project, queries, limit), most)


async def _all(
    view: Sight, project: str, queries: Iterable[Query], limit: int | None
) -> list[Stored]:
    found: dict[Key, Stored] = {}
    for query in queries:
        if view.policy.limit(query, Interaction.SEARCH) == (NOTHING,):
            continue
        async for one in scan(view, project, query):
            found[Key(one.type, one.id)] = one
            if limit is not None and len(found) >= limit:
                return list(found.values())
    return list(found.values())


def _refers(param: str, targets: Sequence[Target]) -> ReferenceFilter:
    matches: list[ReferenceMatch] = []
    for target in targets:
        matches.append(ReferenceMatch(target.type, target.id, ""))
        url, version = target.name
        if url:
            matches.append(ReferenceMatch("", "", url, plain=True))
        if url and version:
            matches.append(ReferenceMatch("", "", f"{url}|{version}"))
    return ReferenceFilter(param, tuple(matches))
