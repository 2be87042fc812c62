"""Messages that arrive live: one intake for years, and whatever others change counts at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from threadwell.encounters import codes
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import Intake, import_messages, import_people, recut, verify
from threadwell.intake.choices import Choices, keep_choices
from threadwell.intake.seat import Seat
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write

MOTHER = "+12125550122"
BEN = "+12125550133"


class Clinic:
    """A practice with one live intake and somebody who writes to its store."""

    def __init__(self, practice):
        self.practice = practice
        self.store = practice.store
        self.asked = 0
        self.intake = Intake(
            self.store, DEFAULT_PROJECT, self._settings, clock=lambda: practice.now
        )

    async def _settings(self):
        self.asked += 1
        return self.practice.settings

    async def take(self, *messages):
        return await self.intake.take(messages)

    async def write(self, type_, id_, change=None, **elements):
        """Write a resource, or what ``change`` makes of the stored one."""
        before = await self.store.read(DEFAULT_PROJECT, type_, id_)
        body = dict(decode(before.body)) if before and not before.deleted else {}
        for name in ("id", "meta"):
            body.pop(name, None)
        body |= {"resourceType": type_, **elements}
        now = self.practice.now
        resource, written = stamp(body, id_, new_id(now), now)
        write = Write(type_, id_, resource["meta"]["versionId"], now, resource, written, before)
        await self.store.commit(DEFAULT_PROJECT, ChangeSet((write,)))

    async def delete(self, type_, id_):
        before = await self.store.read(DEFAULT_PROJECT, type_, id_)
        now = self.practice.now
        write = Write(type_, id_, new_id(now), now, None, b"", before)
        await self.store.commit(DEFAULT_PROJECT, ChangeSet((write,)))

    async def patient(self, id_, *phones, **more):
        await self.write("Patient", id_, telecom=[{"value": one} for one in phones], **more)

    async def all(self, type_):
        page = await self.store.search(DEFAULT_PROJECT, Query(type_, count=1000))
        bodies = [decode(stored.body) for stored in page.matches]
        return [one for one in bodies if one.get("status") != "entered-in-error"]

    async def subjects(self):
        return sorted(
            one.get("subject", {}).get("reference", "") for one in await self.all("Encounter")
        )


@pytest.fixture
def clinic(practice):
    practice.patient("ben", BEN, given="Ben")
    practice.mother_of("Leo", "Mia", phone=MOTHER)
    return Clinic(practice)


def scenario(test):
    def run(clinic, sms):
        async def checked():
            await test(clinic, sms)
            assert await verify(clinic.store, DEFAULT_PROJECT) == []

        asyncio.run(checked())

    return run


@scenario
async def test_batches_grow_one_session(clinic, sms):
    for n in range(10):
        report = await clinic.take(sms(str(n), f"{8 + n:02}:00"))
        assert (report.counts.new, report.counts.read) == (1, 1)
    again = await clinic.take(*(sms(str(n), f"{8 + n:02}:00") for n in range(10)))
    assert (again.counts.known, again.counts.new) == (10, 0)
    (session,) = await clinic.all("Encounter")
    assert session["period"]["end"] == "2024-04-10T17:00:00Z"
    assert (clinic.intake.refused, clinic.asked) == (0, 1)


@scenario
async def test_a_new_phone_counts_for_the_next_message(clinic, sms):
    held = await clinic.take(sms("a", "08:00", phone="+12125550199"))
    assert held.reasons == {"unknown-sender": 1}
    await clinic.write("Patient", "ben", telecom=[{"value": "+12125550199"}])
    report = await clinic.take(sms("b", "09:00", phone="+12125550199"))
    assert (report.counts.new, report.replayed) == (1, 1)
    report = await clinic.take(sms("c", "09:00", phone=BEN))
    assert report.reasons == {"unknown-sender": 1}
    assert await clinic.subjects() == ["Patient/ben"]


@scenario
async def test_a_phone_that_moves_counts_for_the_next_message(clinic, sms):
    await clinic.take(sms("a", "08:00", phone=BEN))
    await clinic.patient("ben", "+12125550198")
    await clinic.patient("eva", BEN)
    await clinic.take(sms("b", "09:00", phone=BEN))
    assert await clinic.subjects() == ["Patient/ben", "Patient/eva"]


@scenario
async def test_a_phone_that_is_shared_by_now_is_asked_about(clinic, sms):
    await clinic.take(sms("a", "08:00", phone=BEN))
    await clinic.patient("eva", BEN)
    report = await clinic.take(sms("b", "09:00", phone=BEN))
    assert report.reasons == {"shared-address": 1}
    await clinic.delete("Patient", "eva")
    assert (await clinic.intake.look()).replayed == 1


@scenario
async def test_a_name_counts_from_the_next_message_on(clinic, sms):
    await clinic.take(sms("a", "08:00", "hello", phone=MOTHER))
    await clinic.write("Patient", "leo", name=[{"given": ["Zacharias"]}])
    await clinic.take(sms("b", "09:00", "Zacharias has a fever", phone=MOTHER))
    assert await clinic.subjects() == ["Patient/leo"]


@scenario
async def test_a_subject_that_somebody_changed_counts(clinic, sms):
    await clinic.take(sms("a", "08:00", "Leo coughs", phone=MOTHER))
    (session,) = await clinic.all("Encounter")
    await clinic.write("Encounter", session["id"], subject={"reference": "Patient/mia"})
    report = await clinic.take(sms("b", "09:00", phone=BEN))
    assert report.corrected == 1
    await clinic.take(sms("c", "10:00", "and how much of it?", phone=MOTHER))
    assert await clinic.subjects() == ["Patient/ben", "Patient/mia"]


@scenario
async def test_what_others_add_to_a_session_stays(clinic, sms):
    await clinic.take(sms("a", "08:00"))
    (session,) = await clinic.all("Encounter")
    await clinic.write("Encounter", session["id"], reasonCode=[{"text": "knee"}])
    await clinic.take(sms("b", "09:00"))
    (session,) = await clinic.all("Encounter")
    assert session["reasonCode"] == [{"text": "knee"}]
    assert session["period"]["end"] == "2024-04-10T09:00:00Z"
    assert clinic.intake.refused == 0


@scenario
async def test_a_billed_session_is_locked_from_the_next_message_on(clinic, sms):
    await clinic.take(sms("a", "08:00"))
    (session,) = await clinic.all("Encounter")
    tagged = {"status": "finished", "meta": {"tag": [codes.BILLED]}}
    await clinic.write("Encounter", session["id"], **tagged)
    report = await clinic.take(sms("b", "09:00"))
    assert report.reasons == {"locked-session": 1}


@scenario
async def test_a_deleted_header_is_made_again(clinic, sms):
    await clinic.take(sms("a", "08:00"))
    (header,) = [one for one in await clinic.all("Communication") if "partOf" not in one]
    await clinic.delete("Communication", header["id"])
    await clinic.take(sms("b", "09:00"))
    assert len([one for one in await clinic.all("Communication") if "partOf" in one]) == 2
    (session,) = await clinic.all("Encounter")
    assert session["period"]["start"] == "2024-04-10T08:00:00Z"


@scenario
async def test_an_import_in_between_counts(clinic, sms):
    await clinic.take(sms("a", "08:00"))
    practice = clinic.practice
    await import_messages(
        Seat(clinic.store, DEFAULT_PROJECT, practice.settings, clock=lambda: practice.now),
        [sms("b", "12:00")],
    )
    await clinic.take(sms("c", "09:00"))
    (session,) = await clinic.all("Encounter")
    assert session["period"]["end"] == "2024-04-10T12:00:00Z"


@scenario
async def test_imported_people_release_what_waits(clinic, sms):
    await clinic.take(sms("a", "08:00", phone="+12125550177"))
    row = {"kind": "patient", "id": "9", "family": "Sol", "phone": "+12125550177"}
    await import_people(clinic.store, DEFAULT_PROJECT, [row])
    assert (await clinic.intake.look()).replayed == 1


@scenario
async def test_sessions_that_are_cut_anew_are_so_for_the_next_message(clinic, sms):
    practice = clinic.practice
    await keep_choices(clinic.store, DEFAULT_PROJECT, Choices())
    await clinic.take(sms("a", "01:00"), sms("b", "10:00"))
    assert len(await clinic.all("Encounter")) == 1
    practice.settings = replace(practice.settings, policy="inactivity-gap")
    await keep_choices(clinic.store, DEFAULT_PROJECT, Choices(policy="inactivity-gap"))
    await recut(Seat(clinic.store, DEFAULT_PROJECT, practice.settings, clock=lambda: practice.now))
    await clinic.take(sms("c", "20:00"))
    assert len(await clinic.all("Encounter")) == 3


@scenario
async def test_what_was_chosen_during_a_batch_counts_for_it(clinic, sms):
    """The choice comes between the look and the commit: the batch is refused for it."""
    practice = clinic.practice
    await keep_choices(clinic.store, DEFAULT_PROJECT, Choices())
    await clinic.take(sms("0", "07:00", phone=BEN))
    commit = clinic.store.commit

    async def commit_late(project, change_set):
        clinic.store.commit = commit
        practice.settings = replace(practice.settings, policy="inactivity-gap")
        await keep_choices(clinic.store, DEFAULT_PROJECT, Choices(policy="inactivity-gap"))
        await commit(project, change_set)

    clinic.store.commit = commit_late
    report = await clinic.take(sms("a", "01:00"), sms("b", "10:00"))
    assert report.counts.new == 2
    assert len(await clinic.all("Encounter")) == 3


@scenario
async def test_sessions_are_finished_by_the_clock(clinic, sms):
    practice = clinic.practice
    practice.settings = replace(practice.settings, policy="inactivity-gap")
    practice.now = 1_712_743_200_000  # 2024-04-10T10:00Z
    await clinic.take(sms("a", "08:00"))
    assert [one["status"] for one in await clinic.all("Encounter")] == ["in-progress"]
    practice.now += 86_400_000
    await clinic.intake.finish()
    assert [one["status"] for one in await clinic.all("Encounter")] == ["finished"]


@scenario
async def test_a_store_that_fails_loses_nothing(clinic, sms):
    await clinic.take(sms("a", "08:00"))
    commit = clinic.store.commit

    async def fail(project, change_set):
        clinic.store.commit = commit
        raise OSError("no space")

    clinic.store.commit = fail
    with pytest.raises(OSError, match="no space"):
        await clinic.take(sms("b", "09:00"))
    assert (await clinic.take(sms("b", "09:00"))).counts.new == 1
