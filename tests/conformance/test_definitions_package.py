"""HL7's own package against what was compiled from it."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

import compile_definitions
import compile_terminology  # tests/conftest.py puts the scripts in reach
from threadwell.fhir.definitions import load
from threadwell.fhir.json import decode, encode
from threadwell.fhir.terminology.compiled import find
from threadwell.fhir.validation import validate

#: The mistakes in the package itself: what each resource is told, at the path without indexes.
MISTAKES = {
    "CapabilityStatement/example": {
        (
            "Invalid uri format: an OID is written as urn:oid:1.2.3, "
            "a UUID after urn:uuid: and in lower case",
            "CapabilityStatement.url",
        )
    },
    "StructureDefinition/Consent": {
        (
            "The value under urn:ietf:rfc:3986 must be a URI",
            "StructureDefinition.differential.element.example.value.value",
        ),
        (
            "The value under urn:ietf:rfc:3986 must be a URI",
            "StructureDefinition.snapshot.element.example.value.value",
        ),
    },
    "CodeSystem/v2-0550": {("Invalid code format", "CodeSystem.concept.code")},
    **{
        f"SearchParameter/{kind}-extensions-{type_}-{code}": {
            ("Missing required property", "SearchParameter.base")
        }
        for kind, type_ in (("codesystem", "CodeSystem"), ("valueset", "ValueSet"))
        for code in ("author", "effective", "end", "keyword", "workflow")
    },
    "SearchParameter/questionnaireresponse-extensions-QuestionnaireResponse-item-subject": {
        ("Invalid id format", "SearchParameter.id")
    },
    **{
        f"StructureDefinition/{pattern}": {
            (
                "If the structure is not abstract, then there SHALL be a baseDefinition (sdf-4)",
                "StructureDefinition",
            )
        }
        for pattern in ("Definition", "Event", "FiveWs", "Request")
    },
}


@pytest.fixture(scope="module")
def package() -> dict[str, list[dict[str, Any]]]:
    try:
        return compile_definitions.read_package()
    except subprocess.CalledProcessError:
        pytest.skip("left out: HL7's definitions package cannot be downloaded")


def test_the_definitions_are_compiled_from_the_package(
    package: dict[str, list[dict[str, Any]]],
) -> None:
    compiled = compile_definitions.compile_all(package)
    assert len(compiled) == 6
    stale = [name for name, value in compiled.items() if value != load(name)]
    assert stale == [], "run `make definitions`"
    known = compile_terminology.terminology(package, compile_definitions.OWN.parent)
    assert len(known) > 2000
    stale = [one["url"] for one in known if find(one["resourceType"], one["url"]) != one]
    assert stale == [], "run `make definitions`"


def test_every_resource_of_the_package_is_valid_but_for_its_known_mistakes(
    package: dict[str, list[dict[str, Any]]],
) -> None:
    found: dict[str, set[tuple[str, str]]] = {}
    for resources in package.values():
        for resource in resources:
            # Through our own JSON, which keeps decimals.
            for issue in validate(decode(encode(resource))):
                name = f"{resource['resourceType']}/{resource['id']}"
                found.setdefault(name, set()).add((issue.text, without_indexes(issue.expression)))
    assert sum(map(len, package.values())) == 4578
    assert found == MISTAKES


def without_indexes(path: str) -> str:
    return ".".join(step.partition("[")[0] for step in path.split("."))
