"""Everything that a caller can ask about what is hidden from them, made of the server's own tables.

``searches`` are made of the search parameters, with the values of the hidden resources;
``requests`` of the routes. ``WAYS`` says which handlers they reach: what is not there fails the
suite, so a new way to data needs an attack of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.unit.access.world import NAMES, WORLD, key
from threadwell.fhir.definitions.search_parameters import search_parameters
from threadwell.fhir.search import compartments
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.field import field
from threadwell.fhir.search.values import (
    DateValue,
    NumberValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)

#: What refers to what in the practice, and may be asked through.
TYPES = tuple(sorted({str(one["resourceType"]) for one in WORLD.values()}))

_R4 = "http://hl7.org/fhir/"


class Ask(NamedTuple):
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


def values(name: str) -> Iterator[tuple[str, str]]:
    """Parameters of a resource, each with a value that finds it."""
    for code, found in extract(WORLD[name]).items():
        for value in found[:2]:
            if text := _text(value):
                yield code, text


def searches(hidden: str) -> Iterator[str]:
    """Searches that would tell of a hidden resource: by it, and by way of it."""
    type_, id_ = key(hidden)
    asked = [("_id", id_), ("_lastUpdated", "gt2000-01-01"), *values(hidden)]
    for code, text in asked:
        one = f"{code}={quote(text, safe='/:|')}"
        yield f"{type_}?{one}&_total=accurate"
        if code == "_id":
            yield f"{type_}?{one}&_summary=count"
        for source in TYPES:
            for param in _references(source, type_)[:1]:
                yield f"{source}?{param}:{type_}.{one}&_total=accurate"
        for target in TYPES:
            for param in _references(type_, target)[:1]:
                yield f"{target}?_has:{type_}:{param}:{one}&_total=accurate"


def pages() -> Iterator[str]:
    """Orders, pages, includes: of each type, whatever is hidden of it."""
    for type_ in TYPES:
        known = {code for name in WORLD if key(name).type == type_ for code, _ in values(name)}
        for code, parameter in search_parameters(type_).items():
            if code not in known | {"_id", "_lastUpdated"}:
                continue
            if parameter.type not in ("composite", "special"):
                yield f"{type_}?_sort={code}&_count=2&_total=accurate"
                yield f"{type_}?_sort=-{code}&_count=2"
            if parameter.type == "reference":
                yield f"{type_}?_include={type_}:{code}"
                yield f"{type_}?_include={type_}:{code}&_include:iterate=*"
            yield f"{type_}?{code}:missing=true&_summary=count"
        for source in TYPES:
            for param in _references(source, type_):
                yield f"{type_}?_revinclude={source}:{param}"
                yield f"{type_}?_revinclude={source}:{param}&_revinclude:iterate=*"
        yield f"{type_}?_offset=1&_total=accurate"
        yield f"{type_}?_elements=id&_total=estimate"
        yield f"{type_}?_include=*&_revinclude=*"
    yield "Subscription/00000000-0000-4000-8000-000000000000/$get-ws-binding-token"
    yield "Subscription/00000000-0000-4000-8000-000000000000/$events?eventsSinceNumber=1"
    yield from terms()
    yield from trail()
    for of in ("", *(f"{type_}/" for type_ in TYPES)):
        yield f"{of}_history"
        yield f"{of}_history?_count=2"
        yield f"{of}_history?_since=2024-03-10&_at=2024-03&_count=7"
    yield "?_count=100"
    yield f"Observation/$lastn?patient={NAMES['cleo']}&code:missing=false"
    yield f"Observation/$lastn?subject={NAMES['ada']}&category:missing=true&max=9"
    yield f"?_type={','.join(TYPES)}&_sort=_lastUpdated&_count=3&_total=accurate"


def trail() -> Iterator[str]:
    """Looks at the record of who saw what."""
    yield "AuditEvent?_total=accurate&_count=5"
    yield "AuditEvent?action=C&_summary=count"
    for line in range(3):
        for part in range(2):
            yield f"AuditEvent/audit.{line}.{part}"
    yield "AuditEvent/audit.0.0/_history/1"


def terms() -> Iterator[str]:
    """Searches by value sets and by what stands above a code, and operations on codes."""
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    yield f"Encounter?class:below={act}|_ActEncounterCode&_total=accurate"
    yield f"Encounter?class:above={act}|VR&_total=accurate"
    for how in ("in", "not-in"):
        yield f"Communication?status:{how}={_R4}ValueSet/event-status&_total=accurate"
        yield f"Patient?_has:Encounter:patient:status:{how}={_R4}ValueSet/encounter-status"
    # Those of our own are read by whoever asks, as anything is.
    never = "00000000-0000-4000-8000-000000000000"
    yield f"Communication?status:in=ValueSet/{never}&_total=accurate"
    for (type_, name), of in _CODED.items():
        yield f"{type_}/{name}?{of}"
        yield f"{type_}/{never}/{name}?{of.partition('&')[2]}"


#: What each operation on codes is asked about.
_CODED = {
    ("ValueSet", "$expand"): f"url={_R4}ValueSet/event-status",
    ("ValueSet", "$validate-code"): f"url={_R4}ValueSet/event-status&code=completed",
    ("CodeSystem", "$validate-code"): f"url={_R4}event-status&code=completed",
    ("CodeSystem", "$lookup"): f"system={_R4}event-status&code=completed",
    ("CodeSystem", "$subsumes"): f"system={_R4}event-status&codeA=completed&codeB=completed",
    ("ConceptMap", "$translate"): f"url={_R4}ConceptMap/sc-account-status&code=active",
}


def filters(hidden: str) -> Iterator[str]:
    """Expressions of ``_filter`` that would tell of a hidden resource, and what it is not."""
    type_, id_ = key(hidden)
    for code, text in [("_id", id_), *values(hidden)]:
        operator = "eq" if "-" not in text[4:5] or code == "_id" else "ge"
        term = f"{code} {operator} {json.dumps(text)}"
        for expression in (term, f"not ({term})", f"{term} or _id eq {ONE.get(type_, id_)}"):
            yield f"{type_}?_filter={quote(expression, safe='')}&_total=accurate"
        for source in TYPES:
            for param in _references(source, type_)[:1]:
                path = f"{param}:{type_}"
                for expression in (
                    f"{path}.{term}",
                    f"not ({path}.{term})",
                    f"{path}[{term}]._id pr true",
                    f"_lastUpdated lt 1990 or {path}.{term}",
                ):
                    yield f"{source}?_filter={quote(expression, safe='')}&_total=accurate"


def graph_pages() -> Iterator[str]:
    """Queries by GraphQL that ask for all that there is, in every order and by every reference."""
    for type_ in TYPES:
        yield _graph(f"{{{type_}List(_count: 50) {{id}}}}")
        connection = "{count next previous pageSize edges {resource {id}}}"
        yield _graph(f'{{{type_}Connection(_count: 1, _sort: "-_lastUpdated") {connection}}}')
        for source in TYPES:
            for param in _references(source, type_):
                name = param.replace("-", "_")
                inner = f'{source}List(_reference: {name}, _count: 2, _sort: "_id") {{id}}'
                yield _graph(f"{{{type_}List {{id {inner}}}}}")


def graph_links() -> Iterator[Ask]:
    """Queries that follow every reference, and those of what they lead to."""
    led = "{reference resource {resourceType id ... on Communication {subject {resource {id}}}}}"
    of_communication = " ".join(f"{one} {led}" for one in ("sender", "partOf", "encounter"))
    for fields in (
        f"CommunicationList {{id {of_communication}}}",
        f"EncounterList {{id subject {led} partOf {led} participant {{individual {led}}}}}",
        f"TaskList {{id focus {led} for {led} owner {led}}}",
    ):
        yield Ask("POST", "$graphql", {"query": f"{{{fields}}}"})


def graph_searches(hidden: str) -> Iterator[str]:
    """Searches by GraphQL for a hidden resource, and counts of it."""
    type_, id_ = key(hidden)
    for code, text in [("_id", id_), *values(hidden)]:
        given = f"{code.replace('-', '_')}: {json.dumps(text)}"
        yield _graph(f"{{{type_}Connection({given}) {{count edges {{resource {{id}}}}}}}}")


def graph_writes(hidden: str) -> Iterator[Ask]:
    """Mutations of a hidden resource, and of what refers to it."""
    type_, id_ = key(hidden)
    body = {**WORLD[hidden], "id": id_}
    for verb, arguments, variables in (
        ("Update", f'id: "{id_}", res: $res', {"res": body}),
        ("Create", "res: $res", {"res": WORLD[hidden]}),
        ("Delete", f'id: "{id_}"', {}),
    ):
        declared = f"($res: {type_}{verb}!)" if variables else ""
        query = f"mutation{declared} {{{type_}{verb}({arguments}) {{id}}}}"
        yield Ask("POST", "$graphql", {"query": query, "variables": variables})
    said = _message(partOf=[{"reference": f"{type_}/{id_}"}])
    query = "mutation($res: CommunicationCreate!) {CommunicationCreate(res: $res) {id}}"
    yield Ask("POST", "$graphql", {"query": query, "variables": {"res": said}})


def _graph(query: str) -> str:
    return f"$graphql?query={quote(query, safe='')}"


def about(hidden: str) -> Iterator[Ask]:
    """Requests for a hidden resource itself, that change nothing."""
    type_, id_ = key(hidden)
    name = f"{type_}/{id_}"
    for path in (name, f"{name}/_history", *[f"{name}/_history/{one}" for one in VERSIONS]):
        yield Ask("GET", path)
    yield Ask("GET", name, None, {"if-none-match": f'W/"{VERSIONS[0]}"'})
    yield Ask("GET", name, None, {"if-modified-since": "Sat, 09 Mar 2030 00:00:00 GMT"})
    yield Ask("HEAD", name)
    yield Ask("GET", f"{name}/$validate?mode=delete")
    yield Ask("GET", f"{name}/$everything")
    yield Ask("POST", f"{name}/$expunge")
    yield Ask("POST", f"{name}/$expunge?everything=true")
    yield Ask("GET", f"{type_}/$everything")
    yield Ask("GET", f"{name}?_elements=id")
    by_id = f'{{{type_}(id: "{id_}") {{id meta {{versionId lastUpdated}}}}}}'
    yield Ask("POST", "$graphql", {"query": by_id})
    for of in compartments.OF:
        if type_ == of:
            yield Ask("GET", f"{name}/*")
            yield Ask("GET", f"{name}/AuditEvent?_total=accurate")
            for member in TYPES:
                yield Ask("GET", f"{name}/{member}?_total=accurate")
                yield Ask("GET", f"{member}?_compartment={name}&_total=accurate")
                for other in TYPES:
                    for param in _references(member, other)[:1]:
                        led = f"{member}?{param}:{other}._compartment={name}"
                        yield Ask("GET", f"{led}&_total=accurate")
    yield Ask("POST", f"{type_}/_search", f"_id={id_}".encode(), FORM)
    yield Ask("POST", "AuditEvent/_search", f"entity={name}".encode(), FORM)
    yield Ask("POST", "_search", f"_type={type_}&_id={id_}".encode(), FORM)
    yield from exports(type_, id_)
    yield from imports(type_)
    yield from views(type_, id_)
    get = {"request": {"method": "GET", "url": name}}
    count = {"request": {"method": "GET", "url": f"{type_}?_id={id_}&_summary=count"}}
    for kind in ("batch", "transaction"):
        yield Ask("POST", "", {"resourceType": "Bundle", "type": kind, "entry": [get]})
        yield Ask("POST", "", {"resourceType": "Bundle", "type": kind, "entry": [count]})


def exports(type_: str, id_: str) -> Iterator[Ask]:
    """Exports that name something hidden, and looks at those of others. What is in one's own,
    ``test_exports`` compares.
    """
    nobody = "00000000-0000-4000-8000-000000000000"
    named = {"name": "patient", "valueReference": {"reference": f"{type_}/{id_}"}}
    yield Ask("POST", "Patient/$export", {"resourceType": "Parameters", "parameter": [named]})
    yield Ask("GET", f"Group/{id_}/$export")
    yield Ask("GET", f"$export?_type={type_}&_typeFilter={type_}%3F_id%3D{id_}")
    yield Ask("GET", f"bulkdata/export/{nobody}")
    yield Ask("DELETE", f"bulkdata/export/{nobody}")
    yield Ask("GET", f"bulkdata/export/{nobody}/{type_}.1.ndjson")


def imports(type_: str) -> Iterator[Ask]:
    """Imports of a type of which something is hidden, and looks at those of others. What comes of
    one's own, ``api/test_import`` tells.
    """
    nobody = "00000000-0000-4000-8000-000000000000"
    body = {
        "inputFormat": "application/fhir+ndjson",
        "inputSource": "https://elsewhere.example.org",
        "input": [{"type": type_, "url": "https://elsewhere.example.org/1.ndjson"}],
    }
    yield Ask("POST", "$import", body)
    yield Ask("GET", f"bulkdata/import/{nobody}")
    yield Ask("DELETE", f"bulkdata/import/{nobody}")
    yield Ask("GET", f"bulkdata/import/{nobody}/error.1.ndjson")


def views(type_: str, id_: str) -> Iterator[Ask]:
    """Tables of what is there: of all that is of a type, and of ours."""
    column = [{"name": "id", "path": "id"}]
    rows = {"resource": type_, "select": [{"column": column}], "where": []}
    named = {**rows, "where": [{"path": f"id = '{id_}'"}]}
    for view in (rows, named):
        body = {"resourceType": "ViewDefinition", **view}
        yield Ask("POST", "$viewdefinition-run?_format=ndjson", body)
    for name in ("messages", "response_times", "sessions", "threads"):
        yield Ask("GET", f"ViewDefinition/{name}/$viewdefinition-run?_format=csv")


def writes(hidden: str) -> Iterator[Ask]:
    """Requests that try to write it, or to learn by writing."""
    type_, id_ = key(hidden)
    name = f"{type_}/{id_}"
    body = {**WORLD[hidden], "id": id_}
    patch = [{"op": "test", "path": "/id", "value": id_}]
    as_patch = {"content-type": "application/json-patch+json"}
    # What is not there is deleted already: it would change nothing, and tell that it is there.
    parts = [
        {"name": "type", "valueCode": "delete"},
        {"name": "path", "valueString": f"{type_}.where(id = '{id_}').implicitRules"},
    ]
    by_path = {
        "resourceType": "Parameters",
        "parameter": [{"name": "operation", "part": parts}],
    }
    for headers in ({}, {"if-match": f'W/"{VERSIONS[0]}"'}, {"if-match": 'W/"no"'}):
        yield Ask("PUT", name, body, dict(headers))
        yield Ask("PATCH", name, patch, {**as_patch, **headers})
        yield Ask("PATCH", name, by_path, dict(headers))
        yield Ask("DELETE", name, None, dict(headers))
    for code, text in [("_id", id_), *values(hidden)]:
        one = f"{code}={quote(text, safe='/:|')}"
        fresh = {"resourceType": type_, "status": "broken"}
        yield Ask("POST", type_, fresh, {"if-none-exist": one})
        yield Ask("POST", type_, WORLD[hidden], {"if-none-exist": one})
        yield Ask("PATCH", f"{type_}?{one}", patch, as_patch)
        yield Ask("PATCH", f"{type_}?{one}", by_path)
        yield Ask("DELETE", f"{type_}?{one}")
        yield Ask("PUT", f"{type_}?{one}", WORLD[hidden])
        led = _message(partOf=[{"reference": f"{type_}?{one}"}])
        yield Ask("POST", "Communication", led)
        create = {
            "resource": WORLD[hidden],
            "request": {"method": "POST", "url": type_, "ifNoneExist": one},
        }
        yield Ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [create]})
        yield Ask("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": [create]})
    for method in ("PUT", "DELETE"):
        entry = {"resource": body, "request": {"method": method, "url": name}}
        yield Ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
    for kind in ("transaction", "batch"):
        entry = {"resource": by_path, "request": {"method": "PATCH", "url": name}}
        yield Ask("POST", "", {"resourceType": "Bundle", "type": kind, "entry": [entry]})
    # What refers to it would let its writer in to it.
    yield Ask("POST", "Communication", _message(partOf=[{"reference": name}]))
    yield Ask("POST", "Communication", _message(encounter={"reference": name}))
    yield Ask("POST", "Communication", _message(about=[{"reference": f"{FHIR}/{name}"}]))
    attached = {"contentAttachment": {"url": name}}
    yield Ask("POST", "Communication", _message(payload=[attached]))
    yield Ask("POST", "Communication", _message(encounter={"reference": f"{name}/_history/1"}))


def acts(
    hidden: str, operations: list[tuple[str, str]], of_type: list[tuple[str, str]]
) -> Iterator[Ask]:
    """Operations of ours on a hidden resource, and on what is seen naming a hidden one."""
    type_, id_ = key(hidden)
    for of, operation in operations:
        if of == type_:
            yield Ask("POST", f"{type_}/{id_}/{operation}", PARAMETERS)
        named = {"name": "patient", "valueReference": {"reference": f"{type_}/{id_}"}}
        for other in ("thread", "participant", "sender", "answers", "message", "reader", "owner"):
            body = {
                "resourceType": "Parameters",
                "parameter": [{**named, "name": other}, {"name": "text", "valueString": "x"}],
            }
            if other in ("thread", "participant", "sender") and of in ONE:
                yield Ask("POST", f"{of}/{ONE[of]}/{operation}", body)
    for of, operation in of_type:
        for other in ("thread", "patient"):
            part = {"name": other, "valueReference": {"reference": f"{type_}/{id_}"}}
            body = {"resourceType": "Parameters", "parameter": [part]}
            yield Ask("POST", f"{of}/{operation}", body)


#: Versions of the world, as ``world`` numbers them.
VERSIONS = tuple(f"00000000-0000-4000-8000-{1000 + n:012d}" for n in (1, 14, 15, 17, 20, 22))
FHIR = "http://testserver/fhir/R4"
FORM = {"content-type": "application/x-www-form-urlencoded"}
#: A resource of each type that some roles see, to act on.
ONE = {
    of: key(name).id
    for of, name in (("Communication", "one"), ("Encounter", "one-session"), ("Task", "one-todo"))
}
PARAMETERS = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "text", "valueString": "x"},
        {"name": "sender", "valueReference": {"reference": NAMES["bell"]}},
    ],
}


def _message(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "status": "preparation",
        "sender": {"reference": NAMES["bell"]},
        **more,
    }


def _references(source: str, target: str) -> list[str]:
    return [
        code
        for code, parameter in search_parameters(source).items()
        if parameter.type == "reference"
        and parameter.expression
        and target in field(source, code).targets
    ]


def _text(value: Any) -> str:
    match value:
        case TokenValue(system, code):
            return f"{system}|{code}" if system else code
        case ReferenceValue(type_, id_) if id_:
            return f"{type_}/{id_}"
        case StringValue(text):
            return text
        case UriValue(uri):
            return uri
        case DateValue(low):
            return f"{datetime.fromtimestamp(low / 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"
        case NumberValue():
            return str(Decimal(value.low))
        case _:
            return ""
