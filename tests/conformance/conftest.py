"""The API over a store in memory, and the least resource of every type."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest

from threadwell.api.app import create_app
from threadwell.api.clients import add_client
from threadwell.fhir.definitions import RESOURCE_TYPES, load
from threadwell.fhir.definitions.structures import elements
from threadwell.stores.memory import MemoryStore

URL = "http://testserver"

#: A value of each primitive type.
_PRIMITIVES: dict[str, Any] = {
    "base64Binary": "aGk=",
    "boolean": True,
    "canonical": "http://example.org/x",
    "code": "x",
    "date": "2024-03-10",
    "dateTime": "2024-03-10T10:00:00Z",
    "decimal": 1.5,
    "id": "x",
    "instant": "2024-03-10T10:00:00Z",
    "integer": 1,
    "markdown": "x",
    "oid": "urn:oid:1.2.3",
    "positiveInt": 1,
    "string": "x",
    "time": "10:00:00",
    "unsignedInt": 1,
    "uri": "http://example.org/x",
    "url": "http://example.org/x",
    "uuid": "urn:uuid:7d8f9c7e-3c0f-4b56-8f0e-0a6a4b3c2d1e",
    "xhtml": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>',
}
#: What the invariants of a type, or of a part of it, demand beyond its required elements.
_HELD: dict[str, dict[str, Any]] = {
    "AllergyIntolerance": {
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                    "code": "active",
                }
            ]
        }
    },
    "Appointment": {"status": "proposed"},
    "Subscription": {"criteria": "Patient"},
    "Appointment.participant": {"actor": {"display": "x"}},
    "AppointmentResponse": {"actor": {"display": "x"}},
    "Bundle": {"type": "collection"},
    "CapabilityStatement": {
        "kind": "requirements",
        "description": "x",
        "rest": [{"mode": "server"}],
    },
    "Consent": {"policy": [{"uri": "http://example.org/x"}]},
    "ImmunizationRecommendation.recommendation": {"targetDisease": {"text": "x"}},
    "InsurancePlan": {"name": "x"},
    "Linkage": {"item": [{"type": "source", "resource": {"display": "x"}}] * 2},
    "Organization": {"name": "x"},
    "Questionnaire.item": {"type": "string"},
    "StructureDefinition": {
        "kind": "logical",
        "baseDefinition": "http://example.org/x",
        "differential": {"element": [{"id": "x", "path": "x"}]},
    },
    "TerminologyCapabilities": {"kind": "requirements", "description": "x"},
    "TriggerDefinition": {"name": "x"},
}
_CODES = {"http://hl7.org/fhir/ValueSet/mimetypes": "text/plain"}


class Api:
    """A server and a client that is logged in; paths are below the FHIR base."""

    def __init__(self) -> None:
        store = MemoryStore()
        self._app = create_app(store, base_url=URL, labels=dict)
        client = asyncio.run(add_client(store, "tests"))
        pair = f"{client.client_id}:{client.client_secret}".encode()
        self._headers = {"authorization": "Basic " + base64.b64encode(pair).decode()}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            sent = {**self._headers, "content-type": "application/fhir+json", **headers}
            content = None if body is None else json.dumps(body).encode()
            async with httpx.AsyncClient(transport=transport, base_url=f"{URL}/fhir/R4/") as http:
                return await http.request(method, path, content=content, headers=sent)

        return asyncio.run(send())


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture(scope="session")
def least():
    """The least of a resource type, or of any other: what the definitions require."""

    def resource(type_: str) -> dict[str, Any]:
        return {**({"resourceType": type_} if type_ in RESOURCE_TYPES else {}), **_required(type_)}

    return resource


def _required(type_: str) -> dict[str, Any]:
    required = {
        name: [value] if element.many else value
        for element in elements(type_)
        if element.required
        for name, code in [next(iter(element.json_names().items()))]
        for value in [_value(code, element.value_set)]
    }
    return {**required, **_HELD.get(type_, {})}


def _value(code: str, value_set: str) -> Any:
    if value_set in _CODES:
        return _CODES[value_set]
    if value_set:
        system, codes = next(iter(load("value_sets")[value_set].items()))
        coding = {"system": system, "code": codes[0]}
        return codes[0] if code == "code" else {"coding": [coding]}
    if code in _PRIMITIVES:
        return _PRIMITIVES[code]
    if code == "Reference":
        return {"display": "x"}
    if code == "Resource":
        return {"resourceType": "Basic", "code": {"text": "x"}}
    return _required(code) or {"id": "x", "extension": [{"url": "urn:x", "valueString": "x"}]}
