"""``$expunge``: nothing is left of what was removed, for whoever asks in whatever way."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.bulk.expunging import Expunging
from threadwell.stores.contract import DEFAULT_PROJECT, Key


def gone(answer: Any) -> dict[str, int]:
    """How many of each type an answer says were removed."""
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["resourceType"], said["id"]) == ("OperationOutcome", "ok")
    told = said["issue"][0]["diagnostics"].removeprefix("Removed: ")
    return {type_: int(count) for count, type_ in (one.split() for one in told.split(", "))}


def test_of_one_resource_nothing_is_left(api: Any) -> None:
    patient = api.make(name=[{"family": "Quill"}])
    name = f"Patient/{patient['id']}"
    other = api.make(name=[{"family": "Quiller"}])
    changed = {**patient, "name": [{"family": "Quillon"}]}
    assert api.call("PUT", name, changed).status_code == 200
    versions = [
        one["resource"]["meta"]["versionId"]
        for one in api.call("GET", f"{name}/_history").json()["entry"]
    ]
    assert gone(api.call("POST", f"{name}/$expunge")) == {"Patient": 1}
    paths = [name, f"{name}/_history", *(f"{name}/_history/{one}" for one in versions)]
    assert [api.call("GET", path).status_code for path in paths] == [404] * 4
    assert api.ids("Patient?name=quill") == [other["id"]]
    assert api.ids(f"Patient?_id={patient['id']}") == []
    for history in ("_history", "Patient/_history"):
        entries = api.call("GET", history).json()["entry"]
        assert [one["resource"]["id"] for one in entries] == [other["id"]]
    assert api.call("DELETE", name).status_code == 404
    assert api.call("POST", f"{name}/$expunge").status_code == 404


def test_as_medplums_clients_ask(api: Any) -> None:
    one, two = api.make()["id"], api.make()["id"]
    mine = {"status": "final", "code": {"text": "x"}, "subject": {"reference": f"Patient/{two}"}}
    api.make("Observation", **mine)
    asked = {"accept": "application/fhir+json, */*; q=0.1", "x_medplum": "extended"}
    assert gone(api.call("POST", f"Patient/{one}/$expunge", {}, **asked)) == {"Patient": 1}
    answer = api.call("POST", f"Patient/{two}/$expunge", {"everything": True}, **asked)
    assert gone(answer) == {"Observation": 1, "Patient": 1}


def test_what_was_deleted_before_may_be_expunged(api: Any) -> None:
    patient = api.make()
    name = f"Patient/{patient['id']}"
    api.call("DELETE", name)
    assert api.call("GET", name).status_code == 410
    assert gone(api.call("POST", f"{name}/$expunge")) == {"Patient": 1}
    assert api.call("GET", name).status_code == 404


def test_a_message_takes_its_files_along_and_no_others(api: Any) -> None:
    def file(text: str) -> str:
        answer = api.call("POST", "Binary", text.encode(), content_type="text/plain")
        return f"Binary/{answer.json()['id']}"

    first, earlier, shared = file("first"), file("earlier"), file("shared")

    def message(*files: str) -> dict[str, Any]:
        payload = [{"contentAttachment": {"url": one}} for one in files]
        return api.make("Communication", status="completed", payload=payload)

    one, two = message(earlier, shared), message(shared)
    one["payload"] = [{"contentAttachment": {"url": each}} for each in (first, shared)]
    assert api.call("PUT", f"Communication/{one['id']}", one).status_code == 200
    told = {
        "resourceType": "Provenance",
        "target": [{"reference": f"Communication/{one['id']}"}],
        "recorded": "2024-03-10T12:00:00Z",
        "agent": [{"who": {"display": "x"}}],
    }
    provenance = api.call("POST", "Provenance", told).json()
    both = {**told, "target": [*told["target"], {"reference": f"Communication/{two['id']}"}]}
    kept = api.call("POST", "Provenance", both).json()
    found = gone(api.call("POST", f"Communication/{one['id']}/$expunge"))
    assert found == {"Communication": 1, "Binary": 2, "Provenance": 1}
    assert [api.call("GET", path).status_code for path in (first, earlier, shared)] == [
        *(404, 404, 200)
    ]
    assert api.call("GET", f"Provenance/{provenance['id']}").status_code == 404
    assert api.call("GET", f"Provenance/{kept['id']}").status_code == 200


def test_of_a_patient_everything_and_nothing_of_another(api: Any) -> None:
    ada, cleo = api.make(), api.make()
    me, other = ({"reference": f"Patient/{one['id']}"} for one in (ada, cleo))
    mine = [
        api.make("Communication", status="completed", subject=me),
        api.make("Observation", status="final", code={"text": "x"}, subject=me),
        api.make("Task", status="requested", intent="order", **{"for": me}),
    ]
    deleted = api.make("Communication", status="completed", sender=me)
    api.call("DELETE", f"Communication/{deleted['id']}")
    group = api.make(
        "Group", type="person", actual=True, member=[{"entity": me}, {"entity": other}]
    )
    theirs = api.make("Communication", status="completed", subject=other)
    practitioner = api.make("Practitioner")
    name = f"Patient/{ada['id']}"
    answer = api.call("POST", f"{name}/$expunge?everything=true")
    assert gone(answer) == {"Communication": 2, "Observation": 1, "Patient": 1, "Task": 1}
    left = [one["diagnostics"] for one in answer.json()["issue"][1:]]
    assert left == [f"Group/{group['id']}"]
    for one in (ada, deleted, *mine):
        path = f"{one['resourceType']}/{one['id']}"
        assert api.call("GET", path).status_code == 404
        assert api.call("GET", f"{path}/_history").status_code == 404
    for one in (cleo, theirs, group, practitioner):
        assert api.call("GET", f"{one['resourceType']}/{one['id']}").status_code == 200
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "everything", "valueBoolean": True}],
    }
    found = gone(api.call("POST", f"Patient/{cleo['id']}/$expunge", body))
    # Nobody else's record has the Group now.
    assert found == {"Communication": 1, "Patient": 1, "Group": 1}


def test_a_file_that_another_has_is_left(api: Any) -> None:
    ada, cleo = api.make()["id"], api.make()["id"]
    own, both = (
        api.call("POST", "Binary", text, content_type="text/plain").json()["id"]
        for text in (b"own", b"both")
    )

    def document(patient: str, *files: str) -> str:
        content = [{"attachment": {"url": f"Binary/{one}"}} for one in files]
        subject = {"reference": f"Patient/{patient}"}
        made = api.make("DocumentReference", status="current", subject=subject, content=content)
        return str(made["id"])

    first, second = document(ada, own, both), document(cleo, both)
    # By itself it takes along what nothing else has.
    third = document(ada, own)
    assert gone(api.call("POST", f"DocumentReference/{third}/$expunge")) == {"DocumentReference": 1}
    answer = api.call("POST", f"Patient/{ada}/$expunge?everything=true")
    assert gone(answer) == {"Binary": 1, "DocumentReference": 1, "Patient": 1}
    status = {
        name: api.call("GET", name).status_code
        for name in (f"DocumentReference/{first}", f"Binary/{own}", f"Binary/{both}")
    }
    assert list(status.values()) == [404, 404, 200]
    assert api.call("GET", f"DocumentReference/{second}").status_code == 200


def test_a_document_takes_its_own_file_along_and_a_message_none_of_a_document(api: Any) -> None:
    own, both = (
        api.call("POST", "Binary", text, content_type="text/plain").json()["id"]
        for text in (b"own", b"both")
    )
    content = [{"attachment": {"url": f"Binary/{one}"}} for one in (own, both)]
    document = api.make("DocumentReference", status="current", content=content)
    payload = [
        {"contentAttachment": {"url": f"Binary/{both}"}},
        {"contentReference": {"reference": f"DocumentReference/{document['id']}"}},
    ]
    message = api.make("Communication", status="completed", payload=payload)
    # The document is a part of the record by itself, and has its file.
    assert gone(api.call("POST", f"Communication/{message['id']}/$expunge")) == {"Communication": 1}
    name = f"DocumentReference/{document['id']}"
    assert gone(api.call("POST", f"{name}/$expunge")) == {"Binary": 2, "DocumentReference": 1}


def test_what_was_about_the_patient_and_is_about_another_is_named(api: Any) -> None:
    ada, cleo = api.make()["id"], api.make()["id"]
    me, other = ({"reference": f"Patient/{one}"} for one in (ada, cleo))
    moved = api.make("Observation", status="final", code={"text": "x"}, subject=me)
    freed = api.make("Communication", status="completed", subject=me)
    beside = api.make("Communication", status="completed", subject=other, about=[me])
    api.call("PUT", f"Observation/{moved['id']}", {**moved, "subject": other})
    del freed["subject"]
    api.call("PUT", f"Communication/{freed['id']}", freed)
    answer = api.call("POST", f"Patient/{ada}/$expunge?everything=true")
    assert gone(answer) == {"Patient": 1}
    left = {one["diagnostics"] for one in answer.json()["issue"][1:]}
    names = (f"Observation/{moved['id']}", *(f"Communication/{x['id']}" for x in (freed, beside)))
    assert left == set(names)
    for name in names:
        assert api.call("GET", name).status_code == 200


def test_who_may(api: Any) -> None:
    patient = api.make()
    paths = [f"Patient/{patient['id']}/$expunge", f"Patient/{api.never}/$expunge"]
    registered = {"name": "other"}
    made = api.call("POST", f"/admin/projects/{DEFAULT_PROJECT}/client", registered).json()
    other = api.credentials(made["id"], made["secret"])
    answers = [api.call("POST", path, authorization=other) for path in paths]
    assert [one.status_code for one in answers] == [403, 403]
    assert api.texts(answers[0]) == api.texts(answers[1])
    assert api.call("POST", paths[0], authorization=None).status_code == 401
    assert api.call("GET", f"Patient/{patient['id']}").status_code == 200


def test_what_cannot_be_meant(api: Any) -> None:
    task = api.make("Task", status="requested", intent="order")
    name = f"Task/{task['id']}"
    for path, body in (
        (f"{name}/$expunge?everything=true", None),
        (f"{name}/$expunge?everything=yes", None),
        (f"{name}/$expunge?every=true", None),
        (f"{name}/$expunge", {"resourceType": "Parameters", "parameter": [{"name": "x"}]}),
        (f"{name}/$expunge", {"everything": "true"}),
        (f"{name}/$expunge", {"other": True}),
        (f"{name}/$expunge", {"everything": True}),
        (f"{name}/$expunge", []),
        (f"{name}/$expunge", b"{"),
    ):
        assert api.call("POST", path, body).status_code == 400
    assert api.call("GET", f"{name}/$expunge").status_code == 405
    assert api.call("GET", name).status_code == 200


def test_the_trail_tells_of_it_and_stays_whole(api: Any) -> None:
    patient = api.make(name=[{"family": "Quill"}])
    name = f"Patient/{patient['id']}"
    api.call("GET", name)
    api.call("POST", f"{name}/$expunge?everything=true")
    found = api.call("GET", f"AuditEvent?patient={name}&_count=50").json()["entry"]
    acts = [one["resource"]["subtype"][0]["code"] for one in found]
    assert sorted(acts) == ["create", "delete", "expunge", "read"]
    assert "Quill" not in str(found)


def test_references_may_be_whole_urls_and_of_a_version(api: Any) -> None:
    base = f"{api.url}/fhir/R4/"
    ada, cleo = api.make(), api.make()
    me, other = ({"reference": f"{base}Patient/{one['id']}"} for one in (ada, cleo))
    own, both = (
        api.call("POST", "Binary", text, content_type="text/plain").json()["id"]
        for text in (b"own", b"both")
    )

    def files(*ids: str) -> list[Any]:
        return [{"contentAttachment": {"url": f"{base}Binary/{one}"}} for one in ids]

    message = api.make("Communication", status="completed", subject=me, payload=files(own, both))
    theirs = api.make("Communication", status="completed", subject=other, payload=files(both))
    api.make("Task", status="requested", intent="order", **{"for": me})
    version = f"Communication/{message['id']}/_history/{message['meta']['versionId']}"
    for target in (f"{base}Communication/{message['id']}", version):
        api.make(
            "Provenance",
            target=[{"reference": target}],
            recorded="2024-03-10T12:00:00Z",
            agent=[{"who": {"display": "x"}}],
        )
    found = gone(api.call("POST", f"Patient/{ada['id']}/$expunge?everything=true"))
    assert found == {"Binary": 1, "Communication": 1, "Patient": 1, "Provenance": 2, "Task": 1}
    names = (f"Binary/{own}", f"Binary/{both}", f"Communication/{theirs['id']}")
    assert [api.call("GET", one).status_code for one in names] == [404, 200, 200]
    # By itself a message takes along what no other message has.
    found = gone(api.call("POST", f"Communication/{theirs['id']}/$expunge"))
    assert found == {"Communication": 1, "Binary": 1}


def test_another_record_of_the_same_person_is_named(api: Any) -> None:
    first = api.make()
    link = [{"type": "replaces", "other": {"reference": f"Patient/{first['id']}"}}]
    second = api.make(link=link)
    link = [{"type": "replaced-by", "other": {"reference": f"Patient/{second['id']}"}}]
    assert api.call("PUT", f"Patient/{first['id']}", {**first, "link": link}).status_code == 200
    answer = api.call("POST", f"Patient/{second['id']}/$expunge?everything=true")
    assert gone(answer) == {"Patient": 1}
    left = [one["diagnostics"] for one in answer.json()["issue"][1:]]
    assert left == [f"Patient/{first['id']}"]
    again = api.call("POST", f"Patient/{first['id']}/$expunge?everything=true")
    assert (gone(again), len(again.json()["issue"])) == ({"Patient": 1}, 1)


def test_what_is_written_meanwhile_goes_as_well(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = api.make()["id"]
    me = {"reference": f"Patient/{ada}"}
    observation = {"status": "final", "code": {"text": "x"}, "subject": me}
    api.make("Observation", **observation)
    plain = Expunging._remove
    late: list[str] = []

    async def remove(self: Expunging, keys: list[Key], *held: Any) -> None:
        await plain(self, keys, *held)
        if len(late) < 2:
            body = {"resourceType": "Observation", **observation}
            answer = await api.send("POST", "Observation", body)
            late.append(f"Observation/{answer.json()['id']}")

    monkeypatch.setattr(Expunging, "_remove", remove)
    path = f"Patient/{ada}/$expunge?everything=true"
    assert gone(api.call("POST", path)) == {"Observation": 3, "Patient": 1}
    assert [api.call("GET", one).status_code for one in late] == [404, 404]
    assert api.call("POST", path).status_code == 404
    # What comes later does not stay because the patient is gone.
    api.make("Observation", **observation)
    assert gone(api.call("POST", path)) == {"Observation": 1}


def test_what_is_written_again_meanwhile_is_deleted_again(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = api.make()
    name = f"Patient/{patient['id']}"
    plain = Expunging._delete
    times = [0]

    async def delete(self: Expunging, keys: list[Key]) -> None:
        await plain(self, keys)
        if keys and times[0] > 0:
            times[0] -= 1
            await api.send("PUT", name, patient)

    monkeypatch.setattr(Expunging, "_delete", delete)
    times[0] = 3
    assert gone(api.call("POST", f"{name}/$expunge")) == {"Patient": 1}
    assert api.call("GET", name).status_code == 404
    again = api.make()
    name, patient = f"Patient/{again['id']}", again
    times[0] = 1_000
    assert api.call("POST", f"{name}/$expunge").status_code == 409
    assert api.call("GET", name).status_code == 200


def test_whoever_writes_without_end_does_not_hold_it_up(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = api.make()["id"]
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{ada}"},
    }
    plain = Expunging._remove

    async def remove(self: Expunging, keys: list[Key], *held: Any) -> None:
        await plain(self, keys, *held)
        await api.send("POST", "Observation", observation)

    monkeypatch.setattr(Expunging, "_remove", remove)
    path = f"Patient/{ada}/$expunge?everything=true"
    assert gone(api.call("POST", path)) == {"Observation": 2, "Patient": 1}
    monkeypatch.undo()
    assert gone(api.call("POST", path)) == {"Observation": 1}
