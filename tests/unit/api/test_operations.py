"""Operations: by POST as by GET, with their parameters (FHIR R4 §3.2.0)."""

from __future__ import annotations

from typing import Any

import pytest

NO_GENDER = {"resourceType": "Patient", "gender": "x"}
PATIENT = {"resourceType": "Patient"}

BASE = "http://hl7.org/fhir/StructureDefinition/"


def parameters(**given: Any) -> dict[str, Any]:
    """Parameters by their names; ``resource`` is a resource."""
    listed = [
        {"name": name, ("resource" if name == "resource" else _kind(name)): value}
        for name, value in given.items()
    ]
    return {"resourceType": "Parameters", "parameter": listed}


def _kind(name: str) -> str:
    kinds = {
        "start": "valueDate",
        "end": "valueDate",
        "_since": "valueInstant",
        "_type": "valueCode",
    }
    return kinds.get(name, "valueInteger" if name in ("_count", "_offset") else "valueString")


class Ward:
    """Two patients with something of each kind about the first, and two about the second."""

    def __init__(self, api: Any) -> None:
        self.organization = api.make("Organization", name="Example Practice")
        self.doctor = api.make("Practitioner")
        self.file = api.make("Binary", contentType="text/plain", data="aGk=")
        self.first, self.second = api.make(), api.make()
        about = {"reference": f"Patient/{self.first['id']}"}
        vr = {"code": "VR"}
        self.old, self.new = (
            api.make(
                "Encounter",
                status="finished",
                subject=about,
                period={"start": f"{year}-05-01T10:00:00Z", "end": f"{year}-05-01T11:00:00Z"},
                serviceProvider={"reference": f"Organization/{self.organization['id']}"},
                **{"class": vr},
            )
            for year in (2020, 2022)
        )
        self.message = api.make(
            "Communication",
            status="completed",
            subject=about,
            sent="2022-05-01T10:30:00Z",
            sender={"reference": f"{api.url}/fhir/R4/Practitioner/{self.doctor['id']}"},
            recipient=[{"reference": f"Patient/{self.second['id']}"}],
            payload=[{"contentAttachment": {"url": f"Binary/{self.file['id']}"}}],
        )
        api.clock.now += 60_000
        self.undated = api.make("Communication", status="completed", subject=about)
        other = {"reference": f"Patient/{self.second['id']}"}
        self.others = api.make("Communication", status="completed", subject=other)

    def names(self, api: Any, answer: Any, mode: str = "match") -> set[str]:
        """What is in a searchset, by its names here."""
        assert answer.status_code == 200, answer.text
        known = {made["id"]: name for name, made in vars(self).items()}
        entries = answer.json().get("entry", [])
        return {known[e["resource"]["id"]] for e in entries if e["search"]["mode"] == mode}


@pytest.fixture(scope="module")
def ward(shared_api) -> Ward:
    return Ward(shared_api)


ALL = {"first", "old", "new", "message", "undated"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ALL),
        ({"start": "2021-01-01"}, ALL - {"old"}),
        ({"end": "2021-01-01"}, ALL - {"new", "message"}),
        ({"start": "2022-05", "end": "2022-06"}, ALL - {"old"}),
        ({"start": "2022-05-01T10:45:00Z"}, ALL - {"old", "message"}),
        ({"_type": "Communication"}, {"message", "undated"}),
        ({"_type": "Patient,Encounter"}, {"first", "old", "new"}),
        ({"_since": "2024-03-10T12:01:00Z"}, {"undated"}),
        ({"_since": "2024-03-10T12:00:00Z", "_type": "Patient"}, {"first"}),
        ({"_type": "Communication", "start": "2022", "end": "2022"}, {"message", "undated"}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_everything_about_a_patient(
    shared_api, ward, given: dict[str, str], expected, method: str
) -> None:
    path = f"Patient/{ward.first['id']}/$everything"
    if method == "GET":
        query = "&".join(f"{name}={value}" for name, value in given.items())
        answer = shared_api.call("GET", f"{path}?{query}")
    else:
        answer = shared_api.call("POST", path, parameters(**given))
    assert ward.names(shared_api, answer) == expected
    assert answer.json()["total"] == len(expected)


def test_what_everything_refers_to(shared_api, ward) -> None:
    path = f"Patient/{ward.first['id']}/$everything"
    # Not the other patient, whom a message went to: that is not about this one.
    shared = {"organization", "doctor", "file"}
    answer = shared_api.call("GET", path)
    assert ward.names(shared_api, answer, "include") == shared
    files = [
        e["resource"] for e in answer.json()["entry"] if e["resource"]["id"] == ward.file["id"]
    ]
    assert files[0]["data"] == "aGk="
    some = shared_api.call("GET", f"{path}?_type=Encounter,Organization")
    assert ward.names(shared_api, some, "include") == {"organization"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_of_everything(shared_api, ward, method: str) -> None:
    path = f"Patient/{ward.first['id']}/$everything"
    answer = (
        shared_api.call("GET", f"{path}?_count=2&end=2023")
        if method == "GET"
        else shared_api.call("POST", path, parameters(_count=2, end="2023"))
    )
    found: list[set[str]] = []
    while True:
        bundle = answer.json()
        found.append(ward.names(shared_api, answer))
        assert bundle["total"] == 5
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        if "next" not in links:
            break
        answer = shared_api.call("GET", links["next"])
    assert [len(page) for page in found] == [2, 2, 1]
    assert set.union(*found) == ALL
    assert "previous" in links


@pytest.mark.parametrize("path", ["Patient/{first}/$everything", "Patient/$everything"])
def test_pages_of_everything_neither_skip_nor_repeat(api, path: str) -> None:
    ward = Ward(api)
    path = path.format(first=ward.first["id"])
    bundle = api.call("GET", path).json()
    there = _matches(bundle)
    assert bundle["total"] == len(there)
    page = api.call("GET", f"{path}?_count=2").json()
    seen = _matches(page)
    gone = [there[1], there[3]]
    for one in gone:
        assert api.call("DELETE", one).status_code == 200
    while len(_links(page).keys() & {"next"}):
        page = api.call("GET", _links(page)["next"]).json()
        seen += _matches(page)
    assert seen == [one for one in there if one != gone[1]]
    back = _matches(page)
    while "previous" in _links(page):
        page = api.call("GET", _links(page)["previous"]).json()
        back[:0] = _matches(page)
    assert back == [one for one in there if one not in gone]
    skipped = api.call("GET", f"{path}?_count=2&_offset=1").json()
    assert _matches(skipped) == back[1:3]


def _matches(bundle) -> list[str]:
    return [
        f"{one['resource']['resourceType']}/{one['resource']['id']}"
        for one in bundle.get("entry", [])
        if one["search"]["mode"] == "match"
    ]


def _links(bundle) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in bundle["link"]}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_everything_about_everybody(api, method: str) -> None:
    ward = Ward(api)
    answer = api.call(method, "Patient/$everything")
    assert ward.names(api, answer) == ALL | {"second", "others"}
    typed = api.call(method, "Patient/$everything?_type=Encounter&start=2021")
    assert ward.names(api, typed) == {"new"}


def test_everything_about_an_encounter(api) -> None:
    ward = Ward(api)
    reference = {"reference": f"Encounter/{ward.new['id']}"}
    ward.part = api.make("Communication", status="completed", encounter=reference)
    answer = api.call("POST", f"Encounter/{ward.new['id']}/$everything")
    assert ward.names(api, answer) == {"new", "part"}
    assert ward.names(api, answer, "include") == {"first", "organization"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Patient/{id}/$everything?start=May", 400),
        ("Patient/{id}/$everything?_since=", 400),
        ("Patient/{id}/$everything?_type=Nonsense", 400),
        ("Patient/{id}/$everything?_count=x", 400),
        ("Patient/{id}/$everything?nonsense=1", 400),
        ("Encounter/{id}/$everything?start=2020", 400),
        ("Patient/{never}/$everything", 404),
        ("Encounter/$everything", 404),
        ("Communication/{id}/$everything", 404),
    ],
)
def test_what_everything_does_not_take(shared_api, path: str, status: int) -> None:
    made = shared_api.make()
    url = path.replace("{id}", made["id"]).replace("{never}", shared_api.never)
    for method in ("GET", "POST"):
        assert shared_api.call(method, url).status_code == status


@pytest.mark.parametrize(
    "body",
    [
        PATIENT,
        {"resourceType": "Parameters", "parameter": {}},
        {"resourceType": "Parameters", "parameter": ["start"]},
        {"resourceType": "Parameters", "parameter": [{"name": "start"}]},
        {"resourceType": "Parameters", "parameter": [{"name": "start", "valuePeriod": {}}]},
        {"resourceType": "Parameters", "parameter": [{"name": "x", "valueBoolean": True}]},
    ],
)
def test_parameters_that_are_none(shared_api, body: Any) -> None:
    made = shared_api.make()
    assert shared_api.call("POST", f"Patient/{made['id']}/$everything", body).status_code == 400


def severities(answer: Any) -> list[str]:
    assert answer.json()["resourceType"] == "OperationOutcome"
    return [issue["severity"] for issue in answer.json()["issue"]]


@pytest.mark.parametrize(
    ("path", "body", "good"),
    [
        ("Patient/$validate", PATIENT, True),
        ("Patient/$validate", NO_GENDER, False),
        ("Patient/$validate", {"resourceType": "Practitioner"}, False),
        ("Patient/$validate", [], False),
        ("Patient/$validate", parameters(resource=PATIENT), True),
        ("Patient/$validate", parameters(resource=NO_GENDER, mode="create"), False),
        ("Patient/$validate?mode=create", PATIENT, True),
        ("Patient/$validate?mode=update", PATIENT, False),
        ("Patient/$validate?mode=update", {**PATIENT, "id": "1"}, True),
        ("Patient/{id}/$validate?mode=update", {**PATIENT, "id": "1"}, False),
        ("Patient/{id}/$validate", parameters(mode="delete"), True),
        ("Patient/{id}/$validate", parameters(mode="profile"), True),
        ("Patient/{id}/$validate?mode=profile", None, True),
        ("Patient/{id}/$validate?mode=delete", None, True),
        ("Patient/{id}/$validate", None, True),
        (
            "Patient/$validate?profile=http://hl7.org/fhir/StructureDefinition/Patient",
            PATIENT,
            True,
        ),
    ],
)
def test_validate(shared_api, path: str, body: Any, good: bool) -> None:
    made = shared_api.make()
    there = shared_api.ids("Patient?_count=1000")
    url = path.replace("{id}", made["id"])
    answer = shared_api.call("POST", url, body)
    assert answer.status_code == 200
    assert severities(answer) == ["information" if good else "error"]
    # Medplum's clients take mistakes for a failure of the call.
    for known in ({"x_medplum": "extended"}, {"accept": "application/fhir+json, */*; q=0.1"}):
        medplum = shared_api.call("POST", url, body, **known)
        assert medplum.status_code == (200 if good else 400)
        assert severities(medplum) == severities(answer)
    assert shared_api.ids("Patient?_count=1000") == there


def test_validate_names_every_mistake(api) -> None:
    answer = api.call("POST", "Patient/$validate", {**NO_GENDER, "birthDate": "May"})
    assert {one["expression"][0] for one in answer.json()["issue"]} == {
        "Patient.gender",
        "Patient.birthDate",
    }


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("Patient/$validate", b"{", 400),
        ("Patient/$validate", None, 400),
        ("Patient/$validate", parameters(mode="update"), 400),
        ("Patient/$validate?mode=guess", PATIENT, 400),
        ("Patient/$validate?mode=profile", PATIENT, 400),
        ("Patient/{id}/$validate?mode=profile", PATIENT, 400),
        ("Patient/$validate?nonsense=1", PATIENT, 400),
        ("Patient/$validate?profile=http://example.org/fhir/StructureDefinition/x", PATIENT, 400),
        ("Patient/{never}/$validate", None, 404),
        ("Patient/{never}/$validate?mode=delete", None, 404),
    ],
)
def test_what_cannot_be_validated(shared_api, path: str, body: Any, status: int) -> None:
    answer = shared_api.call("POST", path.replace("{never}", shared_api.never), body)
    assert answer.status_code == status


def test_what_is_stored_is_validated_by_get_as_well(api) -> None:
    made = api.make()
    assert severities(api.call("GET", f"Patient/{made['id']}/$validate")) == ["information"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("accept", "plain"),
    [
        (None, False),
        ("*/*", False),
        ("application/fhir+json", False),
        ("application/fhir+json, application/json;q=0.9", False),
        ("application/json", True),
    ],
)
def test_versions(shared_api, method: str, accept: str | None, plain: bool) -> None:
    answer = shared_api.call(method, "$versions", accept=accept, authorization=None)
    assert answer.status_code == 200
    if plain:
        assert answer.json() == {"versions": ["4.0"], "default": "4.0"}
        return
    assert answer.json()["resourceType"] == "Parameters"
    assert answer.json()["parameter"] == [
        {"name": "version", "valueCode": "4.0"},
        {"name": "default", "valueCode": "4.0"},
    ]
