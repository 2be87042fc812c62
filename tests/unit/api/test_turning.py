"""Threads are closed and opened again, and people join and leave: by operations and by clients."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.test_replies import Clinic, ref, said, text
from tests.unit.api.test_taking_back import PATCH, encounter, operate, people_of
from threadwell.app import channel_labels, live_channels
from threadwell.encounters import codes
from threadwell.fhir.validation import validate
from threadwell.intake import recut, verify
from threadwell.intake.choices import Choices, keep_choices
from threadwell.intake.receipts.marking import BadReceipt, mark_read
from threadwell.intake.replies.asked import BadReply
from threadwell.intake.seat import Seat
from threadwell.intake.settings import Settings, parse_options
from threadwell.intake.thread_acts.drafting import drafts, save_draft
from threadwell.intake.thread_acts.turning import close_thread
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT, Store

OTHER = Address(AddressKind.PHONE, "+12125550122")
WAYS = ["operation", "client"]


@pytest.fixture
def clinic(store: Store, new_api: Any) -> Clinic:
    return Clinic(new_api(store=store, channels=live_channels))


def by(policy: str, scope: str = "thread", **how: Any) -> Settings:
    owner = (Address(AddressKind.PHONE, "+12125550100"),)
    return Settings(
        policy, scope, parse_options(gap="4h"), owner=owner, labels=channel_labels(), **how
    )


def go_by(clinic: Clinic, policy: str, scope: str = "thread") -> None:
    clinic.settings = by(policy, scope)
    choices = Choices(policy=policy, scope=scope, gap="4h", zone="UTC")
    clinic.run(keep_choices(clinic.store, DEFAULT_PROJECT, choices))


def headers(clinic: Clinic) -> list[Any]:
    query = "Communication?part-of:missing=true&status:not=entered-in-error&_sort=sent"
    return [one["resource"] for one in clinic.api.call("GET", query).json()["entry"]]


def turn(clinic: Clinic, header: str, status: str, way: str) -> None:
    if way == "operation":
        operate(clinic, header, "close-thread" if status == "completed" else "reopen-thread")
        return
    change = [{"op": "replace", "path": "/status", "value": status}]
    answer = clinic.api.call("PATCH", header, change, **PATCH)
    assert answer.status_code == 200, answer.text
    clinic.api.clock.now += 1000
    clinic.take()


def settled(clinic: Clinic) -> dict[str, Any]:
    """Everything, after it was cut anew and verified: it has to stay."""
    before = clinic.everything()
    clinic.run(recut(Seat(clinic.store, DEFAULT_PROJECT, clinic.settings, clock=clinic.api.clock)))
    assert clinic.everything() == before
    assert clinic.run(verify(clinic.store, DEFAULT_PROJECT)) == []
    return before


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("policy", ["per-day", "per-thread", "inactivity-gap"])
def test_a_thread_is_closed_with_its_session_and_opened_again(
    clinic: Clinic, policy: str, way: str
) -> None:
    go_by(clinic, policy)
    clinic.take(said("SM1", -30))
    header = clinic.header()
    turn(clinic, header, "completed", way)
    assert clinic.read(header)["status"] == "completed"
    assert encounter(clinic)["status"] == "finished"
    clinic.take(said("SM1", -30))
    settled(clinic)
    assert clinic.read(header)["status"] == "completed"
    turn(clinic, header, "in-progress", way)
    assert clinic.read(header)["status"] == "in-progress"
    assert encounter(clinic)["status"] == "in-progress"
    settled(clinic)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("policy", "sessions"), [("per-day", 1), ("inactivity-gap", 2)])
def test_what_a_message_in_a_closed_thread_does_is_the_policys(
    clinic: Clinic, policy: str, sessions: int, way: str
) -> None:
    """It opens the thread again, or it begins the next session under a header of its own."""
    go_by(clinic, policy)
    clinic.take(said("SM1", -30))
    turn(clinic, clinic.header(), "completed", way)
    clinic.api.clock.now += 600_000
    clinic.take(said("SM2", 8))
    found = headers(clinic)
    assert len(found) == sessions
    assert found[-1]["status"] == "in-progress"
    if sessions == 2:
        assert found[0]["status"] == "completed"
        former = [{"reference": f"Communication/{found[0]['id']}"}]
        assert found[1]["inResponseTo"] == former
    settled(clinic)


@pytest.mark.parametrize("way", WAYS)
def test_one_thread_of_a_session_is_closed_alone(clinic: Clinic, way: str) -> None:
    """The other one is open, and so is their session; a later message opens the thread again."""
    go_by(clinic, "per-day", "patient")
    clinic.api.make(telecom=[{"system": "phone", "value": OTHER.value}])
    whatsapp = said("WA1", -20)
    clinic.take(said("SM1", -30), _through(whatsapp, "whatsapp:"))
    one, other = (f"Communication/{each['id']}" for each in headers(clinic))
    turn(clinic, one, "completed", way)
    statuses = [clinic.read(each)["status"] for each in (one, other)]
    assert statuses == ["completed", "in-progress"]
    assert encounter_of(clinic, one)["status"] == "in-progress"
    settled(clinic)
    clinic.api.clock.now += 600_000
    clinic.take(said("SM2", 5))
    assert clinic.read(one)["status"] == "in-progress"
    turn(clinic, one, "completed", way)
    turn(clinic, other, "completed", way)
    assert encounter_of(clinic, one)["status"] == "finished"
    settled(clinic)
    turn(clinic, one, "in-progress", way)
    assert clinic.read(one)["status"] == "in-progress"
    assert encounter_of(clinic, one)["status"] == "in-progress"
    settled(clinic)


def _through(message: Any, prefix: str) -> Any:
    from dataclasses import replace

    return replace(message, thread_hint=f"{prefix}{message.thread_hint}", medium="APPWRIT")


def encounter_of(clinic: Clinic, header: str) -> Any:
    return clinic.read(clinic.read(header)["encounter"]["reference"])


def test_messages_outside_of_any_session_have_a_thread_that_is_closed(clinic: Clinic) -> None:
    go_by(clinic, "explicit")
    clinic.take(said("SM1", -30))
    header = clinic.header()
    assert "encounter" not in clinic.read(header)
    told = operate(clinic, header, "close-thread", {"name": "reason", "valueString": "done"})
    assert clinic.read(header)["status"] == "completed"
    task = clinic.read(told["act"])
    assert task["code"]["coding"][0]["code"] == "close-thread"
    assert task["note"] == [{"text": "done"}]
    assert validate(task) == []
    settled(clinic)
    operate(clinic, header, "reopen-thread")
    assert clinic.read(header)["status"] == "in-progress"
    clinic.api.clock.now += 5 * 3_600_000
    clinic.take()
    assert clinic.read(header)["status"] == "completed"


def test_what_is_so_already_is_no_act(clinic: Clinic) -> None:
    clinic.take(said("SM1", -30))
    header = clinic.header()
    operate(clinic, header, "reopen-thread")
    operate(clinic, header, "close-thread")
    operate(clinic, header, "close-thread")
    assert len(clinic.api.ids("Task?")) == 1


# Participants


def join(clinic: Clinic, header: str, way: str, add: str = "", remove: str = "") -> None:
    if way == "operation":
        name, who = ("add", add) if add else ("remove", remove)
        operate(clinic, header, f"{name}-participant", ref("participant", who))
        return
    there = clinic.read(header)["recipient"]
    now = [one for one in there if one["reference"] != remove]
    now += [{"reference": add}] if add else []
    change = [{"op": "replace", "path": "/recipient", "value": now}]
    assert clinic.api.call("PATCH", header, change, **PATCH).status_code == 200
    clinic.api.clock.now += 1000
    clinic.take()


def takes_part(clinic: Clinic, header: str, who: str) -> bool:
    return who in [one["reference"] for one in clinic.read(header)["recipient"]]


@pytest.mark.parametrize("way", WAYS)
def test_somebody_joins_a_thread_and_leaves_it(clinic: Clinic, way: str) -> None:
    clinic.take(said("SM1", -30))
    header = clinic.header()
    kim = f"Practitioner/{clinic.api.make('Practitioner')['id']}"
    join(clinic, header, way, add=kim)
    clinic.take(said("SM2", -1))
    settled(clinic)
    assert takes_part(clinic, header, kim)
    [part] = [
        one for one in encounter(clinic)["participant"] if one["individual"]["reference"] == kim
    ]
    assert part["period"].keys() == {"start"}
    assert part["type"][0]["coding"][0]["code"] == "PART"
    clinic.api.clock.now += 60_000
    join(clinic, header, way, remove=kim)
    clinic.take(said("SM3", 1))
    settled(clinic)
    assert not takes_part(clinic, header, kim)
    [part] = [
        one for one in encounter(clinic)["participant"] if one["individual"]["reference"] == kim
    ]
    assert part["period"].keys() == {"start", "end"}
    [left] = [one for one in clinic.read(header)["extension"] if one["url"] == codes.EXT_REMOVED]
    assert left["extension"][0]["valueReference"] == {"reference": kim}
    assert validate(clinic.read(header)) == []
    join(clinic, header, way, add=kim)
    settled(clinic)
    assert takes_part(clinic, header, kim)
    assert "extension" not in clinic.read(header)


@pytest.mark.parametrize("way", WAYS)
def test_they_take_part_in_what_follows_and_not_in_what_was(clinic: Clinic, way: str) -> None:
    """Yesterday's header stays as it was; today's begins with whoever takes part by now."""
    clinic.api.clock.now -= 86_400_000
    clinic.take(said("SM1", -1500))
    yesterday = clinic.header()
    kim = f"Practitioner/{clinic.api.make('Practitioner')['id']}"
    join(clinic, yesterday, way, add=kim)
    clinic.api.clock.now += 86_400_000
    clinic.take(said("SM2", -10))
    first, second = (f"Communication/{one['id']}" for one in headers(clinic))
    assert (first, takes_part(clinic, second, kim)) == (yesterday, True)
    join(clinic, second, way, remove=kim)
    assert takes_part(clinic, first, kim)
    assert not takes_part(clinic, second, kim)
    settled(clinic)


@pytest.mark.parametrize("way", WAYS)
def test_whoever_wrote_and_was_taken_out_is_no_recipient(clinic: Clinic, way: str) -> None:
    clinic.take(said("SM1", -30))
    header = clinic.header()
    clinic.reply(header, text("At three."), ref("sender", clinic.dana))
    clinic.api.clock.now += 1000
    join(clinic, header, way, remove=clinic.dana)
    clinic.take(said("SM2", 0))
    assert not takes_part(clinic, header, clinic.dana)
    assert clinic.dana in people_of(clinic)
    settled(clinic)


def test_the_patient_still_has_the_answer(clinic: Clinic) -> None:
    """A client that gives a thread to somebody else makes that the only recipient."""
    clinic.take(said("SM1", -30))
    header = clinic.header()
    assert "it is theirs" in operate(
        *(clinic, header, "remove-participant", ref("participant", clinic.ana)), status=422
    )
    change = [{"op": "replace", "path": "/recipient", "value": [{"reference": clinic.dana}]}]
    assert clinic.api.call("PATCH", header, change, **PATCH).status_code == 200
    got = clinic.reply(header, text("At three."), ref("sender", clinic.dana))
    assert [one["reference"] for one in got["recipient"]] == [clinic.ana]
    settled(clinic)


@pytest.mark.parametrize("status", [200, 422])
def test_a_thread_made_by_hand(clinic: Clinic, status: int) -> None:
    kim = f"Practitioner/{clinic.api.make('Practitioner')['id']}"
    body = {"status": "in-progress", "recipient": [{"reference": clinic.dana}]}
    header = f"Communication/{clinic.api.make('Communication', **body)['id']}"
    if status == 422:
        who = ref("participant", f"Practitioner/{clinic.api.never}")
        assert "who could take part" in operate(clinic, header, "add-participant", who, status=422)
        return
    operate(clinic, header, "add-participant", ref("participant", kim))
    assert takes_part(clinic, header, kim)
    operate(clinic, header, "remove-participant", ref("participant", kim))
    assert not takes_part(clinic, header, kim)
    operate(clinic, header, "close-thread")
    now = clinic.read(header)
    assert (now["status"], len(now["extension"])) == ("completed", 1)
    operate(clinic, header, "reopen-thread")
    assert clinic.read(header)["status"] == "in-progress"


@pytest.mark.parametrize("of", ["header", "message", "session"])
def test_a_thread_is_named_by_what_is_its_own(clinic: Clinic, of: str) -> None:
    """For drafts, for what was read, and to close it; a session of several threads names none."""
    go_by(clinic, "per-day", "patient")
    clinic.take(said("SM1", -9))
    header = clinic.header()
    name = {
        "header": header,
        "message": f"Communication/{clinic.api.ids('Communication?part-of:missing=false')[0]}",
        "session": clinic.read(header)["encounter"]["reference"],
    }[of]
    there = (clinic.store, DEFAULT_PROJECT)
    seat = Seat(*there, clinic.settings)
    draft = clinic.run(save_draft(seat, name, "Three", sender=clinic.dana))
    assert clinic.read(draft)["partOf"] == [{"reference": header}]
    [mine] = clinic.run(drafts(*there, clinic.dana, name))
    assert f"Communication/{mine['id']}" == draft
    assert clinic.run(mark_read(*there, name, clinic.dana)).thread == header
    assert clinic.run(close_thread(seat, name)).thread == header
    clinic.take(said("SM2", -8, channel="sms_backup"))
    session = clinic.read(clinic.api.call("GET", header).json()["encounter"]["reference"])
    with pytest.raises(BadReply, match="several threads"):
        clinic.run(save_draft(seat, f"Encounter/{session['id']}", "No", sender=clinic.dana))
    with pytest.raises(BadReceipt, match="there is no Encounter/nowhere"):
        clinic.run(mark_read(*there, "Encounter/nowhere", clinic.dana))
