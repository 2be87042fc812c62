"""People out of a table or a Bundle."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from threadwell.fhir.validation import validate
from threadwell.intake import BadPeople, PeopleReport, import_people
from threadwell.stores.contract import DEFAULT_PROJECT, Conflict, Key, StoreError
from threadwell.stores.memory import MemoryStore

CSV = """\
kind,id,family,given,birth_date,gender,phone,email,chat,patient,relationship,role
patient,p1,Okafor,Léo;James,2016-05-04,male,,,,,,
patient,p2,Okafor,Mia,2019-01-31,female,,,,,,
related-person,r1,Okafor,Ngozi,,female,(212) 555-0122,Ngozi@Example.org,whatsapp:Ngozi,p1;p2,mother,
practitioner,d1,Lee,Alice,,,,alice@example.org,,,,Paediatrician
organization,o1,Harbour Clinic,,,,212-555-0100,,,,,
"""


@pytest.fixture
def take(practice, tmp_path):
    """Import a file of people."""

    def importing(text: str, name: str = "people.csv") -> PeopleReport:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return practice.run(import_people(practice.store, DEFAULT_PROJECT, path))

    return importing


def test_a_table_becomes_valid_resources(practice, take):
    assert take(CSV) == PeopleReport(new=7, changed=0, known=0)
    made = [
        one
        for type_ in (
            "Patient",
            "RelatedPerson",
            "Practitioner",
            "PractitionerRole",
            "Organization",
        )
        for one in practice.all(type_)
    ]
    assert [issue for one in made for issue in validate(one)] == []
    leo, mia = (one for one in practice.all("Patient") if "birthDate" in one)
    assert leo["name"] == [{"family": "Okafor", "given": ["Léo", "James"]}]
    mothers = practice.all("RelatedPerson")
    assert [one["patient"]["reference"] for one in mothers] == [
        f"Patient/{leo['id']}",
        f"Patient/{mia['id']}",
    ]
    assert mothers[0]["telecom"] == [
        {"system": "phone", "value": "+12125550122"},
        {"system": "email", "value": "ngozi@example.org"},
        {"system": "other", "value": "whatsapp:Ngozi"},
    ]
    assert practice.all("Organization")[0]["name"] == "Harbour Clinic"


def test_the_same_table_again_changes_nothing(practice, take):
    take(CSV)
    assert take("\ufeff" + CSV) == PeopleReport(new=0, changed=0, known=7)
    assert take(CSV.replace("Léo;James", "Léo")) == PeopleReport(new=0, changed=1, known=6)


def test_what_the_table_does_not_say_is_kept(practice, take):
    take(CSV)
    leo = next(one for one in practice.all("Patient") if one["name"][0].get("family"))
    elements = {name: value for name, value in leo.items() if name not in ("id", "meta")}
    practice.put("Patient", leo["id"], **elements, maritalStatus={"text": "child"})
    assert take(CSV).known == 7


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("person,x,A,B,,,,,,,,", "line 2: kind must be one of patient"),
        ("patient,,A,B,,,,,,,,", "line 2: id is empty"),
        ("patient,x,,,,,,,,,,", "line 2: family and given are both empty"),
        ("patient,x,A,B,4.5.2016,,,,,,,", "line 2: birth_date"),
        ("patient,x,A,B,,m,,,,,,", "line 2: gender"),
        ("patient,x,A,B,,,none,,,,,", "line 2: phone is no phone number"),
        ("patient,x,A,B,,,,none,,,,", "line 2: email is no mail address"),
        ("patient,x,A,B,,,,,Ana,,,", "line 2: chat must be written"),
        ("related-person,x,A,B,,,,,,,,", "line 2: a related-person needs"),
        ("patient,x,A,B,,,,,,y,,", "line 2: only a related-person"),
        ("\n\npatient,,A,B,,,,,,,,", "line 4: id is empty"),
        ("patient,x,A,B,,,,,,,,,y", "line 2: more cells than columns"),
        ("related-person,x,A,B,,,,,,y,,", "related person x/y: there is no such patient"),
        ("patient,x,A,B,,,,,,,,\npatient,x,A,B,,,,,,,,", "line 3: there is another patient"),
    ],
)
def test_a_mistake_is_told_by_line_and_nothing_is_written(practice, take, line, problem):
    head = CSV.splitlines()[0]
    before = practice.all("Patient")
    with pytest.raises(BadPeople) as caught:
        take(f"{head}\n{line}\n")
    assert any(one.startswith(problem) for one in caught.value.problems)
    assert practice.all("Patient") == before
    assert practice.all("RelatedPerson") == []


def test_rows_may_come_from_elsewhere(practice):
    rows = [{"kind": "patient", "id": "p1", "given": "Leo"}, {"kind": "patient", "id": ""}]
    with pytest.raises(BadPeople, match="line 2: id is empty"):
        practice.run(import_people(practice.store, DEFAULT_PROJECT, rows))
    report = practice.run(import_people(practice.store, DEFAULT_PROJECT, rows[:1]))
    assert report == PeopleReport(new=1, changed=0, known=0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name,phone\n", "line 1: no column 'name' is known"),
        ("family,given\n", "line 1: the column 'kind' is missing"),
        ("", "line 1: the column 'kind' is missing"),
        ("{", "people.csv is no JSON"),
        ("{}", "the file is no FHIR Bundle"),
    ],
)
def test_a_file_that_is_none(take, text, problem):
    with pytest.raises(BadPeople) as caught:
        take(text)
    assert any(one.startswith(problem) for one in caught.value.problems)


LEO = {
    "resourceType": "Patient",
    "identifier": [{"system": "https://clinic.example.org/mrn", "value": "17"}],
    "name": [{"given": ["Leo"]}],
}
FATHER = {
    "resourceType": "RelatedPerson",
    "patient": {"reference": "urn:uuid:0d8d2d1c-6f0b-4a4e-9f43-0f3a2b1f5d11"},
    "telecom": [{"system": "phone", "value": "(212) 555-0133"}],
}


def bundle(*resources) -> str:
    urls = ["urn:uuid:0d8d2d1c-6f0b-4a4e-9f43-0f3a2b1f5d11", "urn:uuid:second"]
    entries = [
        {"fullUrl": url, "resource": resource}
        for url, resource in zip(urls, resources, strict=False)
    ]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})


def test_a_bundle_keeps_its_references(practice, take):
    assert take(bundle(LEO, FATHER), "people.json").new == 2
    leo = next(one for one in practice.all("Patient") if one.get("identifier"))
    (father,) = practice.all("RelatedPerson")
    assert father["patient"] == {"reference": f"Patient/{leo['id']}"}
    assert father["telecom"][0]["value"] == "+12125550133"
    assert take(bundle(LEO, FATHER), "people.json").known == 2


def test_a_patient_that_is_there_is_found_by_its_identifier(practice, take):
    practice.put("Patient", "leo", identifier=LEO["identifier"], active=True)
    assert take(bundle(LEO, FATHER), "people.json") == PeopleReport(new=1, changed=1, known=0)
    assert practice.all("RelatedPerson")[0]["patient"] == {"reference": "Patient/leo"}
    found = next(one for one in practice.all("Patient") if one["id"] == "leo")
    assert (found["active"], found["name"]) == (True, LEO["name"])


def test_mistakes_of_a_bundle_are_told_by_entry(take):
    with pytest.raises(BadPeople) as caught:
        take(bundle({**LEO, "gender": "m"}, {"resourceType": "Unicorn"}))
    assert [one.split(":")[0] for one in caught.value.problems] == ["entry 0", "entry 1"]


def test_a_person_without_any_name_to_know_it_by_is_refused(take):
    nameless = {"resourceType": "Patient", "name": [{"family": "Okafor"}]}
    text = json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": nameless}]}
    )
    with pytest.raises(BadPeople, match=r"entry 0: Patient needs an identifier .* id or a fullUrl"):
        take(text, "people.json")


class Rivalled(MemoryStore):
    """A store in which somebody else writes first, so many times."""

    def __init__(self, rivals):
        super().__init__()
        self.rivals = rivals

    async def commit(self, project, change_set):
        if self.rivals:
            self.rivals -= 1
            raise Conflict(Key("Patient", "p1"))
        await super().commit(project, change_set)


ROW = {"kind": "patient", "id": "p1", "family": "Okafor"}


def test_people_are_compared_anew_when_others_write_them():
    importing = import_people(Rivalled(2), DEFAULT_PROJECT, [ROW])
    assert asyncio.run(importing) == PeopleReport(new=1, changed=0, known=0)


def test_others_who_never_stop_are_told(monkeypatch):
    monkeypatch.setattr(sys.modules[import_people.__module__], "_PATIENCE", 0.0)
    with pytest.raises(StoreError, match="others keep writing"):
        asyncio.run(import_people(Rivalled(1000), DEFAULT_PROJECT, [ROW]))


def test_two_imports_of_the_same_people_at_once_are_one():
    async def both():
        store = MemoryStore()
        takes = [import_people(store, DEFAULT_PROJECT, [ROW]) for _ in range(2)]
        return await asyncio.gather(*takes)

    assert sum(report.new for report in asyncio.run(both())) == 1
