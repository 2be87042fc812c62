"""``ConceptMap/$translate`` (FHIR R4 §4.10.16.1)."""

from __future__ import annotations

from typing import Any

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.rest.terminology.answers import parameter, parameters
from threadwell.api.rest.terminology.given import Given, given, named
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query
from threadwell.fhir.terminology import compiled
from threadwell.fhir.terminology.translating import Match, translate
from threadwell.stores.scanning import scan

NAME = "$translate"
#: Concept maps that are looked through where none is named.
MAX_MAPS = 1000


async def translate_(context: Context, request: Request) -> Answer:
    """``result`` true where there is a match; a code that maps to nothing says so as one, too.

    Without ``url`` all maps are asked that lead from ``source`` to ``target`` (value sets), or into
    ``targetsystem`` (``targetSystem``, as R5 and some clients write it).
    """
    asked = await given(
        request,
        *("url", "conceptMap", "conceptMapVersion", "code", "system", "version", "source"),
        *("coding", "codeableConcept", "target", "targetsystem", "targetSystem", "reverse"),
        passed_over=("dependency",),
    )
    maps = await _maps(context, request, asked)
    reverse = asked.flag("reverse")
    found: list[Match] = []
    for one in asked.code():
        found += translate(maps, one.system, one.code, reverse=reverse)
    wanted = _target_system(asked)
    found = [one for one in found if wanted in ("", one.system)]
    has_match = any(one.is_match for one in found)
    message = "" if has_match else "There is no such code in the other system"
    return parameters(
        parameter("result", "Boolean", has_match),
        parameter("message", "String", message),
        *({"name": "match", "part": _part(one)} for one in found),
    )


def _target_system(asked: Given) -> str:
    return asked.text("targetsystem") or asked.text("targetSystem")


async def _maps(context: Context, request: Request, asked: Given) -> list[Resource]:
    if request.id or asked.has("url") or asked.has("conceptMap"):
        return [await named(context, request, asked, "conceptMap")]
    ends = {name: asked.text(name) for name in ("source", "target")}
    if not any(ends.values()) and not _target_system(asked):
        raise invalid("Name the ConceptMap by its url, or what it leads to: target, targetsystem")
    found: list[Resource] = []
    async for stored in scan(context.view, context.project, Query("ConceptMap")):
        found.append(decode(stored.body))
        if len(found) > MAX_MAPS:
            told = f"There are more than {MAX_MAPS:,} concept maps: name one by its url"
            raise FhirError(422, [Issue("too-costly", told)])
    urls = {map_.get("url") for map_ in found}
    shelves = await context.conformance.guides.shelves(context.clock())
    for head in shelves.heads("ConceptMap"):
        if head.url not in urls and len(found) < MAX_MAPS:
            map_ = await context.packaged("ConceptMap", head.url)
            found += [map_] if map_ is not None else []
            urls.add(head.url)
    found += [map_ for map_ in compiled.concept_maps() if map_["url"] not in urls]
    return [map_ for map_ in found if all(_leads(map_, *end) for end in ends.items())]


def _leads(map_: Resource, end: str, url: str) -> bool:
    return url in ("", map_.get(f"{end}Uri"), map_.get(f"{end}Canonical"))


def _part(one: Match) -> list[dict[str, Any]]:
    told = (
        parameter("equivalence", "Code", one.equivalence),
        _concept(one) if one.code else None,
        parameter("source", "Uri", one.source),
    )
    return [part for part in told if part]


def _concept(one: Match) -> dict[str, Any]:
    coding = {"system": one.system, "code": one.code, "display": one.display}
    return {"name": "concept", "valueCoding": {k: v for k, v in coding.items() if v}}
