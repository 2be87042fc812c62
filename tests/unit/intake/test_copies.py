"""Messages that meet others of their id: kept apart, completed, or held."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from threadwell.encounters import codes
from threadwell.encounters.child_ids import own_of
from threadwell.fhir.json import decode
from threadwell.intake import quarantine, replay, verify
from threadwell.intake.held.hold import decode_message
from threadwell.intake.seat import Seat
from threadwell.messages import Attachment
from threadwell.stores.contract import DEFAULT_PROJECT

STRANGER = "+12125550199"
PHOTO = Attachment("knee.jpg", "image/jpeg", b"knee")
LEFT_OUT = Attachment("image", "application/octet-stream", None, "was left out of the export")


def children(practice):
    """The messages that count, in the order of time."""
    found = [one for one in practice.live("Communication") if "partOf" in one]
    return sorted(found, key=lambda one: one["sent"])


def texts(practice):
    return [one["payload"][0].get("contentString") for one in children(practice)]


def counted(report):
    counts = report.counts
    assert counts.read == counts.new + counts.known + counts.quarantined
    return counts.new, counts.known, counts.quarantined


def held_texts(practice):
    out = []
    for item in practice.run(quarantine(practice.store, DEFAULT_PROJECT)):
        id_ = item.content.partition("/")[2]
        stored = practice.run(practice.store.read(DEFAULT_PROJECT, "Binary", id_))
        content = practice.run(practice.store.content(DEFAULT_PROJECT, id_, stored.version_id))
        out.append(decode_message(content).text)
    return sorted(out)


@pytest.fixture
def two(practice, sms):
    """The message 1 of two systems: one about Ana's knee, one about Ben's chest."""
    practice.patient("ben", "+12125550122", given="Ben")
    ours = sms("1", "08:00", "My knee hurts"), sms("2", "08:10", "Since Sunday")
    theirs = sms("1", "09:00", "I have chest pain", phone="+12125550122")
    return practice, ours, theirs


@pytest.mark.parametrize("ours_first", [True, False])
@pytest.mark.parametrize("at_once", [True, False])
def test_what_differs_under_one_id_is_kept(two, ours_first, at_once):
    practice, ours, theirs = two
    every = [*ours, theirs] if ours_first else [theirs, *ours]
    reports = [practice.take(*every)] if at_once else [practice.take(one) for one in every]
    assert sum(report.counts.new for report in reports) == 3
    assert [report.shared_ids for report in reports][-1] == (1 if at_once or ours_first else 0)
    assert sum(report.shared_ids for report in reports) == 1
    assert texts(practice) == ["My knee hurts", "Since Sunday", "I have chest pain"]
    assert [one["subject"]["reference"] for one in children(practice)] == [
        *["Patient/ana"] * 2,
        "Patient/ben",
    ]
    apart = [own_of(one).apart for one in children(practice)]
    assert [bool(one) for one in apart] == [True, False, True]
    again = practice.take(*every)
    assert (*counted(again), again.shared_ids) == (0, 3, 0, 0)
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []


def test_both_are_found_by_the_id_that_their_provider_gave(two):
    practice, ours, theirs = two
    practice.take(*ours)
    practice.take(theirs)
    plain = {"system": codes.MESSAGE + "sms_backup", "value": "1", "use": "secondary"}
    assert [plain in one["identifier"] for one in children(practice)] == [True, False, True]


def test_the_former_record_of_a_message_says_where_it_is_now(two):
    practice, ours, theirs = two
    practice.take(*ours)
    (was,) = [one for one in children(practice) if own_of(one).external_id == "1"]
    report = practice.take(theirs)
    assert report.superseded == 1
    (former,) = [one for one in practice.all("Communication") if one["id"] == was["id"]]
    assert (former["status"], former["payload"]) == ("entered-in-error", was["payload"])
    assert "partOf" not in former
    assert former["identifier"][0]["use"] == "old"
    now = children(practice)[0]
    why = {one["target"][0]["reference"]: one for one in practice.all("Provenance")}
    assert "same id" in why[f"Communication/{was['id']}"]["reason"][0]["text"]
    source = why[f"Communication/{now['id']}"]["entity"][0]["what"]["reference"]
    assert source.startswith(f"Communication/{was['id']}/_history/")


def test_what_people_have_added_goes_along(two):
    practice, ours, theirs = two
    practice.take(replace(ours[0], attachments=(PHOTO,)))
    (stored,) = children(practice)
    elements = {name: value for name, value in stored.items() if name not in ("id", "meta")}
    seen = [{"text": "seen", "time": "2024-05-01T10:00:00Z"}]
    practice.put("Communication", stored["id"], **elements, note=seen, category=[{"text": "knee"}])
    practice.take(theirs)
    (moved, _) = children(practice)
    assert moved["id"] != stored["id"]
    assert (moved["note"], moved["category"]) == (seen, [{"text": "knee"}])
    binary = moved["payload"][1]["contentAttachment"]["url"].partition("/")[2]
    kept = practice.run(practice.store.read(DEFAULT_PROJECT, "Binary", binary))
    mine = {"reference": f"Communication/{moved['id']}"}
    assert decode(kept.body)["securityContext"] == mine
    content = practice.store.content(DEFAULT_PROJECT, binary, kept.version_id)
    assert practice.run(content) == b"knee"


def test_answers_to_a_shared_id_stay_in_its_thread(practice, sms):
    def mail(id_, time, text, **elements):
        return replace(sms(id_, time, text), channel="email", thread_hint="", **elements)

    practice.settings = replace(practice.settings, policy="per-thread")
    first, second = mail("scan", "08:00", "Fax one"), mail("scan", "09:00", "Fax two")
    answer = mail("re", "10:00", "Both read", in_reply_to="scan", references=("scan",))
    practice.take(first, answer)
    header = children(practice)[0]["partOf"]
    practice.take(second)
    assert [one["partOf"] for one in children(practice)] == [header] * 3
    assert "inResponseTo" not in children(practice)[2]


@pytest.mark.parametrize("made", [True, False])
def test_the_picture_comes_later(practice, sms, made):
    without = replace(sms("1", "08:00", "see", phone="+12125550111"), made_id=made)
    without = replace(without, attachments=(LEFT_OUT,), notes=("a file of it was left out",))
    practice.take(without)
    (before,) = children(practice)
    assert [one["text"] for one in before["note"]] == [
        "a file of it was left out",
        "a file of it was left out of the export",
    ]
    whole = replace(without, attachments=(PHOTO,), notes=())
    report = practice.take(whole)
    assert (counted(report), report.completed) == ((0, 1, 0), 1)
    (after,) = children(practice)
    assert after["id"] == before["id"]
    assert "note" not in after
    attached = after["payload"][1]["contentAttachment"]
    assert (attached["title"], attached["contentType"]) == ("knee.jpg", "image/jpeg")
    assert len(practice.all("Binary")) == 1
    for poorer in (without, whole):
        report = practice.take(poorer)
        assert (counted(report), report.completed) == ((0, 1, 0), 0)
    assert children(practice) == [after]


def test_the_whole_mail_takes_the_place_of_its_beginning(practice, sms):
    whole = sms("1", "08:00", "My knee has hurt since Sunday, and it is warm.")
    practice.take(replace(whole, text=whole.text[:25], new_text=whole.text[:25]))
    (before,) = children(practice)
    assert practice.take(whole).completed == 1
    (after,) = children(practice)
    assert after["id"] == before["id"]
    assert texts(practice) == [whole.text]


def test_a_recipient_who_comes_later_may_bring_another_patient(practice, sms):
    practice.patient("ben", "+12125550122", given="Ben")
    one = sms("1", "08:00", "Ana is ill")
    both = replace(
        one, recipients=(*one.recipients, sms("x", "08:00", phone="+12125550122").sender)
    )
    practice.take(one)
    assert practice.take(both).superseded == 2  # The header and the encounter of Ana alone.
    (child,) = children(practice)
    assert {address["reference"] for address in child["recipient"]} >= {"Patient/ben"}
    (encounter,) = practice.live("Encounter")
    assert encounter["id"] != practice.all("Encounter")[0]["id"]
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []


def bill(practice, encounter):
    elements = {name: value for name, value in encounter.items() if name not in ("id", "meta")}
    practice.put("Encounter", encounter["id"], **elements, meta={"tag": [codes.BILLED]})
    return lambda: practice.put("Encounter", encounter["id"], **elements)


def test_what_would_complete_a_billed_message_waits(practice, sms):
    poor = replace(sms("1", "08:00", "see"), attachments=(LEFT_OUT,))
    practice.take(poor)
    unlock = bill(practice, practice.all("Encounter")[0])
    before = children(practice)
    whole = replace(poor, attachments=(PHOTO,))
    report = practice.take(poor, whole)
    assert (counted(report), report.reasons) == ((0, 1, 1), {"locked-session": 1})
    assert children(practice) == before
    assert counted(practice.take(whole)) == (0, 0, 1)
    unlock()
    report = practice.take()
    assert (report.replayed, report.completed) == (1, 1)
    assert "url" in children(practice)[0]["payload"][1]["contentAttachment"]


def test_a_billed_message_keeps_its_id(practice, sms):
    practice.take(sms("1", "08:00", "My knee hurts"))
    bill(practice, practice.all("Encounter")[0])
    (before,) = children(practice)
    later = replace(sms("1", "08:00", "Since Sunday"), sent=before_day(sms))
    assert counted(practice.take(later)) == (1, 0, 0)
    assert [one for one in children(practice) if one["id"] == before["id"]] == [before]
    assert texts(practice) == ["Since Sunday", "My knee hurts"]
    assert counted(practice.take(later)) == (0, 1, 0)


def before_day(sms):
    return sms("x", "08:00").sent - timedelta(days=2)


def test_a_deleted_message_stays_deleted_and_another_one_of_its_id_is_kept(practice, sms):
    ours, other = sms("1", "08:00", "My knee hurts"), sms("1", "09:00", "Since Sunday")
    practice.take(ours)
    practice.delete(children(practice)[0])
    assert counted(practice.take(ours, other)) == (1, 1, 0)
    assert texts(practice) == ["Since Sunday"]


def test_a_retracted_message_stays_retracted(practice, sms):
    poor = sms("1", "08:00", "see")
    practice.take(poor)
    (stored,) = children(practice)
    elements = {name: value for name, value in stored.items() if name not in ("id", "meta")}
    practice.put("Communication", stored["id"], **(elements | {"status": "entered-in-error"}))
    assert counted(practice.take(replace(poor, attachments=(PHOTO,)))) == (0, 1, 0)
    assert children(practice) == []


def at_hour(message, hour):
    """The message, written at 8 o'clock, as a zone has it where that is ``hour`` in UTC."""
    wall = message.sent.replace(tzinfo=None)
    return replace(message, wall=wall, sent=message.sent.replace(hour=hour))


def test_sessions_follow_a_time_that_is_put_right(practice, sms):
    practice.settings = replace(practice.settings, policy="inactivity-gap")
    wrong, right = (at_hour(sms("1", "08:00", "Ana here"), hour) for hour in (1, 13))
    practice.take(wrong, sms("2", "02:00"), sms("3", "14:00"))
    assert counted(practice.take(right)) == (0, 1, 0)
    assert children(practice)[0]["sent"] == "2024-04-10T01:00:00Z"
    practice.settings = replace(practice.settings, correct_times=True)
    report = practice.take(right)
    assert (counted(report), report.retimed, report.completed) == ((0, 1, 0), 1, 0)
    assert [one["sent"][11:13] for one in children(practice)] == ["02", "13", "14"]
    periods = [one["period"]["start"][11:13] for one in practice.live("Encounter")]
    assert sorted(periods) == ["02", "13"]
    reasons = {one["reason"][0]["text"] for one in practice.all("Provenance") if "reason" in one}
    assert any("another time zone" in reason for reason in reasons)
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []


def test_a_billed_time_waits_for_a_person(practice, sms):
    wrong, right = (at_hour(sms("1", "08:00", "Ana here"), hour) for hour in (1, 13))
    practice.take(wrong)
    bill(practice, practice.all("Encounter")[0])
    practice.settings = replace(practice.settings, correct_times=True)
    report = practice.take(right)
    assert (counted(report), report.reasons) == ((0, 0, 1), {"locked-session": 1})
    assert children(practice)[0]["sent"] == "2024-04-10T01:00:00Z"


def test_both_texts_wait(practice, sms):
    one = sms("1", "08:00", "My knee hurts again", phone=STRANGER)
    other = replace(one, text="another text", new_text="another text")
    assert counted(practice.take(one)) == (0, 0, 1)
    assert counted(practice.take(other, one)) == (0, 0, 2)
    assert held_texts(practice) == ["My knee hurts again", "another text"]
    practice.patient("bo", STRANGER)
    report = practice.run(replay(Seat(practice.store, DEFAULT_PROJECT, practice.settings)))
    assert report.replayed == 2
    assert sorted(texts(practice)) == ["My knee hurts again", "another text"]
    assert held_texts(practice) == []


def test_a_fuller_copy_completes_what_waits(practice, sms):
    poor = replace(sms("1", "08:00", "see", phone=STRANGER), attachments=(LEFT_OUT,), made_id=True)
    practice.take(poor)
    assert counted(practice.take(replace(poor, attachments=(PHOTO,)))) == (0, 0, 1)
    assert counted(practice.take(poor)) == (0, 0, 1)
    practice.patient("bo", STRANGER)
    assert practice.take().replayed == 1
    assert "url" in children(practice)[0]["payload"][1]["contentAttachment"]


def test_what_was_dismissed_stays_so_and_another_text_of_its_id_waits(practice, sms):
    one = sms("1", "08:00", "My knee hurts again", phone=STRANGER)
    practice.take(one)
    (task,) = practice.all("Task")
    elements = {name: value for name, value in task.items() if name not in ("id", "meta")}
    practice.put("Task", task["id"], **(elements | {"status": "cancelled"}))
    other = replace(one, text="another text", new_text="another text")
    assert counted(practice.take(one, other)) == (0, 1, 1)
    assert held_texts(practice) == ["another text"]


def test_what_earlier_builds_have_held_is_not_held_twice(practice, sms):
    one = sms("1", "08:00", "My knee hurts again", phone=STRANGER)
    practice.take(replace(one, made_id=True))  # Its Task has the id that all had then.
    other = replace(one, text="another text", new_text="another text")
    assert counted(practice.take(one, other)) == (0, 0, 2)
    assert held_texts(practice) == ["My knee hurts again", "another text"]
    practice.patient("bo", STRANGER)
    assert practice.take().replayed == 2


def test_two_addresses_of_one_person_are_no_news(practice, sms):
    practice.put(
        "Practitioner", "alice", telecom=[{"value": "+12125550101"}, {"value": "+12125550102"}]
    )
    numbers = [sms("x", "08:00", phone=f"+1212555010{at}").sender for at in (1, 0, 2)]
    one = replace(sms("1", "08:00"), recipients=tuple(numbers))
    practice.take(one)
    (before,) = children(practice)
    bill(practice, practice.all("Encounter")[0])
    assert counted(practice.take(one)) == (0, 1, 0)
    assert children(practice) == [before]
