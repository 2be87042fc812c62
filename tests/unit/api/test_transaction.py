"""Transactions: all or nothing, links between entries, conditions, and what they answer."""

from __future__ import annotations

import asyncio
from itertools import permutations

import pytest

URN = "urn:uuid:7d8f9c7e-3c0f-4b56-8f0e-0a6a4b3c2d1e"


def message(**members: object) -> dict[str, object]:
    return {"resourceType": "Communication", "status": "completed", **members}


PATIENT = {"resourceType": "Patient"}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_entries_link_to_each_other_in_any_order(api, order) -> None:
    other = "urn:uuid:0b0f5b1e-9d55-4f0e-8a52-7a1f8c2d9e01"
    entries = [
        api.entry("POST", "Patient", PATIENT, full_url=URN),
        api.entry("POST", "Communication", message(subject={"reference": URN}), full_url=other),
        api.entry("POST", "Communication", message(partOf=[{"reference": other}])),
    ]
    answer = api.bundle("transaction", *(entries[index] for index in order))
    assert answer.status_code == 200
    assert answer.json()["type"] == "transaction-response"
    answered = answer.json()["entry"]
    assert [one["response"]["status"] for one in answered] == ["201"] * 3
    patient, header, child = (answered[order.index(index)]["resource"] for index in range(3))
    assert header["subject"]["reference"] == f"Patient/{patient['id']}"
    assert child["partOf"] == [{"reference": f"Communication/{header['id']}"}]
    assert api.ids(f"Communication?part-of=Communication/{header['id']}") == [child["id"]]


def test_links_in_other_places(api) -> None:
    binary = {"resourceType": "Binary", "contentType": "text/plain", "data": "aGk="}
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{URN}">file</a> {URN}</div>'
    body = message(
        identifier=[{"system": "urn:ietf:rfc:3986", "value": URN}],
        payload=[{"contentAttachment": {"url": URN}}],
        text={"status": "generated", "div": div},
    )
    made = api.bundle(
        "transaction",
        api.entry("POST", "Communication", body),
        api.entry("POST", "Binary", binary, full_url=URN),
    ).json()["entry"]
    communication, file = (one["resource"] for one in made)
    url = communication["payload"][0]["contentAttachment"]["url"]
    assert f"/storage/{file['id']}/" in url
    assert f'href="Binary/{file["id"]}"' in communication["text"]["div"]
    # Text and identifiers are not links.
    assert communication["identifier"][0]["value"] == URN
    assert URN in communication["text"]["div"]


def test_a_questionnaire_keeps_the_url_that_it_has_as_its_full_url(api, mark) -> None:
    url = f"https://example.org/Questionnaire/{mark}"
    made = api.bundle(
        "transaction",
        api.entry(
            "POST",
            "Questionnaire",
            {"resourceType": "Questionnaire", "status": "draft", "url": url},
            full_url=url,
        ),
        api.entry("POST", "Communication", message(about=[{"reference": url}])),
    ).json()["entry"]
    form, about = (one["resource"] for one in made)
    assert form["url"] == url
    assert about["about"] == [{"reference": f"Questionnaire/{form['id']}"}]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_each_answer_says_when(api, kind: str) -> None:
    made = api.make()
    answered = api.bundle(
        kind, api.entry("POST", "Patient", PATIENT), api.entry("GET", f"Patient/{made['id']}")
    ).json()["entry"]
    assert [one["response"]["lastModified"] for one in answered] == ["2024-03-10T12:00:00Z"] * 2


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_full_url_is_a_text(api, kind: str) -> None:
    answer = api.bundle(kind, {**api.entry("POST", "Patient", PATIENT), "fullUrl": 5})
    told = (
        answer.json() if kind == "transaction" else answer.json()["entry"][0]["response"]["outcome"]
    )
    assert told["issue"][0]["expression"] == ["Bundle.entry[0].fullUrl"]


def test_an_answer_names_a_thousand_mistakes_at_most(api) -> None:
    wrong = message(**{f"a{n}": 1 for n in range(400)})
    answer = api.bundle(
        "transaction", *(api.entry("POST", "Communication", wrong) for _ in range(4))
    )
    assert answer.status_code == 400
    assert len(answer.json()["issue"]) == 1000


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (("POST", "Patient", {"resourceType": "Patient", "gender": 1}), 400),
        (("POST", "Patient", {"resourceType": "Practitioner"}), 400),
        (("POST", "Communication", message(subject={"reference": "urn:uuid:unknown"})), 400),
        (("POST", "Communication", message(subject={"reference": "Patient?family=none"})), 400),
        (("PUT", "Patient/11111111-2222-4333-8444-555555555555", PATIENT), 404),
        (("DELETE", "Patient/11111111-2222-4333-8444-555555555555", None), 404),
        (("PATCH", "Patient?family=none", [{"op": "add", "path": "/active", "value": True}]), 404),
        (("GET", "Patient/11111111-2222-4333-8444-555555555555", None), 404),
        (("GET", "Patient?nonsense=1", None), 400),
        (("POST", "Patient/$nonsense", PATIENT), 404),
        (("POST", "Patient/1/_history", PATIENT), 400),
        (("POST", "Nonsense", PATIENT), 400),
        (("PUT", "Patient", PATIENT), 400),
    ],
)
def test_one_failure_undoes_all(api, bad, status: int) -> None:
    answer = api.bundle("transaction", api.entry("POST", "Patient", PATIENT), api.entry(*bad))
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    for issue in answer.json()["issue"]:
        assert issue["expression"][0].startswith("Bundle.entry[1]")
    assert api.ids("Patient") == []


def test_all_mistakes_of_all_entries_are_named(api) -> None:
    answer = api.bundle(
        "transaction",
        api.entry("POST", "Patient", {"resourceType": "Patient", "gender": 1}),
        api.entry("POST", "Communication", {"resourceType": "Communication"}),
    )
    named = [issue["expression"][0] for issue in answer.json()["issue"]]
    assert "Bundle.entry[0].resource.gender" in named
    assert "Bundle.entry[1].resource.status" in named


def test_every_kind_of_write_at_once(api, mark: str) -> None:
    updated, patched, removed = (api.make() for _ in range(3))
    known = api.make(identifier=api.tagged(mark))
    condition = f"identifier=urn:t|{mark}"
    answer = api.bundle(
        "transaction",
        api.entry("GET", f"Patient/{updated['id']}"),
        api.entry("PUT", f"Patient/{updated['id']}", {**updated, "active": True}),
        api.entry(
            "PATCH", f"Patient/{patched['id']}", [{"op": "add", "path": "/active", "value": True}]
        ),
        api.entry("DELETE", f"Patient/{removed['id']}"),
        api.entry("POST", "Patient", PATIENT, full_url=URN, ifNoneExist=condition),
        api.entry("POST", "Communication", message(subject={"reference": URN})),
        api.entry("PUT", f"Practitioner?{condition}", {"resourceType": "Practitioner"}),
        api.entry("DELETE", "Patient?family=none"),
        api.entry("GET", "Patient?active=true&_summary=count"),
    )
    assert answer.status_code == 200, answer.text
    entries = answer.json()["entry"]
    statuses = [one["response"]["status"] for one in entries]
    assert " ".join(statuses) == "200 200 200 200 200 201 201 200 200"
    # Reading comes last, wherever it stands.
    assert entries[0]["resource"]["active"] is True
    assert entries[8]["resource"]["total"] == 2
    assert entries[4]["resource"]["id"] == known["id"]
    assert entries[5]["resource"]["subject"] == {"reference": f"Patient/{known['id']}"}
    assert api.call("GET", f"Patient/{removed['id']}").status_code == 410


def test_no_resource_is_written_twice(api, mark: str) -> None:
    made = api.make(identifier=api.tagged(mark))
    path = f"Patient/{made['id']}"
    put = api.entry("PUT", path, {**made, "active": True})
    for other in (
        put,
        api.entry("DELETE", path),
        api.entry("PUT", f"Patient?identifier=urn:t|{mark}", {**made, "gender": "male"}),
    ):
        assert api.bundle("transaction", put, other).status_code == 400
    assert api.versions("Patient", made["id"]) == 1


def test_the_same_condition_twice_makes_one(api, mark: str) -> None:
    body = {**PATIENT, "identifier": api.tagged(mark)}
    entry = api.entry("POST", "Patient", body, ifNoneExist=f"identifier=urn:t|{mark}")
    first, second = api.bundle("transaction", entry, entry).json()["entry"]
    assert (first["response"]["status"], second["response"]["status"]) == ("201", "200")
    assert first["resource"] == second["resource"]
    third, _ = api.bundle("transaction", entry, entry).json()["entry"]
    assert (third["response"]["status"], third["resource"]) == ("200", first["resource"])
    assert len(api.ids("Patient")) == 1


@pytest.mark.parametrize("first", ["POST", "PUT"])
@pytest.mark.parametrize("second", ["POST", "PUT"])
def test_a_condition_makes_one_however_it_is_asked(api, mark: str, first, second) -> None:
    body = {**PATIENT, "identifier": api.tagged(mark)}

    def entry(method: str, condition: str):
        if method == "PUT":
            return api.entry("PUT", f"Patient?{condition}", body)
        return api.entry("POST", "Patient", body, ifNoneExist=condition)

    answer = api.bundle(
        "transaction",
        entry(first, f"identifier=urn:t|{mark}"),
        entry(second, f"identifier=urn%3At%7C{mark}"),
    )
    made = 1 if (first, second) == ("POST", "POST") else 0
    assert answer.status_code == (200 if made else 400)
    assert len(api.ids("Patient")) == made


def test_no_two_entries_have_one_name(api) -> None:
    entry = api.entry("POST", "Patient", PATIENT, full_url=URN)
    assert api.texts(api.bundle("transaction", entry, entry)) == ["Another entry has this fullUrl"]
    assert api.ids("Patient") == []


def test_if_match(api) -> None:
    made = api.make()
    tag = f'W/"{made["meta"]["versionId"]}"'
    entry = api.entry("PUT", f"Patient/{made['id']}", {**made, "active": True}, ifMatch=tag)
    assert api.bundle("transaction", entry).status_code == 200
    stale = api.bundle("transaction", api.entry("POST", "Patient", PATIENT), entry)
    assert (stale.status_code, stale.json()["id"]) == (412, "precondition-failed")
    assert len(api.ids("Patient")) == 1


def test_what_was_not_changed_makes_no_version(api) -> None:
    made = api.make()
    answer = api.bundle("transaction", api.entry("PUT", f"Patient/{made['id']}", made))
    assert answer.json()["entry"][0]["resource"] == made
    assert api.versions("Patient", made["id"]) == 1


def test_a_chosen_id_counts_only_where_it_is_updated(api, mark: str) -> None:
    made = api.make()
    body = {**PATIENT, "id": api.never}
    (posted,) = api.bundle("transaction", api.entry("POST", "Patient", body)).json()["entry"]
    assert posted["resource"]["id"] != api.never
    for url in (f"Patient/{made['id']}", f"Patient?identifier=urn:t|{mark}"):
        assert api.bundle("transaction", api.entry("PUT", url, body)).status_code == 400


def test_creation_is_in_the_order_of_the_entries(api) -> None:
    entries = [api.entry("POST", "Patient", PATIENT) for _ in range(50)]
    made = api.bundle("transaction", *entries).json()["entry"]
    ids = [one["resource"]["id"] for one in made]
    assert ids == sorted(ids)


def test_transactions_at_once_are_decided_anew(unhurried, mark: str) -> None:
    api = unhurried
    counter = api.make(name=[{"family": "Brook"}])
    condition = f"identifier=urn:t|{mark}"

    def bundle(number: int) -> dict[str, object]:
        operations = [{"op": "add", "path": "/name/-", "value": {"family": f"B{number}"}}]
        body = {**PATIENT, "identifier": api.tagged(mark)}
        entries = [
            api.entry("POST", "Communication", message(subject={"reference": URN})),
            api.entry("POST", "Patient", body, full_url=URN, ifNoneExist=condition),
            api.entry("PATCH", f"Patient/{counter['id']}", operations),
        ]
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    async def all_at_once():
        return await asyncio.gather(*(api.send("POST", "", bundle(number)) for number in range(20)))

    answers = unhurried.run(all_at_once())
    assert [answer.status_code for answer in answers] == [200] * 20
    (patient,) = api.ids(f"Patient?{condition}")
    assert len(api.ids(f"Communication?subject=Patient/{patient}")) == 20
    assert len(api.call("GET", f"Patient/{counter['id']}").json()["name"]) == 21


ELSEWHERE = "https://elsewhere.example.org/fhir"


def test_a_relative_reference_means_the_entry_of_that_url(api) -> None:
    patient = f"{ELSEWHERE}/Patient/9"
    about = message(subject={"reference": "Patient/9"})
    answered = api.bundle(
        "transaction",
        api.entry("POST", "Communication", about, full_url=f"{ELSEWHERE}/Communication/1"),
        api.entry("POST", "Patient", PATIENT, full_url=patient),
        api.entry("POST", "Communication", message(subject={"reference": patient})),
        # These are of no server, or of another one, so they mean what is here by that name.
        api.entry("POST", "Communication", about),
        api.entry("POST", "Communication", about, full_url=URN),
        api.entry("POST", "Communication", about, full_url="http://a.example.org/Communication/1"),
    ).json()["entry"]
    resources = [one["resource"] for one in answered]
    made = f"Patient/{resources[1]['id']}"
    led = [one["subject"]["reference"] for one in resources if "subject" in one]
    assert led == [made, made, "Patient/9", "Patient/9", "Patient/9"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_conditional_reference_finds_what_the_transaction_makes(api, mark, order) -> None:
    condition = f"Patient?identifier=urn:t|{mark}"
    entries = [
        api.entry("POST", "Patient", {**PATIENT, "identifier": api.tagged(mark)}),
        api.entry("POST", "Communication", message(subject={"reference": condition})),
    ]
    answer = api.bundle("transaction", *(entries[at] for at in order))
    assert answer.status_code == 200, answer.text
    by_type = {one["resource"]["resourceType"]: one["resource"] for one in answer.json()["entry"]}
    expected = f"Patient/{by_type['Patient']['id']}"
    assert by_type["Communication"]["subject"]["reference"] == expected


def test_a_conditional_reference_sees_what_the_transaction_replaces(api, mark) -> None:
    condition = f"Patient?identifier=urn:t|{mark}"
    about = message(subject={"reference": condition})
    old, other = api.make(identifier=api.tagged(mark)), api.make()
    answer = api.bundle(
        "transaction",
        api.entry("PUT", f"Patient/{old['id']}", {**PATIENT, "id": old["id"]}),
        api.entry("PUT", f"Patient/{other['id']}", {**other, "identifier": api.tagged(mark)}),
        api.entry("POST", "Communication", about),
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()["entry"][2]["resource"]["subject"]["reference"]
    assert found == f"Patient/{other['id']}"
    gone = api.bundle(
        "transaction",
        api.entry("DELETE", f"Patient/{other['id']}"),
        api.entry("POST", "Communication", about),
    )
    assert gone.status_code == 400
    twice = api.bundle(
        "transaction",
        api.entry("POST", "Patient", {**PATIENT, "identifier": api.tagged(mark)}),
        api.entry("POST", "Communication", about),
    )
    assert twice.status_code == 400
    assert api.texts(twice) == ["Conditional reference to Patient matched multiple resources"]
