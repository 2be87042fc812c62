"""People out of a table or a Bundle."""

from __future__ import annotations

import asyncio
import json

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


ROW = {"kind": "patient", "id": "p1", "family": "Okafor"}

TITLES = (
    "Kind,ID,Family name,First Name,Preferred name,Title,Date of birth,Gender,Phone number,E-Mail"
)
PERSON = 'Patient,1.0,Okafor,James,Jim,Dr.,2016-05-04,Male,"(212) 555-0122",Jim@Example.org'
JAMES = {
    "name": [
        {"family": "Okafor", "given": ["James"], "prefix": ["Dr."]},
        {"use": "nickname", "given": ["Jim"]},
    ],
    "birthDate": "2016-05-04",
    "gender": "male",
    "telecom": [
        {"system": "phone", "value": "+12125550122"},
        {"system": "email", "value": "jim@example.org"},
    ],
}


@pytest.mark.parametrize(
    "content",
    [
        f"{TITLES}\n{PERSON}\n".encode(),
        f"\ufeff{TITLES}\r\n{PERSON}\r\n".encode(),
        f"{TITLES}\n{PERSON}\n".replace(",", ";").encode(),
        f"sep=;\r\n{TITLES}\n{PERSON}\n".replace(",", ";").encode(),
        f"{TITLES}\n{PERSON}\n".replace(",", "\t").encode("utf-16"),
        f"{TITLES}\n{PERSON}\n".replace(",", "\t").encode("utf-16-le"),
        f"{TITLES}\n{PERSON}\n".replace(",", "|").encode("cp1252"),
        f"{TITLES.upper()}\n\n{PERSON}\n,,,,,,,,,\n".encode(),
        f"{TITLES},\n{PERSON},\n".encode(),
    ],
)
def test_a_table_as_other_programs_write_it(practice, tmp_path, content):
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    report = practice.run(import_people(practice.store, DEFAULT_PROJECT, path))
    assert report == PeopleReport(new=1, changed=0, known=0)
    james = next(one for one in practice.all("Patient") if "birthDate" in one)
    assert {name: james[name] for name in JAMES} == JAMES
    assert james["identifier"][0]["value"] == "1"


def test_rows_that_another_program_added_keep_their_letters(practice, tmp_path):
    path = tmp_path / "people.csv"
    head = "kind,id,family,given\npatient,1,Núñez,Ana\n"
    path.write_bytes(head.encode() + "patient,2,Muñoz,José\n".encode("cp1252"))
    report = practice.run(import_people(practice.store, DEFAULT_PROJECT, path))
    assert len(report.warnings) == 1
    names = {one["name"][0].get("family", "") for one in practice.all("Patient")}
    assert {"Núñez", "Muñoz"} <= names


def test_what_is_passed_over_is_told(practice, tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes("kind,id,family,Insurer,phone\npatient,p1,Núñez,A,555-0122\n".encode("cp1252"))
    report = practice.run(import_people(practice.store, DEFAULT_PROJECT, path))
    assert report.warnings == (
        "people.csv: it is not UTF-8 and was read as Windows-1252: look whether the accents are "
        "right",
        "people.csv: the column 'Insurer' is not known and was passed over",
        "people.csv: line 2: phone lacks its area code, so no message will meet it",
    )
    assert any(one.get("name", [{}])[0].get("family") == "Núñez" for one in practice.all("Patient"))


@pytest.mark.parametrize(
    ("given", "nickname", "names"),
    [
        ("William", "Will", [["William"], ["Will"]]),
        ("William;Henry", "Will;Bill", [["William", "Henry"], ["Will"], ["Bill"]]),
        ("William;Will", "", [["William"], ["Will"]]),
        ('William "Billy" Henry', "", [["William Henry"], ["Billy"]]),
        ("Wilhelmine (Minna)", "", [["Wilhelmine"], ["Minna"]]),
        ("Mary Ann", "", [["Mary Ann"]]),
        ("Ana, Maria", "Ana", [["Ana", "Maria"]]),
        ("William 'Will'", "", [["William"], ["Will"]]),
        ("William aka Will", "", [["William"], ["Will"]]),
        ("Robert / Bob", "", [["Robert"], ["Bob"]]),
        ("D'Arcy", "", [["D'Arcy"]]),
        ("William", "Will/Billy", [["William"], ["Will"], ["Billy"]]),
        ("William", '"Will"', [["William"], ["Will"]]),
        ("William", "(Will)", [["William"], ["Will"]]),
        ("William", "WILLIAM", [["William"]]),
        ("William", "n/a", [["William"]]),
        ("William", "-", [["William"]]),
    ],
)
def test_a_nickname_is_no_given_name(practice, given, nickname, names):
    row = {"kind": "patient", "id": "p1", "family": "Reed", "given": given, "nickname": nickname}
    practice.run(import_people(practice.store, DEFAULT_PROJECT, [row]))
    made = next(one for one in practice.all("Patient") if one["name"][0].get("family"))
    assert [name["given"] for name in made["name"]] == names
    assert [name.get("use") for name in made["name"][1:]] == ["nickname"] * (len(names) - 1)


@pytest.mark.parametrize(
    ("family", "given", "name"),
    [
        ("Reed", "Dr. Ann", {"family": "Reed", "given": ["Ann"], "prefix": ["Dr."]}),
        ("Reed", "Prof. Dr. Ann", {"family": "Reed", "given": ["Ann"], "prefix": ["Prof.", "Dr."]}),
        ("Dr. med. Reed", "", {"family": "Reed", "prefix": ["Dr.", "med."]}),
        ("Reed", "Frau Ann", {"family": "Reed", "given": ["Ann"], "prefix": ["Frau"]}),
        ("Reed", "Miss", {"family": "Reed", "given": ["Miss"]}),
        ("Reed Jr.", "Al", {"family": "Reed", "given": ["Al"], "suffix": ["Jr."]}),
        ("Reed, Sr", "Al", {"family": "Reed", "given": ["Al"], "suffix": ["Sr"]}),
        ("Reed III", "Al", {"family": "Reed", "given": ["Al"], "suffix": ["III"]}),
        ("Reed", "Ann, RN", {"family": "Reed", "given": ["Ann"], "suffix": ["RN"]}),
        ("Reed, M.D.", "Ann", {"family": "Reed", "given": ["Ann"], "suffix": ["M.D."]}),
        ("Reed, Ann", "", {"family": "Reed", "given": ["Ann"]}),
        ("", "Reed, Ann", {"family": "Reed", "given": ["Ann"]}),
        ("Reed, Ann, MD", "", {"family": "Reed", "given": ["Ann"], "suffix": ["MD"]}),
        ("", "Reed, Dr. Ann", {"family": "Reed", "given": ["Ann"], "prefix": ["Dr."]}),
        ("Van, Do", "", {"family": "Van", "given": ["Do"]}),
        ("van der Reed", "Ann-Lou", {"family": "van der Reed", "given": ["Ann-Lou"]}),
        ("Ii", "Aoi", {"family": "Ii", "given": ["Aoi"]}),
    ],
)
def test_titles_and_suffixes_are_told_apart(practice, family, given, name):
    row = {"kind": "practitioner", "id": "d", "family": family, "given": given}
    practice.run(import_people(practice.store, DEFAULT_PROJECT, [row]))
    assert practice.all("Practitioner")[0]["name"] == [name]


def test_middle_prefix_and_suffix_have_their_places(practice):
    row = {"kind": "practitioner", "id": "d", "family": "Reed", "given": "Ann", "middle": "Lou"}
    row |= {"title": "Dr.", "suffix": "MD, PhD"}
    practice.run(import_people(practice.store, DEFAULT_PROJECT, [row]))
    (name,) = practice.all("Practitioner")[0]["name"]
    assert name == {
        "family": "Reed",
        "given": ["Ann", "Lou"],
        "prefix": ["Dr."],
        "suffix": ["MD, PhD"],
    }


def test_names_of_another_use_stay(practice):
    practice.run(import_people(practice.store, DEFAULT_PROJECT, [ROW | {"nickname": "Oki"}]))
    made = next(one for one in practice.all("Patient") if one["name"][0].get("family"))
    report = practice.run(import_people(practice.store, DEFAULT_PROJECT, [ROW]))
    assert report.known == 1
    maiden = {"use": "maiden", "family": "Eze"}
    rest = {name: value for name, value in made.items() if name not in ("id", "meta", "name")}
    practice.put("Patient", made["id"], **rest, name=[*made["name"], maiden])
    practice.run(import_people(practice.store, DEFAULT_PROJECT, [ROW | {"nickname": "Kiki"}]))
    changed = next(one for one in practice.all("Patient") if one["id"] == made["id"])
    assert changed["name"] == [
        {"family": "Okafor"},
        {"use": "nickname", "given": ["Kiki"]},
        maiden,
    ]


@pytest.mark.parametrize(
    ("phone", "values"),
    [
        ("+1 212 555 0122;+1 212 555 0123", ["+12125550122", "+12125550123"]),
        ("+1 212 555 0122, +1 212 555 0123", ["+12125550122", "+12125550123"]),
        ("212-555-0122/212-555-0123", ["+12125550122", "+12125550123"]),
        ("212-555-0122 or 212-555-0123", ["+12125550122", "+12125550123"]),
        ("+12125550122 +12125550123", ["+12125550122", "+12125550123"]),
        ("212/555-0122", ["+12125550122"]),
        ("tel:+1-212-555-0122;ext=5", ["+12125550122"]),
        ("12125550122.0", ["+12125550122"]),
        ("212-555-0122 (cell); Work: 212-555-0123", ["+12125550122", "+12125550123"]),
        ("'+12125550122", ["+12125550122"]),
        ("+1 212 555 0122; NULL", ["+12125550122"]),
        ("NULL", []),
    ],
)
def test_several_phones_in_one_cell(practice, phone, values):
    practice.run(import_people(practice.store, DEFAULT_PROJECT, [ROW | {"phone": phone}]))
    made = next(one for one in practice.all("Patient") if one["name"][0].get("family"))
    assert [point["value"] for point in made.get("telecom", ())] == values


@pytest.mark.parametrize(
    ("email", "values"),
    [
        ("a@example.org, b@example.org", ["a@example.org", "b@example.org"]),
        ("a@example.org;b@example.org", ["a@example.org", "b@example.org"]),
        ("a@example.org / b@example.org", ["a@example.org", "b@example.org"]),
        ("a@example.org b@example.org", ["a@example.org", "b@example.org"]),
        ('"Okafor, Jim" <a@example.org>, J <b@example.org>', ["a@example.org", "b@example.org"]),
    ],
)
def test_several_mail_addresses_in_one_cell(practice, email, values):
    practice.run(import_people(practice.store, DEFAULT_PROJECT, [ROW | {"email": email}]))
    made = next(one for one in practice.all("Patient") if one["name"][0].get("family"))
    assert [point["value"] for point in made["telecom"]] == values


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"phone": "212 555 0122 / none yet"}, "line 1: phone value 2 is no phone number"),
        ({"phone": "1.2125E+10"}, "line 1: phone has lost digits in a spreadsheet"),
        ({"email": "a@example.org, b"}, "line 1: email value 2 is no mail address"),
        ({"id": "1.2125E+10"}, "line 1: id has lost digits in a spreadsheet"),
        ({"chat": "whatsapp: "}, "line 1: chat must be written channel:name"),
    ],
)
def test_one_bad_value_is_told_by_its_place(practice, cells, problem):
    with pytest.raises(BadPeople) as caught:
        practice.run(import_people(practice.store, DEFAULT_PROJECT, [ROW | cells]))
    (told,) = caught.value.problems
    assert told.startswith(problem)
    assert not any(value in told for value in ("212", "0122", "example"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('kind,id,family\npatient,p1,"A\npatient,p2,B\n', "line 2: this row, or one below it"),
        ("kind,id,family,Last name\n", "line 1: two columns are 'family'"),
        (b"kind,id\npatient,\x81\n", "it is neither UTF-8 nor Windows-1252 at byte 16"),
    ],
)
def test_a_table_that_cannot_be_read_as_one(practice, tmp_path, text, problem):
    path = tmp_path / "people.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadPeople) as caught:
        practice.run(import_people(practice.store, DEFAULT_PROJECT, path))
    assert caught.value.problems[0].startswith(problem)


def test_a_mistake_comes_with_the_columns_that_nobody_knows(practice, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("kind,id,full name\npatient,p1,Jim Okafor\n")
    with pytest.raises(BadPeople) as caught:
        practice.run(import_people(practice.store, DEFAULT_PROJECT, path))
    assert caught.value.problems == (
        "line 2: family and given are both empty",
        "the column 'full name' is not known and was passed over",
    )


def test_two_columns_of_phones_are_one(practice):
    row = ROW | {"phone": "+12125550122", "mobile": "+12125550123"}
    practice.run(import_people(practice.store, DEFAULT_PROJECT, [row]))
    made = next(one for one in practice.all("Patient") if one["name"][0].get("family"))
    assert [point["value"] for point in made["telecom"]] == ["+12125550122", "+12125550123"]


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
        ("KIND;name\n", "line 1: the column 'id' is missing"),
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


@pytest.mark.parametrize("type_", ["Unicorn", [], None])
def test_mistakes_of_a_bundle_are_told_by_entry(take, type_):
    with pytest.raises(BadPeople) as caught:
        take(bundle({**LEO, "gender": "m"}, {"resourceType": type_}))
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


def test_people_are_compared_anew_when_others_write_them():
    importing = import_people(Rivalled(2), DEFAULT_PROJECT, [ROW])
    assert asyncio.run(importing) == PeopleReport(new=1, changed=0, known=0)


def test_others_who_never_stop_are_told(monkeypatch):
    monkeypatch.setattr("threadwell.intake.patience.SECONDS", 0.0)
    monkeypatch.setattr("threadwell.intake.patience.ATTEMPTS", 3)
    with pytest.raises(StoreError, match="others keep writing"):
        asyncio.run(import_people(Rivalled(1000), DEFAULT_PROJECT, [ROW]))


def test_two_imports_of_the_same_people_at_once_are_one():
    async def both():
        store = MemoryStore()
        takes = [import_people(store, DEFAULT_PROJECT, [ROW]) for _ in range(2)]
        return await asyncio.gather(*takes)

    assert sum(report.new for report in asyncio.run(both())) == 1
