"""The index holds what the search parameters find: member by member, the first time and again."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.search_parameters import search_parameters
from threadwell.fhir.definitions.structures import elements, primitive
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.extract import KNOWN_TO_STORES, extract, unsearchable
from threadwell.stores.natural import NATURAL, NO_TIME
from threadwell.stores.sql.compounds import compounds
from threadwell.stores.sql.entries import Entries, entries
from threadwell.stores.sql.keys import Keys, every, every_updated, scope
from threadwell.stores.sql.members import ABSOLUTE, MemberEntries, Param
from threadwell.stores.sql.ranges import HIGHEST
from threadwell.stores.sql.shapes import present_bits

PROJECT = "p"
UPDATED = 1_712_739_600_000
PRIMITIVES: dict[str, Any] = {
    "boolean": True,
    "canonical": "https://example.org/ValueSet/x|1",
    "date": "2024-02",
    "dateTime": "2024-02-29T10:00:00+02:00",
    "decimal": Decimal("1.10"),
    "instant": "2024-02-29T10:00:00.000Z",
    "integer": 7,
    "positiveInt": 1,
    "unsignedInt": 0,
    "uri": "urn:x:y",
    "url": "https://example.org",
}
#: Each says the same, or nothing, in a way of its own.
REFERENCES: tuple[dict[str, Any], ...] = (
    {"reference": "Patient/1"},
    {"reference": "Patient/1", "display": "Ann"},
    {"reference": "Patient/1", "identifier": {"system": "urn:s", "value": "v"}},
    {"reference": "https://example.org/fhir/Group/2", "type": "Group"},
    {"display": "Ann"},
    {"identifier": {"value": "v"}},
    {"extension": [{"url": "urn:x", "valueReference": {"reference": "Patient/2"}}]},
)
DEPTH = 4


def full(type_: str, turn: int, depth: int = 0) -> dict[str, Any]:
    """Every element of a type, two of each that may repeat; ``turn`` picks among choices."""
    made: dict[str, Any] = {}
    for element in elements(type_):
        names = list(element.json_names().items())
        name, of = names[turn % len(names)]
        if name in {"id", "contained"} or (type_ == "Extension" and name == "extension"):
            continue
        if depth < DEPTH or element.required:
            one, other = (value(of, turn + n, depth) for n in range(2))
            made[name] = [one, other, one] if element.many else one
    return made


def value(type_: str, turn: int, depth: int) -> Any:
    if type_ == "Reference":
        return REFERENCES[turn % len(REFERENCES)]
    if type_ == "Resource":
        inside = ("Composition", "MessageHeader", "Patient")[turn % 3]
        return {"resourceType": inside, "id": f"r{turn}", "identifier": {"value": "x"}}
    if primitive(type_):
        return PRIMITIVES.get(type_, f"text {turn}")
    return full(type_, turn, depth + 1)


def plainly(keys: Keys, resource: Resource) -> Entries:
    """What the values that ``extract`` finds put in, without a look at members."""
    type_ = resource["resourceType"]
    into = MemberEntries()
    bits = present_bits(type_)
    for code, values in extract(resource).items():
        if values:
            under = scope(PROJECT, type_, code)
            natural = code == NATURAL.get(type_)
            bit = bits.get(code, 0)
            Param(keys, keys.bases.own, code, under, bit, natural=natural, part=False).put(
                values, into
            )
    into.places.append(keys.key(every(PROJECT, type_)))
    into.placed.append((keys.key(every_updated(PROJECT, type_)), UPDATED * 1000))
    sort = NO_TIME if into.natural == HIGHEST else into.natural
    present = into.present & (ABSOLUTE - 1)
    return Entries(tuple(into.places), tuple(into.placed), tuple(into.texts), present, sort)


def same(resource: Resource, keys: Keys, wanted: Entries | None = None) -> Entries:
    """What is put in, after a look at all of it; ``wanted`` is what it says plainly."""
    found, wanted = entries(keys, PROJECT, resource, UPDATED), wanted or plainly(keys, resource)
    assert (found.present, found.sort) == (wanted.present, wanted.sort)
    assert len(set(found.places)) == len(found.places)
    assert set(found.texts) == set(wanted.texts)
    assert set(found.places) >= set(wanted.places)
    assert set(found.placed) >= set(wanted.placed)
    if not compounds(resource["resourceType"]):
        assert set(found.places) == set(wanted.places)
        assert set(found.placed) == set(wanted.placed)
    return found


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES))
def test_every_element_is_in_the_index(type_: str) -> None:
    keys = Keys(bytes(16))
    made = [{"resourceType": type_, **full(type_, turn)} for turn in range(11)]
    wanted = [plainly(keys, resource) for resource in made]
    present = 0
    for resource, plain in [*zip(made, wanted, strict=True)] * 2:
        present |= same(resource, keys, plain).present
    for resource in parts_of(made[0]):
        present |= same(resource, keys).present
    bits = present_bits(type_)
    assert [code for code in unconditional(type_) if not present & bits.get(code, 0)] == []


def unconditional(type_: str) -> Iterator[str]:
    """The parameters that every value of an element is found under."""
    for code, parameter in search_parameters(type_).items():
        if code in KNOWN_TO_STORES or unsearchable(parameter) or parameter.components:
            continue
        if not any(word in parameter.expression for word in ("where(", "extension(")):
            yield code


def parts_of(resource: Resource) -> Iterator[Resource]:
    """The resource with one member only, for each."""
    for name, element in resource.items():
        yield {"resourceType": resource["resourceType"], name: element}


def test_a_primitive_with_an_extension_only_puts_nothing_in() -> None:
    extension = {"extension": [{"url": "urn:x", "valueString": "x"}]}
    resource = {
        "resourceType": "Patient",
        "name": [{"given": [None, "Ann"], "_given": [extension, None]}],
    }
    same(resource, Keys(bytes(16)))
    careplan = {
        "resourceType": "CarePlan",
        "instantiatesCanonical": [None, "https://example.org/x|1"],
        "_instantiatesCanonical": [extension, None],
    }
    same(careplan, Keys(bytes(16)))


def test_half_a_character_is_no_obstacle() -> None:
    coding = {"system": "urn:s", "code": "c", "display": "\ud83d"}
    same({"resourceType": "Observation", "code": {"coding": [coding]}}, Keys(bytes(16)))
