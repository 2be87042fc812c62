"""What a late message does to what is there: supersede, reopen, keep, or wait for a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from threadwell.encounters import codes
from threadwell.intake import quarantine, verify
from threadwell.stores.contract import DEFAULT_PROJECT

#: Nine o'clock of the day of the messages, in milliseconds.
_MORNING = int(datetime(2024, 4, 10, 9, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def by_gap(practice):
    practice.settings = replace(practice.settings, policy="inactivity-gap")
    return practice


def test_a_bridge_supersedes_and_says_why(by_gap, sms):
    by_gap.take(sms("a", "08:00"), sms("c", "18:00"))
    first, second = by_gap.all("Encounter")
    report = by_gap.take(sms("b", "13:00"))
    assert report.superseded == 2
    assert [one["id"] for one in by_gap.live("Encounter")] == [first["id"]]
    withdrawn = next(one for one in by_gap.all("Encounter") if one["id"] == second["id"])
    assert withdrawn["status"] == "entered-in-error"
    assert withdrawn["period"] == second["period"]
    targets = sorted(one["target"][0]["reference"] for one in by_gap.all("Provenance"))
    header = next(
        one["id"] for one in by_gap.all("Communication") if one["status"] == "entered-in-error"
    )
    assert targets == [f"Communication/{header}", f"Encounter/{second['id']}"]
    assert by_gap.all("Provenance")[0]["recorded"] == "2024-06-01T00:00:00.000Z"


def test_what_was_superseded_may_count_again(by_gap, sms):
    keywords = {"policy": "explicit", "opening": ("open",), "closing": ("bye",)}
    by_gap.settings = replace(by_gap.settings, **keywords)
    by_gap.take(sms("d", "10:00", "open again"))
    (again,) = by_gap.live("Encounter")
    by_gap.take(sms("a", "08:00", "open"))
    assert again["id"] not in {one["id"] for one in by_gap.live("Encounter")}
    by_gap.take(sms("b", "09:00", "bye"))
    assert len(by_gap.live("Encounter")) == 2
    back = next(one for one in by_gap.live("Encounter") if one["id"] == again["id"])
    assert back == {**again, "meta": back["meta"]}
    assert by_gap.run(verify(by_gap.store, DEFAULT_PROJECT)) == []


def test_importing_again_changes_nothing(practice, sms):
    practice.take(sms("a", "08:00"), sms("b", "09:00", out=True))
    before = practice.all("Encounter"), practice.all("Communication")
    report = practice.take(sms("b", "09:00", out=True), sms("a", "08:00"))
    assert (report.counts.known, report.counts.new) == (2, 0)
    assert before == (practice.all("Encounter"), practice.all("Communication"))


def test_what_people_added_is_kept(practice, sms):
    practice.take(sms("a", "08:00"))
    stored = practice.all("Encounter")[0]
    elements = {name: value for name, value in stored.items() if name not in ("id", "meta")}
    practice.put(
        "Encounter", stored["id"], **(elements | {"reasonCode": [{"text": "knee"}], "status": "x"})
    )
    practice.take(sms("b", "09:00"))
    (after,) = practice.all("Encounter")
    assert after["reasonCode"] == [{"text": "knee"}]
    assert after["status"] == "finished"
    assert after["period"]["end"] == "2024-04-10T09:00:00Z"


@pytest.mark.parametrize("type_", ["Encounter", "Communication", "Group", "Task"])
def test_what_somebody_deleted_is_made_again_when_it_counts(practice, sms, type_):
    mother_of(practice, "Leo", "Mia")
    both = sms("a", "08:00", "Leo and Mia", phone="+12125550122")
    practice.take(both, sms("x", "08:00", phone="+12125550122", out=True))
    practice.take(replace(sms("q", "08:00", "?", phone="+12125550122"), thread_hint="other"))
    whole = counted(practice)
    for one in practice.all(type_):
        if "partOf" not in one or type_ == "Encounter":
            practice.delete(one)
    practice.take(
        sms("b", "09:00", "Leo and Mia", phone="+12125550122"),
        replace(sms("r", "09:00", "??", phone="+12125550122"), thread_hint="other"),
    )
    assert counted(practice) == (*whole[:-1], whole[-1] + 2)
    starts = {one["period"]["start"] for one in practice.live("Encounter")}
    assert starts == {"2024-04-10T08:00:00Z"}
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []


def counted(practice):
    """How many encounters, headers, Groups and Tasks there are, and how many messages."""
    communications = practice.live("Communication")
    children = [one for one in communications if "partOf" in one]
    others = [len(practice.live(type_)) for type_ in ("Encounter", "Group", "Task")]
    return (*others, len(communications) - len(children)), len(children)


def bill(practice, encounter):
    elements = {name: value for name, value in encounter.items() if name not in ("id",)}
    elements["meta"] = {"tag": [codes.BILLED]}
    practice.put("Encounter", encounter["id"], **elements)


def test_a_billed_session_is_locked(by_gap, sms):
    by_gap.take(sms("a", "08:00"), sms("c", "18:00"))
    bill(by_gap, by_gap.all("Encounter")[0])
    before = by_gap.all("Encounter"), by_gap.all("Communication")
    report = by_gap.take(sms("b", "10:00"), sms("z", "23:00"))
    assert report.reasons == {"locked-session": 1}
    assert report.counts.new == 1
    assert by_gap.all("Encounter")[0] == before[0][0]
    unchanged = {one["id"]: one for one in by_gap.all("Communication")}
    locked_header = before[1][0]
    assert unchanged[locked_header["id"]] == locked_header
    (held,) = by_gap.run(quarantine(by_gap.store, DEFAULT_PROJECT))
    assert held.reason == "locked-session"
    (task,) = by_gap.all("Task")
    assert {coding["code"] for coding in task["code"]["coding"]} == {"quarantine", "review"}


def test_a_session_that_goes_on_is_not_locked_by_the_tag_alone(by_gap, sms):
    """Billed is what is finished: who tags an open session has not closed it."""
    later, by_gap.now = by_gap.now, _MORNING
    by_gap.take(sms("a", "08:00"))
    (open_,) = by_gap.all("Encounter")
    assert open_["status"] == "in-progress"
    bill(by_gap, open_)
    report = by_gap.take(sms("b", "08:30"))
    assert (report.counts.new, report.reasons) == (1, {})
    by_gap.now = later
    by_gap.take()
    (closed,) = by_gap.all("Encounter")
    assert (closed["status"], closed["period"]["end"]) == ("finished", "2024-04-10T08:30:00Z")
    assert by_gap.take(sms("c", "08:45")).reasons == {"locked-session": 1}


def test_a_later_session_follows_a_locked_one(by_gap, sms):
    by_gap.take(sms("a", "08:00"))
    bill(by_gap, by_gap.all("Encounter")[0])
    locked_header = by_gap.all("Communication")[0]
    by_gap.take(sms("c", "18:00"))
    later = next(
        one
        for one in by_gap.all("Communication")
        if "partOf" not in one and one["id"] != locked_header["id"]
    )
    assert later["inResponseTo"] == [{"reference": f"Communication/{locked_header['id']}"}]


def test_unlocking_lets_the_late_message_in(by_gap, sms):
    by_gap.take(sms("a", "08:00"))
    encounter = by_gap.all("Encounter")[0]
    bill(by_gap, encounter)
    by_gap.take(sms("b", "09:00"))
    elements = {name: value for name, value in encounter.items() if name not in ("id", "meta")}
    by_gap.put("Encounter", encounter["id"], **elements)
    assert by_gap.take().replayed == 1
    assert by_gap.run(quarantine(by_gap.store, DEFAULT_PROJECT)) == []
    assert by_gap.all("Encounter")[0]["period"]["end"] == "2024-04-10T09:00:00Z"


def mother_of(practice, *children):
    for child in children:
        practice.patient(child.lower(), given=child)
        practice.put(
            "RelatedPerson",
            f"mother-of-{child.lower()}",
            patient={"reference": f"Patient/{child.lower()}"},
            telecom=[{"value": "+12125550122"}],
        )


def test_a_question_is_closed_when_a_later_message_answers_it(practice, sms):
    mother_of(practice, "Leo", "Mia")
    assert practice.take(sms("a", "08:00", "he coughs", phone="+12125550122")).reviews == 1
    assert practice.all("Task")[0]["status"] == "requested"
    assert "subject" not in practice.all("Encounter")[0]
    practice.take(sms("b", "09:00", "Leo, I mean", phone="+12125550122"))
    assert practice.all("Task")[0]["status"] == "cancelled"
    assert practice.all("Encounter")[0]["subject"] == {"reference": "Patient/leo"}


def test_a_persons_answer_to_a_question_stays(practice, sms):
    mother_of(practice, "Leo", "Mia")
    practice.take(sms("a", "08:00", "she coughs", phone="+12125550122"))
    for type_, changed in (
        ("Encounter", {"subject": {"reference": "Patient/mia"}}),
        ("Task", {"status": "completed"}),
    ):
        (stored,) = practice.all(type_)
        elements = {name: value for name, value in stored.items() if name not in ("id", "meta")}
        practice.put(type_, stored["id"], **(elements | changed))
    practice.take(sms("b", "09:00", "still", phone="+12125550122"))
    assert practice.all("Encounter")[0]["subject"] == {"reference": "Patient/mia"}
    assert [one["status"] for one in practice.all("Task")] == ["completed"]
    header = next(one for one in practice.all("Communication") if "partOf" not in one)
    assert header["subject"] == {"reference": "Patient/mia"}
