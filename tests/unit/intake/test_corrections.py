"""What a person says of messages that nobody had asked about is kept for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from threadwell.encounters.attribution import reasons_of
from threadwell.encounters.corrected import is_correction
from threadwell.fhir.validation import validate
from threadwell.intake import (
    BadCorrection,
    correct_attribution,
    parse_options,
    recut,
    verify,
)
from threadwell.intake.seat import Seat
from threadwell.intake.thread_acts.retracting import retract
from threadwell.messages import Attachment
from threadwell.stores.contract import DEFAULT_PROJECT

MOTHER = "+12125550122"
#: How a client may write the address of the server itself.
ABROAD = "https://clinic.example.org/fhir/R4/"
LEO, MIA, ANA = "Patient/leo", "Patient/mia", "Patient/ana"


@pytest.fixture
def family(practice, sms):
    """A mother of two has written about both, and Ana of herself."""
    practice.mother_of("Leo", "Mia", phone=MOTHER)
    practice.take(
        sms("a", "08:00", "Leo has a fever", phone=MOTHER),
        sms("b", "08:10", "How high is it?", phone=MOTHER, out=True),
        sms("c", "08:20", "and Mia's cough is back", phone=MOTHER),
        sms("d", "09:00", "my knee hurts"),
    )
    return practice


def by(practice, type_, **wanted):
    """The one live resource of that type for which the elements are so."""
    (found,) = [
        one
        for one in practice.live(type_)
        if all(one.get(name) == value for name, value in wanted.items())
    ]
    return found


def session(practice, of="a"):
    """The session encounter of a message."""
    header = one_of(practice, message(practice, of)["partOf"][0]["reference"])
    return one_of(practice, header["encounter"]["reference"])


def message(practice, id_):
    """The child of that external id."""
    (found,) = [
        one
        for one in practice.live("Communication")
        if "partOf" in one and one["identifier"][0]["value"] == id_
    ]
    return found


def one_of(practice, name):
    """A resource by its reference."""
    type_, _, id_ = name.partition("/")
    (found,) = [one for one in practice.all(type_) if one["id"] == id_]
    return found


def change(practice, resource, **elements):
    """As another program does it: the resource with other elements, ``None`` for none."""
    kept = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    kept |= elements
    wanted = {name: value for name, value in kept.items() if value is not None}
    practice.put(wanted.pop("resourceType"), resource["id"], **wanted)


def ref(name):
    return {"reference": name}


def told(practice):
    """By message whom it is about, then whom its session is about, and who has care of its own."""
    out = {}
    for id_ in "abcd":
        encounter = session(practice, id_)
        mine = {"reference": f"Encounter/{encounter['id']}"}
        parts = [
            one["subject"]["reference"]
            for one in practice.live("Encounter")
            if one.get("partOf") == mine
        ]
        out[id_] = (
            subject_of(practice, message(practice, id_)),
            subject_of(practice, encounter),
            " ".join(sorted(parts)),
        )
    return out


def subject_of(practice, resource):
    """The patients of a resource, those of a Group separated by ``+``."""
    name = resource.get("subject", {}).get("reference", "").removeprefix(ABROAD)
    if name.startswith("Group/"):
        members = one_of(practice, name)["member"]
        return "+".join(sorted(one["entity"]["reference"] for one in members))
    return name


BOTH = f"{LEO}+{MIA}"
WRITTEN = {
    "a": (LEO, BOTH, f"{LEO} {MIA}"),
    "b": (BOTH, BOTH, f"{LEO} {MIA}"),
    "c": (MIA, BOTH, f"{LEO} {MIA}"),
    "d": (ANA, ANA, ""),
}


def assert_kept(practice, sms, expected):
    """Nothing that is done to the store afterwards takes a correction back."""
    assert told(practice) == expected
    everything = [practice.all(type_) for type_ in ("Communication", "Encounter", "Provenance")]
    practice.take()
    assert everything == [
        practice.all(type_) for type_ in ("Communication", "Encounter", "Provenance")
    ]
    practice.take(
        sms("a", "08:00", "Leo has a fever", phone=MOTHER),
        sms("late", "08:15", "hello?", phone=MOTHER),
        sms("late2", "08:55", "and", phone="+12125550111"),
    )
    assert told(practice) == expected
    for settings in (
        replace(practice.settings, policy="inactivity-gap"),
        replace(practice.settings, options=parse_options(zone="Asia/Tokyo")),
    ):
        practice.settings = settings
        practice.run(
            recut(Seat(practice.store, DEFAULT_PROJECT, settings, clock=lambda: practice.now))
        )
        assert told(practice) == expected
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []
    for type_ in ("Communication", "Encounter", "Group", "Provenance", "Task"):
        assert [issue for one in practice.all(type_) for issue in validate(one)] == []


def all_of(practice, id_):
    encounter = session(practice, id_)
    return encounter, one_of(practice, message(practice, id_)["partOf"][0]["reference"])


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (
            lambda p: change(p, session(p), subject=ref(MIA)),
            {"a": (MIA, MIA, ""), "b": (MIA, MIA, ""), "c": (MIA, MIA, "")},
        ),
        (
            lambda p: change(p, session(p), subject=ref(ABROAD + MIA)),
            {"a": (MIA, MIA, ""), "b": (MIA, MIA, ""), "c": (MIA, MIA, "")},
        ),
        (
            lambda p: change(p, all_of(p, "a")[1], subject=ref(MIA)),
            {"a": (MIA, MIA, ""), "b": (MIA, MIA, ""), "c": (MIA, MIA, "")},
        ),
        (
            lambda p: change(p, message(p, "a"), subject=ref(MIA)),
            {"a": (MIA, MIA, ""), "b": (MIA, MIA, ""), "c": (MIA, MIA, "")},
        ),
        (
            lambda p: change(p, message(p, "b"), subject=ref(LEO)),
            {**WRITTEN, "b": (LEO, BOTH, f"{LEO} {MIA}")},
        ),
        (
            lambda p: change(
                p,
                next(one for one in p.live("Encounter") if one.get("subject") == ref(LEO)),
                subject=ref(ANA),
            ),
            {
                "a": (ANA, f"{ANA}+{MIA}", f"{ANA} {MIA}"),
                "b": (f"{ANA}+{MIA}", f"{ANA}+{MIA}", f"{ANA} {MIA}"),
                "c": (MIA, f"{ANA}+{MIA}", f"{ANA} {MIA}"),
            },
        ),
        (
            lambda p: change(p, session(p, "d"), subject=ref(MIA)),
            {"d": (MIA, MIA, "")},
        ),
        (
            lambda p: (
                p.put("Group", "x", type="person", actual=True, member=[{"entity": ref(MIA)}]),
                change(p, session(p), subject=ref("Group/x")),
            ),
            {"a": (MIA, MIA, ""), "b": (MIA, MIA, ""), "c": (MIA, MIA, "")},
        ),
        (
            lambda p: change(p, session(p), subject=None),
            {"a": ("", "", ""), "b": ("", "", ""), "c": ("", "", "")},
        ),
    ],
    ids=[
        *("session", "absolute", "header", "message", "answer", "medical encounter"),
        *("single patient", "a Group of one's own", "removed"),
    ],
)
def test_a_changed_subject_is_kept(family, sms, how, expected):
    assert told(family) == WRITTEN
    how(family)
    family.take()
    assert_kept(family, sms, WRITTEN | expected)


def test_a_correction_leaves_a_provenance_and_is_the_reason(family):
    encounter = session(family)
    change(family, encounter, subject=ref(MIA))
    (now,) = [one for one in family.all("Encounter") if one["id"] == encounter["id"]]
    assert family.take().corrected == 3
    (provenance,) = [one for one in family.all("Provenance") if "entity" in one]
    version = f"Encounter/{now['id']}/_history/{now['meta']['versionId']}"
    assert provenance["entity"] == [{"role": "source", "what": ref(version)}]
    assert provenance["target"] == [
        ref(f"Communication/{message(family, id_)['id']}") for id_ in "abc"
    ]
    for id_ in "abc":
        (reason,) = reasons_of(message(family, id_))
        assert reason == (MIA, "session", "", f"Provenance/{provenance['id']}")


def test_a_later_message_that_names_another_child_adds_that_child(family, sms):
    change(family, session(family), subject=ref(MIA))
    family.take(sms("late", "08:30", "Leo threw up", phone=MOTHER))
    assert told(family)["b"] == (MIA, BOTH, f"{LEO} {MIA}")


def test_a_message_of_one_patient_s_phone_may_be_about_another(family, sms):
    family.take(sms("e", "09:10", "and his ear"))
    change(family, message(family, "e"), subject=ref(LEO))
    family.take()
    assert subject_of(family, message(family, "e")) == LEO
    assert subject_of(family, message(family, "d")) == ANA
    assert subject_of(family, session(family, "d")) == f"{ANA}+{LEO}"


def test_a_reference_that_says_the_same_is_no_correction(family):
    change(family, session(family, "d"), subject={"reference": ANA, "display": "Ana"})
    assert family.take().corrected == 0
    assert session(family, "d")["subject"] == {"reference": ANA, "display": "Ana"}


def test_what_was_billed_stays_as_it_was_billed(family):
    encounter = session(family, "d")
    tag = {"system": "https://threadwell.dev/fhir/CodeSystem/lock", "code": "billed"}
    change(family, encounter, subject=ref(MIA), meta={"tag": [tag]})
    assert family.take().corrected == 0
    assert subject_of(family, session(family, "d")) == MIA
    assert subject_of(family, message(family, "d")) == ANA


def about(practice, subject, *patients, messages=()):
    """Say it through Threadwell."""
    return practice.run(correct_attribution(practice.seat(), subject, patients, messages=messages))


def named(resource):
    return f"{resource['resourceType']}/{resource['id']}"


@pytest.mark.parametrize(
    ("of", "patients", "expected"),
    [
        (lambda p: session(p), [MIA], dict.fromkeys("abc", (MIA, MIA, ""))),
        (lambda p: all_of(p, "a")[1], [MIA], dict.fromkeys("abc", (MIA, MIA, ""))),
        (lambda p: session(p, "d"), ["mia"], {"d": (MIA, MIA, "")}),
        (
            lambda p: message(p, "b"),
            [LEO],
            {"b": (LEO, BOTH, f"{LEO} {MIA}")},
        ),
        (lambda p: session(p), [], dict.fromkeys("abc", ("", "", ""))),
        (lambda p: session(p, "d"), [], {"d": ("", "", "")}),
    ],
    ids=["session", "header", "single patient", "message", "nobody", "nobody of one"],
)
def test_what_a_person_says_of_messages_is_kept(family, sms, of, patients, expected):
    done = about(family, named(of(family)), *patients)
    assert done.report.corrected == len(done.messages) == len(expected)
    assert_kept(family, sms, WRITTEN | expected)


def test_a_part_of_a_thread_is_corrected(family, sms):
    header = all_of(family, "a")[1]
    some = [named(message(family, id_)) for id_ in "ab"]
    assert about(family, named(header), MIA, messages=some).messages == tuple(some)
    assert_kept(family, sms, WRITTEN | dict.fromkeys("abc", (MIA, MIA, "")))


@pytest.mark.parametrize(
    ("subject", "patients", "messages", "why"),
    [
        ("Encounter/none", [MIA], [], "there is no Encounter/none"),
        ("Patient/mia", [MIA], [], "neither Encounter"),
        ("a", ["Patient/none"], [], "there is no Patient/none"),
        ("a", [MIA], ["Communication/none"], "no message Communication/none"),
        ("medical", [MIA], [], "one patient's part of a session: say it of Encounter/"),
        ("message", [MIA], ["Communication/other"], "is one message"),
    ],
)
def test_what_is_no_correction_is_refused(family, subject, patients, messages, why):
    names = {
        "a": session(family),
        "medical": by(family, "Encounter", subject=ref(LEO)),
        "message": message(family, "a"),
    }
    name = named(names[subject]) if subject in names else subject
    with pytest.raises(BadCorrection, match=why):
        about(family, name, *patients, messages=messages)
    assert told(family) == WRITTEN


def test_a_superseded_session_says_where_its_messages_are(family):
    old = session(family)
    settings = replace(family.settings, policy="per-thread")
    family.run(recut(Seat(family.store, DEFAULT_PROJECT, settings, clock=lambda: family.now)))
    with pytest.raises(BadCorrection, match="is superseded"):
        about(family, named(old), MIA)


def test_a_correction_takes_no_other_session_along(practice, sms):
    """Sessions of one patient's phone that another policy makes one stay about whom they were."""
    practice.patient("mia", given="Mia")
    later = replace(practice.settings, policy="per-thread")
    first = [sms("d", "09:00"), sms("e", "09:10")]
    night = [sms("f", "23:50", "sleeping now"), sms("g", "23:55", "at last")]
    practice.settings = replace(practice.settings, policy="inactivity-gap")
    practice.take(*first, *night)
    about(practice, named(session(practice, "d")), MIA)
    practice.run(recut(Seat(practice.store, DEFAULT_PROJECT, later, clock=lambda: practice.now)))
    practice.settings = later
    whom = {id_: subject_of(practice, message(practice, id_)) for id_ in "defg"}
    assert whom == {"d": MIA, "e": MIA, "f": ANA, "g": ANA}
    assert subject_of(practice, session(practice, "d")) == f"{ANA}+{MIA}"


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("other_way", [True, False])
def test_what_joins_a_session_goes_where_it_went(practice, sms, together, other_way):
    practice.patient("mia", given="Mia")
    practice.settings = replace(practice.settings, policy="per-thread")
    practice.take(sms("d", "09:00"), sms("e", "12:00", "my knee"), sms("f", "15:00"))
    some = [named(message(practice, id_)) for id_ in "ef"]
    header = all_of(practice, "d")[1]
    about(practice, named(header), MIA)
    about(practice, named(header), ANA, messages=some[:1])
    late = [sms("g", "08:00"), sms("h", "12:30"), sms("i", "16:00")]
    late = late[::-1] if other_way else late
    for those in [late] if together else [[one] for one in late]:
        practice.take(*those)
    whom = {id_: subject_of(practice, message(practice, id_)) for id_ in "defghi"}
    # What was said of one message is of no other.
    assert whom == {"d": MIA, "e": ANA, "f": MIA, "g": MIA, "h": MIA, "i": MIA}
    practice.run(recut(practice.seat()))
    assert whom == {id_: subject_of(practice, message(practice, id_)) for id_ in "defghi"}


def test_a_fuller_copy_leaves_it(family, sms):
    about(family, named(message(family, "a")), MIA)
    photo = Attachment("rash.jpg", "image/jpeg", b"rash")
    fuller = replace(sms("a", "08:00", "Leo has a fever", phone=MOTHER), attachments=(photo,))
    assert family.take(fuller).completed == 1
    assert len(message(family, "a")["payload"]) == 2
    assert told(family) == WRITTEN | dict.fromkeys("abc", (MIA, MIA, ""))


def test_another_message_of_the_same_id_leaves_it(family, sms):
    about(family, named(message(family, "a")), ANA)
    assert family.take(sms("a", "10:00", "Tomorrow at nine?", phone=MOTHER)).counts.new == 1
    texts = {
        one["payload"][0]["contentString"]: subject_of(family, one)
        for one in family.live("Communication")
        if "partOf" in one
    }
    assert texts["Leo has a fever"] == ANA
    assert texts["Tomorrow at nine?"] == f"{ANA}+{MIA}"


def test_the_work_grows_with_the_circle_and_no_faster(practice, sms, steps):
    """A server does it. As many messages as these are worked on in the thread that counts."""
    costs = []
    for number in (15, 60):
        made = type(practice)()
        made.patient("mia", given="Mia")
        made.patient("ana", "+12125550111", given="Ana")
        first = sms("0", "08:00")
        days = range(number)
        made.take(
            *(
                replace(first, external_id=str(day), sent=first.sent - timedelta(days=day))
                for day in days
            )
        )
        encounter = named(session(made, "0"))
        costs.append(steps(lambda made=made, of=encounter: about(made, of, MIA), "circles"))
    assert costs[1] < 5 * costs[0]


def test_what_is_said_closes_the_question(family, sms):
    family.take(sms("e", "23:00", "are you there?", phone=MOTHER))
    family.settings = replace(family.settings, policy="inactivity-gap")
    family.run(recut(family.seat()))
    asked = session(family, "e")
    open_ = [one["focus"] for one in family.all("Task") if one["status"] == "requested"]
    assert open_ == [ref(named(asked))]
    about(family, named(asked), LEO)
    assert [one for one in family.all("Task") if one["status"] == "requested"] == []
    assert subject_of(family, session(family, "e")) == LEO
    family.take(sms("f", "23:05", "hello?", phone=MOTHER))
    assert [one for one in family.all("Task") if one["status"] == "requested"] == []
    assert family.run(verify(family.store, DEFAULT_PROJECT)) == []


@pytest.mark.parametrize("over_fhir", [False, True])
def test_what_is_taken_back_is_no_word_about_the_others(family, sms, over_fhir):
    """The session is about Leo alone by then, because of that, and nobody has said so."""
    gone = message(family, "c")
    if over_fhir:
        change(family, gone, status="entered-in-error")
        family.take()
    else:
        family.run(retract(family.seat(), named(gone)))
    assert session(family)["subject"] == {"reference": LEO}
    family.take(sms("e", "08:40", "thank you", phone=MOTHER))
    assert session(family)["subject"] == {"reference": LEO}
    gone = one_of(family, named(gone))
    assert [why.patient for why in reasons_of(gone)] == [MIA]
    assert not [one for one in family.all("Provenance") if is_correction(one)]
    assert family.run(verify(family.store, DEFAULT_PROJECT)) == []
