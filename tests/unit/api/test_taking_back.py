"""A message is taken back, corrected, or kept as a draft: by operations, and by plain updates."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.test_replies import Clinic, ref, said, text
from threadwell.app import live_channels
from threadwell.fhir.validation import validate
from threadwell.intake import recut, verify
from threadwell.intake.seat import Seat
from threadwell.intake.thread_acts.drafting import drafts, save_draft
from threadwell.stores.contract import DEFAULT_PROJECT, Store

PATCH = {"content_type": "application/json-patch+json"}


@pytest.fixture
def clinic(store: Store, new_api: Any) -> Clinic:
    return Clinic(new_api(store=store, channels=live_channels))


def operate(clinic: Clinic, name: str, operation: str, *parameters: Any, status: int = 200) -> Any:
    body = {"resourceType": "Parameters", "parameter": list(parameters)}
    answer = clinic.api.call("POST", f"{name}/${operation}", body)
    assert answer.status_code == status, answer.text
    if status != 200:
        return clinic.api.texts(answer)[0]
    return {
        one["name"]: one.get("valueBoolean", one.get("valueReference", {}).get("reference"))
        for one in answer.json()["parameter"]
    }


def reason(words: str) -> dict[str, Any]:
    return {"name": "reason", "valueString": words}


def messages(clinic: Clinic) -> list[Any]:
    page = clinic.api.call("GET", "Communication?part-of:missing=false&_sort=sent&_count=100")
    return [one["resource"] for one in page.json()["entry"]]


def encounter(clinic: Clinic) -> Any:
    return clinic.read(clinic.read(clinic.header())["encounter"]["reference"])


def people_of(clinic: Clinic) -> set[str]:
    return {one["individual"]["reference"] for one in encounter(clinic).get("participant", ())}


WAYS = ["operation", "patch", "put"]


def take_back(clinic: Clinic, message: Any, way: str) -> None:
    """By the operation, or as a client of Medplum's does it; what it changes counts at once."""
    name = f"Communication/{message['id']}"
    if way == "operation":
        operate(clinic, name, "retract", reason("wrong person"))
        return
    if way == "patch":
        change = [{"op": "replace", "path": "/status", "value": "entered-in-error"}]
        answer = clinic.api.call("PATCH", name, change, **PATCH)
    else:
        answer = clinic.api.call("PUT", name, message | {"status": "entered-in-error"})
    assert answer.status_code == 200, answer.text
    clinic.take()


@pytest.mark.parametrize("way", WAYS)
def test_a_message_that_was_taken_back_keeps_its_place_and_counts_for_nothing(
    clinic: Clinic, way: str
) -> None:
    """It was the first and the last of the session, and all that its writer had in it."""
    clinic.take(said("SM1", -30), said("SM2", -20))
    header = clinic.header()
    wrong = clinic.reply(header, text("For somebody else."), ref("sender", clinic.dana))
    del wrong["thread"]
    assert clinic.dana in people_of(clinic)
    session = encounter(clinic)["id"]
    clinic.api.clock.now += 60_000
    take_back(clinic, messages(clinic)[0], way)
    take_back(clinic, wrong, way)
    clinic.take(said("SM1", -30), said("SM2", -20), said("SM3", -10))
    first, _, _, last = messages(clinic)
    for one in (first, last):
        assert one["status"] == "entered-in-error"
        assert one["partOf"] == [{"reference": header}]
    assert last["payload"] == [{"contentString": "For somebody else."}]
    now = encounter(clinic)
    assert (now["id"], now["status"]) == (session, "in-progress")
    assert now["period"]["start"] == "2024-03-10T11:40:00Z"
    assert clinic.dana not in people_of(clinic)
    assert clinic.dana not in [one["reference"] for one in clinic.read(header)["recipient"]]
    assert clinic.read(header)["sent"] == "2024-03-10T11:40:00Z"
    before = clinic.everything()
    clinic.run(recut(Seat(clinic.store, DEFAULT_PROJECT, clinic.settings, clock=clinic.api.clock)))
    assert clinic.everything() == before
    assert clinic.run(verify(clinic.store, DEFAULT_PROJECT)) == []


def test_a_session_of_which_nothing_is_left_is_cancelled(clinic: Clinic) -> None:
    clinic.take(said("SM1", -30))
    take_back(clinic, messages(clinic)[0], "operation")
    assert encounter(clinic)["status"] == "in-progress"
    clinic.api.clock.now += 40 * 86_400_000
    clinic.take()
    now = encounter(clinic)
    assert (now["status"], now["period"]["start"]) == ("cancelled", "2024-03-10T11:30:00Z")
    assert validate(now) == []
    assert clinic.run(verify(clinic.store, DEFAULT_PROJECT)) == []


def test_what_is_said_of_who_has_taken_it_back(clinic: Clinic) -> None:
    clinic.take(said("SM1", -30), said("SM2", -20))
    first, second = (f"Communication/{one['id']}" for one in messages(clinic))
    told = operate(clinic, first, "retract", reason("meant for her sister"))
    assert told == {"message": first, "thread": clinic.header(), "unsent": False}
    operate(clinic, second, "retract")
    why = [clinic.read(one)["statusReason"]["text"] for one in (first, second)]
    assert why == ["meant for her sister", "It was taken back."]
    [entry] = clinic.read(f"Provenance?target={first}")["entry"]
    found = entry["resource"]
    assert found["activity"]["coding"][0]["code"] == "NULLIFY"
    assert found["reason"][0]["text"] == "meant for her sister"
    assert found["agent"][0]["who"]["display"] == "tests"
    assert validate(found) == []
    version = clinic.read(first)["meta"]["versionId"]
    operate(clinic, first, "retract", reason("again"))
    assert clinic.read(first)["meta"]["versionId"] == version


def test_what_waits_to_be_sent_is_never_sent(clinic: Clinic) -> None:
    clinic.take(said("SM1", -30))
    got = clinic.reply(clinic.header(), text("Too early."), ref("sender", clinic.dana))
    assert len(clinic.outbox()) == 1
    told = operate(clinic, f"Communication/{got['id']}", "retract")
    assert told["unsent"] is True
    assert clinic.outbox() == []


def test_what_cannot_be_taken_back_is_refused(clinic: Clinic) -> None:
    clinic.take(said("SM1", -30))
    header = clinic.header()
    draft = clinic.create(header, status="preparation").json()
    assert "only a message" in operate(clinic, header, "retract", status=422)
    name = f"Communication/{draft['id']}"
    assert "delete it" in operate(clinic, name, "retract", status=422)
    assert operate(clinic, f"Communication/{clinic.api.never}", "retract", status=404)
    assert "Unknown parameter" in operate(clinic, header, "retract", text("x"), status=400)


def test_a_message_of_a_thread_made_by_hand_is_taken_back(clinic: Clinic) -> None:
    header = clinic.api.make("Communication", status="in-progress", topic={"text": "By hand"})
    name = f"Communication/{header['id']}"
    child = clinic.create(name).json()
    operate(clinic, f"Communication/{child['id']}", "retract", reason("a slip"))
    now = clinic.read(f"Communication/{child['id']}")
    assert (now["status"], now["statusReason"]["text"]) == ("entered-in-error", "a slip")


def test_a_billed_session_stays_as_it_was_billed(clinic: Clinic) -> None:
    clinic.take(said("SM1", -30), said("SM2", -20))
    clinic.api.clock.now += 40 * 86_400_000
    clinic.take()
    billed = encounter(clinic)
    tag = {"system": "https://threadwell.dev/fhir/CodeSystem/lock", "code": "billed"}
    clinic.api.call("PUT", f"Encounter/{billed['id']}", billed | {"meta": {"tag": [tag]}})
    take_back(clinic, messages(clinic)[0], "operation")
    clinic.take()
    assert messages(clinic)[0]["status"] == "entered-in-error"
    assert encounter(clinic)["period"] == billed["period"]


def test_a_correction_takes_the_place_of_what_was_wrong(clinic: Clinic) -> None:
    clinic.take(said("SM1", -30))
    header = clinic.header()
    wrong = clinic.reply(header, text("At three."), ref("sender", clinic.dana))
    name = f"Communication/{wrong['id']}"
    key = {"name": "key", "valueString": "one"}
    right = (text("At four."), ref("sender", clinic.dana), reason("the wrong hour"), key)
    told = operate(clinic, name, "correct", *right)
    assert operate(clinic, name, "correct", *right) == told
    now = clinic.read(told["message"])
    assert now["payload"] == [{"contentString": "At four."}]
    assert now["inResponseTo"] == [{"reference": name}]
    assert [one["reference"] for one in now["recipient"]] == [clinic.ana]
    assert validate(now) == []
    assert clinic.api.ids("Communication?category=correction") == [now["id"]]
    before = clinic.read(name)
    assert before["status"] == "entered-in-error"
    assert before["statusReason"]["text"] == "the wrong hour"
    # The wrong one was still waiting: it never goes out.
    assert [one.message for one in clinic.outbox()] == [now["id"]]
    clinic.take(said("SM2", -5))
    assert clinic.read(told["message"])["inResponseTo"] == [{"reference": name}]
    assert clinic.run(verify(clinic.store, DEFAULT_PROJECT)) == []


def test_a_correction_as_medplums_clients_make_it(clinic: Clinic) -> None:
    """They change the status, and create another message with a category of their own."""
    clinic.take(said("SM1", -30))
    header = clinic.header()
    wrong = clinic.reply(header, text("At three."), ref("sender", clinic.dana))
    name = f"Communication/{wrong['id']}"
    change = [{"op": "replace", "path": "/status", "value": "entered-in-error"}]
    assert clinic.api.call("PATCH", name, change, **PATCH).status_code == 200
    category = [{"text": "correction", "coding": [{"system": "urn:c", "code": "correction"}]}]
    answer = clinic.create(
        header,
        inResponseTo=[{"reference": name}],
        category=category,
        payload=[{"contentString": "At four."}],
        recipient=[{"reference": clinic.ana}],
    )
    assert answer.status_code == 201, answer.text
    now = answer.json()
    assert now["category"] == category
    assert now["inResponseTo"] == [{"reference": name}]
    assert [one["reference"] for one in now["recipient"]] == [clinic.ana]
    assert now["id"] in [one.message for one in clinic.outbox()]


def test_what_a_patient_wrote_is_not_corrected(clinic: Clinic) -> None:
    clinic.take(said("SM1", -30))
    name = f"Communication/{messages(clinic)[0]['id']}"
    right = (text("At four."), ref("sender", clinic.dana))
    assert "only what the practice" in operate(clinic, name, "correct", *right, status=422)
    assert messages(clinic)[0]["status"] == "completed"
    assert clinic.outbox() == []


# Drafts


def draft_of(clinic: Clinic, **members: Any) -> Any:
    answer = clinic.create(clinic.header(), status="preparation", **members)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_draft_is_no_message(clinic: Clinic) -> None:
    clinic.take(said("SM1", -30))
    before = clinic.everything()
    draft = draft_of(clinic)
    clinic.api.clock.now += 60_000
    clinic.take(said("SM1", -30))
    clinic.run(recut(Seat(clinic.store, DEFAULT_PROJECT, clinic.settings, clock=clinic.api.clock)))
    after = clinic.everything()
    del after[draft["id"]]
    assert after == before
    assert clinic.outbox() == []
    mine = f"Communication?sender={clinic.dana}&status=preparation"
    assert clinic.api.ids(mine) == [draft["id"]]
    assert clinic.run(verify(clinic.store, DEFAULT_PROJECT)) == []
    assert clinic.api.call("DELETE", f"Communication/{draft['id']}").status_code == 200
    assert clinic.api.ids(mine) == []


@pytest.mark.parametrize("way", ["put", "patch"])
def test_a_draft_is_sent_by_its_status_and_keeps_its_id(clinic: Clinic, way: str) -> None:
    clinic.take(said("SM1", -30), said("SM2", -20))
    category = [{"text": "advice"}]
    draft = draft_of(clinic, identifier=[{"system": "urn:d", "value": "7"}], category=category)
    name = f"Communication/{draft['id']}"
    clinic.api.clock.now += 60_000
    if way == "put":
        sent = draft | {"status": "in-progress", "payload": [{"contentString": "At three."}]}
        answers = [clinic.api.call("PUT", name, sent) for _ in range(2)]
    else:
        change = [
            {"op": "replace", "path": "/payload/0/contentString", "value": "At three."},
            {"op": "replace", "path": "/status", "value": "in-progress"},
        ]
        answers = [clinic.api.call("PATCH", name, change, **PATCH) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200], answers[0].text
    now = answers[0].json()
    assert (now["id"], now["status"], now["sent"]) == (
        draft["id"],
        "in-progress",
        "2024-03-10T12:01:00Z",
    )
    assert now["payload"] == [{"contentString": "At three."}]
    assert now["category"] == category
    assert [one["reference"] for one in now["recipient"]] == [clinic.ana]
    assert {"system": "urn:d", "value": "7"} in now["identifier"]
    assert validate(now) == []
    [entry] = clinic.outbox()
    assert (entry.message, entry.external_id) == (draft["id"], f"reply:draft/{draft['id']}")
    assert clinic.dana in people_of(clinic)
    before = clinic.everything()
    clinic.take(said("SM1", -30), said("SM2", -20))
    clinic.run(recut(Seat(clinic.store, DEFAULT_PROJECT, clinic.settings, clock=clinic.api.clock)))
    assert clinic.everything() == before
    assert before[draft["id"]]["identifier"][0]["value"] == f"reply:draft/{draft['id']}"
    assert clinic.run(verify(clinic.store, DEFAULT_PROJECT)) == []


def test_of_two_who_send_a_draft_one_does(clinic: Clinic) -> None:
    clinic.take(said("SM1", -30))
    draft = draft_of(clinic)
    name = f"Communication/{draft['id']}"
    stale = f'W/"{draft["meta"]["versionId"]}"'
    edited = draft | {"payload": [{"contentString": "At four."}]}
    assert clinic.api.call("PUT", name, edited, if_match=stale).status_code == 200
    sent = draft | {"status": "in-progress"}
    assert clinic.api.call("PUT", name, sent, if_match=stale).status_code == 412
    assert clinic.outbox() == []
    fresh = f'W/"{clinic.read(name)["meta"]["versionId"]}"'
    assert clinic.api.call("PUT", name, sent, if_match=fresh).status_code == 200
    assert clinic.api.call("PUT", name, sent, if_match=fresh).status_code == 412
    assert len(clinic.outbox()) == 1


def test_a_draft_that_cannot_be_sent_stays_one(clinic: Clinic) -> None:
    clinic.take(said("SM1", -30))
    draft = draft_of(clinic, payload=[{"contentReference": {"reference": clinic.ana}}])
    name = f"Communication/{draft['id']}"
    answer = clinic.api.call("PUT", name, draft | {"status": "in-progress"})
    assert answer.status_code == 422
    assert "reference cannot be sent" in clinic.api.texts(answer)[0]
    assert clinic.read(name)["status"] == "preparation"


def test_a_draft_with_a_file_is_sent_with_it(clinic: Clinic) -> None:
    clinic.take(said("SM1", -30))
    binary = clinic.api.call("POST", "Binary", b"\x89PNG", content_type="image/png").json()
    file = {"contentType": "image/png", "url": f"Binary/{binary['id']}", "title": "knee.png"}
    draft = draft_of(clinic, payload=[{"contentAttachment": file}])
    name = f"Communication/{draft['id']}"
    answer = clinic.api.call("PUT", name, draft | {"status": "in-progress"})
    assert answer.status_code == 200, answer.text
    [part] = answer.json()["payload"]
    assert part["contentAttachment"]["title"] == "knee.png"
    assert (
        clinic.api.call(
            "GET", part["contentAttachment"]["url"].replace("http://testserver", "")
        ).status_code
        == 200
    )


def test_a_draft_of_a_thread_made_by_hand_is_a_plain_resource(clinic: Clinic) -> None:
    header = clinic.api.make("Communication", status="in-progress", topic={"text": "By hand"})
    draft = clinic.create(f"Communication/{header['id']}", status="preparation").json()
    sent = draft | {"status": "in-progress"}
    answer = clinic.api.call("PUT", f"Communication/{draft['id']}", sent)
    assert answer.json()["status"] == "in-progress"
    assert "identifier" not in answer.json()
    assert clinic.outbox() == []


def test_drafts_by_their_function(clinic: Clinic) -> None:
    clinic.take(said("SM1", -30))
    header, store = clinic.header(), clinic.store
    seat = Seat(store, DEFAULT_PROJECT, clinic.settings)
    name = clinic.run(save_draft(seat, header, "On", sender=clinic.dana))
    id_ = name.partition("/")[2]
    again = clinic.run(save_draft(seat, header, "On Monday", sender=clinic.dana, id_=id_))
    assert again == name
    [found] = clinic.run(drafts(store, DEFAULT_PROJECT, clinic.dana, header))
    assert found["payload"] == [{"contentString": "On Monday"}]
    assert clinic.run(drafts(store, DEFAULT_PROJECT, clinic.ana)) == []


@pytest.mark.parametrize("way", ["put", "patch", "transaction"])
def test_what_was_sent_is_no_draft_again(clinic: Clinic, way: str) -> None:
    """Else it would go out all the same, and nobody could make it a message again."""
    clinic.take(said("SM1", -30))
    sent = clinic.reply(clinic.header(), text("Yes."), ref("sender", clinic.dana))
    del sent["thread"]
    name = f"Communication/{sent['id']}"
    changed = sent | {"status": "preparation"}
    if way == "patch":
        change = [{"op": "replace", "path": "/status", "value": "preparation"}]
        answer = clinic.api.call("PATCH", name, change, **PATCH)
    elif way == "put":
        answer = clinic.api.call("PUT", name, changed)
    else:
        answer = clinic.api.bundle("transaction", clinic.api.entry("PUT", name, changed))
    assert answer.status_code == 422
    assert "$retract" in clinic.api.texts(answer)[0]
    assert clinic.read(name)["status"] == "in-progress"
    assert len(clinic.outbox()) == 1


def test_a_draft_of_a_thread_that_was_deleted_is_not_sent(clinic: Clinic) -> None:
    clinic.take(said("SM1", -30))
    made = clinic.create(clinic.header(), status="preparation").json()
    clinic.api.call("DELETE", clinic.header())
    answer = clinic.api.call("PUT", f"Communication/{made['id']}", made | {"status": "in-progress"})
    assert answer.status_code == 422
    assert "has been deleted" in clinic.api.texts(answer)[0]
    clinic.take(said("SM2", -5))
    assert clinic.run(verify(clinic.store, DEFAULT_PROJECT)) == []
