"""Sessions that are over though nobody writes any more: each circle has a timer, which goes off."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from threadwell.app import open_store
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake import (
    Intake,
    close_session,
    import_messages,
    import_people,
    parse_options,
    recut,
    reopen_session,
    verify,
)
from threadwell.intake import run as running
from threadwell.intake.commits import marks, timers
from threadwell.intake.seat import Seat
from threadwell.intake.silences import finish_silent
from threadwell.stores.contract import DEFAULT_PROJECT

ANA, BEN = "+12125550111", "+12125550133"
HOUR = 3_600_000


def at(time):
    """Milliseconds since 1970 of a time of 2024, as ``04-10 08:00``."""
    moment = datetime.fromisoformat(f"2024-{time}").replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


class Clinic:
    """A store with two patients, and the time there."""

    def __init__(self, store, settings):
        self.store = store
        self.settings = settings
        self.now = at("04-10 10:00")

    def clock(self):
        return self.now

    async def take(self, *messages):
        await import_messages(
            Seat(self.store, DEFAULT_PROJECT, self.settings, clock=self.clock), messages
        )

    async def asked(self):
        return self.settings

    async def finish(self, time=None):
        self.now = at(time) if time else self.now
        return await finish_silent(self.store, DEFAULT_PROJECT, self.asked, clock=self.clock)

    async def timers(self):
        """When the timers go off, in order."""
        every = await timers.timers(self.store, DEFAULT_PROJECT, 2**63, count=100)
        return [one.at / 1000 for one in every]

    async def sessions(self):
        page = await self.store.search(DEFAULT_PROJECT, Query("Encounter", count=100))
        return [decode(one.body) for one in page.matches]

    async def statuses(self):
        every = [one["status"] for one in await self.sessions()]
        return sorted(one for one in every if one != "entered-in-error")

    async def forget_timers(self):
        """Make the store what an earlier build would have left."""
        for kind in (timers.KIND, "silences-kept"):
            for name in await self.store.list_private(kind):
                await self.store.put_private(kind, name, None)
        for name, value in (await self.store.list_private(marks.KIND)).items():
            await self.store.put_private(marks.KIND, name, value.split()[0])


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "memory":
        return ":memory:"
    return (
        str(tmp_path / "x.db")
        if request.param == "sqlite"
        else request.getfixturevalue("empty_postgres_url")
    )


@pytest.fixture
def scenario(url, practice):
    """Runs a scenario in such a clinic; whatever it does, the record keeps the pattern."""

    def run(act, **options):
        async def within():
            store = open_store(url)
            rows = [
                {"kind": "patient", "id": id_, "family": id_, "phone": phone}
                for id_, phone in (("ana", ANA), ("ben", BEN))
            ]
            await import_people(store, DEFAULT_PROJECT, rows)
            clinic = Clinic(store, replace(practice.settings, **options))
            await act(clinic)
            assert await verify(store, DEFAULT_PROJECT) == []
            await store.close()

        asyncio.run(within())

    return run


@pytest.mark.parametrize(
    ("options", "ends"),
    [
        ({"policy": "inactivity-gap"}, "04-10 15:00"),
        ({"policy": "per-day"}, "04-11 00:00"),
        ({"policy": "per-day", "scope": "patient"}, "04-11 00:00"),
        ({"policy": "per-day", "options": parse_options(zone="Asia/Tokyo")}, "04-10 15:00"),
        ({"policy": "per-thread"}, "05-10 09:00"),
        ({"policy": "explicit", "opening": ("open",)}, "04-10 15:00"),
        ({"policy": "explicit", "opening": ("never said",)}, "04-10 15:00"),
    ],
)
def test_a_session_is_finished_when_its_time_has_come(scenario, sms, options, ends):
    async def act(clinic):
        await clinic.take(sms("a", "08:00", "open"), sms("b", "09:00"))
        assert await clinic.timers() == [at(ends)]
        left = await clinic.finish()
        assert left == pytest.approx((at(ends) - clinic.now) / 1000)
        before = await clinic.sessions()
        clinic.now = at(ends) - 1
        assert await clinic.finish() == pytest.approx(0.001)
        assert await clinic.sessions() == before
        # The machine was off meanwhile: what is over is over.
        clinic.now = at(ends) + 50 * HOUR
        assert await clinic.finish() is None
        assert await clinic.timers() == []
        assert set(await clinic.statuses()) <= {"finished"}
        headers = await clinic.store.search(DEFAULT_PROJECT, Query("Communication", count=100))
        bodies = [decode(one.body) for one in headers.matches]
        assert {one["status"] for one in bodies if "partOf" not in one} == {"completed"}

    scenario(act, **options)


def test_each_circle_has_one_timer_that_goes_with_it(scenario, sms):
    async def act(clinic):
        await clinic.take(sms("a", "08:00"), sms("b", "09:00", phone=BEN))
        assert await clinic.timers() == [at("04-10 14:00"), at("04-10 15:00")]
        await clinic.take(sms("c", "09:30"))
        assert await clinic.timers() == [at("04-10 15:00"), at("04-10 15:30")]
        # What comes late, and belongs before, changes nothing about the end.
        await clinic.take(sms("d", "08:30"))
        assert await clinic.timers() == [at("04-10 15:00"), at("04-10 15:30")]
        assert await clinic.finish("04-10 15:10") == pytest.approx(1200)
        assert await clinic.statuses() == ["finished", "in-progress"]
        # A message goes on with a session that was finished, as it was written before its end.
        await clinic.take(sms("e", "14:00", phone=BEN))
        assert await clinic.timers() == [at("04-10 15:30"), at("04-10 20:00")]
        assert await clinic.finish("04-10 23:00") is None
        assert await clinic.statuses() == ["finished", "finished"]

    scenario(act, policy="inactivity-gap")


def test_acts_and_other_settings_set_timers_anew(scenario, sms):
    async def act(clinic):
        await clinic.take(sms("a", "08:00"))
        (session,) = await clinic.sessions()
        name = f"Encounter/{session['id']}"
        seat = Seat(clinic.store, DEFAULT_PROJECT, clinic.settings, clock=clinic.clock)
        await close_session(seat, name)
        assert await clinic.timers() == []
        clinic.now = at("04-10 12:00")
        await reopen_session(seat, name)
        assert await clinic.timers() == [at("04-10 18:00")]
        for options, ends in (
            ({"options": parse_options(gap="3h")}, "04-10 15:00"),
            ({"policy": "per-thread"}, "05-10 08:00"),
            ({"policy": "per-day"}, "04-11 00:00"),
        ):
            clinic.settings = replace(seat.settings, **options)
            await recut(Seat(clinic.store, DEFAULT_PROJECT, clinic.settings, clock=clinic.clock))
            assert await clinic.timers() == [at(ends)]

    scenario(act, policy="inactivity-gap")


def test_a_live_intake_sets_them_and_finishes_by_them(scenario, sms):
    async def act(clinic):
        intake = Intake(clinic.store, DEFAULT_PROJECT, clinic.asked, clock=clinic.clock)
        await intake.take([sms("a", "08:00")])
        await intake.take([sms("b", "08:10"), sms("c", "09:00", phone=BEN)])
        assert await clinic.timers() == [at("04-10 14:10"), at("04-10 15:00")]
        clinic.now = at("04-10 14:30")
        await intake.finish()
        assert await clinic.timers() == [at("04-10 15:00")]
        assert await clinic.statuses() == ["finished", "in-progress"]
        # Another process does the duty, and this one goes on.
        assert await clinic.finish("04-10 16:00") is None
        await intake.take([sms("d", "15:55", phone=BEN)])
        assert await clinic.timers() == [at("04-10 21:55")]
        assert await clinic.statuses() == ["finished", "finished", "in-progress"]

    scenario(act, policy="inactivity-gap")


def test_a_store_of_an_earlier_build_gets_them_once(scenario, sms):
    async def act(clinic):
        await clinic.take(sms("a", "08:00"), sms("b", "09:00", phone=BEN))
        await clinic.forget_timers()
        before = await clinic.sessions()
        assert await clinic.finish() == pytest.approx(4 * 3600)
        assert await clinic.timers() == [at("04-10 14:00"), at("04-10 15:00")]
        assert await clinic.sessions() == before
        # Of one that was written by an earlier build once more the marker tells nothing.
        for name, value in (await clinic.store.list_private(marks.KIND)).items():
            await clinic.store.put_private(marks.KIND, name, value.split()[0])
        await clinic.take(sms("c", "09:30"))
        assert at("04-10 15:30") in await clinic.timers()
        assert await clinic.finish("04-10 15:10") == pytest.approx(1200)
        assert await clinic.timers() == [at("04-10 15:30")]
        assert await clinic.statuses() == ["finished", "in-progress"]
        await clinic.forget_timers()
        assert await clinic.finish("04-10 23:00") is None
        assert await clinic.statuses() == ["finished", "finished"]

    scenario(act, policy="inactivity-gap")


def test_a_clock_that_is_set_back_leaves_nothing_out(scenario, sms):
    async def act(clinic):
        await clinic.take(sms("a", "08:00"), sms("b", "09:00", phone=BEN))
        assert await clinic.finish("04-10 14:30") == pytest.approx(1800)
        assert await clinic.finish("04-10 13:00") == pytest.approx(7200)
        assert await clinic.statuses() == ["finished", "in-progress"]
        assert await clinic.finish("04-10 15:00") is None
        assert await clinic.statuses() == ["finished", "finished"]

    scenario(act, policy="inactivity-gap")


def test_those_who_do_it_at_once_finish_each_once(scenario, sms):
    async def act(clinic):
        phones = [f"+1212555{300 + n:04}" for n in range(12)]
        rows = [
            {"kind": "patient", "id": f"p{n}", "family": "x", "phone": phone}
            for n, phone in enumerate(phones)
        ]
        await import_people(clinic.store, DEFAULT_PROJECT, rows)
        await clinic.take(*(sms(f"m{n}", "08:00", phone=one) for n, one in enumerate(phones)))
        clinic.now = at("04-10 14:00")
        await asyncio.gather(*(clinic.finish() for _ in range(4)))
        assert await clinic.timers() == []
        assert await clinic.statuses() == ["finished"] * 12
        for session in await clinic.sessions():
            versions, total = await clinic.store.history(
                DEFAULT_PROJECT, "Encounter", session["id"], 10, 0
            )
            assert total == 2, versions

    scenario(act, policy="inactivity-gap")


def test_one_that_cannot_be_finished_keeps_no_other(scenario, sms, monkeypatch):
    async def act(clinic):
        await clinic.take(sms("a", "08:00"), sms("b", "08:00", phone=BEN))
        plan = running.plan

        def broken(circle, rules):
            if any(one.external_id == "a" for one in circle.messages.values()):
                raise KeyError("what nobody must read in a log")
            return plan(circle, rules)

        monkeypatch.setattr(running, "plan", broken)
        with pytest.raises(KeyError):
            await clinic.finish("04-10 14:00")
        assert await clinic.statuses() == ["finished", "in-progress"]
        monkeypatch.setattr(running, "plan", plan)
        assert await clinic.finish() is None
        assert await clinic.statuses() == ["finished", "finished"]

    scenario(act, policy="inactivity-gap")


class Counting:
    """A store that counts what is asked of it."""

    def __init__(self, store):
        self._store = store
        self.asked = Counter()

    def __getattr__(self, name):
        found = getattr(self._store, name)

        async def counted(*arguments, **more):
            self.asked[name, more.get("count")] += 1
            return await found(*arguments, **more)

        return counted


def test_where_nothing_is_due_one_timer_is_read(scenario, sms):
    async def act(clinic):
        await clinic.take(sms("a", "08:00"), sms("b", "09:00", phone=BEN))
        there = clinic.store
        clinic.store = counting = Counting(there)
        await clinic.finish()
        assert counting.asked == {("get_private", None): 1, ("list_private", 1): 1}
        clinic.store = there

    scenario(act, policy="inactivity-gap")
