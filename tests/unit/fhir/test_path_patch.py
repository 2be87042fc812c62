"""FHIRPath Patch: what it makes of a resource, and what it refuses."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from threadwell.fhir.fhirpath import places
from threadwell.fhir.outcome import FhirError
from threadwell.fhir.path_patch import apply_path_patch

HOME = {"system": "phone", "use": "home", "value": "555-0101"}
WORK = {"system": "phone", "use": "work", "value": "555-0102"}
MAIL = {"system": "email", "value": "ida@example.org"}
MARK = {"url": "urn:mark", "valueString": "m"}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "birthDate": "1970-02-03",
    "_birthDate": {"extension": [MARK]},
    "deceasedBoolean": False,
    "name": [
        {"use": "official", "family": "Ash", "given": ["Ida", "May", "Lou"]},
        {"given": ["Ivy", None, "Zoe"], "_given": [None, {"id": "g"}, None]},
    ],
    "telecom": [HOME, WORK, MAIL],
    "contact": [{"name": {"text": "Bo"}, "gender": "male"}],
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Practice"}],
}


def part(name: str, **value: Any) -> dict[str, Any]:
    return {"name": name, **value}


def op(kind: str, path: str, *parts: Any, **value: Any) -> dict[str, Any]:
    """An operation; of ``value`` are its numbers, its ``name``, and its value by its type."""
    given = [part("type", valueCode=kind), part("path", valueString=path)]
    numbers = [name for name in ("index", "source", "destination") if name in value]
    given += [part(name, valueInteger=value.pop(name)) for name in numbers]
    if "name" in value:
        given.append(part("name", valueString=value.pop("name")))
    if parts:
        value["part"] = list(parts)
    if value:
        given.append(part("value", **value))
    return {"name": "operation", "part": given}


def patch(*operations: Any) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(operations)}


def patient(**members: Any) -> dict[str, Any]:
    """The patient with other members, or without those that are ``None``."""
    return {name: value for name, value in {**PATIENT, **members}.items() if value is not None}


def named(at: int, **members: Any) -> list[dict[str, Any]]:
    """The names, one of them with other members, or without those that are ``None``."""
    names = deepcopy(PATIENT["name"])
    changed = {**names[at], **members}
    names[at] = {name: value for name, value in changed.items() if value is not None}
    return names


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([], PATIENT),
        ([op("add", "Patient", name="gender", valueCode="female")], patient(gender="female")),
        ([op("add", "Patient", name="gender", valueString="female")], patient(gender="female")),
        ([op("add", "Patient", name="active", valueBoolean=False)], patient(active=False)),
        ([op("add", "Patient", name="multipleBirth", valueInteger=2)],
         patient(multipleBirthInteger=2)),
        ([op("add", "Patient", name="multipleBirth[x]", valueBoolean=True)],
         patient(multipleBirthBoolean=True)),
        ([op("add", "Patient", name="telecom", valueContactPoint={"value": "1"})],
         patient(telecom=[HOME, WORK, MAIL, {"value": "1"}])),
        ([op("add", "Patient", name="photo", valueAttachment={"url": "urn:x"})],
         patient(photo=[{"url": "urn:x"}])),
        ([op("add", "Patient", name="generalPractitioner", valueReference={"reference": "#o"})],
         patient(generalPractitioner=[{"reference": "#o"}])),
        ([op("add", "Patient.name[0]", name="given", valueString="Eve")],
         patient(name=named(0, given=["Ida", "May", "Lou", "Eve"]))),
        ([op("add", "Patient.name[0]", name="given", valueString="Eve", _valueString={"id": "e"})],
         patient(name=named(0, given=["Ida", "May", "Lou", "Eve"],
                            _given=[None, None, None, {"id": "e"}]))),
        ([op("add", "Patient.name[1]", name="given", valueString="Eve")],
         patient(name=named(1, given=["Ivy", None, "Zoe", "Eve"],
                            _given=[None, {"id": "g"}, None, None]))),
        ([op("add", "Patient.contact[0].name", name="period", valuePeriod={"start": "2020"})],
         patient(contact=[{"name": {"text": "Bo", "period": {"start": "2020"}},
                           "gender": "male"}])),
        ([op("add", "Patient", part("name", valueHumanName={"text": "Cy"}),
             part("telecom", part=[part("system", valueCode="phone"),
                                   part("value", valueString="555-0103")]),
             part("telecom", valueContactPoint=MAIL), name="contact")],
         patient(contact=[*PATIENT["contact"],
                          {"name": {"text": "Cy"},
                           "telecom": [{"system": "phone", "value": "555-0103"}, MAIL]}])),
        ([op("add", "Patient", part("given", valueString="A"),
             part("given", valueString="B", _valueString={"id": "b"}), name="name")],
         patient(name=[*PATIENT["name"],
                       {"given": ["A", "B"], "_given": [None, {"id": "b"}]}])),
        ([op("add", "Patient", part("url", valueUri="urn:e"), part("value", valueCode="c"),
             name="extension")],
         patient(extension=[{"url": "urn:e", "valueCode": "c"}])),
        ([op("add", "Patient", name="contained",
             resource={"resourceType": "Practitioner", "id": "d"})],
         patient(contained=[*PATIENT["contained"], {"resourceType": "Practitioner", "id": "d"}])),
        ([op("add", "Patient.birthDate", name="extension", valueExtension=MARK)],
         patient(_birthDate={"extension": [MARK, MARK]})),
        ([op("add", "Patient.name[0].family", name="extension", valueExtension=MARK)],
         patient(name=named(0, _family={"extension": [MARK]}))),
        ([op("add", "Patient.name[0].given[1]", name="id", valueString="m")],
         patient(name=named(0, _given=[None, {"id": "m"}, None]))),
        ([op("insert", "Patient.telecom", valueContactPoint={"value": "1"}, index=0)],
         patient(telecom=[{"value": "1"}, HOME, WORK, MAIL])),
        ([op("insert", "Patient.telecom", valueContactPoint={"value": "1"}, index=3)],
         patient(telecom=[HOME, WORK, MAIL, {"value": "1"}])),
        ([op("insert", "Patient.photo", valueAttachment={"url": "urn:x"}, index=0)],
         patient(photo=[{"url": "urn:x"}])),
        ([op("insert", "Patient.name.where(use = 'official').given", valueString="Eve", index=1)],
         patient(name=named(0, given=["Ida", "Eve", "May", "Lou"]))),
        ([op("insert", "Patient.name[1].given", valueString="Eve", index=1)],
         patient(name=named(1, given=["Ivy", "Eve", None, "Zoe"],
                            _given=[None, None, {"id": "g"}, None]))),
        ([op("delete", "Patient.telecom.where(use = 'home')")], patient(telecom=[WORK, MAIL])),
        ([op("delete", "Patient.telecom.where(system = 'fax')")], PATIENT),
        ([op("delete", "Patient.maritalStatus.text")], PATIENT),
        ([op("delete", "Patient.telecom[7]")], PATIENT),
        ([op("delete", "Patient.birthDate")], patient(birthDate=None, _birthDate=None)),
        ([op("delete", "Patient.deceased")], patient(deceasedBoolean=None)),
        ([op("delete", "(Patient.deceased as boolean)")], patient(deceasedBoolean=None)),
        ([op("delete", "Patient.deceased.ofType(dateTime)")], PATIENT),
        ([op("delete", "Patient.name[1].given[1]")],
         patient(name=named(1, given=["Ivy", "Zoe"], _given=None))),
        ([op("delete", "Patient.birthDate.extension('urn:mark')")], patient(_birthDate=None)),
        ([op("delete", "Patient.contained.where(id = 'o').name")],
         patient(contained=[{"resourceType": "Organization", "id": "o"}])),
        ([op("delete", "Patient.contact")], patient(contact=None)),
        ([op("delete", "Patient.contact[0].name.text")],
         patient(contact=[{"gender": "male"}])),
        ([op("delete", "Patient.contact.name.text"),
          op("add", "Patient.contact", name="name", valueHumanName={"text": "Di"})],
         patient(contact=[{"name": {"text": "Di"}, "gender": "male"}])),
        ([op("delete", "Patient.telecom.first()"), op("delete", "Patient.telecom.last()"),
          op("delete", "Patient.telecom.single()")], patient(telecom=None)),
        ([op("delete", "name.given.tail().tail().first()")],
         patient(name=named(0, given=["Ida", "May"]))),
        ([op("replace", "Patient.birthDate", valueDate="1971-02-03")],
         patient(birthDate="1971-02-03", _birthDate=None)),
        ([op("replace", "Patient.deceased", valueDateTime="2020-01-01")],
         patient(deceasedBoolean=None, deceasedDateTime="2020-01-01")),
        ([op("replace", "Patient.telecom.where(use='work' and system='phone').value",
             valueString="1")],
         patient(telecom=[HOME, {**WORK, "value": "1"}, MAIL])),
        ([op("replace", "Patient.telecom[2]", valueContactPoint=WORK)],
         patient(telecom=[HOME, WORK, WORK])),
        ([op("replace", "Patient.contact", part("gender", valueCode="female"))],
         patient(contact=[{"gender": "female"}])),
        ([op("replace", "Patient.name[0].given[2]", valueString="Eve")],
         patient(name=named(0, given=["Ida", "May", "Eve"]))),
        ([op("replace", "Patient.name[1].given[1]", valueString="Eve")],
         patient(name=named(1, given=["Ivy", "Eve", "Zoe"], _given=None))),
        ([op("replace", "Resource.contained.first().name", valueString="Other")],
         patient(contained=[{**PATIENT["contained"][0], "name": "Other"}])),
        ([op("replace", "%resource.telecom[0].use", valueCode="old")],
         patient(telecom=[{**HOME, "use": "old"}, WORK, MAIL])),
        ([op("move", "Patient.telecom", source=2, destination=0)],
         patient(telecom=[MAIL, HOME, WORK])),
        ([op("move", "Patient.telecom", source=0, destination=2)],
         patient(telecom=[WORK, MAIL, HOME])),
        ([op("move", "Patient.telecom", source=1, destination=1)], PATIENT),
        ([op("move", "Patient.name[1].given", source=1, destination=0)],
         patient(name=named(1, given=[None, "Ivy", "Zoe"], _given=[{"id": "g"}, None, None]))),
        # Each sees what the ones before it have left.
        ([op("add", "Patient", part("gender", valueCode="other"), name="contact"),
          op("add", "Patient.contact[1]", name="name", valueHumanName={"text": "Di"}),
          op("delete", "Patient.contact[0]")],
         patient(contact=[{"gender": "other", "name": {"text": "Di"}}])),
    ],
)  # fmt: skip
def test_what_it_makes(operations: list[Any], expected: dict[str, Any]) -> None:
    before = deepcopy(PATIENT)
    assert apply_path_patch(PATIENT, patch(*operations)) == expected
    assert before == PATIENT


NOTHING = {"name": "operation"}
TWICE = op("delete", "Patient.name")
TWICE["part"].append(TWICE["part"][0])


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (NOTHING, "(no path): its type must be"),
        ({"name": "operation", "part": ["x"]}, "its parts are type"),
        ({"name": "operation", "part": [part("paths", valueString="x")]}, "its parts are type"),
        (TWICE, "type is given twice"),
        (op("upsert", "Patient.name"), "its type must be"),
        (op("delete", ""), "its path must be FHIRPath"),
        (op("delete", "Patient.name["), "(Patient.name[): the path does not lead anywhere"),
        (op("delete", "Patient.name as"), "a type was expected"),
        (op("delete", "name[²]"), "the path does not lead anywhere"),
        (op("delete", "(" * 400 + "name" + ")" * 400), "the path does not lead anywhere"),
        (op("delete", "name." * 300 + "use"), "a path has at most 1,000 characters"),
        (op("delete", "Task.note"), "the resource is no Task"),
        (op("delete", "Patient.nome"), "Patient has no nome"),
        (op("delete", "Patient.name.children()"), "a path goes down by names"),
        (op("delete", "Patient.managingOrganization.resolve()"), "a path goes down by names"),
        (op("delete", "Patient.name | Patient.telecom"), "a path goes down by names"),
        (op("delete", "Patient.telecom.where(value.matches('(a+)+$'))"), "not for clients"),
        (op("delete", "Patient.telecom.where(%resource.active)"), "not for clients"),
        (op("delete", "Patient.telecom.where(value.count(1) = 1)"), "not for clients"),
        (op("delete", "Patient.telecom"), "(Patient.telecom): the path selects 3 elements"),
        (op("delete", "Patient.name.given.single()"), "single() has several"),
        (op("delete", "Patient"), "the path selects the whole resource"),
        (op("delete", "Patient.id"), "Patch must not change id"),
        (op("replace", "Patient.id", valueId="q"), "Patch must not change id"),
        (op("replace", "Patient", valueString="x"), "the path selects the whole resource"),
        (op("replace", "Patient.gender", valueCode="male"), "the path selects nothing"),
        (op("replace", "Patient.name[0]", valueAddress={}), "the type Address cannot be name"),
        (op("replace", "Patient.name[0]", valueString="Ida"), "the type String cannot be name"),
        (op("replace", "Patient.name[0]", valueHumanName="Ida"), "HumanName cannot be name"),
        (op("replace", "Patient.birthDate", valuePeriod={}), "the type Period cannot be birthDate"),
        (op("replace", "Patient.birthDate", valueDate=None), "the type Date cannot be birthDate"),
        (op("replace", "Patient.deceased", valueString="x"), "the type String cannot be deceased"),
        (op("replace", "Patient.deceased", part("x")), "deceased[x] cannot be given by parts"),
        (op("replace", "Patient.birthDate"), "it must have a value"),
        (op("replace", "Patient.birthDate", valueDate="2000", valueCode="x"), "one value"),
        (op("add", "Patient", valueCode="male"), "add must have a name"),
        (op("add", "Patient", name="sex", valueCode="male"), "Patient has no sex"),
        (op("add", "Patient", name="birthDate", valueDate="2000"), "birthDate is there already"),
        (op("add", "Patient", name="deceased", valueDateTime="2000"), "deceased is there already"),
        (op("add", "Patient.photo", name="url", valueUrl="urn:x"), "the path selects nothing"),
        (op("add", "Patient.name", name="text", valueString="x"), "selects 2 elements"),
        (op("add", "Patient", part("nome", valueString="x"), name="contact"),
         "Patient.contact has no nome"),
        (op("add", "Patient", part("gender", valueCode="x"), part("gender", valueCode="y"),
            name="contact"), "Patient.contact.gender is given twice"),
        (op("add", "Patient", name="photo", resource={}), "A resource cannot be photo"),
        (op("insert", "Patient.telecom", valueContactPoint=MAIL), "index must be a valueInteger"),
        (op("insert", "Patient.telecom", valueContactPoint=MAIL, index=4), "no place in the list"),
        (op("insert", "Patient.telecom", valueContactPoint=MAIL, index=-1), "no place in the list"),
        (op("insert", "Patient.telecom", valueContactPoint=MAIL, index=True), "valueInteger"),
        (op("insert", "Patient.gender", valueCode="male", index=0), "gender is no list"),
        (op("insert", "Patient.telecom[0]", valueContactPoint=MAIL, index=0), "name of a list"),
        (op("insert", "Patient", valueString="x", index=0), "name of a list"),
        (op("insert", "Patient.name.given", valueString="x", index=0), "selects 2 elements"),
        (op("move", "Patient.telecom", source=0), "destination must be a valueInteger"),
        (op("move", "Patient.telecom", source=3, destination=0), "source is no place"),
        (op("move", "Patient.telecom", source=0, destination=3), "destination is no place"),
        (op("move", "Patient.photo", source=0, destination=0), "source is no place"),
    ],
)  # fmt: skip
def test_what_it_refuses(operation: Any, message: str) -> None:
    first = op("add", "Patient", name="active", valueBoolean=True)
    before = deepcopy(PATIENT)
    with pytest.raises(FhirError) as caught:
        apply_path_patch(PATIENT, patch(first, operation))
    (issue,) = caught.value.issues
    assert message in issue.text
    assert caught.value.status == 400
    assert before == PATIENT
    assert issue.text.startswith("Operation 2 (")
    assert issue.expression == "Parameters.parameter[1]"


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        {},
        {"resourceType": "Patient"},
        {"resourceType": "Parameters", "parameter": {}},
        {"resourceType": "Parameters", "parameter": ["x"]},
        {"resourceType": "Parameters", "parameter": [{"name": "op"}]},
    ],
)
def test_what_is_no_patch(parameters: Any) -> None:
    with pytest.raises(FhirError):
        apply_path_patch(PATIENT, parameters)


def test_an_error_repeats_no_value() -> None:
    broken = op("replace", "Patient.telecom.where(value = 'secret').use", valueCode="old")
    with pytest.raises(FhirError, match=r"Patient\.telecom\.where\(value = .…") as caught:
        apply_path_patch(PATIENT, patch(broken))
    assert "secret" not in str(caught.value)


LONG = "true" + " and true" * 50


@pytest.mark.parametrize("path", ["(" * 30 + "name" + ")" * 30, "Patient" + ".name" * 70])
def test_a_path_has_bounds(path: str) -> None:
    with pytest.raises(FhirError, match=r"an expression (has|goes on for) at most"):
        apply_path_patch(PATIENT, patch(op("delete", path)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (op("delete", "Patient.telecom.where(use = 'never').where(use = 'x')"), "look at too much"),
        (op("delete", f"Patient.telecom.where({'use = use and ' * 60}false)"), "look at too much"),
        (op("delete", f"Patient.telecom[7].where({LONG} and ({LONG}))"), "characters together"),
    ],
)
def test_it_is_never_long_work(change: Any, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MAX_LOOKS", 2_000)
    with pytest.raises(FhirError, match=message) as caught:
        apply_path_patch(PATIENT, patch(*[change] * 500))
    assert [issue.code for issue in caught.value.issues] == ["too-costly"]


def test_many_operations() -> None:
    many = [op("add", "Patient", name="telecom", valueContactPoint={"rank": 1})] * 10_001
    with pytest.raises(FhirError, match="at most 10,000 operations"):
        apply_path_patch(PATIENT, patch(*many))
