"""``metadata``: what this server can do, as a CapabilityStatement (FHIR R4 §5.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from threadwell.api.context import Context
from threadwell.api.etags import not_modified
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON
from threadwell.api.rest import (
    about,
    acts,
    everything,
    expunging,
    lastn,
    missed,
    receipts,
    replies,
    sameness,
    split,
    subscriptions,
    taking_back,
    terminology,
    todos,
    turning,
    unsent,
)
from threadwell.api.subscriptions.app import socket_url
from threadwell.api.version import VERSION
from threadwell.encounters.codes import BASE
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.search_parameters import SearchParameter
from threadwell.fhir.json import encode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import R4, Catalogue, catalogue_of
from threadwell.fhir.search.compartments import OF
from threadwell.fhir.search.extract import unsearchable
from threadwell.stores.allowed import Allowed
from threadwell.stores.guides import Shelves

#: When what is said here last changed.
_DATE = "2026-11-28"
_OPERATION = "http://hl7.org/fhir/OperationDefinition/"
_WEBSOCKET = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-websocket"
_BULK = "http://hl7.org/fhir/uv/bulkdata"
#: Of ``$import`` there is only a draft, which has no definition of its own.
_IMPORT = f"{BASE}OperationDefinition/import"
_VIEW_RUN = "http://sql-on-fhir.org/OperationDefinition/$viewdefinition-run"
#: The definitions of ``$export``, by the type that it is asked of.
_EXPORTS = {"Patient": "patient-export", "Group": "group-export"}
_ABOUT = {"name": "about", "definition": about.DEFINITION}


#: Unless the practice says otherwise.
_NOTHING = Allowed()


async def metadata(context: Context, request: Request) -> Answer:
    """200 for anyone; 304 for who knows it already."""
    shelves = await context.conformance.guides.shelves(context.clock())
    body, version = _statement(
        context.base, shelves, catalogue_of(context.bases), await context.allows()
    )
    headers = [JSON, (b"etag", b'W/"%s"' % version.encode()), (b"cache-control", b"no-cache")]
    if not_modified(request, version):
        return Answer(304, headers, b"")
    return Answer(200, headers, body)


@lru_cache(maxsize=8)
def _statement(
    base: str, shelves: Shelves, catalogue: Catalogue, allowed: Allowed
) -> tuple[bytes, str]:
    body = encode(capability_statement(base, shelves.profiles(), catalogue, allowed))
    return body, hashlib.sha256(body).hexdigest()[:16]


def capability_statement(
    base: str,
    profiles: Mapping[str, Sequence[str]] = MappingProxyType({}),
    catalogue: Catalogue = R4,
    allowed: Allowed = _NOTHING,
) -> Resource:
    """The statement of a server at ``base``; ``profiles`` are those that it knows, by type,
    ``catalogue`` has its search parameters, and ``allowed`` is what clients may do.
    """
    types = sorted(RESOURCE_TYPES)
    incoming = _incoming(types, catalogue)
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _DATE,
        "kind": "instance",
        "instantiates": [f"{_BULK}/CapabilityStatement/bulk-data"],
        "software": {"name": "Threadwell", "version": VERSION},
        "implementation": {"description": "Threadwell", "url": f"{base}/fhir/R4"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json"],
        "rest": [
            {
                "extension": [{"url": _WEBSOCKET, "valueUri": socket_url(base)}],
                "mode": "server",
                "security": _security(base),
                "resource": [
                    _resource(
                        type_, incoming.get(type_, []), profiles.get(type_, []), catalogue, allowed
                    )
                    for type_ in types
                ],
                "interaction": [
                    {"code": "transaction"},
                    {"code": "batch"},
                    {"code": "search-system"},
                    {"code": "history-system"},
                ],
                "searchParam": [{"name": "_filter", "type": "special"}],
                "compartment": [
                    f"http://hl7.org/fhir/CompartmentDefinition/{of.lower()}" for of in OF
                ],
                "operation": [
                    _operation("CapabilityStatement-versions"),
                    _operation("Resource-graphql"),
                    {"name": "export", "definition": f"{_BULK}/OperationDefinition/export"},
                    {"name": "import", "definition": _IMPORT},
                    {"name": "viewdefinition-run", "definition": _VIEW_RUN},
                ],
            }
        ],
    }


def _resource(
    type_: str,
    incoming: list[str],
    profiles: Sequence[str],
    catalogue: Catalogue,
    allowed: Allowed,
) -> Resource:
    parameters = _searchable(type_, catalogue)
    references = [code for code, p in parameters.items() if p.type == "reference"]
    interactions = ["read", "vread", "update", "patch", "delete", "history-instance", "create"]
    interactions.append("history-type")
    operations = [
        _operation("Resource-validate"),
        {"name": expunging.NAME[1:], "definition": expunging.DEFINITION},
    ]
    if type_ in everything.TYPES:
        operations.append(_operation(f"{type_}-everything"))
    if type_ == lastn.TYPE:
        operations.append(_operation("Observation-lastn"))
    if type_ in _EXPORTS:
        operations.append(
            {"name": "export", "definition": f"{_BULK}/OperationDefinition/{_EXPORTS[type_]}"}
        )
    operations += [
        _operation(f"{of}-{name[1:]}") for of, name in terminology.OPERATIONS if of == type_
    ]
    if type_ in about.TYPES:
        operations.append(_ABOUT)
    for own in (acts, todos):
        if type_ == own.TYPE:
            operations += [
                {"name": name[1:], "definition": url} for name, url in own.DEFINITIONS.items()
            ]
    if type_ == sameness.TYPE:
        operations.append({"name": sameness.NAME[1:], "definition": sameness.DEFINITION})
    if type_ == subscriptions.TYPE:
        operations += [
            {"name": of.NAME[1:], "definition": of.DEFINITION} for of in (subscriptions, missed)
        ]
    if type_ == split.TYPE:
        operations.append({"name": split.NAME[1:], "definition": split.DEFINITION})
    if type_ == unsent.TYPE:
        operations.append({"name": replies.NAME[1:], "definition": replies.DEFINITION})
        operations += [
            {"name": name[1:], "definition": url}
            for of in (taking_back, turning, receipts)
            for name, url in of.DEFINITIONS.items()
        ]
    out: dict[str, Any] = {
        "type": type_,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{type_}",
        "supportedProfile": list(profiles),
        "interaction": [{"code": code} for code in [*interactions, "search-type"]],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": allowed.update_create,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "multiple" if allowed.delete_several else "single",
        "referencePolicy": ["literal", "logical"],
        "searchInclude": [f"{type_}:{code}" for code in references],
        "searchRevInclude": incoming,
        "searchParam": [
            {"name": code, "definition": p.url, "type": p.type} for code, p in parameters.items()
        ],
        "operation": operations,
    }
    # An empty array is not FHIR.
    return {name: value for name, value in out.items() if value != []}


def _searchable(type_: str, catalogue: Catalogue) -> dict[str, SearchParameter]:
    return {code: p for code, p in catalogue.found(type_).items() if not unsearchable(p)}


def _incoming(types: list[str], catalogue: Catalogue) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source in types:
        for code, parameter in _searchable(source, catalogue).items():
            if parameter.type == "reference":
                for target in parameter.targets:
                    found.setdefault(target, []).append(f"{source}:{code}")
    return found


def _operation(name: str) -> Resource:
    return {"name": name.partition("-")[2], "definition": _OPERATION + name}


def _security(base: str) -> Resource:
    oauth = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
    system = "http://terminology.hl7.org/CodeSystem/restful-security-service"
    return {
        "extension": [
            {
                "url": oauth,
                "extension": [
                    {"url": name, "valueUri": f"{base}/oauth2/{name}"}
                    for name in ("authorize", "token", "introspect", "revoke")
                ],
            }
        ],
        "cors": True,
        "service": [
            {"coding": [{"system": system, "code": code}]}
            for code in ("OAuth", "SMART-on-FHIR", "Basic")
        ],
    }
