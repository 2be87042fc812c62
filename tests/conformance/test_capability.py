"""What ``metadata`` declares is R4, is complete, and is kept."""

from __future__ import annotations

import json

import pytest
from fhirclient.models.capabilitystatement import CapabilityStatement

from threadwell.api.rest import about
from threadwell.api.rest.capability import capability_statement
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.validation import validate

STATEMENT = capability_statement("http://testserver")
RESOURCES = {resource["type"]: resource for resource in STATEMENT["rest"][0]["resource"]}


def test_it_is_valid_by_our_own_and_by_anothers_definitions() -> None:
    assert validate(STATEMENT) == []
    CapabilityStatement(json.loads(json.dumps(STATEMENT)))


def test_it_is_what_metadata_answers(api) -> None:
    assert api.call("GET", "metadata").json() == STATEMENT


def test_every_type_is_declared() -> None:
    assert RESOURCES.keys() == RESOURCE_TYPES


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES))
def test_declared_searches_are_answered(api, type_: str) -> None:
    resource = RESOURCES[type_]
    for parameter in resource["searchParam"]:
        query = f"{type_}?{parameter['name']}:missing=false"
        answer = api.call("GET", query)
        assert answer.status_code == 200, (query, answer.text)
    includes = [f"_include={one}" for one in resource.get("searchInclude", [])]
    includes += [f"_revinclude={one}" for one in resource.get("searchRevInclude", [])]
    for at in range(0, len(includes), 20):
        answer = api.call("GET", f"{type_}?{'&'.join(includes[at : at + 20])}")
        assert answer.status_code == 200, answer.text


def test_an_operation_of_ours_is_declared_where_it_is() -> None:
    having = {
        type_
        for type_, resource in RESOURCES.items()
        if {"name": "about", "definition": about.DEFINITION} in resource["operation"]
    }
    assert having == about.TYPES
