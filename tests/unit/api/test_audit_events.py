"""The trail over FHIR: found by the parameters of AuditEvent, in pages, and never written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from threadwell.access.memberships import Grant, Membership
from threadwell.access.roles import role
from threadwell.api.clients import add_client, give, set_policy
from threadwell.api.rest import audit_events
from threadwell.audit.finding import WANTED
from threadwell.stores.contract import DEFAULT_PROJECT

if TYPE_CHECKING:
    from tests.unit.api.conftest import Api


def _found(api: Api, query: str) -> list[dict[str, Any]]:
    api.clock.now += 1000
    answer = api.call("GET", query)
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", [])]


def _told(api: Api, query: str) -> list[str]:
    found = _found(api, query)
    return [f"{one['action']}{one['outcome']} {one['subtype'][0]['code']}" for one in found]


@pytest.fixture
def people(api: Api) -> tuple[str, str]:
    a, b = (api.make("Patient", name=[{"family": name}])["id"] for name in ("Aal", "Boll"))
    for path in (f"Patient/{a}", "Patient?name=aal", f"Patient/{b}", "Patient/nobody"):
        api.clock.now += 1000
        api.call("GET", path)
    return a, b


def test_events_are_found_by_what_they_are_about(api: Api, people: tuple[str, str]) -> None:
    a, b = people
    client = f"https://threadwell.dev/fhir/client|{api.client.client_id}"
    reads = ["E0 search-type", "R0 read", "C0 create"]
    assert _told(api, f"AuditEvent?patient=Patient/{a}") == reads
    assert _told(api, f"AuditEvent?patient={a}&_sort=-date") == reads
    assert _told(api, f"Patient/{a}/AuditEvent") == reads
    assert _told(api, f"AuditEvent?entity=Patient/{b}") == ["R0 read", "C0 create"]
    assert _told(api, f"AuditEvent?patient={b}&action=R") == ["R0 read"]
    assert _told(api, f"AuditEvent?patient={b}&agent:identifier={client}&subtype=create") == [
        "C0 create"
    ]
    assert _told(api, f"AuditEvent?patient={b}&action:below=R") == ["R0 read"]
    assert _told(api, f"AuditEvent?patient={b}&action:below=nothing") == []
    assert _told(api, "AuditEvent?outcome=4") == ["R4 read"]
    assert _told(api, f"AuditEvent?patient={a}&date=lt2000") == []
    assert len(_told(api, f"AuditEvent?patient={a}&date=ge2000")) == 3
    assert _told(api, "AuditEvent?patient=nobody-at-all") == []
    counted = api.call("GET", f"AuditEvent?patient={a}&_summary=count").json()
    assert counted["total"] == 3


def test_an_event_is_read_by_its_id_and_never_written(api: Api, people: tuple[str, str]) -> None:
    (*_, first) = _found(api, f"AuditEvent?patient={people[0]}")
    answer = api.call("GET", f"AuditEvent/{first['id']}")
    assert answer.json() == first
    assert api.call("GET", f"AuditEvent/{first['id']}/_history/1").json() == first
    assert first["meta"]["profile"] == [
        "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientCreate"
    ]
    for method in ("PUT", "PATCH", "DELETE"):
        body = None if method == "DELETE" else first
        assert api.call(method, f"AuditEvent/{first['id']}", body).status_code == 405
    assert api.call("GET", "AuditEvent/audit.999.0").status_code == 404
    checked = api.call("POST", "AuditEvent/$validate", first).json()
    assert [one["severity"] for one in checked["issue"]] == ["information"], checked


def test_pages_hold_all_and_what_is_a_resource_as_well(api: Api, people: tuple[str, str]) -> None:
    own = api.make(
        "AuditEvent",
        type={"system": "urn:t", "code": "mine"},
        recorded="2001-01-01T00:00:00Z",
        agent=[{"requestor": True}],
        source={"observer": {"display": "an app"}},
        entity=[{"what": {"reference": f"Patient/{people[0]}"}}],
    )
    path = f"AuditEvent?patient={people[0]}&_count=1"
    ids: list[str] = []
    while path:
        answer = api.call("GET", path).json()
        ids += [entry["resource"]["id"] for entry in answer.get("entry", [])]
        path = next((to["url"] for to in answer["link"] if to["relation"] == "next"), "")
        assert len(ids) < 20
    assert len(ids) == len(set(ids)) == 5
    assert ids[-1] == own["id"]
    for wrong in ("_sort=date", "_offset=3", "_cursor=x", "_cursor=W10", "nothing=1"):
        assert api.call("GET", f"AuditEvent?{wrong}").status_code == 400, wrong


def test_a_page_looks_at_so_much_of_the_trail_and_goes_on(
    api: Api, people: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the trail is, and however little of it matches."""
    api.make(
        "AuditEvent",
        type={"system": "urn:t", "code": "mine"},
        action="C",
        recorded="2001-01-01T00:00:00Z",
        agent=[{"requestor": True}],
        source={"observer": {"display": "an app"}},
    )
    api.clock.now += 1000
    whole = [one["id"] for one in _found(api, "AuditEvent?action=C&_count=100")]
    assert len(whole) == 4
    monkeypatch.setattr(audit_events, "_MOST", 1)
    path, ids, pages = "AuditEvent?action=C&_count=100", [], 0
    while path:
        answer = api.call("GET", path).json()
        ids += [entry["resource"]["id"] for entry in answer.get("entry", [])]
        path = next((to["url"] for to in answer["link"] if to["relation"] == "next"), "")
        pages += 1
        assert pages < 100
    # What has been asked meanwhile is newer than where the first page began.
    assert ids == whole
    assert pages > len(whole)
    monkeypatch.setattr(audit_events, "_MOST_COUNTED", 1)
    refused = api.call("GET", "AuditEvent?_total=accurate")
    assert (refused.status_code, refused.json()["issue"][0]["code"]) == (400, "too-costly")


def test_each_patient_of_a_line_counts(
    api: Api, people: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One search may have shown a thousand patients: that is a thousand AuditEvents."""
    for _ in range(7):
        api.make()
    api.call("GET", "Patient?_count=100")
    # As many lines as there are here are no more than is allowed; what is made of them is.
    monkeypatch.setattr(audit_events, "_MOST_COUNTED", 17 * WANTED)
    refused = api.call("GET", "AuditEvent?_total=accurate")
    assert (refused.status_code, refused.json()["issue"][0]["code"]) == (400, "too-costly")
    lines = {one["id"].rpartition(".")[0] for one in _found(api, "AuditEvent?_count=100")}
    assert len(lines) < 17


def test_a_total_is_of_what_the_pages_show(api: Api, people: tuple[str, str]) -> None:
    """Also where nothing is made of the lines that are counted."""
    a, b = people
    link = [{"other": {"reference": f"Patient/{a}"}, "type": "seealso"}]
    api.make("Patient", name=[{"family": "Aal"}], link=link)
    told = api.make(
        "Observation",
        status="final",
        code={"text": "weight"},
        subject={"reference": f"Patient/{b}"},
    )
    made = api.run(add_client(api.store, "app"))
    kept = api.run(set_policy(api.store, DEFAULT_PROJECT, role("system")))
    grants = (Grant(kept["id"]),)
    member = Membership(f"ClientApplication/{made.client_id}", f"Patient/{a}", grants)
    api.run(give(api.store, DEFAULT_PROJECT, member))
    own = api.credentials(made.client_id, made.client_secret)
    api.clock.now += 10_000
    # What a patient asks for themselves, of several and of another, and of nobody.
    for path in ("Patient?name=aal", "Patient", f"Observation/{told['id']}", "Encounter"):
        for authorization in (own, api.basic):
            answer = api.call("GET", path, authorization=authorization)
            assert answer.status_code == 200, answer.text
    for of in (f"Patient/{a}", f"Patient/{b}", a, b, "Patient/nobody"):
        query = f"AuditEvent?patient={of}"
        for _ in range(2):
            counted = api.call("GET", f"{query}&_summary=count").json()["total"]
            assert counted == len(_found(api, f"{query}&_count=1000"))
    assert api.call("GET", f"AuditEvent?patient=Patient/{a}&_summary=count").json()["total"] > 9
    counted = api.call("GET", "AuditEvent?_summary=count").json()["total"]
    # What has been asked meanwhile is one more.
    assert counted + 1 == len(_found(api, "AuditEvent?_count=1000"))


def test_what_is_of_another_time_is_looked_at_as_well(
    api: Api, people: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks are read to see of when they are: a page ends after so many of them, too."""
    for _ in range(4):
        api.call("GET", f"Patient/{people[0]}")
        _found(api, "AuditEvent")  # each time a block is made of what came
    monkeypatch.setattr(audit_events, "_MOST", 1)
    for query in ("date=lt2001", f"patient={people[0]}&date=lt2001"):
        path, asked = f"AuditEvent?{query}", []
        while path:
            answer = api.call("GET", path).json()
            assert "entry" not in answer
            asked.append(path)
            path = next((to["url"] for to in answer["link"] if to["relation"] == "next"), "")
            assert path not in asked
        assert len(asked) > 2
    monkeypatch.setattr(audit_events, "_MOST_COUNTED", 1)
    refused = api.call("GET", "AuditEvent?date=lt2001&_summary=count")
    assert (refused.status_code, refused.json()["issue"][0]["code"]) == (400, "too-costly")


def test_a_policy_says_who_sees_it(api: Api, people: tuple[str, str]) -> None:
    one = f"AuditEvent?patient={people[0]}"
    entries = {
        "participant": ([{"resourceType": "Patient"}], 403),
        "auditor": (
            [{"resourceType": "AuditEvent", "criteria": one}],
            200,
        ),
    }
    (*_, other) = _found(api, f"AuditEvent?patient={people[1]}")
    for name, (resource, status) in entries.items():
        policy = {"resourceType": "AccessPolicy", "name": name, "resource": resource}
        kept = api.run(set_policy(api.store, DEFAULT_PROJECT, policy))
        who = f"ClientApplication/{api.client.client_id}"
        member = Membership(who, "Practitioner/9", (Grant(kept["id"]),))
        api.run(give(api.store, DEFAULT_PROJECT, member))
        api.clock.now += 1000
        assert api.call("GET", "AuditEvent").status_code == status
        assert api.call("GET", f"AuditEvent/{other['id']}").status_code in (403, 404)
    assert _told(api, f"AuditEvent?patient={people[1]}") == []
    assert _told(api, "AuditEvent") == ["E0 search-type", "R0 read", "C0 create"]


@pytest.mark.parametrize("own", [True, False])
def test_nobody_reads_of_themselves_what_is_hidden_from_them(api: Api, own: bool) -> None:
    """Who sees what they did themselves must not tell by it what there is; an auditor may."""
    hidden = api.make("Patient", gender="male")["id"]
    client = api.run(add_client(api.store, "curious"))
    who = f"ClientApplication/{client.client_id}"
    seen = {"resourceType": "Patient", "criteria": "Patient?gender=female"}
    of = {"criteria": f"AuditEvent?agent:identifier={client.client_id}"} if own else {}
    trail = {"resourceType": "AuditEvent", "readonly": True, **of}
    policy = {"resourceType": "AccessPolicy", "name": "curious", "resource": [seen, trail]}
    kept = api.run(set_policy(api.store, DEFAULT_PROJECT, policy))
    api.run(give(api.store, DEFAULT_PROJECT, Membership(who, who, (Grant(kept["id"]),))))
    basic = api.credentials(client.client_id, client.client_secret)
    for id_ in (hidden, "never-was"):
        assert api.call("GET", f"Patient/{id_}", authorization=basic).status_code == 404
    answer = api.call("GET", "AuditEvent?outcome=4", authorization=basic)
    events = [one["resource"] for one in answer.json()["entry"]]
    read = [
        api.call("GET", f"AuditEvent/{one['id']}", authorization=basic).json() for one in events
    ]
    assert read == events
    told = ["HTTP 404", "HTTP 404" if own else "HTTP 404, hidden by a policy"]
    assert [one["outcomeDesc"] for one in events] == told


def test_events_are_found_by_their_purpose(api: Api) -> None:
    """Those of the trail, and those that are resources."""
    act = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
    patient = api.make("Patient")["id"]
    seen = {"resourceType": "Patient", "criteria": "Patient?gender=female"}
    glass = {"resourceType": "Patient", "breakGlass": True}
    policy = {"resourceType": "AccessPolicy", "name": "some", "resource": [seen, glass]}
    kept = api.run(set_policy(api.store, DEFAULT_PROJECT, policy))
    client = api.run(add_client(api.store, "limited"))
    who = f"ClientApplication/{client.client_id}"
    api.run(give(api.store, DEFAULT_PROJECT, Membership(who, who, (Grant(kept["id"]),))))
    basic = api.credentials(client.client_id, client.client_secret)
    api.call("GET", f"Patient/{patient}", authorization=basic)
    why = {"authorization": basic, "x_threadwell_break_glass": "Unconscious"}
    assert api.call("GET", f"Patient/{patient}", **why).status_code == 200
    assert _told(api, f"AuditEvent?purpose={act}|BTG") == ["R0 read"]
    assert _told(api, f"AuditEvent?purpose=BTG&patient={patient}") == ["R0 read"]
    assert _told(api, "AuditEvent?purpose=HMARKT") == []
    assert len(_told(api, f"AuditEvent?purpose:not=BTG&subtype=read&patient={patient}")) == 0
    coding = {"coding": [{"system": act, "code": "HMARKT"}]}
    agent = {"requestor": True, "purposeOfUse": [coding]}
    rest = {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}
    made = api.make(
        "AuditEvent",
        type=rest,
        recorded="2031-05-04T10:00:00Z",
        agent=[agent],
        source={"observer": {"display": "elsewhere"}},
    )
    assert [one["id"] for one in _found(api, "AuditEvent?purpose=HMARKT")] == [made["id"]]
    assert len(_found(api, "AuditEvent?purpose=BTG,HMARKT")) == 2
