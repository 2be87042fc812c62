"""What a request for an export asks for (Bulk Data Access 2.0 §2.4.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from threadwell.access.scopes import about_resources
from threadwell.api.context import Context
from threadwell.api.exchange import Request
from threadwell.api.headers import is_lenient
from threadwell.api.params import parse_params
from threadwell.api.rest.accept import of_type, parse_json
from threadwell.api.rest.parameters import pairs_of
from threadwell.bulk.job import Asked
from threadwell.bulk.scope import parse_filter
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.structures import elements
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError, Issue, invalid, not_found
from threadwell.fhir.search.compartments import member_types
from threadwell.fhir.search.query import Query, Total
from threadwell.fhir.search.references import is_id
from threadwell.fhir.search.times import query_range
from threadwell.stores.contract import Key

#: How NDJSON may be called.
_FORMATS = frozenset({"application/fhir+ndjson", "application/ndjson", "ndjson"})
#: Of these nothing is exported unless somebody names them: they are large, or of nobody.
_UNASKED = frozenset({"Binary"})
#: Patients that one export may name, and groups within groups that are looked into.
_MOST_PATIENTS, _MOST_GROUPS = 100_000, 1_000
#: Where a list of queries goes on with the next one, and not with a further value.
_NEXT_FILTER = re.compile(r",(?=[A-Z][A-Za-z]+\?)")
_ASSOCIATED = "includeAssociatedData"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?")


async def parse_asked(context: Context, request: Request, level: str) -> Asked:
    """What is asked for; ``level`` is ``Patient``, ``Group`` or ``""`` for all. Raises 400, or 404
    for a group that is not there.
    """
    lenient = is_lenient(request.headers)
    types: dict[str, None] = {}
    filters: list[tuple[str, str]] = []
    named: list[tuple[str, str]] = []
    patients: dict[str, None] = {}
    since: int | None = None
    told: list[str] = []
    for name, value in await _pairs(request):
        match name:
            case "_type":
                types.update(dict.fromkeys(_types(value)))
            case "_since":
                since = _since(value)
            case "_outputFormat":
                if value not in _FORMATS:
                    raise invalid("_outputFormat is application/fhir+ndjson: there is no other")
            case "_typeFilter":
                filters += [_filter(context, one) for one in _NEXT_FILTER.split(value)]
            case "_elements":
                named += [_element(one.strip()) for one in value.split(",") if one.strip()]
            case "patient" if request.method == "POST" and level:
                patients[_patient(context, value)] = None
            case _ if lenient:
                told.append(f"{name[:64]} is not offered: it was not heeded")
            case _:
                raise _unknown(name)
    chosen, notes = _chosen(types, level)
    for type_, _ in [*filters, *named]:
        if type_ and type_ not in chosen:
            raise invalid(f"{type_} is filtered, and not among the types that are asked for")
    members = await _members(context, request, level, list(patients))
    claims = request.caller.claims
    return Asked(
        url=f"{context.fhir}/{request.path}" + (f"?{request.query}" if request.query else ""),
        fhir=context.fhir,
        who=f"ClientApplication/{request.caller.client_id}",
        scopes=tuple(about_resources(claims.scopes)) if claims else (),
        patient=claims.patient if claims else "",
        types=chosen,
        filters=tuple(filters),
        elements=tuple(named),
        since=since,
        of_patients=bool(level),
        patients=members,
        notes=(*told, *notes),
    )


async def _pairs(request: Request) -> list[tuple[str, str]]:
    found = parse_params(request.query)
    if request.method == "POST" and request.body:
        parameters = of_type(await parse_json(request), "Parameters")
        found += pairs_of(parameters, references=True)[1]
    return found


def _types(value: str) -> Iterator[str]:
    for name in value.split(","):
        type_ = name.strip()
        if type_ not in RESOURCE_TYPES:
            raise invalid(f"Unknown resource type in _type: {type_[:64]}")
        yield type_


def _since(value: str) -> int:
    try:
        if not _INSTANT.fullmatch(value):
            raise ValueError
        return query_range(value)[0] // 1000
    except ValueError:
        raise invalid("_since must be an instant, as 2024-04-10T09:00:00Z") from None


def _filter(context: Context, text: str) -> tuple[str, str]:
    type_, mark, query = text.strip().partition("?")
    if not mark or type_ not in RESOURCE_TYPES:
        raise invalid("_typeFilter is a search, as Communication?status=completed")
    asked = parse_filter(type_, query, context.bases, context.clock)
    plain = Query(type_, asked.filters, count=asked.count)
    shown = asked.summary_count or asked.total is not Total.NONE
    if asked != plain or shown or "_count=" in query:
        raise invalid("_typeFilter says which resources, and nothing of their order or form")
    return type_, query


def _element(text: str) -> tuple[str, str]:
    type_, dot, name = text.rpartition(".")
    if dot and type_ not in RESOURCE_TYPES:
        raise invalid(f"Unknown resource type in _elements: {type_[:64]}")
    if type_:
        known = {one.name.removesuffix("[x]") for one in elements(type_)}
        if name.removesuffix("[x]") not in known | {"id", "meta"}:
            raise invalid(f"{type_} has no element {name[:64]} (_elements)")
    return type_, name.removesuffix("[x]")


def _patient(context: Context, reference: str) -> str:
    for base in context.bases:
        reference = reference.removeprefix(f"{base}/")
    type_, slash, id_ = reference.partition("/")
    if not slash or type_ != "Patient" or not is_id(id_):
        raise invalid("patient is a reference, as Patient/1")
    return id_


def _chosen(types: dict[str, None], level: str) -> tuple[tuple[str, ...], list[str]]:
    """The types to export, and what is to be told of the others."""
    if not level:
        return tuple(types or sorted(RESOURCE_TYPES - _UNASKED)), []
    within = member_types("Patient")
    if not types:
        return tuple(within), []
    outside = [name for name in types if name not in within]
    notes = [f"{name} belongs to no patient: nothing of it is here" for name in outside]
    return tuple([name for name in types if name in within]), notes


async def _members(
    context: Context, request: Request, level: str, patients: list[str]
) -> tuple[str, ...] | None:
    """The patients that it is about; ``None`` for all."""
    if patients:
        keys = [Key("Patient", id_) for id_ in patients]
        found = await context.view.read_many(context.project, keys)
        for key in keys:
            if key not in found or found[key].deleted:
                raise invalid(f"There is no Patient/{key.id}", "Parameters.parameter")
    if level != "Group":
        return tuple(patients) or None
    members = await _of_group(context, request.id)
    if outside := set(patients) - set(members):
        raise invalid(f"Patient/{min(outside)} is not in the group", "Parameters.parameter")
    return tuple(patients or members)


async def _of_group(context: Context, id_: str) -> list[str]:
    """The patients in a group, and in those that are in it."""
    seen, waiting = {id_}, [id_]
    found: dict[str, None] = {}
    while waiting:
        group = waiting.pop()
        stored = await context.view.read(context.project, "Group", group)
        if stored is None or stored.deleted:
            if group == id_:
                raise not_found()
            continue
        for member in decode(stored.body).get("member", ()):
            if member.get("inactive") is True:
                continue
            reference = str(member.get("entity", {}).get("reference", ""))
            for base in context.bases:
                reference = reference.removeprefix(f"{base}/")
            type_, _, other = reference.partition("/")
            if type_ == "Patient" and is_id(other):
                found[other] = None
            elif type_ == "Group" and other not in seen:
                seen.add(other)
                waiting.append(other)
        if len(found) > _MOST_PATIENTS or len(seen) > _MOST_GROUPS:
            raise FhirError(422, [Issue("too-costly", f"A group has at most {_MOST_PATIENTS:,}")])
    there = list(found)
    alive: list[str] = []
    for at in range(0, len(there), 1000):
        keys = [Key("Patient", one) for one in there[at : at + 1000]]
        known = await context.view.read_many(context.project, keys)
        alive += [key.id for key in keys if key in known and not known[key].deleted]
    return alive


def _unknown(name: str) -> FhirError:
    if name == _ASSOCIATED:
        text = f"{name} is not offered: ask for those types by _type"
    else:
        text = f"Unknown parameter of $export: {name[:64]}"
    return FhirError(400, [Issue("not-supported", text)])
