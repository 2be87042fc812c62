"""What an update changes in the index, by the members that differ, is what it changes by all."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.stores.test_entries import full
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.search_parameters import (
    Component,
    SearchParameter,
    search_parameters,
)
from threadwell.fhir.json import decode, encode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import R4, Catalogue, Change, Home, State
from threadwell.stores.contract import Stored
from threadwell.stores.sql.entries import Entries, difference, entries
from threadwell.stores.sql.keys import Keys
from threadwell.stores.sql.shapes import shape_of
from threadwell.stores.sql.updates import changes

PROJECT = "p"
KEYS = Keys(bytes(16))
BASE = "https://example.org/fhir"
TYPES = sorted(RESOURCE_TYPES)
#: Those with compounds, composites, several members under a parameter, or whole resources in it.
SPECIAL = [
    *("Communication", "Encounter", "Patient", "Task", "Practitioner", "RelatedPerson", "Location"),
    *("Observation", "MolecularSequence", "Bundle", "RiskAssessment", "Condition", "Provenance"),
]
CODE, VALUE = (
    next(c.url for c in search_parameters("Observation")["code-value-quantity"].components if at(c))
    for at in (lambda c: c.expression == "code", lambda c: c.expression != "code")
)


def own(code: str, type_: str, expression: str, *components: Component) -> SearchParameter:
    return SearchParameter(code, type_, expression, (), components, f"urn:{code}", "")


PAIR = (Component(CODE, "%resource.code"), Component(VALUE, "value.as(Quantity)"))
OWN: dict[str, tuple[SearchParameter, ...]] = {
    "Communication": (
        own("topic", "token", "Communication.topic"),
        own("whoever", "reference", "Communication.sender | Communication.partOf"),
        own("of-version", "token", "Communication.meta.where(versionId = 'v1').tag"),
    ),
    "Patient": (
        own("alone", "token", "Patient.contact.exists() and Patient.contact != 'x'"),
        own("any-name", "string", "Patient.name | Patient.contact.name"),
    ),
    "Observation": (own("pair", "composite", "Observation.component", *PAIR),),
    "Encounter": (own("time", "date", "Encounter.period | Encounter.location.period"),),
}


@cache
def homes(type_: str) -> list[Home]:
    every = [Change(type_, one, State.WHOLE) for one in OWN.get(type_, ())]
    leaving = [one._replace(state=State.LEAVING) for one in every]
    changed = Catalogue(every)
    return [
        *([Home((), R4), Home((BASE,), R4)]),
        *([Home((), changed), Home((BASE,), changed)] * 2 if every else []),
        *([Home((), Catalogue(leaving))] if every else []),
    ]


@cache
def made(type_: str, turn: int) -> bytes:
    return encode({"resourceType": type_, **full(type_, turn)})


@st.composite
def members(draw: st.DrawFn, type_: str, *, foreign: bool) -> Resource:
    """A resource with some of the members that there are, each of one of several."""
    turns = st.integers(0, 10)
    whole: Resource = read(made(type_, draw(turns)), foreign=foreign)
    names = [name for name in whole if name != "resourceType"]
    gone = draw(st.sets(st.sampled_from(names), max_size=len(names)))
    return {name: one for name, one in whole.items() if name not in gone}


def read(body: bytes, *, foreign: bool) -> Any:
    """The resource; what it refers to elsewhere is here, unless it is ``foreign``."""
    return decode(body if foreign else body.replace(BASE.encode() + b"/", b""))


DIGITS: tuple[Any, ...] = (1, Decimal("1.0"), Decimal("1.00"), True, "1", [1], {"value": 1})
META = st.fixed_dictionaries(
    {},
    optional={
        "versionId": st.sampled_from(["v1", "v2"]),
        "profile": st.sampled_from([["urn:a"], ["urn:b", "urn:a"]]),
        "tag": st.sampled_from([[{"code": "x"}], [{"code": "y", "display": "Y"}]]),
        "source": st.sampled_from(["urn:a", "urn:b"]),
    },
)
CONTAINED = st.sampled_from(
    [{}, {}, {}, {}, {"contained": [{"resourceType": "Patient", "id": "a"}]}]
)


@st.composite
def updates(draw: st.DrawFn) -> tuple[Resource, Resource, Home]:
    """Two versions of a resource that have most members in common, and what is our own."""
    type_ = draw(st.sampled_from(SPECIAL) | st.sampled_from(TYPES))
    foreign = draw(st.sampled_from([False, False, False, True]))
    was = draw(members(type_, foreign=foreign))
    now = dict(was)
    day = draw(st.sampled_from([b"2024-02-29", b"2023-01-28"]))
    other = read(made(type_, draw(st.integers(0, 10))).replace(b"2024-02-29", day), foreign=foreign)
    for name in draw(st.lists(st.sampled_from(list(other)), max_size=4, unique=True)):
        if name != "resourceType" and draw(st.booleans()):
            now[name] = other[name]
        elif name != "resourceType":
            now.pop(name, None)
    for version in (was, now):
        version["meta"] = draw(META)
        version |= draw(CONTAINED)
    return was, dict(draw(st.permutations(list(now.items())))), draw(st.sampled_from(homes(type_)))


def plainly(was: Resource, then: int, now: Resource, updated: int, home: Home) -> Any:
    after = entries(KEYS, PROJECT, now, updated, home)
    return tuple(map(as_sets, difference(KEYS, PROJECT, was, then, after, home)))


def as_sets(found: Entries) -> Any:
    for of in found[:3]:
        assert len(set(of)) == len(of)
    return [*map(set, found[:3]), *found[3:]]


def by_members(was: Resource, then: int, now: Resource, updated: int, home: Home) -> Any:
    before = Stored(was["resourceType"], "1", "v", then, False, encode(was))
    return tuple(map(as_sets, changes(KEYS, PROJECT, before, now, updated, home)))


@given(updates(), st.sampled_from([0, 1, 1_712_739_600_000]))
def test_an_update_changes_what_it_would_change_by_all_members(
    update: tuple[Resource, Resource, Home], later: int
) -> None:
    was, now, home = update
    # The last one comes again: what was noted of what is in both is remembered.
    for one, other in ((was, now), (now, was), (was, was), (was, now)):
        wanted = plainly(one, 1_000, other, 1_000 + later, home)
        assert by_members(one, 1_000, other, 1_000 + later, home) == wanted


@given(st.sampled_from(DIGITS), st.sampled_from(DIGITS))
def test_numbers_with_other_digits_differ(one: Any, other: Any) -> None:
    shape = shape_of(KEYS, Home(), PROJECT, "RiskAssessment")
    was, now = ({"resourceType": "RiskAssessment", "prediction": [each]} for each in (one, other))
    differ = encode(one) != encode(other)
    assert shape.splits.differing(was, now) == frozenset(["prediction"] if differ else [])


def test_of_a_member_that_differs_the_others_are_not_worked_out() -> None:
    shape = shape_of(KEYS, Home(), PROJECT, "Patient")
    was = {"resourceType": "Patient", "active": True, "name": [{"family": "A"}]}
    changed = shape.splits.differing(was, {**was, "active": False})
    assert changed == {"active"}
    split = shape.splits.of(changed)
    assert set(split.touched) == {"active"}


def test_a_composite_hangs_on_all_of_its_parts() -> None:
    shape = shape_of(KEYS, Home(), PROJECT, "Observation")
    assert "valueQuantity" in shape.splits.of(frozenset(["code"])).touched


def test_half_a_character_is_no_obstacle() -> None:
    was: Resource = {"resourceType": "Patient", "name": [{"text": "A"}], "gender": "male"}
    now: Resource = {**was, "name": [{"text": "\ud83d"}]}
    assert by_members(was, 0, now, 1, Home()) == plainly(was, 0, now, 1, Home())
    shape = shape_of(KEYS, Home(), PROJECT, "Patient")
    assert shape.splits.differing(now, now) is None


def test_at_another_time_every_entry_is_another_one() -> None:
    was: Resource = {"resourceType": "Communication", "status": "completed", "sent": "2024-02-29"}
    for now in ({**was, "sent": "2024-03-01"}, {**was, "sent": None}):
        now = {name: one for name, one in now.items() if one}
        found = by_members(was, 0, now, 1, Home())
        assert found == plainly(was, 0, now, 1, Home())
        assert len(found[0][0]) > 2


def test_a_parameter_may_look_at_another_part_of_meta() -> None:
    home = Home((), Catalogue([Change("Communication", OWN["Communication"][2], State.WHOLE)]))
    was: Resource = {"resourceType": "Communication", "meta": {"versionId": "v1"}}
    was["meta"]["tag"] = [{"code": "x"}]
    now: Resource = {**was, "meta": {**was["meta"], "versionId": "v2"}}
    found = by_members(was, 0, now, 1, home)
    assert found == plainly(was, 0, now, 1, home)
    assert len(found[0][0]) > 0
