"""Two who write at the same time: to one circle they notice each other, to others never."""

from __future__ import annotations

from dataclasses import replace

import pytest

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.intake import answer_review, import_messages, verify
from threadwell.stores.contract import DEFAULT_PROJECT, Conflict
from threadwell.stores.memory import MemoryStore

MOTHER = "+12125550122"
BEN = "+12125550133"
STRANGER = "+12125550144"


class Interrupted(MemoryStore):
    """A store in which somebody else does something right before the next commit."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile = None
        self.refused: list[str] = []

    async def commit(self, project, change_set):
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        try:
            await super().commit(project, change_set)
        except Conflict as conflict:
            self.refused.append(conflict.key.type if conflict.key else "")
            raise


@pytest.fixture
def busy(practice):
    """The practice of Ana and Ben, and of a mother of two, in such a store."""
    practice.store = Interrupted()
    practice.patient("ana", "+12125550111", given="Ana")
    practice.patient("ben", BEN, given="Ben")
    practice.mother_of("Leo", "Mia", phone=MOTHER)
    return practice


def take_while(practice, theirs, *ours):
    """Import messages while somebody else takes in theirs; what was refused."""

    async def meanwhile():
        await import_messages(practice.seat(), theirs)

    practice.store.refused.clear()
    practice.store.meanwhile = meanwhile
    report = practice.take(*ours)
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []
    return report, practice.store.refused


@pytest.mark.parametrize(
    ("theirs", "ours", "notice"),
    [
        ("+12125550111", "+12125550111", True),
        (BEN, "+12125550111", False),
        (MOTHER, "+12125550111", False),
        (STRANGER, "+12125550111", False),
        (STRANGER, "+12125550155", False),
        (MOTHER, MOTHER, True),
    ],
)
def test_who_notices_whom(busy, sms, theirs, ours, notice):
    busy.take(sms("0", "07:00"), sms("1", "07:00", phone=BEN))
    _, refused = take_while(busy, [sms("a", "08:00", phone=theirs)], sms("b", "23:00", phone=ours))
    assert bool(refused) == notice
    everything = [sms("a", "08:00", phone=theirs), sms("b", "23:00", phone=ours)]
    report = busy.take(*everything)
    assert report.counts.known + report.counts.quarantined == 2


def test_a_session_is_not_cut_of_half_the_messages(busy, sms):
    """What they add touches nothing that was read of the circle: another session, by the gap."""
    busy.settings = replace(busy.settings, policy="inactivity-gap")
    busy.take(sms("a", "01:00"))
    _, refused = take_while(busy, [sms("b", "06:30")], sms("c", "12:00"))
    assert refused
    (session,) = busy.live("Encounter")
    assert (session["period"]["start"], session["period"]["end"]) == (
        "2024-04-10T01:00:00Z",
        "2024-04-10T12:00:00Z",
    )


def test_copies_of_a_shared_id_notice_each_other(busy, sms):
    """Each of three messages has the id, and the one that two bring is one message."""
    busy.take(sms("a", "08:00"), sms("0", "07:00", phone=BEN))
    busy.take(sms("a", "09:00", "another", phone=BEN))
    third = sms("a", "10:00", "a third", phone=BEN)
    fourth = replace(sms("a", "10:00", "a fourth", phone="+12125550111"), subject="more")
    _, refused = take_while(busy, [third], fourth)
    assert refused
    said = {
        one["payload"][0]["contentString"] for one in busy.live("Communication") if "payload" in one
    }
    assert said == {"hello", "another", "a third", "a fourth"}


def test_what_is_said_of_an_address_is_noticed(busy, sms):
    for id_ in ("eva", "fay"):
        busy.patient(id_, STRANGER, given=id_)
    busy.take(sms("a", "08:00", phone=STRANGER), sms("0", "07:00", phone=BEN))
    (question,) = (
        one
        for one in busy.all("Task")
        if one["reasonCode"]["coding"][0]["code"] == "shared-address"
        and "focus" not in one
        and one["identifier"][0]["system"] == codes.SHARED
    )

    async def meanwhile():
        await answer_review(busy.seat(), f"Task/{question['id']}", ["Patient/eva"])

    busy.store.meanwhile = meanwhile
    report = busy.take(sms("b", "09:00", phone=STRANGER))
    assert report.counts.new == 1
    assert {one["subject"]["reference"] for one in busy.live("Encounter")} == {
        "Patient/eva",
        "Patient/ben",
    }


def test_no_resource_tells_when_an_import_wrote(busy, sms):
    busy.take(sms("a", "08:00"))
    assert busy.all("Basic") == []


@pytest.mark.parametrize("kept", [True, False])
def test_what_people_changed_is_found_in_a_store_of_an_earlier_build(busy, sms, kept):
    busy.take(sms("a", "08:00", "a cough", phone=MOTHER))
    (session,) = busy.live("Encounter")
    if not kept:
        busy.run(busy.store.put_private("intake-looked", DEFAULT_PROJECT, None))
        for name in busy.run(busy.store.list_private("intake-mark")):
            busy.run(busy.store.put_private("intake-mark", name, None))
        marker = Identity(codes.INTAKE, "intake")
        busy.put("Basic", marker.id, identifier=[marker.as_json()], code={"text": "intake"})
        busy.put("Basic", marker.id, identifier=[marker.as_json()], code={"text": "intake"})
        busy.now += 1
    rest = {name: value for name, value in session.items() if name not in ("id", "resourceType")}
    busy.put("Encounter", session["id"], **(rest | {"subject": {"reference": "Patient/leo"}}))
    report = busy.take()
    assert report.corrected + report.answers == 1
    assert report.counts.read == 0
