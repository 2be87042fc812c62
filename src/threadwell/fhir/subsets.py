"""Parts of resources, tagged as such (FHIR R4 §3.1.1.5.8)."""

from __future__ import annotations

from collections.abc import Collection

from threadwell.fhir.definitions.structures import elements
from threadwell.fhir.json import decode, encode
from threadwell.fhir.resource import Resource

#: Elements without which a part could be misread (§2.27.1: modifiers), and the resource's marks.
_ALWAYS = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})
SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}


def subset(body: bytes, names: Collection[str]) -> bytes:
    """The resource with the named top-level elements and the mandatory ones."""
    resource = decode(body)
    keep, chosen = {*_ALWAYS}, frozenset(names)
    for element in elements(resource["resourceType"]):
        json_names = element.json_names()
        if element.required or not chosen.isdisjoint(
            {element.name.removesuffix("[x]"), *json_names}
        ):
            keep.update(json_names)
    part = {name: value for name, value in resource.items() if name.removeprefix("_") in keep}
    meta = part["meta"]
    part["meta"] = {**meta, "tag": [*meta.get("tag", []), SUBSETTED]}
    return encode(part)


def is_subset(resource: Resource) -> bool:
    """Is this valid resource such a part, so that storing it would lose the rest?"""
    return any(
        all(tag.get(name) == value for name, value in SUBSETTED.items())
        for tag in resource.get("meta", {}).get("tag", ())
    )
