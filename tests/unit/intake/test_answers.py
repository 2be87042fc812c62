"""What a person has answered to the question whom a session is about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from threadwell.encounters import codes
from threadwell.encounters.attribution import Reason, reasons_of
from threadwell.fhir.validation import validate
from threadwell.intake import BadAnswer, answer_review, parse_options, recut, verify
from threadwell.stores.contract import DEFAULT_PROJECT

MOTHER = "+12125550122"
LEO, MIA = "Patient/leo", "Patient/mia"


@pytest.fixture
def asked(practice, sms):
    """A practice that has a question: a mother of two wrote and named nobody."""
    practice.mother_of("Leo", "Mia", phone=MOTHER)
    practice.take(sms("a", "08:00", "a cough", phone=MOTHER), sms("b", "08:30", "and a fever"))
    return practice


def elements_of(resource):
    return {name: value for name, value in resource.items() if name not in ("id", "meta")}


def question(practice):
    (task,) = [one for one in practice.all("Task") if "focus" in one]
    return task


def answer(practice, *patients, task=None):
    task = task or question(practice)["id"]
    return practice.run(answer_review(practice.seat(), task, patients))


def answer_over_fhir(practice, *, subject=None, output=(), status="completed"):
    """As another program may do it: write the Encounter, the Task, or both."""
    task = question(practice)
    if subject:
        id_ = task["focus"]["reference"].partition("/")[2]
        (encounter,) = [one for one in practice.all("Encounter") if one["id"] == id_]
        changed = {"subject": {"reference": subject}}
        practice.put("Encounter", id_, **(elements_of(encounter) | changed))
    named = [
        {"type": {"text": "about"}, "valueReference": {"reference": patient}} for patient in output
    ]
    changed = {"status": status} | ({"output": named} if named else {})
    practice.put("Task", task["id"], **(elements_of(task) | changed))


def record(practice):
    """Of the mother's session: subjects of everything live, who takes part, and the Task."""
    session = next(
        one
        for one in practice.live("Encounter")
        if "partOf" not in one and one.get("subject") != {"reference": "Patient/ana"}
    )
    mine = f"Encounter/{session['id']}"
    (header,) = [
        one
        for one in practice.live("Communication")
        if one.get("encounter", {}).get("reference") == mine
    ]
    children = [
        one
        for one in practice.live("Communication")
        if one.get("partOf") == [{"reference": f"Communication/{header['id']}"}]
    ]
    return {
        "session": subject_of(session),
        "header": subject_of(header),
        "sender": header["sender"]["reference"],
        "participants": [one["individual"]["reference"] for one in session["participant"]],
        "children": {
            one["identifier"][0]["value"]: (subject_of(one), one["sender"].get("reference"))
            for one in children
        },
        "medical": {
            subject_of(one): [who["individual"]["reference"] for who in one["participant"]]
            for one in practice.live("Encounter")
            if one.get("partOf") == {"reference": mine}
        },
        "task": question(practice)["status"],
    }


def subject_of(resource):
    """The id of the patient, ``Group`` of several."""
    type_, _, id_ = resource.get("subject", {}).get("reference", "").partition("/")
    return type_ if type_ == "Group" else id_


ABOUT_MIA = {
    "session": "mia",
    "header": "mia",
    "sender": "RelatedPerson/mother-of-mia",
    "participants": ["RelatedPerson/mother-of-mia"],
    "children": {"a": ("mia", "RelatedPerson/mother-of-mia")},
    "medical": {},
    "task": "completed",
}


@pytest.mark.parametrize(
    "given",
    [
        lambda practice: answer(practice, MIA),
        lambda practice: answer(practice, "mia", task=f"Task/{question(practice)['id']}"),
        lambda practice: (answer_over_fhir(practice, subject=MIA), practice.take()),
        lambda practice: (answer_over_fhir(practice, output=[MIA]), practice.take()),
        lambda practice: (
            answer_over_fhir(practice, subject=MIA, status="in-progress"),
            practice.take(),
        ),
    ],
    ids=["at once", "at once, by bare id", "subject", "output", "subject alone"],
)
def test_an_answer_takes_effect_everywhere(asked, given):
    given(asked)
    assert record(asked) == ABOUT_MIA
    assert question(asked)["businessStatus"] == {"coding": [codes.APPLIED]}
    assert asked.run(verify(asked.store, DEFAULT_PROJECT)) == []
    for type_ in ("Task", "Encounter", "Communication"):
        assert [issue for one in asked.all(type_) for issue in validate(one)] == []
    before = asked.all("Communication"), asked.all("Encounter"), asked.all("Task")
    assert asked.take().answers == 0
    assert before == (asked.all("Communication"), asked.all("Encounter"), asked.all("Task"))


def test_a_later_message_that_names_nobody_is_about_the_same_patient(asked, sms):
    answer(asked, MIA)
    asked.take(sms("c", "09:00", "still", phone=MOTHER))
    assert record(asked) == {
        **ABOUT_MIA,
        "children": {
            "a": ("mia", "RelatedPerson/mother-of-mia"),
            "c": ("mia", "RelatedPerson/mother-of-mia"),
        },
    }


@pytest.mark.parametrize("over_fhir", [True, False])
def test_a_later_message_that_names_another_child_adds_that_child(asked, sms, over_fhir):
    if over_fhir:
        answer_over_fhir(asked, subject=MIA)
    else:
        answer(asked, MIA)
    asked.take(
        sms("c", "09:00", "Leo has it too", phone=MOTHER), sms("d", "09:01", "?", phone=MOTHER)
    )
    one_sender = "RelatedPerson/mother-of-leo"
    assert record(asked) == {
        "session": "Group",
        "header": "Group",
        "sender": one_sender,
        "participants": [one_sender],
        "children": {
            "a": ("mia", one_sender),
            "c": ("leo", one_sender),
            "d": ("Group", one_sender),
        },
        "medical": {
            "leo": ["RelatedPerson/mother-of-leo"],
            "mia": ["RelatedPerson/mother-of-mia"],
        },
        "task": "completed",
    }
    assert asked.run(verify(asked.store, DEFAULT_PROJECT)) == []


def test_an_answer_may_be_several_patients(asked):
    answer(asked, LEO, MIA)
    assert record(asked)["medical"] == {
        "leo": ["RelatedPerson/mother-of-leo"],
        "mia": ["RelatedPerson/mother-of-mia"],
    }


def test_a_wrong_answer_is_corrected(asked):
    answer(asked, LEO)
    assert record(asked)["session"] == "leo"
    answer(asked, MIA)
    assert record(asked) == ABOUT_MIA


def test_an_answer_holds_when_the_session_moves(asked, sms):
    asked.settings = replace(asked.settings, policy="inactivity-gap")
    asked.run(recut(asked.seat()))
    (task,) = [one for one in asked.all("Task") if one["status"] == "requested"]
    answer(asked, MIA, task=task["id"])
    asked.take(sms("0", "07:00", "good morning", phone=MOTHER))
    (session,) = [
        one for one in asked.live("Encounter") if one["subject"] != {"reference": "Patient/ana"}
    ]
    assert session["subject"] == {"reference": MIA}
    assert session["period"]["start"] == "2024-04-10T07:00:00Z"


def test_what_an_answer_was_not_about_is_asked_anew(asked, sms):
    answer(asked, MIA)
    asked.take(sms("late", "16:00", "and now?", phone=MOTHER))
    asked.settings = replace(asked.settings, options=parse_options(zone="Asia/Tokyo"))
    report = asked.run(recut(asked.seat()))
    assert report.reviews == 1
    assert sorted(one["status"] for one in asked.all("Task")) == ["completed", "requested"]


def test_closing_a_question_without_an_answer_is_no_answer(asked, sms):
    answer_over_fhir(asked)
    asked.take(sms("c", "09:00", "hm", phone=MOTHER))
    assert (record(asked)["session"], record(asked)["task"]) == ("", "completed")
    asked.take(sms("d", "09:10", "Leo!", phone=MOTHER), sms("e", "09:20", "Mia!", phone=MOTHER))
    assert record(asked)["children"]["a"][0] == "Group"


@pytest.mark.parametrize(
    ("patients", "task", "why"),
    [
        ([], None, "at least one patient"),
        ([MIA], "gone", "there is no Task/gone"),
        (["Patient/ana"], None, "not about Patient/ana"),
        ([MIA], "held", "does not ask whom"),
    ],
)
def test_what_is_no_answer_is_refused(asked, patients, task, why):
    asked.put("Task", "held", status="requested", intent="order")
    with pytest.raises(BadAnswer, match=why):
        answer(asked, *patients, task=task)


def test_a_question_that_is_over_takes_no_answer(asked, sms):
    asked.take(sms("c", "09:00", "Leo, I mean", phone=MOTHER))
    with pytest.raises(BadAnswer, match="cancelled: nobody asks any more"):
        answer(asked, MIA)


def test_what_the_practice_writes_is_a_suggestion_and_no_more(asked, sms):
    asked.take(sms("c", "09:00", "Is it about Mia?", phone=MOTHER, out=True))
    assert [
        (one["type"]["text"], one["valueReference"]["reference"])
        for one in question(asked)["input"]
    ] == [("candidate", LEO), ("candidate", MIA), ("suggestion", MIA)]
    assert record(asked)["session"] == ""
    answer(asked, LEO)
    children = record(asked)["children"]
    assert {id_: about for id_, (about, _) in children.items()} == {"a": "leo", "c": "leo"}


def test_each_attribution_says_why(asked, sms):
    asked.take(
        sms("c", "09:00", "I mean, Leo has it", phone=MOTHER),
        sms("d", "09:05", "How is Leo?", phone=MOTHER, out=True),
    )
    assert reasons(asked) == {
        "a": (),
        "c": (Reason("Patient/leo", "named", "I mean, Leo has it"),),
        "d": (),
    }
    asked.take(sms("e", "12:00", "and Mia's cough", phone=MOTHER))
    assert reasons(asked)["e"] == (Reason("Patient/mia", "named", "and Mia's cough"),)


def test_an_answer_is_the_reason_of_the_messages_that_it_was_about(asked):
    answer(asked, MIA)
    task = f"Task/{question(asked)['id']}"
    assert reasons(asked) == {"a": (Reason(MIA, "chosen", source=task),)}


def reasons(practice):
    """Of the mother's messages."""
    return {
        one["identifier"][0]["value"]: reasons_of(one)
        for one in practice.live("Communication")
        if "partOf" in one and one["identifier"][0]["value"] != "b"
    }
