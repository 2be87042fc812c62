"""People out of a FHIR Bundle, with references to each other that hold in a store. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.references import references
from threadwell.fhir.resource import Resource
from threadwell.fhir.validation import validate
from threadwell.intake.people.sheet import BadPeople
from threadwell.messages import parse_address
from threadwell.stores.contract import Key

PEOPLE = ("Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization")


def people_in(bundle: Any, country: str) -> dict[Key, Resource]:
    """The people of the Bundle, by type and logical id; raises ``BadPeople`` with all mistakes.

    The id follows from the first identifier, or, where a resource has none, from its place in the
    Bundle, which then becomes its identifier. Resources of other types are passed over.
    """
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise BadPeople(["the file is no FHIR Bundle"])
    out: dict[Key, Resource] = {}
    moved: dict[str, str] = {}
    problems: list[str] = []
    for at, entry in enumerate(_entries(bundle)):
        resource = entry.get("resource")
        if not isinstance(resource, dict) or not _is_known(resource.get("resourceType")):
            problems.append(f"entry {at}: there is no resource")
            continue
        if resource["resourceType"] not in PEOPLE:
            continue
        if issues := validate(resource):
            problems += [f"entry {at}: {issue.text} ({issue.expression})" for issue in issues]
            continue
        if not _is_named(resource, entry):
            problems.append(
                f"entry {at}: {resource['resourceType']} needs an identifier with system and "
                "value, an id or a fullUrl, by which to know it again"
            )
            continue
        key, person = _person(resource, entry, country)
        if key in out:
            problems.append(f"entry {at}: another one has the same identifier")
        out[key] = person
        for name in _names(resource, entry):
            moved[name] = f"{key.type}/{key.id}"
    if problems:
        raise BadPeople(problems)
    for person in out.values():
        for _, reference in references(person):
            reference["reference"] = moved.get(reference["reference"], reference["reference"])
    return out


def _entries(bundle: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in bundle.get("entry") or ():
        yield entry if isinstance(entry, dict) else {}


def _names(resource: Resource, entry: dict[str, Any]) -> Iterator[str]:
    """What other entries may call the resource."""
    if entry.get("fullUrl"):
        yield entry["fullUrl"]
    if resource.get("id"):
        yield f"{resource['resourceType']}/{resource['id']}"


def _is_known(type_: Any) -> bool:
    return isinstance(type_, str) and type_ in RESOURCE_TYPES


def _is_named(resource: Resource, entry: dict[str, Any]) -> bool:
    return _identifier(resource) is not None or any(_names(resource, entry))


def _identifier(resource: Resource) -> dict[str, Any] | None:
    identifiers = resource.get("identifier") or ()
    return next((one for one in identifiers if one.get("system") and one.get("value")), None)


def _person(resource: Resource, entry: dict[str, Any], country: str) -> tuple[Key, Resource]:
    type_ = resource["resourceType"]
    person = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    if given := _identifier(resource):
        identity = Identity(given["system"], given["value"])
    else:
        place = next(_names(resource, entry))
        identity = Identity(codes.PERSON + type_.lower(), place)
        person["identifier"] = [*(resource.get("identifier") or ()), identity.as_json()]
    if resource.get("telecom"):
        person["telecom"] = [_normal(point, country) for point in resource["telecom"]]
    return Key(type_, identity.id), person


def _normal(point: dict[str, Any], country: str) -> dict[str, Any]:
    value = point.get("value", "")
    address = parse_address(value, country)
    return {**point, "value": address.value} if address else point
