"""A patient who is merged may be on something of a circle of which they are no member."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from threadwell.app import open_store
from threadwell.encounters import codes
from threadwell.encounters.attribution import patients_of, reasons_of
from threadwell.intake import (
    Part,
    close_thread,
    correct_attribution,
    merge_patients,
    open_session,
    recut,
    split_by_patient,
    verify,
)
from threadwell.stores.contract import DEFAULT_PROJECT

ANA, BEA, LEO, MIA = "+12125550111", "+12125550112", "+12125550113", "+12125550122"


def asks(desk, what, *arguments):
    """What a function of intake comes to that writes to the store."""
    return desk.run(what(desk.seat(), *arguments))


def changed(desk, one, **elements):
    """A version of a resource, as somebody with a FHIR client may write it."""
    kept = {n: v for n, v in one.items() if n not in ("id", "meta", "resourceType")}
    desk.put(one["resourceType"], one["id"], **{**kept, **elements})


@pytest.fixture(params=["memory", "sqlite"])
def url(request, tmp_path):
    return ":memory:" if request.param == "memory" else str(tmp_path / "merged.db")


@pytest.fixture
def desks(practice, url):
    """Makes practices whose stores may be of a database: each has one event loop."""
    made = []

    def open_(at=url):
        one, runner = type(practice)(), asyncio.Runner()
        made.append((one, runner))
        one.run = runner.run
        one.store = one.run(open_of(at))
        return one

    yield open_
    for one, runner in made:
        one.run(one.store.close())
        runner.close()


async def open_of(url):
    return open_store(url)


def message(desk, text):
    (one,) = (one for one in desk.all("Communication") if text in str(one.get("payload")))
    return one


def session(desk):
    (one,) = (
        one
        for one in desk.live("Encounter")
        if "partOf" not in one and "first" in str(about_whom(desk, one))
    )
    return one


def about_whom(desk, encounter):
    """What the messages of a session say."""
    headers = [
        f"Communication/{one['id']}"
        for one in desk.live("Communication")
        if one.get("encounter") == {"reference": f"Encounter/{encounter['id']}"}
    ]
    return [
        one.get("payload")
        for one in desk.all("Communication")
        if one.get("partOf", [{}])[0].get("reference") in headers
    ]


# Each way in which `who`, whom no address of those who wrote leads to, is on something of theirs.


def said_of_a_message(desk, who):
    asks(desk, correct_attribution, f"Communication/{message(desk, 'first')['id']}", [who])


def said_of_a_session(desk, who):
    asks(desk, correct_attribution, f"Encounter/{session(desk)['id']}", [who])


def said_of_a_message_beside_another(desk, who):
    asks(
        desk,
        correct_attribution,
        f"Communication/{message(desk, 'first')['id']}",
        [who, "Patient/zoe"],
    )


def split(desk, who):
    first = f"Communication/{message(desk, 'first')['id']}"
    parts = [
        Part(who, messages=(first,), reasons=({"text": "Cough"},)),
        Part("Patient/zoe"),
    ]
    asks(desk, split_by_patient, f"Encounter/{session(desk)['id']}", parts)


def subject_of_a_message(desk, who):
    changed(desk, message(desk, "first"), subject={"reference": who})
    desk.take()


def subject_of_a_message_just_now(desk, who):
    changed(desk, message(desk, "first"), subject={"reference": who})


def subject_of_a_session(desk, who):
    changed(desk, session(desk), subject={"reference": who})
    desk.take()


def subject_of_a_session_just_now(desk, who):
    changed(desk, session(desk), subject={"reference": who})


def question(desk):
    (one,) = (one for one in desk.all("Task") if "focus" in one)
    return one


def answered(desk, who):
    answered_just_now(desk, who)
    desk.take()


def answered_just_now(desk, who):
    output = [{"type": {"text": "about"}, "valueReference": {"reference": who}}]
    changed(desk, question(desk), status="completed", output=output)


ONE = [
    said_of_a_message,
    said_of_a_session,
    said_of_a_message_beside_another,
    split,
    subject_of_a_message,
    subject_of_a_message_just_now,
    subject_of_a_session,
    subject_of_a_session_just_now,
]
FAMILY = [*ONE[:4], *ONE[6:], answered, answered_just_now]


def people(desk, *, family, one):
    """The writer, and who turns out to be the same; with `one`, they are that one all along."""
    phones = {"ana": ANA, "bea": BEA}
    if family:
        phones = {"ana": LEO, "bea": BEA}
    if one:
        desk.patient(one, *phones.values())
    else:
        for id_, phone in phones.items():
            desk.patient(id_, phone)
    desk.patient("zoe", "+12125550199")
    if family:
        desk.patient("mia", "+12125550198")
        for child in (one or "ana", "mia"):
            desk.put(
                "RelatedPerson",
                f"mother-of-{'first' if child != 'mia' else child}",
                patient={"reference": f"Patient/{child}"},
                telecom=[{"value": MIA}],
            )


def take(desk, sms, *, family):
    phone = MIA if family else ANA
    texts = [("a", "08:00", "first"), ("b", "08:30", "second"), ("c", "09:00", "third")]
    desk.take(*(sms(*each, phone=phone) for each in texts))


def picture(desk, *, reasons=True):
    """The live resources, without what a server adds, and which record has whose word."""
    out = {}
    for type_ in ("Encounter", "Communication", "Group"):
        for one in desk.live(type_):
            if one.get("active") is False:
                continue
            kept = {n: v for n, v in one.items() if n not in ("meta", "extension")}
            if reasons:
                kept["about"] = sorted((w.patient, w.basis) for w in reasons_of(one))
            out[f"{type_}/{one['id']}"] = kept
    return out


def check(desk, old):
    assert desk.run(verify(desk.store, DEFAULT_PROJECT)) == []
    for type_ in ("Encounter", "Communication", "Group"):
        for one in desk.live(type_):
            assert one.get("active") is False or old not in str(one)


def cases():
    for family, ways in ((False, ONE), (True, FAMILY)):
        for way in ways:
            for old, new in (("bea", "ana"), ("ana", "bea")):
                kind = "family" if family else "one"
                yield pytest.param(family, way, old, new, id=f"{kind}-{way.__name__}-{old}")


@pytest.fixture(scope="module")
def pictures():
    """What comes of each case where there is one record all along, once it was asked for."""
    return {}


def of_one_record(desks, sms, family, way, who):
    desk = desks(":memory:")
    people(desk, family=family, one=who)
    take(desk, sms, family=family)
    way(desk, f"Patient/{who}")
    desk.take()
    # Who changes a subject to what it is has said nothing; here it was said of another record.
    return picture(desk, reasons=is_told(way))


def is_told(way):
    return not way.__name__.startswith("subject")


@pytest.mark.parametrize("by_fhir", [False, True], ids=["merged", "linked"])
@pytest.mark.parametrize(("family", "way", "old", "new"), [*cases()])
def test_it_is_as_with_one_record(desks, sms, pictures, family, way, old, new, by_fhir):
    desk = desks()
    people(desk, family=family, one="")
    take(desk, sms, family=family)
    way(desk, "Patient/bea")
    if by_fhir:
        link = [{"other": {"reference": f"Patient/{new}"}, "type": "replaced-by"}]
        (gone,) = (one for one in desk.all("Patient") if one["id"] == old)
        changed(desk, gone, active=False, link=link)
        desk.take()
    else:
        asks(desk, merge_patients, f"Patient/{old}", f"Patient/{new}")
    check(desk, f"Patient/{old}")
    after = picture(desk)
    case = family, way, new
    if case not in pictures:
        pictures[case] = of_one_record(desks, sms, *case)
    assert picture(desk, reasons=is_told(way)) == pictures[case]
    desk.run(recut(desk.seat()))
    take(desk, sms, family=family)
    assert picture(desk) == after
    check(desk, f"Patient/{old}")


@pytest.mark.parametrize(("old", "new"), [("bea", "ana"), ("ana", "bea")])
def test_it_is_so_on_postgresql(desks, sms, empty_postgres_url, pictures, old, new):
    at = empty_postgres_url
    case = False, said_of_a_message, old, new, False
    test_it_is_as_with_one_record(lambda at=at: desks(at), sms, pictures, *case)


@pytest.mark.parametrize(("old", "new"), [("bea", "ana"), ("ana", "bea")])
def test_what_no_session_has_goes_too(desks, sms, old, new):
    """A message outside of any is about two by its reasons alone."""
    desk = desks()
    desk.settings = replace(desk.settings, policy="explicit")
    people(desk, family=False, one="")
    take(desk, sms, family=False)
    said_of_a_message_beside_another(desk, "Patient/bea")
    assert "subject" not in message(desk, "first")
    asks(desk, merge_patients, f"Patient/{old}", f"Patient/{new}")
    assert patients_of(reasons_of(message(desk, "first"))) == {f"Patient/{new}", "Patient/zoe"}
    check(desk, f"Patient/{old}")


@pytest.mark.parametrize("way", ONE)
def test_who_is_named_after_the_merge_is_the_one_who_stays(desks, sms, way):
    desk = desks()
    people(desk, family=False, one="")
    take(desk, sms, family=False)
    asks(desk, merge_patients, "Patient/bea", "Patient/ana")
    way(desk, "Patient/bea")
    desk.take()
    check(desk, "Patient/bea")


def test_a_session_is_opened_for_the_one_who_stays(desks):
    desk = desks()
    desk.settings = replace(desk.settings, policy="explicit")
    people(desk, family=False, one="")
    asks(desk, merge_patients, "Patient/bea", "Patient/ana")
    asks(desk, open_session, ["Patient/bea"])
    (opened,) = desk.live("Encounter")
    assert opened["subject"] == {"reference": "Patient/ana"}
    check(desk, "Patient/bea")


def test_what_was_done_to_a_thread_goes_with_it(desks, sms):
    desk = desks()
    desk.now = 1_712_743_200_000  # 10 April 2024, 10:00
    people(desk, family=False, one="")
    take(desk, sms, family=False)
    (header,) = (one for one in desk.live("Communication") if "partOf" not in one)
    assert header["status"] == "in-progress"
    asks(desk, close_thread, f"Communication/{header['id']}")
    asks(desk, merge_patients, "Patient/ana", "Patient/bea")
    (header,) = (one for one in desk.live("Communication") if "partOf" not in one)
    assert header["status"] == "completed"
    check(desk, "Patient/ana")


def test_what_was_billed_stays_about_the_other_record(desks, sms):
    desk = desks()
    people(desk, family=False, one="")
    take(desk, sms, family=False)
    said_of_a_message(desk, "Patient/bea")
    (care,) = (
        one for one in desk.live("Encounter") if one["subject"] == {"reference": "Patient/bea"}
    )
    changed(desk, care, meta={"tag": [codes.BILLED]})
    before = picture(desk)
    asks(desk, merge_patients, "Patient/bea", "Patient/ana")
    assert picture(desk) == before
    assert desk.run(verify(desk.store, DEFAULT_PROJECT)) == []


def test_what_an_earlier_build_has_left_is_put_right(desks, sms):
    """It had remembered that the messages had moved."""
    desk = desks()
    people(desk, family=False, one="")
    take(desk, sms, family=False)
    said_of_a_message(desk, "Patient/bea")
    link = [{"other": {"reference": "Patient/ana"}, "type": "replaced-by"}]
    desk.put("Patient", "bea", active=False, link=link)
    name = f"merged-patients/{DEFAULT_PROJECT}"
    desk.run(desk.store.put_private(name, "Patient/bea", b"Patient/ana"))
    found = desk.run(verify(desk.store, DEFAULT_PROJECT))
    assert {one.rule for one in found} == {"replaced-patient"}
    assert {one.severity for one in found} == {"error"}
    desk.take()
    check(desk, "Patient/bea")


def test_what_others_have_made_is_theirs_to_change(desks):
    desk = desks()
    people(desk, family=False, one="")
    virtual = {"system": codes.ACT_CODE, "code": "VR"}
    about = {"subject": {"reference": "Patient/bea"}}
    desk.put("Encounter", "by-hand", status="finished", **{"class": virtual}, **about)
    asks(desk, merge_patients, "Patient/bea", "Patient/ana")
    found = {one.rule: one for one in desk.run(verify(desk.store, DEFAULT_PROJECT))}
    assert found["replaced-patient"].severity == "warning"
    assert found["replaced-patient"].resource == "Encounter/by-hand"
