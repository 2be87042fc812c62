"""One message that comes by two ways, under two ids: held, and answered once."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

import pytest

from threadwell.channels.live import State, Status
from threadwell.encounters.delivery import delivery_of
from threadwell.encounters.placed import Placed
from threadwell.intake import Intake, quarantine, verify
from threadwell.intake.arrivals.statuses import keep_statuses
from threadwell.intake.arrivals.telling import Telling
from threadwell.intake.circles.circle import Circle
from threadwell.intake.held.hold import decode_message
from threadwell.intake.sameness import BadSameness, say_whether_same
from threadwell.intake.thread_acts.retracting import retract
from threadwell.messages import Address, AddressKind, Attachment
from threadwell.messages.deleted import DELETED
from threadwell.messages.wordings import deleted_id
from threadwell.sessions import Sent
from threadwell.stores.contract import DEFAULT_PROJECT

PHOTO = Attachment("leg.jpg", "image/jpeg", b"\xff\xd8 a leg")
OTHER_PHOTO = Attachment("arm.jpg", "image/jpeg", b"\xff\xd8 an arm")
MISSING = Attachment("leg.jpg", "image/jpeg", None)
BO = "+12125550144"


def held(practice):
    return practice.run(quarantine(practice.store, DEFAULT_PROJECT))


def say(practice, task, *, same):
    return practice.run(say_whether_same(practice.seat(), task, same=same))


def children(practice):
    return [one for one in practice.live("Communication") if "partOf" in one]


def ids(child):
    systems = [(one["system"].rpartition("/")[2], one["value"]) for one in child["identifier"]]
    return {(channel, value) for channel, value in systems}


def by(channel, message, seconds=0, **changes):
    """A message as another channel has it, so many seconds later."""
    id_ = f"{channel}-{message.external_id}"
    sent = message.sent + timedelta(seconds=seconds)
    return replace(message, channel=channel, external_id=id_, sent=sent, **changes)


@pytest.fixture
def first(sms):
    return sms("a", "08:00", "My knee hurts again.")


@pytest.mark.parametrize(
    ("seconds", "changes", "suspected"),
    [
        (0, {}, True),
        (7, {}, True),
        (-300, {}, True),
        (301, {}, False),
        (7, {"text": "My  knee hurts\nagain."}, True),
        (7, {"text": "*My knee hurts again.*"}, True),
        (7, {"text": "My knee hurts again!"}, False),
        (7, {"text": ""}, False),
        (7, {"medium": "MMSWRIT"}, True),
        (7, {"medium": "APPWRIT"}, False),
        (7, {"attachments": (PHOTO,)}, False),
        (7, {"recipients": (Address(AddressKind.PHONE, BO),)}, False),
    ],
)
def test_what_is_suspected(practice, first, seconds, changes, suspected):
    practice.patient("bo", BO, given="Bo")
    practice.take(first)
    report = practice.take(by("provider", first, seconds, **changes))
    assert report.reasons == ({"suspected-duplicate": 1} if suspected else {})
    assert (report.counts.new, report.counts.quarantined) == (not suspected, suspected)
    for one in held(practice):
        (child,) = children(practice)
        assert one.twin == f"Communication/{child['id']}"


def test_those_of_other_channels_are_found_by_their_time_as_they_come_and_go():
    circle, there, random = Circle("c", ("Patient/ana",)), [], Random(7)
    for number in range(400):
        sent = Sent(random.randrange(1000), str(number), f"thread {number % 3}")
        channel = random.choice(["sms", "provider", "chat"])
        id_ = str(number)
        one = Placed(sent, id_, channel, id_, "t", "a", (), frozenset(), "SMSWRIT", "")
        circle.add(one, False)
        there.append(one)
        if number % 3 == 0:
            gone = there.pop(random.randrange(len(there)))
            if number % 2:
                circle.let_go(gone, False)
            else:
                circle.remove([gone], False)
        at = random.randrange(1000)
        near = [one for one in there if one.channel != "chat" and abs(one.sent.at - at) <= 50]
        found = circle.of_others("chat", "", at, 50)
        assert sorted(one.child for one in found) == sorted(one.child for one in near)


@pytest.mark.parametrize(
    ("mine", "theirs", "text", "suspected"),
    [
        ((PHOTO,), (PHOTO,), "", True),
        ((PHOTO,), (OTHER_PHOTO,), "", False),
        ((PHOTO,), (MISSING,), "", False),
        ((MISSING,), (PHOTO,), "look", True),
        ((PHOTO,), (OTHER_PHOTO,), "look", False),
        ((PHOTO, OTHER_PHOTO), (OTHER_PHOTO, PHOTO), "look", True),
        ((), (), "", False),
    ],
)
def test_files_are_compared_by_their_bytes(practice, sms, mine, theirs, text, suspected):
    one = replace(sms("a", "08:00", text), attachments=mine)
    practice.take(one)
    report = practice.take(by("provider", one, 3, attachments=theirs))
    assert report.counts.quarantined == suspected


def test_two_with_ids_of_one_channel_are_two(practice, sms):
    report = practice.take(*(sms(f"m{n}", f"08:0{n}", "ok") for n in range(4)))
    assert report.counts.new == 4


def test_what_has_its_twin_of_a_channel_is_no_twin_of_another_one(practice, sms):
    """Two say "ok" a minute apart, and another source has three of them: the third is new."""
    mine = [sms(f"m{n}", f"08:0{n}", "ok") for n in range(2)]
    practice.take(*mine)
    practice.take(*(by("provider", one, 2) for one in mine))
    assert len({one.twin for one in held(practice)}) == 2
    for one in held(practice):
        say(practice, one.task, same=True)
    assert practice.take(by("provider", sms("m2", "08:02", "ok"))).counts.new == 1


def test_the_same_gets_a_second_identifier_and_what_it_lacked(practice, first):
    first = replace(first, attachments=(MISSING,))
    practice.take(first)
    second = by("provider", first, 3, attachments=(PHOTO,))
    practice.take(second)
    report = say(practice, held(practice)[0].task, same=True)
    assert (report.replayed, report.completed) == (1, 1)
    assert held(practice) == []
    (child,) = children(practice)
    assert ids(child) >= {("sms_backup", "a"), ("provider", "provider-a")}
    assert child["payload"][1]["contentAttachment"]["size"] == len(PHOTO.content)
    assert practice.take(second, first).counts.known == 2
    assert len(children(practice)) == 1


def account(name, message, seconds=0, **changes):
    """A message as another account of its channel has it, so many seconds later."""
    id_ = f"{name}-{message.external_id}"
    sent = message.sent + timedelta(seconds=seconds)
    return replace(message, external_id=id_, sent=sent, source=name, **changes)


@pytest.mark.parametrize(
    ("mine", "theirs", "seconds", "suspected"),
    [
        ("old", "new", 3, True),
        ("old", "new", -300, True),
        ("old", "new", 301, False),
        # Nothing tells which account it was: a log without it, or what an earlier build has taken.
        ("", "new", 3, True),
        ("old", "", 3, True),
        ("new", "new", 3, False),
        ("", "", 3, False),
    ],
)
def test_two_accounts_of_one_channel_are_two_ways(
    practice, first, mine, theirs, seconds, suspected
):
    first = replace(first, source=mine)
    practice.take(first)
    (child,) = children(practice)
    source = {"source": f"https://threadwell.dev/fhir/source/sms_backup/{mine}"} if mine else {}
    assert {name: one for name, one in child["meta"].items() if name == "source"} == source
    second = replace(account("other", first, seconds), source=theirs)
    counts = practice.take(second).counts
    assert (counts.new, counts.quarantined) == (not suspected, suspected)
    if not suspected:
        return
    say(practice, held(practice)[0].task, same=True)
    (child,) = children(practice)
    assert ids(child) >= {("sms_backup", "a"), ("sms_backup", "other-a")}
    assert practice.take(first, second).counts.known == 2
    # Whatever this account brings besides is another message; a third account may have it, too.
    assert practice.take(account(theirs, replace(first, external_id="z"), 5)).counts.new == 1
    assert practice.take(account("third", first, 4)).counts.quarantined == 1


def test_another_has_its_place(practice, first):
    second = by("provider", first, 3)
    practice.take(first)
    practice.take(second)
    assert say(practice, held(practice)[0].task, same=False).replayed == 1
    assert [ids(one) for one in children(practice)] == [
        {("sms_backup", "a")},
        {("provider", "provider-a")},
    ]
    again = practice.take(second, first)
    assert (again.counts.known, again.counts.quarantined, held(practice)) == (2, 0, [])


def test_it_waits_until_somebody_says_so(practice, first):
    second = by("provider", first, 3)
    practice.take(first)
    for _ in range(2):
        assert practice.take(second).reasons == {"suspected-duplicate": 1}
    assert practice.take().replayed == 0
    assert len(held(practice)) == 1


def test_what_was_held_for_a_stranger_is_suspected_when_it_is_let_in(practice, sms):
    one = sms("a", "08:00", "Hello there", phone=BO)
    practice.take(one, by("provider", one, 3))
    practice.patient("bo", BO)
    assert practice.take().replayed == 1
    (waiting,) = held(practice)
    assert (waiting.reason, waiting.twin) == (
        "suspected-duplicate",
        f"Communication/{children(practice)[0]['id']}",
    )
    assert say(practice, waiting.task, same=True).replayed == 1
    assert len(children(practice)) == 1


def test_a_name_in_an_app_and_a_number_of_one_person_are_one(practice, sms):
    name = Address(AddressKind.OTHER, "whatsapp:Ana Prado")
    practice.put(
        "Patient",
        "ana",
        telecom=[{"value": "+12125550111"}, {"system": "other", "value": name.value}],
    )
    one = replace(sms("a", "08:00", "Good morning"), medium="APPWRIT")
    practice.take(one)
    assert practice.take(by("export", one, 30, sender=name)).counts.quarantined == 1


def test_what_cannot_be_said_is_refused(practice, first, sms):
    practice.take(first, sms("s", "09:00", phone=BO))
    with pytest.raises(BadSameness, match="not suspected"):
        say(practice, held(practice)[0].task, same=True)
    with pytest.raises(BadSameness, match="holds no message"):
        say(practice, "Task/none", same=True)


def _record(practice):
    """The record without what depends on which source came first."""
    sessions = {one["id"]: one["period"]["start"][:10] for one in practice.live("Encounter")}
    threads = {
        one["id"]: sessions[one["encounter"]["reference"].partition("/")[2]]
        for one in practice.live("Communication")
        if "partOf" not in one
    }
    return sorted(
        (
            threads[one["partOf"][0]["reference"].partition("/")[2]],
            one["payload"][0]["contentString"],
            sorted(ids(one)),
        )
        for one in children(practice)
    )


def _is_same(practice, one):
    """Whether a held message is the one that it is suspected to be, by what their ids end with."""
    mine = decode_message(content(practice, one)).external_id
    (twin,) = [each for each in children(practice) if one.twin.endswith(each["id"])]
    return mine[-1] == twin["identifier"][0]["value"][-1]


async def _settings(practice):
    return practice.settings


def content(practice, one):
    id_ = one.content.partition("/")[2]
    stored = practice.run(practice.store.read(DEFAULT_PROJECT, "Binary", id_))
    return practice.run(practice.store.content(DEFAULT_PROJECT, id_, stored.version_id))


def test_what_the_provider_tells_of_its_id_stands_on_the_one_that_is_there(practice, sms):
    """Whether it tells that before the message comes, while it is held, or later."""
    first = sms("a", "08:00", "Take one a day", out=True)
    second = by("provider", first, 2)
    at = datetime(2024, 4, 10, 8, 5, tzinfo=UTC)
    delivered = Status("provider", second.external_id, State.DELIVERED, at, "")
    telling = Telling(practice.store, DEFAULT_PROJECT, clock=lambda: practice.now, pauses=(1,) * 9)
    practice.run(keep_statuses(practice.store, DEFAULT_PROJECT, [delivered], practice.now))
    practice.run(telling.round())
    practice.take(first)
    practice.take(second)
    say(practice, held(practice)[0].task, same=True)
    practice.now += 60_000
    assert practice.run(telling.round()) is None
    (child,) = children(practice)
    assert delivery_of(child).state == "delivered"


def test_whichever_comes_first_the_record_is_the_same(practice, sms):
    """One source is imported, and the other one arrives live."""
    texts = [sms("a", "08:00", "ok"), sms("b", "08:01", "ok"), sms("c", "09:00", "Until then")]
    theirs = [by("provider", one, 2) for one in texts]
    records = []
    for order in itertools.islice(itertools.permutations([*texts, *theirs]), 0, 720, 144):
        practice = type(practice)()
        practice.patient("ana", "+12125550111", given="Ana")
        intake = Intake(practice.store, DEFAULT_PROJECT, partial(_settings, practice))
        for one in order:
            if one.channel == "provider":
                practice.run(intake.take([one]))
            else:
                practice.take(one)
        while waiting := held(practice):
            say(practice, waiting[0].task, same=_is_same(practice, waiting[0]))
        for one in order:
            assert practice.take(one).counts.known == 1
            assert practice.run(intake.take([one])).counts.known == 1
        assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []
        records.append(_record(practice))
    assert all(one == records[0] for one in records)
    assert len(records[0]) == 3


@pytest.mark.parametrize("held_before", [False, True])
@pytest.mark.parametrize("same", [False, True])
def test_what_was_taken_back_does_not_come_back_by_another_way(practice, first, same, held_before):
    practice.take(first)
    second = by("provider", first, 3)
    if held_before:
        practice.take(second)
    (child,) = children(practice)
    practice.run(retract(practice.seat(), f"Communication/{child['id']}"))
    assert practice.take(second).reasons == {"suspected-duplicate": 1}
    (waiting,) = held(practice)
    assert waiting.twin == f"Communication/{child['id']}"
    assert say(practice, waiting.task, same=same).replayed == 1
    assert practice.take(first, second).counts.known == 2
    assert len(children(practice)) == (0 if same else 1)
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []


def deleted(sms, *besides):
    """What an export has in the place of a message of 8 o'clock, beside others of that minute."""
    gone = sms("gone", "08:00", "This message was deleted")
    ids = (*(one.external_id for one in besides), "gone")
    return replace(gone, taken_back=True, besides=ids, notes=(DELETED,))


def texts(practice):
    return {
        one["payload"][0]["contentString"]: one["status"]
        for one in practice.all("Communication")
        if "payload" in one
    }


@pytest.mark.parametrize("which", ["the knee", "hello"])
def test_what_was_deleted_between_two_exports_is_asked_about(practice, sms, which):
    """Which message it was nothing tells but what the later export has no more."""
    hello, knee = sms("a", "08:00", "hello"), sms("b", "08:00", "the knee")
    practice.take(hello, knee, sms("c", "08:01", "again"), sms("d", "08:00", "yes?", out=True))
    gone = deleted(sms, *(one for one in (hello, knee) if one.text != which))
    assert practice.take(gone).reasons == {"suspected-duplicate": 1}
    assert len(children(practice)) == 4
    assert say(practice, held(practice)[0].task, same=True).replayed == 1
    there = {"hello": "completed", "the knee": "completed", "again": "completed"}
    assert texts(practice) == {**there, "yes?": "completed", which: "entered-in-error"}
    assert practice.take(gone, hello, knee).counts.known == 3
    assert texts(practice)[which] == "entered-in-error"
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []


def test_who_deletes_a_message_by_its_id_is_not_asked_which(practice, sms):
    """Also where another one was deleted before, as the same people wrote in that minute."""
    for id_, minute in (("a", "08:00"), ("b", "09:00")):
        hello = sms(id_, minute, "hello")
        gone = replace(hello, external_id=deleted_id(id_), taken_back=True)
        assert practice.take(hello, gone).counts.new == 2
    assert held(practice) == []


def test_what_an_export_has_beside_a_deleted_one_is_not_that(practice, sms):
    hello = sms("a", "08:00", "hello")
    gone = deleted(sms, hello)
    hello = replace(hello, besides=gone.besides)
    for some in ([hello], [gone], [hello, gone], [gone, hello]):
        practice.take(*some)
    assert held(practice) == []
    assert texts(practice) == {"hello": "completed", gone.text: "entered-in-error"}
    # Another export has it with its words: a person says whether it is that.
    before = sms("b", "08:00", "the knee")
    assert practice.take(before).reasons == {"suspected-duplicate": 1}
    assert say(practice, held(practice)[0].task, same=False).replayed == 1
    assert texts(practice)["the knee"] == "completed"
    assert practice.take(before, gone, hello).counts.known == 3
