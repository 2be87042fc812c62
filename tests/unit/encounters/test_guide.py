"""The implementation guide tells of all that the codes name, and is valid itself."""

from __future__ import annotations

import json
import tarfile
from io import BytesIO
from typing import Any

import pytest

import make_guide  # tests/conftest.py puts the scripts in reach
from threadwell.api.rest import (
    about,
    acts,
    expunging,
    receipts,
    replies,
    sameness,
    split,
    taking_back,
    todos,
    turning,
)
from threadwell.api.rest.capability import capability_statement
from threadwell.encounters import attribution, codes
from threadwell.fhir.json import decode, encode
from threadwell.fhir.validation import validate

NAMED = {value for value in vars(codes).values() if isinstance(value, str)}
CODINGS = [value for value in vars(codes).values() if isinstance(value, dict) and "system" in value]
RESOURCES = make_guide.resources()
OPERATIONS = {
    one["type"]: one["operation"]
    for one in capability_statement("https://care.example.org")["rest"][0]["resource"]
}


def of_type(type_: str) -> list[dict[str, Any]]:
    return [resource for resource in RESOURCES if resource["resourceType"] == type_]


def test_every_extension_is_in_the_guide():
    """A new one is a file in ``guide/extensions/``."""
    named = {url for url in NAMED if url.startswith(codes.BASE + "StructureDefinition/")}
    assert named == {extension["url"] for extension in of_type("StructureDefinition")}


def test_every_system_of_identifiers_is_in_the_guide():
    """A new one is a file in ``guide/identifiers/``, with ``parts`` if it ends with a slash."""
    named = {url for url in NAMED if url.startswith(codes.BASE + "identifier/")}
    told = [one["value"] for system in of_type("NamingSystem") for one in system["uniqueId"]]
    untold = {
        url
        for url in named
        if not (any(one.startswith(url) for one in told) if url.endswith("/") else url in told)
    }
    assert untold == set()


@pytest.mark.parametrize(
    "coding",
    [
        *CODINGS,
        *({"system": codes.TASK_CODE, "code": c, "display": d} for c, d in codes._TASKS.items()),
        *({"system": codes.REASON, "code": c, "display": d} for c, d in codes._REASONS.items()),
    ],
    ids=lambda coding: coding["code"],
)
def test_every_code_of_ours_is_in_the_guide(coding):
    """A new one is a line in a file of ``guide/code-systems/``, with the display that it has."""
    if not coding["system"].startswith((codes.BASE, codes.ENCOUNTER_TYPE)):
        return
    (system,) = (s for s in of_type("CodeSystem") if s["url"] == coding["system"])
    concepts = {concept["code"]: concept["display"] for concept in system["concept"]}
    assert concepts.get(coding["code"]) == coding["display"]


def test_every_basis_of_an_attribution_is_in_the_guide():
    (system,) = (s for s in of_type("CodeSystem") if s["url"] == codes.BASIS)
    assert {concept["code"] for concept in system["concept"]} == {
        *(attribution.NAMED, attribution.SENDER, attribution.CHOSEN, attribution.SESSION)
    }


def test_every_operation_of_ours_is_in_the_guide():
    """A new one is a file in ``guide/operations/``."""
    told = {one["url"]: one for one in of_type("OperationDefinition")}
    assert told.keys() == {
        about.DEFINITION,
        expunging.DEFINITION,
        split.DEFINITION,
        replies.DEFINITION,
        sameness.DEFINITION,
        *acts.DEFINITIONS.values(),
        *taking_back.DEFINITIONS.values(),
        *todos.DEFINITIONS.values(),
        *turning.DEFINITIONS.values(),
        *receipts.DEFINITIONS.values(),
    }
    assert set(told[about.DEFINITION]["resource"]) == about.TYPES
    for name, url in {
        about.NAME: about.DEFINITION,
        expunging.NAME: expunging.DEFINITION,
        split.NAME: split.DEFINITION,
        replies.NAME: replies.DEFINITION,
        sameness.NAME: sameness.DEFINITION,
        **acts.DEFINITIONS,
        **taking_back.DEFINITIONS,
        **todos.DEFINITIONS,
        **turning.DEFINITIONS,
        **receipts.DEFINITIONS,
    }.items():
        assert f"${told[url]['code']}" == name
        assert told[url]["instance"] == (name != acts.OPEN)
        first = told[url]["resource"][0]
        for type_ in OPERATIONS if first == "Resource" else (first,):
            assert url in [one["definition"] for one in OPERATIONS[type_]]


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: f"{r['resourceType']}/{r['id']}")
def test_the_guide_is_valid(resource):
    assert validate(decode(encode(resource))) == []


def test_the_package_is_one_that_fhirs_tools_take():
    packed = make_guide.package()
    assert packed == make_guide.package()
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        files = {member.name: json.load(archive.extractfile(member)) for member in archive}
    manifest, index = files.pop("package/package.json"), files.pop("package/.index.json")
    assert (manifest["name"], manifest["fhirVersions"]) == ("dev.threadwell.fhir", ["4.0.1"])
    assert {f"package/{one['filename']}" for one in index["files"]} == set(files)
    (guide,) = of_type("ImplementationGuide")
    listed = {one["reference"]["reference"] for one in guide["definition"]["resource"]}
    ids = {f"{r['resourceType']}/{r['id']}" for r in files.values()}
    assert listed == ids - {f"ImplementationGuide/{guide['id']}"}
