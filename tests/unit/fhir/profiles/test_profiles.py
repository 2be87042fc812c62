# ruff: noqa: E501 - a rule stands on a line
"""What profiles say, each rule with what it lets pass and what it does not."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.guide_package import bound, codes, extension, profile, url, value_set
from threadwell.fhir.profiles.check import check
from threadwell.fhir.profiles.compiling import Compiler
from threadwell.fhir.profiles.kinds import BASE
from threadwell.fhir.terminology.concepts import CodeSystem

WARDS = url("CodeSystem", "wards")
LOINC = "http://loinc.org"


class Known:
    """The definitions of a test, by their urls."""

    def __init__(self, *definitions: dict[str, Any]) -> None:
        self._found = {(one["resourceType"], one["url"]): one for one in definitions}

    def structure(self, url: str) -> Any:
        return self._found.get(("StructureDefinition", url.partition("|")[0]))

    def type_of(self, url: str) -> str:
        found = self.structure(url)
        return found["type"] if found else url.removeprefix(BASE) if BASE in url else ""

    def value_set(self, url: str) -> Any:
        return self._found.get(("ValueSet", url))

    def code_system(self, url: str) -> CodeSystem | None:
        found = self._found.get(("CodeSystem", url))
        return CodeSystem(found) if found else None


TERMS = (
    codes("wards", "north", "south"),
    value_set("wards", {"system": WARDS}),
    value_set("north", {"system": WARDS, "concept": [{"code": "north"}]}),
    value_set("mixed", {"system": WARDS}, {"system": LOINC}),
)


def found(
    resource: dict[str, Any], *elements: dict[str, Any], also: Any = (), severity: str = "error"
) -> list[str]:
    """Where a resource breaks a profile that says so."""
    made = profile("tried", resource["resourceType"], *elements)
    compiler = Compiler(Known(made, *TERMS, *also))
    issues = check(resource, [made["url"]], compiler)
    return [one.expression for one in issues if one.severity == severity]


def observation(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "a"}, **members}


def concept(code: str, system: str = WARDS, **more: Any) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}], **more}


def patient(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **members}


RULES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "least": ({"path": "Patient.name", "min": 2}, patient(name=[{"text": "a"}]), ["Patient.name"]),
    "least met": ({"path": "Patient.name", "min": 1}, patient(name=[{"text": "a"}]), []),
    "most": (
        {"path": "Patient.name", "max": "1"},
        patient(name=[{"text": "a"}, {"text": "b"}]),
        ["Patient.name"],
    ),
    "none": ({"path": "Patient.photo", "max": "0"}, patient(photo=[{"url": "a"}]), ["Patient.photo"]),
    "below what is not there": ({"path": "Patient.contact.name", "min": 1}, patient(), []),
    "below": (
        {"path": "Patient.contact.name", "min": 1},
        patient(contact=[{"gender": "male"}]),
        ["Patient.contact[0].name"],
    ),
    "below a type": (
        {"path": "Patient.name.family", "min": 1},
        patient(name=[{"family": "a"}, {"text": "b"}]),
        ["Patient.name[1].family"],
    ),
    "a primitive that has an extension alone": (
        {"path": "Patient.birthDate", "min": 1},
        patient(_birthDate={"extension": [{"url": "urn:a", "valueCode": "b"}]}),
        [],
    ),
    "below a primitive": (
        {"path": "Patient.birthDate.extension", "min": 1},
        patient(birthDate="1980"),
        ["Patient.birthDate.extension"],
    ),
    "fixed": (
        {"path": "Observation.status", "fixedCode": "final"},
        observation(status="amended"),
        ["Observation.status"],
    ),
    "fixed is whole": (
        {"path": "Observation.code", "fixedCodeableConcept": {"text": "a"}},
        observation(code={"text": "a", "id": "b"}),
        ["Observation.code"],
    ),
    "pattern is a part": (
        {"path": "Observation.code", "patternCodeableConcept": concept("north")},
        observation(code=concept("north", text="more")),
        [],
    ),
    "pattern": (
        {"path": "Observation.code", "patternCodeableConcept": concept("north")},
        observation(code=concept("south")),
        ["Observation.code"],
    ),
    "type of a choice": (
        {"path": "Observation.value[x]", "type": [{"code": "Quantity"}]},
        observation(valueString="a"),
        ["Observation.value"],
    ),
    "renamed choice": (
        {"path": "Observation.valueQuantity.unit", "min": 1},
        observation(valueQuantity={"value": 1}),
        ["Observation.value.unit"],
    ),
    "target": (
        {"path": "Observation.subject", "type": [
            {"code": "Reference", "targetProfile": [f"{BASE}Patient"]}]},
        observation(subject={"reference": "Group/1"}),
        ["Observation.subject.reference"],
    ),
    "target by its profile": (
        {"path": "Observation.subject", "type": [
            {"code": "Reference", "targetProfile": [url("StructureDefinition", "tried")]}]},
        observation(subject={"reference": "https://a.example.org/Group/1"}),
        ["Observation.subject.reference"],
    ),
    "required": (
        {"path": "Observation.method", "binding": bound("north")},
        observation(method=concept("south")),
        ["Observation.method"],
    ),
    "required and met by one": (
        {"path": "Observation.method", "binding": bound("wards")},
        observation(method={"coding": [{"code": "x"}, *concept("north")["coding"]]}),
        [],
    ),
    "required and text alone": (
        {"path": "Observation.method", "binding": bound("wards")},
        observation(method={"text": "west"}),
        ["Observation.method"],
    ),
    "required and cannot be told": (
        {"path": "Observation.method", "binding": bound("mixed")},
        observation(method=concept("1-8", LOINC)),
        [],
    ),
    "required of which a part is known": (
        {"path": "Observation.method", "binding": bound("mixed")},
        observation(method=concept("a", "urn:other")),
        ["Observation.method"],
    ),
    "a code that its system does not have": (
        {"path": "Observation.method", "min": 1},
        observation(method=concept("west")),
        ["Observation.method.coding[0].code"],
    ),
    "a display in other words": (
        {"path": "Observation.method", "min": 1},
        observation(method={"coding": [{"system": WARDS, "code": "north", "display": "Nord"}]}),
        [],
    ),
    "a set that nobody has": (
        {"path": "Observation.method", "binding": bound("nowhere")},
        observation(method=concept("south")),
        [],
    ),
    "invariant": (
        {"path": "Patient.name", "constraint": [
            {"key": "a-1", "severity": "error", "human": "Short.",
             "expression": "text.length() < 3 and text.matches('^[a-z]+$')"}]},
        patient(name=[{"text": "ab"}, {"text": "abc"}, {"text": "1"}]),
        ["Patient.name[1]", "Patient.name[2]"],
    ),
    "invariant of codes": (
        {"path": "Observation.method", "constraint": [
            {"key": "a-1", "severity": "error", "human": "Ward.",
             "expression": f"memberOf('{url('ValueSet', 'north')}')"}]},
        observation(method=concept("south")),
        ["Observation.method"],
    ),
    "invariant that cannot be read": (
        {"path": "Patient.name", "constraint": [
            {"key": "a-1", "severity": "error", "human": "?", "expression": "aggregate($total)"}]},
        patient(name=[{"text": "ab"}]),
        [],
    ),
    "pattern that may take for ever": (
        {"path": "Patient.name", "constraint": [
            {"key": "a-1", "severity": "error", "human": "?", "expression": "text.matches('(a+)+$')"}]},
        patient(name=[{"text": "a" * 40 + "b"}]),
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_each_rule_says_where_it_is_broken(name: str) -> None:
    element, resource, expected = RULES[name]
    assert found(resource, element) == expected


def test_extensible_bindings_and_warnings_only_warn() -> None:
    element = {
        "path": "Observation.method",
        "binding": bound("north", "extensible"),
        "constraint": [
            {"key": "a-1", "severity": "warning", "human": "Text.", "expression": "text.exists()"}
        ],
    }
    resource = observation(method=concept("south"))
    assert found(resource, element) == []
    assert found(resource, element, severity="warning") == ["Observation.method"] * 2


def slicing(path: str, *by: tuple[str, str], **more: Any) -> dict[str, Any]:
    listed = [{"type": kind, "path": at} for kind, at in by]
    return {"path": path, "slicing": {"discriminator": listed, "rules": "open", **more}}


COMPONENT = "Observation.component"
NORTH = {
    "path": f"{COMPONENT}.code",
    "id": f"{COMPONENT}:n.code",
    "patternCodeableConcept": concept("north"),
}


def components(*given: str | dict[str, Any]) -> dict[str, Any]:
    return observation(
        component=[{"code": concept(one)} if isinstance(one, str) else one for one in given]
    )


SLICES: dict[str, tuple[list[dict[str, Any]], dict[str, Any], list[str]]] = {
    "by a pattern below": (
        [slicing(COMPONENT, ("pattern", "code")), {"path": COMPONENT, "sliceName": "n", "min": 1}, NORTH],
        components("south"),
        [COMPONENT],
    ),
    "by a value on the way": (
        [
            slicing(COMPONENT, ("value", "code.coding.code")),
            {"path": COMPONENT, "sliceName": "n", "min": 1, "max": "1"},
            {"path": f"{COMPONENT}.code.coding.code", "id": f"{COMPONENT}:n.code.coding.code", "fixedCode": "north"},
        ],
        components("north", "north"),
        [COMPONENT],
    ),
    "and more is said of what is in it": (
        [
            slicing(COMPONENT, ("pattern", "code")),
            {"path": COMPONENT, "sliceName": "n"},
            NORTH,
            {"path": f"{COMPONENT}.value[x]", "id": f"{COMPONENT}:n.value[x]", "min": 1},
        ],
        components("south", "north"),
        [f"{COMPONENT}[1].value"],
    ),
    "closed": (
        [slicing(COMPONENT, ("pattern", "code"), rules="closed"), {"path": COMPONENT, "sliceName": "n"}, NORTH],
        components("north", "south"),
        [f"{COMPONENT}[1]"],
    ),
    "open at the end": (
        [slicing(COMPONENT, ("pattern", "code"), rules="openAtEnd"), {"path": COMPONENT, "sliceName": "n"}, NORTH],
        components("south", "north"),
        [f"{COMPONENT}[1]"],
    ),
    "by what is there": (
        [
            slicing(COMPONENT, ("exists", "dataAbsentReason")),
            {"path": COMPONENT, "sliceName": "n", "max": "0"},
            {"path": f"{COMPONENT}.dataAbsentReason", "id": f"{COMPONENT}:n.dataAbsentReason", "min": 1},
        ],
        components("north", {"code": concept("south"), "dataAbsentReason": {"text": "a"}}),
        [COMPONENT],
    ),
    "by the type": (
        [
            slicing("Observation.value[x]", ("type", "$this")),
            {"path": "Observation.value[x]", "sliceName": "valueQuantity", "type": [{"code": "Quantity"}]},
            {"path": "Observation.value[x].unit", "id": "Observation.value[x]:valueQuantity.unit", "min": 1},
        ],
        observation(valueQuantity={"value": 1}),
        ["Observation.value.unit"],
    ),
    "by the type of what is referred to": (
        [
            slicing("Observation.performer", ("type", "$this.resolve()")),
            {"path": "Observation.performer", "sliceName": "p", "max": "1", "type": [
                {"code": "Reference", "targetProfile": [f"{BASE}Practitioner"]}]},
        ],
        observation(performer=[{"reference": f"{t}/1"} for t in ("Practitioner", "Patient", "Practitioner")]),
        ["Observation.performer"],
    ),
    "by a profile": (
        [
            slicing("Patient.name", ("profile", "$this")),
            {"path": "Patient.name", "sliceName": "whole", "min": 1, "type": [
                {"code": "HumanName", "profile": [url("StructureDefinition", "whole")]}]},
        ],
        patient(name=[{"family": "a"}]),
        ["Patient.name"],
    ),
    "in the order of the slices": (
        [
            slicing(COMPONENT, ("pattern", "code"), ordered=True),
            {"path": COMPONENT, "sliceName": "n"}, NORTH,
            {"path": COMPONENT, "sliceName": "s"},
            {"path": f"{COMPONENT}.code", "id": f"{COMPONENT}:s.code", "patternCodeableConcept": concept("south")},
        ],
        components("south", "north"),
        [f"{COMPONENT}[1]"],
    ),
    "a slice of a slice": (
        [
            slicing(COMPONENT, ("pattern", "code")),
            {"path": COMPONENT, "sliceName": "n"}, NORTH,
            {**slicing(COMPONENT, ("exists", "dataAbsentReason")), "id": f"{COMPONENT}:n"},
            {"path": COMPONENT, "sliceName": "n/absent", "max": "0"},
            {"path": f"{COMPONENT}.dataAbsentReason", "id": f"{COMPONENT}:n/absent.dataAbsentReason", "min": 1},
        ],
        components("north", {"code": concept("north"), "dataAbsentReason": {"text": "a"}}),
        [COMPONENT],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SLICES)
def test_each_slicing_knows_its_slices(name: str) -> None:
    elements, resource, expected = SLICES[name]
    whole = {
        **profile("whole", "HumanName", {"path": "HumanName.given", "min": 1}),
        "kind": "complex-type",
    }
    assert found(resource, *elements, also=[whole]) == expected


def test_extensions_are_held_against_their_own_definitions() -> None:
    ward = extension("ward", "Coding", binding=bound("wards"))
    of = {"path": "Patient.extension", "sliceName": "ward", "min": 1, "type": [
        {"code": "Extension", "profile": [ward["url"]]}]}  # fmt: skip

    def given(**value: Any) -> dict[str, Any]:
        return patient(extension=[{"url": ward["url"], **value}])

    coding = concept("north")["coding"][0]
    assert found(patient(), of, also=[ward]) == ["Patient.extension"]
    assert found(given(valueCoding=coding), of, also=[ward]) == []
    assert found(given(valueString="a"), also=[ward]) == ["Patient.extension[0].value"]
    other = {"system": "urn:other", "code": "x"}
    assert found(given(valueCoding=other), also=[ward]) == ["Patient.extension[0].value"]


def test_parts_of_an_extension_are_those_that_it_defines() -> None:
    part = {"path": "Extension.extension", "sliceName": "a", "max": "1"}
    named = {"path": "Extension.extension.url", "id": "Extension.extension:a.url", "fixedUri": "a"}
    made = profile(
        "parts", "Extension", slicing("Extension.extension", ("value", "url")), part, named
    )

    def given(*urls: str) -> dict[str, Any]:
        parts = [{"url": one, "valueCode": "x"} for one in urls]
        return patient(extension=[{"url": made["url"], "extension": parts}])

    assert found(given("a", "https://b.example.org/c"), also=[made]) == []
    assert found(given("a", "b"), also=[made]) == ["Patient.extension[0].extension[1]"]
    assert found(given("a", "a"), also=[made]) == ["Patient.extension[0].extension"]


def test_what_stands_within_is_held_against_its_own_claims() -> None:
    made = profile("inner", "Patient", {"path": "Patient.name", "min": 1})
    inner = patient(id="a", meta={"profile": [made["url"]]})
    assert found(observation(contained=[inner]), also=[made]) == ["Observation.contained[0].name"]
    entry = {"fullUrl": "urn:uuid:11111111-2222-4333-8444-555555555555", "resource": inner}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
    assert found(bundle, also=[made]) == ["Bundle.entry[0].resource.name"]


def test_a_profile_without_a_snapshot_has_what_it_is_based_on() -> None:
    base = profile("base", "Patient", {"path": "Patient.name", "min": 1})
    element = {"path": "Patient.birthDate", "min": 1}
    made = {**profile("tried", "Patient", element), "baseDefinition": base["url"]}
    issues = check(patient(), [made["url"]], Compiler(Known(base, made)))
    assert [one.expression for one in issues] == ["Patient.name", "Patient.birthDate"]


def test_one_that_leads_to_itself_ends() -> None:
    here = url("StructureDefinition", "tried")
    element = {"path": "Patient.contained", "type": [{"code": "Patient", "profile": [here]}]}
    inner = patient(id="a")
    assert found(patient(contained=[inner]), element) == []
    made = {**profile("tried", "Patient"), "baseDefinition": here}
    assert check(patient(), [here], Compiler(Known(made)))[-1].code == "too-costly"


@pytest.mark.parametrize(
    "broken",
    [
        {"differential": None},
        {"differential": {"element": []}},
        {"differential": {"element": [{"id": "Patient"}]}},
        {"differential": {"element": [{"path": "Patient"}, {"path": "Other.name"}]}},
    ],
)
def test_what_is_no_profile_says_why(broken: dict[str, Any]) -> None:
    made = {**profile("tried", "Patient"), **broken}
    compiler = Compiler(Known(made))
    assert compiler.test_of(made["url"]) is None
    assert made["url"] in compiler.unusable[made["url"]]
    (issue,) = check(patient(), [made["url"]], compiler)
    assert (issue.severity, "cannot be used" in issue.text) == ("information", True)


#: What stands where something else should.
ODD: tuple[Any, ...] = (None, 0, -1, "", "x", "*", True, [], {}, [None], [[]], [{}], {"a": []}, 1e9)


@pytest.mark.parametrize("name", [*RULES, *SLICES])
def test_a_definition_that_anybody_made_breaks_nothing(name: str) -> None:
    """Each value in it is replaced by others: what comes of it is issues, and no error."""
    elements, resource, _ = SLICES[name] if name in SLICES else ([RULES[name][0]], *RULES[name][1:])
    made = profile("tried", resource["resourceType"], *elements)
    for n, (path, _) in enumerate(_values(made, ())):
        changed = copy.deepcopy(made)
        holder = changed
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = ODD[n % len(ODD)]
        changed["url"], changed["resourceType"] = made["url"], made["resourceType"]
        check(resource, [made["url"]], Compiler(Known(changed, *TERMS)))


def _values(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inner:
        yield (*path, key), one
        if isinstance(one, dict | list):
            yield from _values(one, (*path, key))
