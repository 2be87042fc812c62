"""``$viewdefinition-run``: a table of what the caller sees (SQL on FHIR 2).

R4 has no ViewDefinition, so one is sent along, or it is one of ours by its name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from threadwell.api.context import Context, Handler
from threadwell.api.exchange import Answer, Request
from threadwell.api.params import formats, parse_params
from threadwell.api.rest.accept import of_type, parse_json
from threadwell.api.rest.parameters import pairs_of
from threadwell.bulk.tables import (
    FORMATS,
    NoParquet,
    Wanted,
    WrongType,
    check_parquet,
    check_types,
    rows_of,
    shipped,
    written,
)
from threadwell.fhir.outcome import FhirError, Issue, invalid, not_found
from threadwell.fhir.search.compartments import Compartment, compartment_filter, member_types
from threadwell.fhir.search.parse import natural, parse_query
from threadwell.fhir.search.query import Filter, IdFilter, Query
from threadwell.fhir.search.references import is_id
from threadwell.fhir.views.definition import (
    BadView,
    Cells,
    SeveralValues,
    View,
    compiled,
)
from threadwell.fhir.views.paths import TooMuch

NAMES = frozenset({"$viewdefinition-run", "$run"})
#: Where views are, though R4 knows no such type.
TYPE = "ViewDefinition"
_KNOWN = ("_format", "header", "_limit", "patient", "_since", "viewReference")
_DEFAULT = "csv"


async def run(context: Context, request: Request) -> Answer:
    """The rows, as CSV, NDJSON, JSON or Parquet; 400 or 422 for a view that cannot be run."""
    definition, pairs = await _asked(request)
    if request.id:
        definition = shipped(request.id)
        if definition is None:
            raise not_found()
    try:
        view = compiled(definition, patterns=False)
    except BadView as error:
        raise FhirError(422, [Issue("invalid", str(error))]) from None
    context.view.check(view.resource, "search")
    wanted, filters = _wanted(context, view, pairs, formats(request.query))
    if wanted.format == "parquet":
        try:
            check_parquet()
        except NoParquet as error:
            raise FhirError(400, [Issue("not-supported", str(error))]) from None
    query = Query(view.resource, filters)
    rows = rows_of(context.view, context.project, view, query, wanted.most)
    try:
        # What is wrong with the first rows is told; later the connection breaks off.
        first: list[Cells] = await anext(rows, [])
        if wanted.format == "parquet":
            check_types(view.columns, first)
    except (SeveralValues, TooMuch, WrongType) as error:
        raise FhirError(422, [Issue("processing", str(error))]) from None
    headers = [
        (b"content-type", FORMATS[wanted.format].encode()),
        (b"cache-control", b"no-store"),
    ]
    return Answer(200, headers, b"", written(wanted, view.columns, _with(first, rows)))


def find(request: Request) -> Mapping[str, Handler] | None:
    """What answers at a path that begins with ``ViewDefinition``, or is the operation alone."""
    match request.path.split("/"):
        case [name] if name in NAMES:
            return SENT
        case [type_, name] if type_ == TYPE and name in NAMES:
            return SENT
        case [type_, id_, name] if type_ == TYPE and name in NAMES:
            request.id = id_
            return OURS
        case _:
            return None


SENT: Mapping[str, Handler] = {"POST": run}
OURS: Mapping[str, Handler] = {"GET": run, "POST": run}


async def _with(first: list[Cells], rows: AsyncIterator[list[Cells]]) -> AsyncIterator[list[Cells]]:
    yield first
    async for some in rows:
        yield some


async def _asked(request: Request) -> tuple[Any, list[tuple[str, str]]]:
    """The definition that is sent along, and the other parameters."""
    pairs = parse_params(request.query)
    definition: Any = None
    if request.method == "POST" and request.body:
        value = await parse_json(request)
        if isinstance(value, dict) and value.get("resourceType") == TYPE:
            return value, pairs
        definition, more = pairs_of(of_type(value, "Parameters"), "viewResource", references=True)
        pairs += more
    for name, value in pairs:
        if name not in _KNOWN:
            raise FhirError(
                400, [Issue("not-supported", f"Unknown parameter of this: {name[:64]}")]
            )
        if name == "viewReference":
            definition = shipped(value.rpartition("/")[2])
            if definition is None:
                raise invalid("viewReference names none of the views that are here")
    if definition is None and not request.id:
        raise invalid("viewResource is missing: the ViewDefinition to run")
    return definition, pairs


def _wanted(
    context: Context, view: View, pairs: list[tuple[str, str]], asked: list[str]
) -> tuple[Wanted, tuple[Filter, ...]]:
    format_, header, most = asked[-1] if asked else _DEFAULT, True, None
    params: list[tuple[str, str]] = []
    filters: list[Filter] = []
    for name, value in pairs:
        match name:
            case "_format":
                format_ = value
            case "header":
                header = value != "false"
            case "_limit":
                most = natural(name, value)
            case "_since":
                params.append(("_lastUpdated", f"gt{value}"))
            case "patient":
                filters.append(_of_patient(view.resource, value))
    names = {media.partition(";")[0]: short for short, media in FORMATS.items()}
    chosen = names.get(format_, format_)
    if chosen not in FORMATS:
        raise invalid(f"_format is one of {', '.join(FORMATS)}")
    query = parse_query(view.resource, params, bases=context.bases, now=context.clock)
    return Wanted(chosen, header, most), (*filters, *query.filters)


def _of_patient(type_: str, reference: str) -> Filter:
    id_ = reference.removeprefix("Patient/")
    if not is_id(id_) or type_ not in member_types("Patient"):
        raise invalid("patient is a reference, as Patient/1, and the view is of what belongs to it")
    if type_ == "Patient":
        return IdFilter((id_,))
    return compartment_filter(type_, [Compartment("Patient", id_)])
