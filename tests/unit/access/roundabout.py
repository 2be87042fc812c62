"""Attacks that go round: by headers, by what an answer would say of something else, by validation.

Each asks about one that is hidden, as ``attacks`` does, in a way that no table of routes or
parameters would lead to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tests.unit.access.attacks import FHIR, FORM, ONE, TYPES, VERSIONS, Ask, _references, values
from tests.unit.access.world import NAMES, WORLD, key

_NEVER = "00000000-0000-4000-8000-000000000000"
_LONG_AGO = "Thu, 01 Jan 1970 00:00:01 GMT"


def by_headers(hidden: str) -> Iterator[Ask]:
    """Conditions on the version that there is, or is not; what is asked for in other ways."""
    type_, id_ = key(hidden)
    name = f"{type_}/{id_}"
    body = {**WORLD[hidden], "id": id_}
    for headers in (
        {"if-none-match": "*"},
        {"if-match": "*"},
        {"if-unmodified-since": _LONG_AGO},
        {"prefer": "return=minimal"},
        {"prefer": "return=OperationOutcome"},
    ):
        for method, content in (("GET", None), ("PUT", body), ("DELETE", None)):
            yield Ask(method, name, content, dict(headers))
    for headers in (
        {"x-medplum": "extended"},
        {"prefer": "handling=lenient"},
        {"prefer": "respond-async"},
        {"range": "bytes=0-3"},
        {"if-modified-since": _LONG_AGO},
        {"x-threadwell-break-glass": "Unconscious on arrival"},
        {"x-medplum-on-behalf-of": name},
    ):
        yield Ask("GET", name, None, dict(headers))
        yield Ask("GET", f"{type_}?_id={id_}&_total=accurate", None, dict(headers))
    for accept in ("text/plain", "application/fhir+json", "*/*;q=0.1"):
        yield Ask("GET", name, None, {"accept": accept})


def by_validation(hidden: str) -> Iterator[Ask]:
    """What ``$validate`` says of it, and of what refers to it."""
    type_, id_ = key(hidden)
    name = f"{type_}/{id_}"
    body = {**WORLD[hidden], "id": id_}
    for mode in ("create", "update", "delete"):
        given: list[Any] = [{"name": "mode", "valueCode": mode}]
        of_resource = [*given, {"name": "resource", "resource": body}]
        for of in (type_, name):
            parameters = {"resourceType": "Parameters", "parameter": of_resource}
            yield Ask("POST", f"{of}/$validate", parameters)
        yield Ask("GET", f"{name}/$validate?mode={mode}")
    for reference in (name, f"{FHIR}/{name}", f"{name}/_history/{VERSIONS[0]}"):
        said = {
            "resourceType": "Communication",
            "status": "preparation",
            "partOf": [{"reference": reference}],
            "sender": {"reference": NAMES["bell"]},
        }
        yield Ask("POST", "Communication/$validate", said)
        yield Ask("POST", "Communication", said)
    for code, text in values(hidden):
        one = f"{type_}?{code}={quote(text, safe='/:|')}"
        said = {
            "resourceType": "Communication",
            "status": "preparation",
            "about": [{"reference": one}],
        }
        yield Ask("POST", "Communication/$validate", said)
        yield Ask("POST", one, WORLD[hidden])
        yield Ask("POST", one, {"resourceType": type_, "status": "broken"})
        entry = {"resource": said, "request": {"method": "POST", "url": "Communication"}}
        for kind in ("batch", "transaction"):
            yield Ask("POST", "", {"resourceType": "Bundle", "type": kind, "entry": [entry]})


def by_others(hidden: str) -> Iterator[Ask]:
    """Questions about what is seen, whose answer hangs on what is hidden."""
    type_, id_ = key(hidden)
    name = f"{type_}/{id_}"
    term = f"_id eq {json.dumps(id_)}"
    for of, own in ONE.items():
        for param in _references(of, type_):
            yield Ask("GET", f"{of}?_id={own}&{param}={name}&_total=accurate")
            yield Ask("GET", f"{of}?_id={own}&{param}:not={name}&_total=accurate")
            yield Ask("GET", f"{of}?_id={own}&{param}:{type_}._id={id_}&_include=*")
            path = quote(f"{param}:{type_}[{term}]._id pr true", safe="")
            yield Ask("GET", f"{of}?_id={own}&_filter={path}&_total=accurate")
        for source in TYPES:
            for param in _references(source, of)[:1]:
                # By what refers to one's own, and belongs to what is hidden.
                way = f"_has:{source}:{param}:_compartment={name}"
                yield Ask("GET", f"{of}?_id={own}&{way}&_total=accurate")
                for further in _references(source, type_)[:1]:
                    way = f"_has:{source}:{param}:{further}={name}"
                    yield Ask("GET", f"{of}?_id={own}&{way}&_total=accurate")
    for source in TYPES:
        for param in _references(source, type_)[:2]:
            for further in TYPES:
                for last in _references(further, source)[:1]:
                    way = f"_has:{further}:{last}:{param}:{type_}._id={id_}"
                    yield Ask("GET", f"{source}?{way}&_total=accurate")
    yield Ask("GET", f"Observation/$lastn?patient={name}&code:missing=false")
    by_form = f"patient={name}&category:missing=true".encode()
    yield Ask("POST", "Observation/$lastn", by_form, FORM)


def by_graphs(hidden: str) -> Iterator[Ask]:
    """GraphQL's expressions and filters, and aliases of many at once."""
    type_, id_ = key(hidden)
    term = json.dumps(f"_id eq {id_}")
    nested = "{reference resource {id}}"
    for query in (
        f"{{{type_}Connection(_filter: {term}) {{count}}}}",
        f'{{a: {type_}(id: "{id_}") {{id}} b: {type_}(id: "{_NEVER}") {{id}}}}',
        f'{{{type_}List(_id: "{id_}", _total: "accurate") {{id}}}}',
        f"{{CommunicationList {{id partOf(fhirpath: \"reference = '{type_}/{id_}'\") {nested}}}}}",
    ):
        yield Ask("POST", "$graphql", {"query": query})


def by_views(hidden: str) -> Iterator[Ask]:
    """Tables whose rows say what refers to it."""
    type_, id_ = key(hidden)
    for source in TYPES:
        view = {
            "resourceType": "ViewDefinition",
            "resource": source,
            "select": [{"column": [{"name": "key", "path": "getResourceKey()"}]}],
        }
        resource = {"name": "viewResource", "resource": view}
        patient = {"name": "patient", "valueReference": {"reference": f"{type_}/{id_}"}}
        since = {"name": "_since", "valueInstant": "2024-01-01T00:00:00Z"}
        for more in ([], [since], [patient] if type_ == "Patient" else []):
            parameters = [resource, *more, {"name": "_format", "valueCode": "ndjson"}]
            body = {"resourceType": "Parameters", "parameter": parameters}
            yield Ask("POST", "$viewdefinition-run", body)


def roundabout(hidden: str) -> Iterator[Ask]:
    """All of these; those that write come last."""
    yield from by_others(hidden)
    yield from by_graphs(hidden)
    yield from by_views(hidden)
    yield from by_validation(hidden)
    yield from by_headers(hidden)
