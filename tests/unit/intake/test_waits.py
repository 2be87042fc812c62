"""What waits is found by what it waits for: nothing else of it is read, however much waits."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from msgspec import structs

from threadwell.fhir.json import decode
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import Intake, close_session, import_messages, quarantine
from threadwell.intake.adding import add_address
from threadwell.intake.commits.looked import keep_looked
from threadwell.intake.releasing import dismiss_held, hold_again, release_held
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.memory import MemoryStore

ANA, BEN = "+12125550111", "+12125550133"
COUPLE, STRANGER = "+12125550155", "+12125550199"


class Counting(MemoryStore):
    """A store that counts what is read of it: resources and private values."""

    def __init__(self):
        super().__init__()
        self.read_of = 0

    async def read_many(self, project, keys):
        found = await super().read_many(project, keys)
        self.read_of += len(found)
        return found

    async def search(self, project, query):
        page = await super().search(project, query)
        self.read_of += len(page.matches)
        return page

    async def changes(self, project, after, count):
        found = await super().changes(project, after, count)
        self.read_of += len(found)
        return found

    async def get_private_many(self, kind, names):
        found = await super().get_private_many(kind, names)
        self.read_of += len(found)
        return found

    async def list_private(self, kind, *, after="", count=None):
        found = await super().list_private(kind, after=after, count=count)
        self.read_of += len(found)
        return found


class Desk:
    """A practice in which many messages wait, and whoever changes things over FHIR."""

    def __init__(self, practice, sms):
        self.practice, self.sms = practice, sms
        practice.store = self.store = Counting()
        for id_, phone in (("ana", ANA), ("ole", COUPLE), ("nia", COUPLE)):
            practice.patient(id_, phone, given=id_)
        for id_ in ("q", "w"):
            practice.put("Practitioner", id_, telecom=[{"value": f"{id_}@example.org"}])
        self.intake = Intake(
            self.store, DEFAULT_PROJECT, self._settings, clock=lambda: practice.now
        )

    async def _settings(self):
        return self.practice.settings

    def crowd(self, count):
        """So many messages that wait for each of what there is to wait for."""
        sms, q, w = self.sms, *(Address(AddressKind.EMAIL, f"{x}@example.org") for x in "qw")
        for n in range(count):
            yield sms(f"s{n}", "08:00", phone=f"+1212556{n:04}")
            yield sms(f"c{n}", f"08:{n % 60:02}", f"no {n}", phone=COUPLE)
            yield replace(sms(f"f{n}", "09:00"), sent=datetime(2025, 1, 1, 0, n % 60, tzinfo=UTC))
            yield replace(sms(f"p{n}", "10:00"), sender=q, recipients=(w,))

    async def held(self):
        return await quarantine(self.store, DEFAULT_PROJECT)

    async def task(self, **elements):
        """Somebody changes the one Task that is there over FHIR; ``None`` takes an element away."""
        before = await self.store.read(DEFAULT_PROJECT, "Task", self.id)
        body = decode(before.body)
        body = {k: v for k, v in (body | elements).items() if v is not None}
        resource, written = stamp(body, self.id, new_id(2), 2)
        version = resource["meta"]["versionId"]
        write = Write("Task", self.id, version, 2, resource, written, before)
        await self.store.commit(DEFAULT_PROJECT, ChangeSet((write,)))

    async def patient(self, id_, *phones, delete=False):
        before = await self.store.read(DEFAULT_PROJECT, "Patient", id_)
        body = {"resourceType": "Patient", "telecom": [{"value": one} for one in phones]}
        resource, written = stamp(body, id_, new_id(3), 3)
        version = resource["meta"]["versionId"]
        write = Write("Patient", id_, version, 3, resource, written, before)
        if delete:
            write = structs.replace(write, resource=None, body=b"")
        await self.store.commit(DEFAULT_PROJECT, ChangeSet((write,)))


@pytest.fixture
def desk(practice, sms):
    return Desk(practice, sms)


async def _message(desk):
    await desk.intake.take([desk.sms("z", "12:00")])


async def _strangers(desk):
    await desk.intake.take([desk.sms("z", "12:00", phone=STRANGER)])


async def _of_couple(desk):
    await desk.intake.take([desk.sms("z", "12:00", "again", phone=COUPLE)])


async def _new_patient(desk):
    await desk.patient("new", "+12125560001")
    report = await desk.intake.look()
    assert report.replayed == 1


async def _answer_whose(desk):
    address = Address(AddressKind.PHONE, "+12125560001")
    added = await add_address(desk.practice.seat(), address, ["Patient/ana"])
    assert added.report.replayed == 1


async def _close(desk):
    (session,) = [
        one.stored.id
        for one in await desk.store.changes(DEFAULT_PROJECT, 0, 10_000)
        if one.stored.type == "Encounter"
    ][:1]
    desk.store.read_of = 0
    await close_session(desk.practice.seat(), f"Encounter/{session}")


async def _dismiss(desk):
    task = desk.some
    await dismiss_held(desk.practice.seat(), [task])
    await hold_again(desk.practice.seat(), [task])
    report = await release_held(desk.practice.seat(), [task])
    assert report.replayed == 0


@pytest.mark.parametrize(
    "act", [_message, _strangers, _of_couple, _new_patient, _answer_whose, _close, _dismiss]
)
def test_what_is_read_does_not_grow_with_what_waits(practice, sms, act):
    def reads(count):
        desk = Desk(practice, sms)

        async def run():
            await desk.intake.take(desk.crowd(count))
            await desk.intake.take([sms("y", "11:00")])
            held = await desk.held()
            assert len(held) == 4 * count
            desk.some = next(one.task for one in held if one.reason == "unknown-sender")
            await desk.intake.look()
            await keep_looked(
                desk.store, DEFAULT_PROJECT, await desk.store.position(DEFAULT_PROJECT)
            )
            desk.store.read_of = 0
            await act(desk)
            return desk.store.read_of

        return asyncio.run(run())

    few = reads(5)
    assert 0 < few < 100
    assert reads(40) <= few


async def _import(desk):
    report = await import_messages(
        Seat(desk.store, DEFAULT_PROJECT, desk.practice.settings, clock=lambda: desk.practice.now),
        [],
    )
    assert report.replayed == 0


def test_a_second_import_reads_nothing_of_what_waits(practice, sms):
    def reads(count):
        desk = Desk(practice, sms)

        async def run():
            await desk.intake.take(desk.crowd(count))
            await _import(desk)
            place = await desk.store.position(DEFAULT_PROJECT)
            await keep_looked(desk.store, DEFAULT_PROJECT, place)
            desk.store.read_of = 0
            await _import(desk)
            assert desk.store.read_of < 30
            await desk.patient("new", "+12125560001")
            settings, clock = desk.practice.settings, lambda: desk.practice.now
            report = await import_messages(
                Seat(desk.store, DEFAULT_PROJECT, settings, clock=clock), []
            )
            assert report.replayed == 1
            return desk.store.read_of

        return asyncio.run(run())

    # Where a list ends, up to two values behind it are read, too.
    assert max(reads(5), reads(30)) < 40


def run(test):
    def _run(desk, sms):
        asyncio.run(test(desk, sms))

    return _run


@run
async def test_a_task_that_people_close_and_open_again_waits_as_it_says(desk, sms):
    await desk.intake.take([sms("a", "08:00", phone=STRANGER)])
    desk.id = (await desk.held())[0].task.removeprefix("Task/")
    await desk.task(status="cancelled")
    await desk.patient("new", STRANGER)
    assert (await desk.intake.look()).replayed == 0
    await desk.task(status="requested")
    assert (await desk.intake.look()).replayed == 1


@run
async def test_a_task_is_found_that_people_opened_again_before_the_address_is_anybodys(desk, sms):
    await desk.intake.take([sms("a", "08:00", phone=STRANGER)])
    desk.id = (await desk.held())[0].task.removeprefix("Task/")
    await desk.task(status="cancelled")
    await desk.intake.look()
    await desk.task(status="requested")
    await desk.intake.look()
    await desk.patient("new", STRANGER)
    assert (await desk.intake.look()).replayed == 1


@pytest.mark.parametrize("delete", [False, True])
def test_an_address_that_is_shared_no_longer_lets_in(desk, sms, delete):
    async def test():
        await desk.intake.take([sms("a", "08:00", phone=COUPLE)])
        await desk.patient("nia", delete=delete)
        assert (await desk.intake.look()).replayed == 1
        assert await desk.held() == []

    asyncio.run(test())


@run
async def test_a_day_that_has_come_lets_in_live(desk, sms):
    await desk.intake.take([replace(sms("a", "08:00"), sent=datetime(2024, 6, 3, tzinfo=UTC))])
    desk.practice.now += 3 * 86_400_000
    assert (await desk.intake.look()).replayed == 1


@run
async def test_a_store_of_an_earlier_build_is_gone_through_once(desk, sms):
    await desk.intake.take(desk.crowd(3))
    for kind in ("awaited", "awaits", "asked", "unsettled", "found-by-address"):
        for name in await desk.store.list_private(kind):
            await desk.store.put_private(kind, name, None)
    await desk.patient("new", "+12125560001")
    settings, clock = desk.practice.settings, lambda: desk.practice.now
    report = await import_messages(Seat(desk.store, DEFAULT_PROJECT, settings, clock=clock), [])
    assert report.replayed == 1
    await desk.patient("other", "+12125560002")
    assert (await desk.intake.look()).replayed == 1
    assert len(await desk.held()) == 10
