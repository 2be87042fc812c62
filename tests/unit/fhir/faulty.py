"""Resources that are mostly right, and what is said of what is wrong with them."""

from __future__ import annotations

from typing import Any

from threadwell.fhir.definitions.constraints import constraint

GAP = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
ABSENT = {"extension": [{"url": GAP, "valueCode": "unknown"}]}
STRING = "Invalid JSON type: expected string, but got"
EMPTY = "Invalid empty object"
MISSING = "Missing required property"
ONE_TYPE = "Only one of the types of a choice may be there"
EITHER = "Must have either extensions or value[x], not both (ext-1)"
NESTED = (
    "If the resource is contained in another resource, "
    "it SHALL NOT contain nested Resources (dom-2)"
)
UNUSED = (
    "If the resource is contained in another resource, it SHALL be referred to from elsewhere in "
    "the resource or SHALL refer to the containing resource (dom-3)"
)
PLAIN = constraint("Narrative.div", "txt-1").text
ABSOLUTE = "it must be absolute, with a scheme such as https: or urn:"
WHOLE = "a time has seconds and a zone, as in 2024-05-01T10:00:00Z or 2024-05-01T10:00:00+02:00"
NO_ID = "A contained resource must have an id"
DIFFER = "Values and their extensions differ in number"
NOT_CONTAINED = "Reference to a resource that is not contained"
SETS = "http://hl7.org/fhir/ValueSet/"


def outside(name: str) -> str:
    return f"Code is not in the required value set {SETS}{name}"


def extra(name: str) -> str:
    return f'Invalid additional property "{name}"'


def communication(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Communication", "status": "completed", **members}


def patient(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **members}


def observation(**members: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "Body weight"},
        **members,
    }


def bundle(kind: str, *entries: Any, **members: Any) -> dict[str, Any]:
    listed = {"entry": list(entries)} if entries else {}
    return {"resourceType": "Bundle", "type": kind, **listed, **members}


def narrative(inside: str) -> dict[str, Any]:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>'
    return patient(text={"status": "generated", "div": div})


def extended(*extensions: Any) -> dict[str, Any]:
    return patient(extension=list(extensions))
