"""FHIRPath Patch over the API: by id, by condition and in bundles, on each kind of store."""

from __future__ import annotations

from typing import Any

import pytest

PHONE = {"system": "phone", "value": "3"}
PHONES = [{"system": "phone", "use": "home", "value": "1"}, {"system": "phone", "value": "2"}]


def operation(kind: str, path: str, **parts: Any) -> dict[str, Any]:
    """An operation; ``parts`` by name, each with its ``(type, value)``."""
    given = {"type": ("Code", kind), "path": ("String", path), **parts}
    listed = [{"name": name, f"value{type_}": value} for name, (type_, value) in given.items()]
    return {"name": "operation", "part": listed}


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(operations)}


GENDER = operation("add", "Patient", name=("String", "gender"), value=("Code", "other"))
ACTIVE = operation("replace", "Patient.active", value=("Boolean", False))
FIRST = operation("delete", "Patient.telecom.where(use = 'home')")
SWAP = operation("move", "Patient.telecom", source=("Integer", 1), destination=("Integer", 0))
THIRD = operation("insert", "Patient.telecom", index=("Integer", 1), value=("ContactPoint", PHONE))
CASES = [
    (GENDER, {"gender": "other"}),
    (ACTIVE, {"active": False}),
    (FIRST, {"telecom": PHONES[1:]}),
    (SWAP, {"telecom": PHONES[::-1]}),
    (THIRD, {"telecom": [PHONES[0], PHONE, PHONES[1]]}),
]


def without_marks(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != "meta"}


def test_every_way_to_it(api, mark: str) -> None:
    for at, (one, expected) in enumerate(CASES):
        value = f"{mark}-{at}"
        made = api.make(identifier=api.tagged(value), active=True, telecom=PHONES)
        path, query = f"Patient/{made['id']}", f"Patient?identifier=urn:t|{value}"
        for way in ("id", "condition", "batch", "transaction", "conditional transaction"):
            if way == "id":
                answer = api.call("PATCH", path, patch(one))
                assert (answer.status_code, api.versions("Patient", made["id"])) == (200, 2)
            elif way == "condition":
                answer = api.call("PATCH", query, patch(one))
            else:
                url = query if way.startswith("cond") else path
                kind = way.rpartition(" ")[2]
                answer = api.bundle(kind, api.entry("PATCH", url, patch(one)))
                assert answer.json()["entry"][0]["response"]["status"] == "200"
            assert answer.status_code == 200
            there = api.call("GET", path).json()
            assert without_marks(there) == {**without_marks(made), **expected}
            api.call("PUT", path, made)


REFUSED = [
    # What the path selects, and what the resource would be.
    ([GENDER, operation("delete", "Patient.telecom")], "Operation 2 (Patient.telecom): "),
    ([operation("replace", "Patient.gender", value=("Code", "male"))], "Operation 1 (Patient.ge"),
    ([operation("delete", "Patient.id")], "Operation 1 (Patient.id): "),
    ([operation("replace", "Patient.active", value=("String", "x"))], "boolean"),
    ([operation("add", "Patient", name=("String", "gender"), value=("Code", "x"))], "gender"),
    ([{"name": "operator"}], "named operation"),
]


def test_what_fails_changes_nothing(api) -> None:
    made = api.make(active=True, telecom=PHONES)
    path = f"Patient/{made['id']}"
    other = api.entry("POST", "Group", {"resourceType": "Group", "type": "person", "actual": True})
    for operations, text in REFUSED:
        answer = api.call("PATCH", path, patch(*operations))
        assert answer.status_code == 400
        issue = answer.json()["issue"][0]
        assert text in issue["details"]["text"] + issue.get("expression", [""])[0]
        entry = api.entry("PATCH", path, patch(*operations))
        answer = api.bundle("transaction", other, entry)
        assert answer.status_code == 400
        assert answer.json()["issue"][0]["expression"][0].startswith("Bundle.entry[1]")
        (answered,) = api.bundle("batch", entry).json()["entry"]
        assert answered["response"]["status"] == "400"
    assert api.call("GET", path).json() == made
    assert api.ids("Group") == []


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/fhir+json", patch(GENDER), 200),
        ("application/fhir+json; fhirVersion=4.0", patch(GENDER), 200),
        ("application/json", patch(GENDER), 200),
        (None, patch(GENDER), 200),
        ("application/json-patch+json", patch(GENDER), 400),
        ("application/json-patch+json", [], 200),
        ("application/fhir+json", {"resourceType": "Patient"}, 400),
        ("application/fhir+json", "x", 400),
        ("application/merge-patch+json", patch(GENDER), 415),
        ("application/fhir+xml", patch(GENDER), 415),
    ],
)
def test_the_content_type_decides(
    new_api, content_type: str | None, body: Any, status: int
) -> None:
    api = new_api()
    made = api.make()
    answer = api.call("PATCH", f"Patient/{made['id']}", body, content_type=content_type)
    assert answer.status_code == status


def test_preconditions_and_what_changes_nothing(api) -> None:
    made = api.make(active=False, telecom=PHONES)
    path, tag = f"Patient/{made['id']}", f'W/"{made["meta"]["versionId"]}"'
    gone = operation("delete", "Patient.photo")
    assert api.call("PATCH", path, patch(ACTIVE, gone), if_match=tag).json() == made
    assert api.call("PATCH", path, patch(GENDER), if_match=tag).status_code == 200
    assert api.call("PATCH", path, patch(FIRST), if_match=tag).status_code == 412
    assert api.call("PATCH", f"Patient/{api.never}", patch(GENDER)).status_code == 404
    assert api.call("PATCH", "Patient?identifier=urn:t|no", patch(GENDER)).status_code == 404


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_links_to_other_entries(api, kind: str) -> None:
    """A reference, the text of one, and one that is a part lead to what another entry makes."""
    urn = "urn:uuid:6f6f2f4c-1111-4222-8333-444455556666"
    made = api.make(generalPractitioner=[{"reference": f"Practitioner/{api.never}"}])
    names = {"name": ("String", "managingOrganization"), "value": ("Reference", {"reference": urn})}
    text = {"value": ("String", urn)}
    parts = {"name": "value", "part": [{"name": "organization", "part": [
        {"name": "reference", "valueString": urn}]}]}  # fmt: skip
    contact = operation("add", "Patient", name=("String", "contact"))
    contact["part"].append(parts)
    named = {"name": ("String", "identifier"), "value": ("Identifier", {"value": urn})}
    body = patch(
        operation("add", "Patient", **names),
        operation("replace", "Patient.generalPractitioner.reference", **text),
        contact,
        operation("add", "Patient", **named),
    )
    fresh = api.entry("POST", "Organization", {"resourceType": "Organization", "name": "O"}, urn)
    answer = api.bundle(kind, api.entry("PATCH", f"Patient/{made['id']}", body), fresh)
    assert [one["response"]["status"] for one in answer.json()["entry"]] == ["200", "201"]
    (organization,) = api.ids("Organization")
    there = api.call("GET", f"Patient/{made['id']}").json()
    reference = {"reference": f"Organization/{organization}"}
    assert there["managingOrganization"] == reference
    assert there["generalPractitioner"] == [reference]
    assert there["contact"] == [{"organization": reference}]
    # What is no reference stays.
    assert there["identifier"] == [{"value": urn}]
    if kind == "batch":
        (refused,) = api.bundle(kind, api.entry("PATCH", f"Patient/{made['id']}", body)).json()[
            "entry"
        ]
        assert refused["response"]["status"] == "400"


def test_it_is_told(new_api) -> None:
    formats = new_api().call("GET", "metadata").json()["patchFormat"]
    assert formats == ["application/json-patch+json", "application/fhir+json"]
