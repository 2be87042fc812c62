"""``ValueSet/$expand`` (FHIR R4 §4.9.18.1): the codes of a value set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON
from threadwell.api.rest.terminology.given import CANNOT, given, named, refused
from threadwell.fhir.json import encode
from threadwell.fhir.search.fold import searched, searched_forms
from threadwell.fhir.terminology.members import Member, members
from threadwell.stores.aside import LARGE, aside
from threadwell.stores.terms import gather

NAME = "$expand"
#: Codes in one answer where no ``count`` is given, and the most that there may be.
MAX_COUNT = 1000
#: What R4 lets a client ask for, and what here is always so: flat, in English, without notes.
_PASSED_OVER = frozenset(
    {
        "context",
        "contextDirection",
        "date",
        "designation",
        "displayLanguage",
        "excludeNested",
        "excludePostCoordinated",
        "includeDesignations",
    }
)


async def expand(context: Context, request: Request) -> Answer:
    """The value set with its codes, in its own order, as one flat list.

    ``filter`` keeps those of which each word begins a word of the display, or the code; ``offset``
    and ``count`` make pages.
    """
    asked = await given(
        request,
        *("url", "valueSet", "valueSetVersion", "filter", "offset", "count"),
        *("activeOnly", "excludeNotForUI", "includeDefinition"),
        passed_over=_PASSED_OVER,
    )
    offset, count = asked.number("offset", 0), min(asked.number("count", MAX_COUNT), MAX_COUNT)
    value_set = await named(context, request, asked, "valueSet")
    try:
        library = await gather(
            context.view, context.project, given=value_set, packaged=context.packaged
        )
        found = await aside(LARGE, lambda: members(value_set, library))
    except CANNOT as error:
        raise refused(error) from None
    listed = list(_kept(found.values(), asked.text("filter")))
    if asked.flag("activeOnly"):
        listed = [one for one in listed if not one.is_inactive]
    if asked.flag("excludeNotForUI"):
        listed = [one for one in listed if not one.is_abstract]
    expansion: dict[str, Any] = {
        "identifier": uuid4().urn,
        "timestamp": datetime.fromtimestamp(context.clock() / 1000, UTC).isoformat(
            timespec="milliseconds"
        ),
        "total": len(listed),
        "offset": offset,
        "contains": [_contained(one) for one in listed[offset : offset + count]],
    }
    if not expansion["contains"]:
        del expansion["contains"]
    kept = {name: value for name, value in value_set.items() if name not in ("expansion", "text")}
    if not asked.flag("includeDefinition"):
        kept.pop("compose", None)
    return Answer(200, [JSON], encode({**kept, "expansion": expansion}))


def _kept(found: Iterable[Member], text: str) -> Iterator[Member]:
    wanted = searched(text)
    words = [f" {word}" for word in wanted.split()]
    for one in found:
        forms = f" {' '.join(searched_forms(one.display, parted=True))}"
        if all(word in forms for word in words) or searched(one.code).startswith(wanted):
            yield one


def _contained(one: Member) -> dict[str, Any]:
    out: dict[str, Any] = {"system": one.system}
    if one.is_abstract:
        out["abstract"] = True
    if one.is_inactive:
        out["inactive"] = True
    if one.version:
        out["version"] = one.version
    out["code"] = one.code
    if one.display:
        out["display"] = one.display
    return out
