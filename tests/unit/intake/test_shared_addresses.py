"""An address that several patients share: asked about once, and settled by what a person says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from threadwell.encounters import codes
from threadwell.encounters.attribution import reasons_of
from threadwell.encounters.people import said_of
from threadwell.fhir.validation import validate
from threadwell.intake import BadAnswer, answer_review, quarantine, recut, replay, verify
from threadwell.intake.answering import dismiss_review
from threadwell.intake.held.hold import holding
from threadwell.intake.people.route import Held
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

SHARED = "+12125550133"
NIA, OLE = "Patient/nia", "Patient/ole"
NIECE = "RelatedPerson/niece"


@pytest.fixture
def spouses(practice):
    """Nia and Ole have one phone. A niece of theirs, who is the mother of Pia, uses it at times."""
    practice.patient("nia", SHARED, given="Nia")
    practice.patient("ole", SHARED, given="Ole")
    practice.patient("pia", given="Pia")
    practice.put(
        "RelatedPerson",
        "niece",
        patient={"reference": "Patient/pia"},
        telecom=[{"value": SHARED}],
    )
    return practice


@pytest.fixture
def texts(sms):
    """A day of that phone, in two threads: by SMS, and by another app."""

    def text(id_, time, words="hello", *, out=False, app=False):
        made = sms(id_, time, words, phone=SHARED, out=out)
        return replace(made, channel="whatsapp", thread_hint="Nia & Ole") if app else made

    return (
        text("a", "08:00", "my knee hurts"),
        text("b", "08:30", "come at ten", out=True),
        text("c", "09:00", "the other knee", app=True),
    )


def elements_of(resource):
    return {name: value for name, value in resource.items() if name not in ("id", "meta")}


def say(practice, asked, *persons, holds_for="address"):
    work = answer_review(practice.seat(), asked, persons, holds_for=holds_for)
    return practice.run(work)


def question(practice):
    """The Task about the whole address."""
    (task,) = [
        one
        for one in practice.all("Task")
        if one["identifier"][0] == {"system": codes.SHARED, "value": f"phone:{SHARED}"}
    ]
    return task


def held_task(practice, id_):
    """The Task of the message of that id."""
    (task,) = [
        f"Task/{one['id']}"
        for one in practice.all("Task")
        if f"|{id_}|" in f"{one['identifier'][0]['value']}|"
        and one["identifier"][0]["system"] == codes.QUARANTINE
    ]
    return task


def children(practice):
    return {
        one["identifier"][0]["value"]: one
        for one in practice.live("Communication")
        if "partOf" in one
    }


def record(practice):
    """Of each message: who wrote or was written to, and whom it is about."""
    out = {}
    for id_, one in children(practice).items():
        ends = [one["sender"], *one["recipient"]]
        (user,) = [end for end in ends if not end.get("reference", "").startswith("Organization/")]
        out[id_] = (user.get("reference", ""), one.get("subject", {}).get("reference", ""))
    return out


def held(practice):
    return sorted(one.task for one in practice.run(quarantine(practice.store, DEFAULT_PROJECT)))


def check(practice):
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []
    for type_ in ("Task", "Encounter", "Communication", "Provenance"):
        assert [issue for one in practice.all(type_) for issue in validate(one)] == []


def test_the_messages_of_one_address_are_one_question(spouses, texts):
    report = spouses.take(*texts)
    assert (report.counts.quarantined, report.reviews) == (3, 1)
    task = question(spouses)
    assert task["status"] == "requested"
    assert task["authoredOn"] == "2024-04-10T08:00:00Z"
    assert [
        one["valueReference"]["reference"]
        for one in task["input"]
        if one["type"]["text"] == codes.CANDIDATE
    ] == [NIA, OLE, NIECE]
    asked = [one for one in spouses.all("Task") if one["code"] == codes.task_code("review")]
    assert asked == [task]
    assert spouses.take(*texts).reviews == 0
    assert question(spouses) == task
    check(spouses)


def test_a_question_is_the_same_in_whatever_order_its_messages_come(spouses, texts):
    for one in reversed(texts):
        spouses.take(one)
    assert question(spouses)["authoredOn"] == "2024-04-10T08:00:00Z"


@pytest.mark.parametrize(
    ("persons", "user", "subject"),
    [
        ([NIA], NIA, NIA),
        (["ole"], OLE, OLE),
        ([NIECE], NIECE, "Patient/pia"),
        ([NIA, OLE], "", ""),
    ],
)
def test_who_writes_is_said_once_for_the_address(spouses, texts, persons, user, subject):
    spouses.take(*texts)
    report = say(spouses, question(spouses)["id"], *persons)
    assert (report.answers, report.replayed) == (1, 3)
    assert record(spouses) == dict.fromkeys("abc", (user, subject))
    assert held(spouses) == []
    assert question(spouses)["businessStatus"]["coding"] == [codes.APPLIED]
    check(spouses)
    before = spouses.all("Communication"), spouses.all("Task")
    assert spouses.take(*texts).counts.known == 3
    assert (spouses.all("Communication"), spouses.all("Task")) == before


def test_each_message_says_who_said_so(spouses, texts):
    spouses.take(*texts)
    say(spouses, question(spouses)["id"], NIA)
    task = f"Task/{question(spouses)['id']}"
    there = children(spouses)
    assert said_of(there["a"]["sender"]) == said_of(there["b"]["recipient"][0]) == [task]
    assert said_of(there["b"]["sender"]) == [""]


def test_where_both_write_the_address_speaks_and_names_tell_whom_it_is_about(spouses, sms):
    words = {
        "a": "Ole's knee hurts",
        "b": "Thanks, Nia",
        "c": "hm",
    }
    for number, (id_, text) in enumerate(words.items()):
        spouses.take(sms(id_, f"0{number}:00", text, phone=SHARED))
    say(spouses, question(spouses)["id"], NIA, OLE)
    there = children(spouses)
    assert {id_: one["sender"].get("reference") for id_, one in there.items()} == dict.fromkeys(
        "abc"
    )
    assert [why.patient for one in there.values() for why in reasons_of(one)] == [OLE]


def test_where_both_write_and_nothing_tells_it_is_asked_whom_it_is_about(spouses, texts):
    spouses.take(*texts)
    assert say(spouses, question(spouses)["id"], NIA, OLE).reviews == 2
    asked = [one for one in spouses.all("Task") if "focus" in one]
    assert [one["status"] for one in asked] == ["requested", "requested"]
    say(spouses, asked[0]["id"], OLE)
    assert sorted(subject for _, subject in record(spouses).values()) in (
        ["", "", OLE],
        ["", OLE, OLE],
    )
    check(spouses)


def family_day(sms):
    """What two people write from one phone within a day: some of it tells which of them it is."""
    words = {
        "a": ("08:00", "Ole's knee hurts again", False),
        "b": ("08:20", "Can Ole come at ten?", True),
        "c": ("08:25", "yes, thank you", False),
        "d": ("11:40", "I have had a fever since last night", False),
    }
    return [sms(id_, *rest[:2], phone=SHARED, out=rest[2]) for id_, rest in words.items()]


def test_what_names_nobody_is_asked_about_beside_what_names_somebody(spouses, sms):
    spouses.take(*family_day(sms))
    assert say(spouses, question(spouses)["id"], NIA, OLE).reviews == 1
    assert {id_: subject for id_, (_, subject) in record(spouses).items()} == {
        "a": OLE,
        "b": OLE,
        "c": "",
        "d": "",
    }
    (encounter,) = spouses.live("Encounter")
    assert encounter["subject"] == {"reference": OLE}
    (asked,) = [one for one in spouses.live("Task") if "focus" in one]
    assert asked["reasonCode"]["coding"][0]["code"] == "writer-unclear"
    # Neither another run nor the same messages again answer it.
    spouses.take(*family_day(sms), sms("e", "12:00", "hm", phone=SHARED))
    assert record(spouses)["d"][1] == record(spouses)["e"][1] == ""
    check(spouses)
    # One question, one answer for all of them, and for what comes in this session.
    say(spouses, asked["id"], NIA)
    assert {id_: subject for id_, (_, subject) in record(spouses).items()} == {
        "a": OLE,
        "b": NIA,
        "c": NIA,
        "d": NIA,
        "e": NIA,
    }
    assert len(spouses.live("Encounter")) == 3
    spouses.take(sms("f", "12:10", "39.1 now", phone=SHARED))
    assert [one for one in spouses.live("Task") if one["status"] == "requested"] == []
    check(spouses)


@pytest.mark.parametrize("words", ["", "Ask at the desk first."])
def test_a_question_is_worded_by_what_is_asked_now_unless_somebody_worded_it(spouses, sms, words):
    a, *_, d = family_day(sms)
    spouses.take(d)
    say(spouses, question(spouses)["id"], NIA, OLE)
    (asked,) = [one for one in spouses.live("Task") if "focus" in one]
    first = asked["description"]
    if words:
        spouses.put("Task", asked["id"], **{**elements_of(asked), "description": words})
    spouses.take(a)
    (now,) = [one for one in spouses.live("Task") if "focus" in one]
    assert (asked["id"], "writer-unclear") == (now["id"], now["reasonCode"]["coding"][0]["code"])
    if words:
        assert now["description"] == words
    else:
        assert now["description"] != first
        assert "Some of their messages name nobody" in now["description"]
    check(spouses)


@pytest.mark.parametrize("then", ["thread", "message", "nobody"])
def test_what_names_nobody_is_settled_more_narrowly(spouses, sms, then):
    spouses.take(*family_day(sms))
    say(spouses, question(spouses)["id"], NIA, OLE)
    (asked,) = [one for one in spouses.live("Task") if "focus" in one]
    if then == "thread":
        say(spouses, _message(spouses, "d"), OLE, holds_for="thread")
        assert {subject for _, subject in record(spouses).values()} == {OLE}
    elif then == "message":
        for id_ in "cd":
            say(spouses, _message(spouses, id_), NIA, holds_for="message")
        assert record(spouses)["d"] == (NIA, NIA)
        assert record(spouses)["a"] == ("", OLE)
    else:
        spouses.run(dismiss_review(spouses.seat(), f"Task/{asked['id']}"))
        for number in range(3):
            spouses.take(sms(f"m{number}", f"13:0{number}", "and now?", phone=SHARED))
        assert record(spouses)["d"] == ("", "")
    asked = [one for one in spouses.live("Task") if "focus" in one and one["status"] == "requested"]
    assert asked == []
    check(spouses)


@pytest.mark.parametrize("order", [("address", "thread"), ("thread", "address")])
def test_a_narrower_answer_wins_whenever_it_is_given(spouses, texts, order):
    spouses.take(*texts)
    given = {
        "address": lambda: say(spouses, question(spouses)["id"], NIA),
        "thread": lambda: say(spouses, _message(spouses, "c"), OLE, holds_for="thread"),
    }
    for one in order:
        given[one]()
    assert record(spouses) == {"a": (NIA, NIA), "b": (NIA, NIA), "c": (OLE, OLE)}
    check(spouses)
    say(spouses, _message(spouses, "a"), NIECE, holds_for="message")
    assert record(spouses)["a"] == (NIECE, "Patient/pia")
    assert record(spouses)["b"] == (NIA, NIA)
    check(spouses)


def _message(practice, id_):
    """The message where it is: held, or in its place."""
    there = children(practice).get(id_)
    return f"Communication/{there['id']}" if there else held_task(practice, id_)


def test_an_answer_for_one_message_leaves_the_others_waiting(spouses, texts):
    spouses.take(*texts)
    say(spouses, held_task(spouses, "a"), OLE, holds_for="message")
    assert record(spouses) == {"a": (OLE, OLE)}
    assert len(held(spouses)) == 2
    assert question(spouses)["status"] == "requested"
    assert spouses.take(*texts).counts.known == 1


def test_what_nothing_waits_for_is_asked_no_longer_until_something_does(spouses, texts, sms):
    first, *rest = texts
    spouses.take(first)
    say(spouses, held_task(spouses, "a"), OLE, holds_for="message")
    assert question(spouses)["status"] == "cancelled"
    assert spouses.take(*rest).reviews == 1
    assert question(spouses)["status"] == "requested"


@pytest.mark.parametrize("then", [(OLE,), (NIA, OLE), (NIECE,)])
def test_answered_again_the_messages_move(spouses, texts, then):
    spouses.take(*texts)
    say(spouses, question(spouses)["id"], NIA)
    say(spouses, question(spouses)["id"], *then)
    fresh = list(record(spouses).values())
    user = then[0] if len(then) == 1 else ""
    subject = {OLE: OLE, NIECE: "Patient/pia", "": ""}[user]
    assert fresh == [(user, subject)] * 3
    over = [one for one in spouses.all("Encounter") if one["status"] == "entered-in-error"]
    assert {one["subject"]["reference"] for one in over} == {NIA}
    why = [one["reason"][0]["text"] for one in spouses.all("Provenance")]
    assert any("who writes" in text for text in why)
    check(spouses)
    spouses.run(recut(spouses.seat()))
    spouses.take(*texts)
    assert list(record(spouses).values()) == fresh


def test_what_was_billed_stays(spouses, texts):
    spouses.take(*texts)
    say(spouses, question(spouses)["id"], NIA)
    for one in spouses.live("Encounter"):
        tagged = {**elements_of(one), "meta": {"tag": [codes.BILLED]}}
        spouses.put("Encounter", one["id"], **tagged)
    before = spouses.all("Communication")
    say(spouses, question(spouses)["id"], OLE)
    assert spouses.all("Communication") == before
    check(spouses)


def test_what_had_its_place_before_the_address_was_shared_stays(practice, sms):
    practice.take(sms("early", "08:00"))
    practice.patient("twin", "+12125550111", given="Twin")
    practice.take(sms("late", "12:00"))
    (task,) = [
        one for one in practice.all("Task") if one["identifier"][0]["system"] == codes.SHARED
    ]
    say(practice, task["id"], "Patient/twin")
    assert record(practice) == {
        "early": ("Patient/ana", "Patient/ana"),
        "late": ("Patient/twin", "Patient/twin"),
    }
    early = f"Communication/{children(practice)['early']['id']}"
    say(practice, early, "twin", holds_for="message")
    assert record(practice)["early"] == ("Patient/twin", "Patient/twin")
    check(practice)


def test_a_message_to_two_shared_addresses_waits_for_both(spouses):
    spouses.patient("una", "+12125550144")
    spouses.patient("uwe", "+12125550144")
    office = spouses.settings.owner[0]
    phones = tuple(Address(AddressKind.PHONE, one) for one in (SHARED, "+12125550144"))
    sent = spouses_message(office, phones)
    assert spouses.take(sent).reviews == 2
    say(spouses, question(spouses)["id"], NIA)
    assert len(held(spouses)) == 1
    say(spouses, held(spouses)[0], "una")
    (child,) = children(spouses).values()
    assert [one["reference"] for one in child["recipient"]] == [NIA, "Patient/una"]
    check(spouses)


async def forget_waits(store):
    """What no earlier build has kept: by which address that is found which waits."""
    for kind in ("awaited", "awaits", "asked", "unsettled", "found-by-address"):
        for name in await store.list_private(kind):
            await store.put_private(kind, name, None)


def spouses_message(sender, recipients):
    sent = datetime(2024, 4, 10, 8, tzinfo=UTC)
    return Message("sms_backup", "both", sender, recipients, sent, "hello", "hello", "both")


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize("whole", [True, False])
def test_it_is_answered_over_fhir(spouses, texts, whole, earlier):
    """By completing the question, or the Task of one held message, with whoever writes.

    That is found among what has changed, or, in a store of an earlier build, among all of them.
    """
    spouses.take(*texts)
    id_ = question(spouses)["id"] if whole else held_task(spouses, "a").removeprefix("Task/")
    (task,) = [one for one in spouses.all("Task") if one["id"] == id_]
    output = [{"type": {"text": "who"}, "valueReference": {"reference": OLE}}]
    spouses.put("Task", id_, **(elements_of(task) | {"status": "completed", "output": output}))
    if earlier:
        spouses.run(forget_waits(spouses.store))
    report = spouses.take()
    assert report.answers == 1
    assert record(spouses) == dict.fromkeys("abc" if whole else "a", (OLE, OLE))
    assert len(held(spouses)) == (0 if whole else 2)
    check(spouses)
    if whole:
        answer = question(spouses)
        answer["output"][0]["valueReference"]["reference"] = NIA
        spouses.put("Task", id_, **elements_of(answer))
        spouses.take()
        assert record(spouses) == dict.fromkeys("abc", (NIA, NIA))


def test_taken_back_over_fhir_it_is_asked_again(spouses, texts, sms):
    spouses.take(texts[0])
    say(spouses, question(spouses)["id"], NIA)
    task = elements_of(question(spouses))
    del task["output"]
    spouses.put("Task", question(spouses)["id"], **(task | {"status": "requested"}))
    spouses.take(*texts)
    assert record(spouses) == {"a": (NIA, NIA)}
    assert len(held(spouses)) == 2
    check(spouses)


def test_a_fuller_copy_stays_where_its_message_is(spouses, sms):
    cut, whole = "the knee that hurts is the ", "the knee that hurts is the left one"
    spouses.take(sms("a", "08:00", cut, phone=SHARED))
    say(spouses, held_task(spouses, "a"), OLE, holds_for="message")
    assert spouses.take(sms("a", "08:00", whole, phone=SHARED)).completed == 1
    spouses.run(recut(spouses.seat()))
    assert record(spouses) == {"a": (OLE, OLE)}


def test_when_the_address_is_no_longer_shared_nothing_is_asked(spouses, texts):
    spouses.take(*texts)
    spouses.put("Patient", "ole", name=[{"given": ["Ole"]}])
    spouses.put(
        "RelatedPerson", "niece", patient={"reference": "Patient/pia"}, telecom=[{"value": "+1"}]
    )
    report = spouses.run(replay(Seat(spouses.store, DEFAULT_PROJECT, spouses.settings)))
    assert report.replayed == 3
    assert record(spouses) == dict.fromkeys("abc", (NIA, NIA))
    assert question(spouses)["status"] == "cancelled"


def test_an_answer_that_names_nobody_of_the_address_any_more_is_asked_for_again(
    spouses, texts, sms
):
    spouses.take(texts[0])
    say(spouses, question(spouses)["id"], NIECE)
    spouses.put("RelatedPerson", "niece", patient={"reference": "Patient/pia"})
    assert spouses.take(*texts).reviews == 1
    assert question(spouses)["status"] == "requested"
    assert record(spouses) == {"a": (NIECE, "Patient/pia")}


def test_a_stranger_who_turns_out_to_be_two_is_asked_about(practice, sms):
    practice.take(sms("a", "08:00", phone=SHARED))
    practice.patient("nia", SHARED)
    practice.patient("ole", SHARED)
    assert practice.take().reviews == 1
    (waiting,) = practice.run(quarantine(practice.store, DEFAULT_PROJECT))
    assert (waiting.reason, waiting.unknown) == ("shared-address", ())
    assert waiting.shared == (Address(AddressKind.PHONE, SHARED),)


def as_before(practice, *messages):
    """Hold messages as earlier builds did: each Task a question, with nothing but the message."""
    for message in messages:
        what = holding(Held(message, "shared-address"))
        task = {**what.task, "code": codes.task_code("quarantine", "review")}
        practice.put("Task", what.task_id, **task)
        practice.put_binary(what.binary_id, what.binary, what.content)


@pytest.mark.parametrize("asked", ["held", "after an import"])
def test_questions_of_earlier_builds_are_answered_as_one(spouses, texts, asked):
    as_before(spouses, *texts)
    if asked == "held":
        say(spouses, held_task(spouses, "a"), OLE)
    else:
        spouses.take()
        assert [one["status"] for one in spouses.all("Task") if _is_question(one)] == ["requested"]
        say(spouses, question(spouses)["id"], OLE)
    assert record(spouses) == dict.fromkeys("abc", (OLE, OLE))
    assert held(spouses) == []


def _is_question(task):
    return any(one["code"] == "review" for one in task["code"]["coding"])


@pytest.mark.parametrize(
    ("asked", "persons", "holds_for", "why"),
    [
        ("question", ["Patient/ana"], "address", "Patient/ana does not have that address"),
        ("question", ["nobody"], "address", "nobody does not have that address"),
        ("question", [], "address", "names at least one person"),
        ("question", [NIA], "thread", "name a message"),
        ("question", [NIA], "ever", "holds for address, thread or message"),
        ("other", [NIA], "address", "no address of .* is shared"),
        ("Communication/gone", [NIA], "address", "there is no Communication/gone"),
        ("Patient/nia", [NIA], "address", "Patient/nia does not ask"),
        ("done", [NIA], "address", "its message waits no longer"),
    ],
)
def test_what_is_no_answer_is_refused(spouses, texts, sms, asked, persons, holds_for, why):
    spouses.take(sms("other", "07:00"), *texts)
    if asked == "done":
        say(spouses, held_task(spouses, "a"), OLE, holds_for="message")
        asked = held_task(spouses, "a")
    named = {
        "question": question(spouses)["id"],
        "other": f"Communication/{children(spouses)['other']['id']}",
    }
    with pytest.raises(BadAnswer, match=why):
        say(spouses, named.get(asked, asked), *persons, holds_for=holds_for)
