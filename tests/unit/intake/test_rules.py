"""Rules run over what happens: once each, and each run is there to be seen."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from threadwell.app import channel_labels, live_channels, open_store
from threadwell.channels.account import Account
from threadwell.channels.live import Wish, Wished
from threadwell.encounters import codes
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.fhir.validation import validate
from threadwell.intake import BadRules, import_messages, patience, verify
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.consents import keep_wishes
from threadwell.intake.choices import Choices, keep_choices
from threadwell.intake.patience import Contended
from threadwell.intake.practice import kept_settings
from threadwell.intake.replies.outbox import waiting
from threadwell.intake.replies.saved import filled, save_reply
from threadwell.intake.replies.writing import reply
from threadwell.intake.rulebook.events import EVENTS, TIMERS
from threadwell.intake.rules import running
from threadwell.intake.rules.cases import load_case
from threadwell.intake.rules.running import Runner
from threadwell.intake.rules.runs import runs, runs_about
from threadwell.intake.rules.setting import set_rules
from threadwell.intake.rules.trying import try_rules
from threadwell.intake.seat import Seat
from threadwell.intake.silences import finish_silent
from threadwell.intake.todos.acting import claim
from threadwell.intake.todos.listing import waiting_threads
from threadwell.messages import Address, AddressKind, Message
from threadwell.messages.automatic import AUTOMATIC_REPLY
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Conflict, Key, Write

P = DEFAULT_PROJECT
OFFICE = Address(AddressKind.PHONE, "+12125550100")
ANA = Address(AddressKind.PHONE, "+12125550121")
#: A Wednesday.
NINE = int(datetime(2024, 4, 10, 9, tzinfo=UTC).timestamp() * 1000)
HOUR = 3_600_000


class Desk:
    """A practice with an account at Twilio, its patient Ana, and the time there."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.now = NINE - HOUR

    def clock(self) -> int:
        return self.now

    async def begin(self, rules: str) -> None:
        await keep_choices(self.store, P, Choices(zone="UTC"))
        values = {"account_sid": "AC" + "0" * 32, "auth_token": "token"}
        account = Account("desk", "twilio", (OFFICE,), values)
        await keep_account(self.store, P, account, clock=self.clock)
        await self.put("Practitioner", "dana", name=[{"given": ["Dana"]}])
        point = {"system": "phone", "value": ANA.value}
        await self.put("Patient", "ana", name=[{"given": ["Ana"]}], telecom=[point])
        seat = Seat(self.store, P, await self.settings())
        await save_reply(seat, "closed", "Hello {{patient.given|there}}, we are back at 8.")
        await set_rules(self.store, P, rules, clock=self.clock)
        self.now = NINE

    async def put(self, type_: str, id_: str, **members: Any) -> None:
        resource, body = stamp({"resourceType": type_, **members}, id_, new_id(1), 1)
        version = resource["meta"]["versionId"]
        await self.store.commit(P, ChangeSet((Write(type_, id_, version, 1, resource, body),)))

    async def settings(self) -> Any:
        return await kept_settings(self.store, P, channel_labels())

    async def write(
        self, id_: str, text: str = "hello", *, ago: int = 0, who: Address = ANA, **more: Any
    ) -> None:
        """Ana writes, or somebody else, so many minutes ago."""
        sent = datetime.fromtimestamp(self.now / 1000, UTC) - timedelta(minutes=ago)
        thread = f"{who.value},{OFFICE.value}"
        message = Message(
            *("twilio", id_, who, (OFFICE,), sent, text, text, thread),
            medium="SMSWRIT",
            made_id=True,
            ours=(OFFICE,),
            **more,
        )
        await import_messages(
            Seat(self.store, P, await self.settings(), clock=self.clock), [message]
        )

    async def answer(self) -> None:
        [one] = await waiting_threads(self.store, P)
        await reply(
            Seat(self.store, P, await self.settings(), clock=self.clock),
            one.thread,
            "Yes.",
            live_channels(),
            sender="Practitioner/dana",
        )

    def runner(self, store: Any = None) -> Runner:
        return Runner(store or self.store, P, self.settings, live_channels(), clock=self.clock)

    async def round(self) -> float | None:
        return await self.runner().round()

    async def done(self) -> list[tuple[str, str]]:
        """What was done by which rule, in order."""
        found = await runs(self.store, P)
        return [(one.rule, "; ".join(one.done)) for one in reversed(found)]

    async def all(self, type_: str) -> list[Any]:
        page = await self.store.search(P, Query(type_, count=1000))
        return [decode(one.body) for one in page.matches]

    async def todo(self) -> Any:
        return next(
            one for one in await self.all("Task") if one["code"]["coding"][0]["code"] == "respond"
        )

    async def texts(self) -> list[str]:
        """What the practice wrote, in the order of time."""
        lines = [one for one in await self.all("Communication") if "partOf" in one]
        ours = [one for one in lines if not one["sender"]["reference"].startswith("Patient/")]
        return [one["payload"][0]["contentString"] for one in sorted(ours, key=lambda o: o["sent"])]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "memory":
        return ":memory:"
    if request.param == "sqlite":
        return str(tmp_path / "x.db")
    there: str = request.getfixturevalue("postgres_url")
    return there


def at_desk(rules: str, act: Any, url: str = ":memory:") -> None:
    async def within() -> None:
        desk = Desk(open_store(url))
        await desk.begin(rules)
        await act(desk)
        for event in await desk.all("AuditEvent"):
            assert validate(event) == []
        assert await verify(desk.store, P) == []
        await desk.store.close()

    asyncio.run(within())


EVERYTHING = """
[answers]
within = "2h"

[hours]
mon-fri = "08:00-17:00"

[[rule]]
name = "refill"
when.event = "message"
when.words = ["refill", "prescription"]
then.pool = "https://clinic.example.org/pools|pharmacy|Pharmacy"
then.priority = "urgent"
then.tag = "refill"

[[rule]]
name = "out-of-hours"
when.event = "message"
when.hours = "closed"
unless.words = "stop writing"
then.reply = "closed"

[[rule]]
name = "welcome"
when.event = "thread-opened"
when.patient = "new"
then.tag = "new-patient"

[[rule]]
name = "slow"
when.event = "unanswered"
when.after = "4h"
unless.claimed = true
then.remind = true
then.priority = "urgent"

[[rule]]
name = "over"
when.event = "session-closed"
then.tag = "over"
"""


def test_a_message_of_words_goes_to_its_pool(url: str) -> None:
    async def act(desk: Desk) -> None:
        await desk.write("1", "May I have a REFILL please")
        seconds = await desk.round()
        assert seconds == 4 * 3600
        task = await desk.todo()
        assert task["performerType"][0]["coding"][0]["code"] == "pharmacy"
        assert task["priority"] == "urgent"
        assert task["restriction"]["period"]["end"] == "2024-04-10T11:00:00Z"
        [header] = [c for c in await desk.all("Communication") if "partOf" not in c]
        assert {one["code"] for one in header["meta"]["tag"]} == {"refill", "new-patient"}
        done = dict(await desk.done())
        assert done == {
            "refill": "tagged refill; given to Pharmacy; priority urgent",
            "welcome": "tagged new-patient",
        }
        # Nothing runs twice, and what people and rules have said outlives the next message.
        await desk.write("2", "and my refills?")
        await desk.round()
        assert len(await desk.done()) == 2
        assert (await desk.todo())["priority"] == "urgent"
        assert [one.rule for one in await runs(desk.store, P, rule="refill")] == ["refill"]
        found = await runs_about(desk.store, P, f"Communication/{header['id']}")
        assert [one.rule for one in found] == ["refill", "welcome"]

    at_desk(EVERYTHING, act, url)


def test_out_of_hours_a_saved_reply_goes_out_once_a_night(url: str) -> None:
    async def act(desk: Desk) -> None:
        desk.now = NINE + 10 * HOUR
        await desk.write("1", "anybody there?")
        await desk.round()
        assert await desk.texts() == ["Hello Ana, we are back at 8."]
        [queued] = await waiting(desk.store, P)
        assert queued.entry.channel == "twilio"
        assert (await desk.todo())["status"] == "requested"
        desk.now += HOUR
        await desk.write("2", "hello?")
        await desk.round()
        assert await desk.texts() == ["Hello Ana, we are back at 8."]
        assert (await desk.done())[-1] == (
            "out-of-hours",
            "no reply closed: something was sent by itself less than 12 hours ago",
        )
        await desk.write("3", "please stop writing")
        await desk.round()
        assert len([one for one in await desk.done() if one[0] == "out-of-hours"]) == 2
        desk.now += 13 * HOUR + 12 * HOUR
        await desk.write("4", "me again")
        await desk.round()
        assert len(await desk.texts()) == 2

    at_desk(EVERYTHING, act, url)


def test_nothing_goes_by_itself_to_machines_or_to_whoever_wants_nothing() -> None:
    async def act(desk: Desk) -> None:
        desk.now = NINE + 10 * HOUR
        await desk.write("1", "I am out of the office", notes=(AUTOMATIC_REPLY,))
        await desk.write("2", "Liked “See you”")
        await desk.write("3", "an old one", ago=90)
        await desk.round()
        assert await desk.texts() == []
        sent = datetime.fromtimestamp(desk.now / 1000, UTC)
        stop = Wished("twilio", "SM9", ANA, OFFICE, Wish.STOP, sent)
        await keep_wishes(desk.store, P, [stop])
        await desk.write("4", "a new one")
        await desk.round()
        told = [done for rule, done in await desk.done() if rule == "out-of-hours"]
        assert [one.partition(": ")[2] for one in told] == [
            "the message is older than an hour",
            "the recipient has said STOP: nothing may be sent until START",
        ]
        assert await desk.texts() == []

    at_desk(EVERYTHING, act)


def test_a_message_that_waits_too_long_is_told_of_once(url: str) -> None:
    async def act(desk: Desk) -> None:
        desk.now = NINE + 7 * HOUR
        await desk.write("1")
        # An hour of today, and three of tomorrow.
        assert await desk.round() == 19 * 3600
        desk.now += 19 * HOUR
        assert await desk.round() is None
        task = await desk.todo()
        assert (task["priority"], task["businessStatus"]["coding"][0]["code"]) == (
            "urgent",
            "reminded",
        )
        assert "Nobody has answered yet" in task["note"][0]["text"]
        assert await desk.round() is None
        assert Counter(rule for rule, _ in await desk.done())["slow"] == 1
        await desk.answer()
        task = await desk.todo()
        assert task["businessStatus"]["coding"][0]["code"] == "answered"
        desk.now += HOUR
        await desk.write("2")
        task = await desk.todo()
        assert "priority" not in task
        assert "businessStatus" not in task

    at_desk(EVERYTHING, act, url)


@pytest.mark.parametrize("how", ["answered", "claimed", "rules dropped"])
def test_what_is_taken_care_of_is_not_told_of(how: str) -> None:
    async def act(desk: Desk) -> None:
        await desk.write("1")
        await desk.round()
        if how == "answered":
            await desk.answer()
        elif how == "claimed":
            [one] = await waiting_threads(desk.store, P)
            seat = Seat(desk.store, P, await desk.settings(), clock=desk.clock)
            await claim(seat, one.task, "Practitioner/dana")
        else:
            await set_rules(desk.store, P, "", clock=desk.clock)
        desk.now += 5 * HOUR
        assert await desk.round() is None
        assert "slow" not in dict(await desk.done())
        assert await desk.store.list_private(TIMERS) == {}

    at_desk(EVERYTHING, act)


def test_what_waits_already_has_its_timer_once_rules_are_set() -> None:
    async def act(desk: Desk) -> None:
        await desk.write("1")
        await desk.round()
        assert await desk.store.list_private(TIMERS) == {}
        rules = '[[rule]]\nname = "slow"\nwhen.event = "unanswered"\nwhen.after = "1h"\n'
        await set_rules(desk.store, P, rules + "then.remind = true\n", clock=desk.clock)
        desk.now += 2 * HOUR
        await desk.round()
        assert await desk.done() == [("slow", "reminded")]

    at_desk("", act)


def test_a_session_that_is_over_is_told_of(url: str) -> None:
    async def act(desk: Desk) -> None:
        await desk.write("1")
        await desk.round()
        desk.now += 24 * HOUR
        await finish_silent(desk.store, P, desk.settings, clock=desk.clock)
        await desk.round()
        [header] = [c for c in await desk.all("Communication") if "partOf" not in c]
        assert "over" in {one["code"] for one in header["meta"]["tag"]}
        assert dict(await desk.done())["over"] == "tagged over"

    at_desk(EVERYTHING, act, url)


def test_a_rule_closes_the_session() -> None:
    rules = (
        '[[rule]]\nname = "bye"\nwhen.event = "message"\nwhen.words = "bye"\nthen.close = true\n'
    )

    async def act(desk: Desk) -> None:
        await desk.write("1", "Bye!")
        desk.now += 1000
        await desk.round()
        [session] = await desk.all("Encounter")
        assert (session["status"], await desk.done()) == (
            "finished",
            [("bye", f"closed Encounter/{session['id']}")],
        )
        assert (await desk.todo())["businessStatus"]["coding"][0]["code"] == "closed"

    at_desk(rules, act)


def test_a_rule_names_a_reply_that_is_saved() -> None:
    async def act(desk: Desk) -> None:
        for name in ("welcome", "closed"):
            rules = (
                '[[rule]]\nname = "a"\nwhen.event = "message"\n'
                f'then.tag = "x"\nthen.reply = "{name}"\n'
            )
            if name == "closed":
                await set_rules(desk.store, P, rules)
                continue
            with pytest.raises(BadRules, match=r"line 5: rule\[1\].then.reply 'welcome' is no"):
                await set_rules(desk.store, P, rules)

    at_desk("", act)


def test_history_and_what_no_rule_is_about_keep_nothing() -> None:
    async def act(desk: Desk) -> None:
        await desk.write("1", ago=24 * 60)
        assert await desk.store.list_private(EVENTS) == {}
        await desk.write("2", "Liked “this”")
        assert await desk.store.list_private(EVENTS) == {}

    at_desk(EVERYTHING, act)


def test_eight_who_run_at_once_do_everything_once(url: str) -> None:
    async def act(desk: Desk) -> None:
        desk.now = NINE + 10 * HOUR
        await desk.write("1", "a refill, please")
        # Each with connections of its own, as another process has.
        stores = [desk.store if url == ":memory:" else open_store(url) for _ in range(8)]
        found = await asyncio.gather(
            *(desk.runner(one).round() for one in stores), return_exceptions=True
        )
        for one in stores:
            if one is not desk.store:
                await one.close()
        assert [one for one in found if isinstance(one, BaseException)] == []
        assert await desk.texts() == ["Hello Ana, we are back at 8."]
        assert Counter(rule for rule, _ in await desk.done()) == {
            "refill": 1,
            "out-of-hours": 1,
            "welcome": 1,
        }
        assert await desk.store.list_private(EVENTS) == {}

    at_desk(EVERYTHING, act, url)


class Killed(BaseException):
    """The process is gone."""


def test_a_run_that_is_broken_off_anywhere_does_nothing_twice() -> None:
    """At each commit in turn, before it and after it."""

    async def broken(desk: Desk, step: int, *, after: bool) -> bool:
        commit, count = desk.store.commit, 0

        async def dying(project: str, changes: Any) -> Any:
            nonlocal count
            count += 1
            if count == step and not after:
                raise Killed
            done = await commit(project, changes)
            if count == step:
                raise Killed
            return done

        desk.store.commit = dying
        try:
            await desk.round()
        except Killed:
            return True
        else:
            return False
        finally:
            desk.store.commit = commit

    for after in (False, True):
        for step in range(1, 9):

            async def act(desk: Desk, step: int = step, after: bool = after) -> None:
                desk.now = NINE + 10 * HOUR
                await desk.write("1", "a refill, please")
                await broken(desk, step, after=after)
                await desk.round()
                assert await desk.texts() == ["Hello Ana, we are back at 8."]
                assert len(await waiting(desk.store, P)) == 1
                done = dict(await desk.done())
                assert done["out-of-hours"].startswith("replied closed")
                assert set(done) == {"refill", "out-of-hours", "welcome"}

            at_desk(EVERYTHING, act)


def test_what_rules_would_have_done_with_what_is_stored() -> None:
    async def act(desk: Desk) -> None:
        await desk.write("1", "a refill, please")
        desk.now += 10 * HOUR
        await desk.answer()
        desk.now += HOUR
        await desk.write("2", "thank you")
        before = [await desk.all(one) for one in ("Task", "Communication", "AuditEvent")]
        from threadwell.intake.kept_rules import checked_rules

        rules = await checked_rules(desk.store, P, EVERYTHING)
        found = await try_rules(desk.store, P, rules, until=(desk.now + 1) * 1000)
        assert [(one.at[11:16], one.rule, one.done) for one in found] == [
            ("09:00", "refill", ("tag refill", "give to Pharmacy", "priority urgent")),
            ("09:00", "welcome", ("tag new-patient",)),
            ("13:00", "slow", ("priority urgent", "remind")),
            ("20:00", "out-of-hours", ("reply closed",)),
        ]
        assert before == [await desk.all(one) for one in ("Task", "Communication", "AuditEvent")]

    at_desk("", act)


def test_an_automatic_reply_names_the_practice_as_its_writer() -> None:
    async def act(desk: Desk) -> None:
        desk.now = NINE + 10 * HOUR
        office = {"system": "phone", "value": OFFICE.value}
        await desk.put("Organization", "lab", name="Laboratory")
        await desk.put("Organization", "ours", name="Harbour Lane", telecom=[office])
        await desk.write("1")
        await desk.round()
        lines = [one for one in await desk.all("Communication") if "partOf" in one]
        [ours] = [one for one in lines if one["sender"]["reference"].startswith("Organization/")]
        assert ours["sender"]["reference"] == "Organization/ours"
        assert ours["note"] == [{"text": "sent automatically"}]
        assert ours["identifier"][0]["system"] == codes.MESSAGE + "twilio"
        assert validate(ours) == []

    at_desk(EVERYTHING, act)


EACH = """
[[rule]]
name = "each"
when.event = "message"
then.note = "seen"

[[rule]]
name = "late"
when.event = "unanswered"
when.after = "30m"
then.remind = true
"""


def test_an_event_that_goes_wrong_keeps_no_other_one_waiting(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a timer nor what comes after it; and it is run over once it can be."""

    async def fails(store: Any, project: str, what: Any) -> Any:
        if what.at == NINE * 1000:
            raise KeyError
        return await load_case(store, project, what)

    async def act(desk: Desk) -> None:
        await desk.write("a")
        desk.now += 60_000
        await desk.write("b")
        desk.now += HOUR
        monkeypatch.setattr(running, "load_case", fails)
        for _ in range(2):
            with pytest.raises(KeyError):
                await desk.round()
            assert [one for one, _ in await desk.done()] == ["each", "late"]
        monkeypatch.setattr(running, "load_case", load_case)
        assert await desk.round() is None
        assert sorted(one for one, _ in await desk.done()) == ["each", "each", "late"]

    at_desk(EACH, act, url)


def test_what_others_keep_writing_to_waits_alone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what has happened in its thread since, in order; other threads wait for neither."""
    bea = Address(AddressKind.PHONE, "+12125550122")
    asked: list[str] = []

    async def meets(store: Any, project: str, what: Any) -> Any:
        case = await load_case(store, project, what)
        asked.append(what.message)
        if busy and what.at == NINE * 1000:
            raise Conflict(Key("Communication", what.thread))
        return case

    async def act(desk: Desk) -> None:
        point = {"system": "phone", "value": bea.value}
        await desk.put("Patient", "bea", name=[{"given": ["Bea"]}], telecom=[point])
        for id_, who in (("a", ANA), ("b", ANA), ("c", bea)):
            await desk.write(id_, who=who)
            desk.now += 60_000
        with pytest.raises(Contended):
            await desk.round()
        assert [rule for rule, _ in await desk.done()] == ["each"]
        first, other = asked[0], asked[20]
        assert asked[:21] + asked[-20:] == [*[first] * 20, other, *[first] * 20]
        busy.clear()
        asked.clear()
        assert await desk.round() is not None
        assert [rule for rule, _ in await desk.done()] == ["each"] * 3
        assert asked[0] == first
        assert await desk.store.list_private(EVENTS) == {}

    busy = [True]
    monkeypatch.setattr(patience, "SECONDS", 0.0)
    monkeypatch.setattr(running, "BRIEF", 0.0)
    monkeypatch.setattr(patience, "_FIRST", 0.0)
    monkeypatch.setattr(running, "load_case", meets)
    at_desk(EACH, act, url)


def test_a_given_name_that_is_not_told_fills_nothing() -> None:
    async def act(desk: Desk) -> None:
        absent = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}
        named = {"given": [None], "_given": [{"extension": [absent | {"valueCode": "masked"}]}]}
        point = {"system": "phone", "value": "+12125550122"}
        await desk.put("Patient", "bea", name=[named], telecom=[point])
        header = {"status": "in-progress", "subject": {"reference": "Patient/bea"}}
        await desk.put("Communication", "beas", **header)
        text = "Hello {{patient.given|there}}"
        seat = Seat(desk.store, P, await desk.settings())
        assert await filled(seat, text, "Communication/beas") == "Hello there"

    at_desk(EACH, act)
