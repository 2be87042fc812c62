"""Replies are sent, once, by a provider that misbehaves, on each kind of store."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import stem
from tests.unit.intake.provider import Provider
from threadwell.app import channel_labels, live_channels, open_store
from threadwell.calls import HttpCaller
from threadwell.channels import ReadOptions
from threadwell.channels.account import Account
from threadwell.channels.live import State, Wish, Wished
from threadwell.channels.twilio.logs.entry import read_entry
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, now_ms, stamp
from threadwell.intake import Settings, import_messages, parse_options, verify
from threadwell.intake.accounts import keep_account, remove_account
from threadwell.intake.arrivals.consents import keep_wishes
from threadwell.intake.arrivals.statuses import sent_state
from threadwell.intake.choices import Choices, keep_choices
from threadwell.intake.replies.outbox import (
    OUTBOX,
    NotInOutbox,
    Stage,
    dead_letters,
    drop_letter,
    replay_letter,
    waiting,
)
from threadwell.intake.replies.outgoing import Links
from threadwell.intake.replies.sending import UNKNOWN, Outbox
from threadwell.intake.replies.writing import reply
from threadwell.intake.seat import Seat
from threadwell.intake.thread_acts.retracting import retract
from threadwell.messages import Address, AddressKind, Attachment, Message
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, StoreBusy, Write

OFFICE = Address(AddressKind.PHONE, "+12125550100")
ANA = Address(AddressKind.PHONE, "+12125550121")
BEA = Address(AddressKind.PHONE, "+12125550122")
P = DEFAULT_PROJECT


class Desk:
    """A practice on a store, with an account at the provider, and one who replies."""

    def __init__(self, url: str, provider: Provider) -> None:
        self.runner = asyncio.Runner()
        self.store = open_store(url)
        self.provider = provider
        self.settings = Settings(owner=(OFFICE,), options=parse_options(), labels=channel_labels())
        self.ahead = 0
        self.run(keep_choices(self.store, P, Choices(zone="UTC")))
        values = {"account_sid": "AC" + "0" * 32, "auth_token": "token", "api_url": provider.url}
        hook = "https://clinic.example.org/hooks/desk"
        account = Account("desk", "twilio", (OFFICE,), values, (provider.host,), hook)
        self.run(keep_account(self.store, P, account))
        self.put("Practitioner", "dana")
        for id_, address in (("ana", ANA), ("bea", BEA)):
            self.put("Patient", id_, telecom=[{"system": "phone", "value": address.value}])
            self.take(self.inbound(id_, address))

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def clock(self) -> int:
        return now_ms() + self.ahead

    def put(self, type_: str, id_: str, **members: Any) -> None:
        resource, body = stamp({"resourceType": type_, **members}, id_, new_id(1), 1)
        version = resource["meta"]["versionId"]
        write = Write(type_, id_, version, 1, resource, body)
        self.run(self.store.commit(P, ChangeSet((write,))))

    def inbound(self, id_: str, who: Address) -> Message:
        sent = datetime.now(UTC) - timedelta(minutes=5)
        thread = f"{who.value},{OFFICE.value}"
        return Message(
            *("twilio", id_, who, (OFFICE,), sent, "hello", "hello", thread),
            medium="SMSWRIT",
            made_id=True,
            ours=(OFFICE,),
        )

    def take(self, *messages: Message) -> Any:
        return self.run(import_messages(Seat(self.store, P, self.settings), messages)).counts

    def bodies(self) -> list[Any]:
        page = self.run(self.store.search(P, Query("Communication", count=1000)))
        bodies = [decode(one.body) for one in page.matches]
        return [one for one in bodies if one["status"] != "entered-in-error"]

    def header(self, who: str) -> str:
        [id_] = [
            one["id"]
            for one in self.bodies()
            if "partOf" not in one and one["subject"]["reference"] == f"Patient/{who}"
        ]
        return f"Communication/{id_}"

    def reply(self, text: str, who: str = "ana", **more: Any) -> str:
        done = self.run(
            reply(
                *(Seat(self.store, P, self.settings), self.header(who), text, live_channels()),
                sender="Practitioner/dana",
                **more,
            )
        )
        return done.message

    def read(self, name: str) -> Any:
        type_, _, id_ = name.partition("/")
        return decode(self.run(self.store.read(P, type_, id_)).body)

    def ids(self, name: str) -> list[str]:
        """The ids of the provider that a message has."""
        return [
            one["value"]
            for one in self.read(name)["identifier"]
            if one.get("use") == "secondary" and one["system"].endswith("/message/twilio")
        ]

    def outbox(self) -> Outbox:
        async def links() -> Links:
            return Links("https://clinic.example.org", lambda id_, *_: f"https://x.example/{id_}")

        return Outbox(
            *(self.store, P, live_channels(), channel_labels(), HttpCaller(), links),
            clock=self.clock,
        )

    def round(self) -> float | None:
        return self.run(self.outbox().round())

    def waiting(self) -> list[Any]:
        return self.run(waiting(self.store, P))

    def dead(self) -> list[Any]:
        return self.run(dead_letters(self.store, P))

    def log(self) -> list[Message]:
        """What a log of the provider has of what was sent."""
        entries = []
        for one in self.provider.sent:
            told = {name: value for name, value in one.items() if isinstance(value, str)}
            told |= {"status": "delivered", "datesent": one["date_created"], "nummedia": "0"}
            entries.append(read_entry(told, ReadOptions(None)))
        return [one for one in entries if isinstance(one, Message)]


@pytest.fixture
def provider() -> Iterator[Provider]:
    one = Provider()
    yield one
    one.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "memory":
        return ":memory:"
    if request.param == "sqlite":
        return str(tmp_path / "threadwell.db")
    there: str = request.getfixturevalue("postgres_url")
    return there


@pytest.fixture
def desk(url: str, provider: Provider) -> Iterator[Desk]:
    one = Desk(url, provider)
    yield one
    one.run(one.store.close())
    one.runner.close()


def test_a_reply_goes_out_and_meets_itself_in_the_log(desk: Desk) -> None:
    file = Attachment("form.pdf", "application/pdf", b"%PDF")
    name = desk.reply("Three it is.")
    second = desk.reply("Here is the form.", files=[file])
    other = desk.reply("Good morning.", "bea")
    assert desk.round() is None
    sent = desk.provider.sent
    assert [(m["to"], m["body"]) for m in sent if m["to"] == ANA.value] == [
        (ANA.value, "Three it is."),
        (ANA.value, "Here is the form."),
    ]
    assert {(m["from"], m["callback"]) for m in sent} == {
        (OFFICE.value, "https://clinic.example.org/hooks/desk")
    }
    [media] = [m["media"] for m in sent if m["media"]]
    assert media[0].startswith("https://x.example/")
    by_words = {m["body"]: m["sid"] for m in sent}
    assert desk.ids(name) == [by_words["Three it is."]]
    assert desk.ids(other) == [by_words["Good morning."]]
    assert desk.ids(second) == [by_words["Here is the form."]]
    state = desk.run(sent_state(desk.store, P, "twilio", desk.ids(name)[0]))
    assert state.state is State.QUEUED
    assert (desk.waiting(), desk.dead()) == ([], [])
    before = len(desk.bodies())
    for _ in range(2):
        counts = desk.take(*desk.log())
        assert (counts.new, counts.known) == (0, 3)
    assert len(desk.bodies()) == before
    assert desk.read(name)["sender"]["reference"] == "Practitioner/dana"
    assert desk.ids(name) == [by_words["Three it is."]]
    assert desk.round() is None
    assert len(desk.provider.sent) == 3
    assert desk.run(verify(desk.store, P)) == []


@pytest.mark.parametrize("answer", [(429, 20429), (503, 0), (401, 20003)], ids=str)
def test_what_the_provider_puts_off_is_tried_again_in_its_turn(desk: Desk, answer: Any) -> None:
    desk.provider.next = [answer, answer]
    first, second = desk.reply("First."), desk.reply("Second.")
    seconds = desk.round()
    assert seconds is not None
    assert 0 < seconds <= 5
    assert desk.provider.sent == []
    desk.ahead += 6_000
    assert desk.round() is not None
    desk.ahead += 6_000
    assert desk.round() is not None
    desk.ahead += 10_000
    assert desk.round() is None
    assert [m["body"] for m in desk.provider.sent] == ["First.", "Second."]
    assert (len(desk.ids(first)), len(desk.ids(second))) == (1, 1)


def test_replies_go_out_in_the_order_in_which_they_were_written(desk: Desk) -> None:
    """Also where their names say nothing of that: those of replies with a key follow from it."""
    desk.provider.next = [(503, 0)]
    words = [f"Number {number}." for number in range(5)]
    for number, text in enumerate(words):
        desk.reply(text, key="" if number == 2 else f"key {number}")
    assert [one.entry.tries for one in desk.waiting()] == [0] * 5
    desk.round()
    assert [one.entry.tries for one in desk.waiting()] == [1, 0, 0, 0, 0]
    desk.ahead += 6_000
    desk.round()
    assert [m["body"] for m in desk.provider.sent] == words


def test_what_was_tried_in_vain_and_is_taken_back_waits_no_more(desk: Desk) -> None:
    desk.provider.next = [(503, 0)]
    name = desk.reply("For somebody else.")
    assert desk.round() is not None
    desk.run(retract(Seat(desk.store, P, desk.settings), name))
    assert desk.waiting() == []
    desk.reply("Three it is.")
    assert desk.round() is None
    assert [m["body"] for m in desk.provider.sent] == ["Three it is."]


def test_what_is_refused_waits_for_a_person(desk: Desk) -> None:
    desk.provider.next = [(400, 21614), (400, 21614)]
    name = desk.reply("First.")
    desk.reply("Second.")
    assert desk.round() is None
    [one, other] = desk.dead()
    assert (one.entry.code, one.entry.tries) == ("21614", 1)
    assert "takes no text messages" in one.entry.reason
    desk.run(replay_letter(desk.store, P, one.id))
    desk.run(drop_letter(desk.store, P, other.id))
    for again in (replay_letter, drop_letter):
        with pytest.raises(NotInOutbox):
            desk.run(again(desk.store, P, one.id))
    assert desk.round() is None
    assert [m["body"] for m in desk.provider.sent] == ["First."]
    assert len(desk.ids(name)) == 1


def test_a_provider_that_is_away_for_long_ends_with_a_person(desk: Desk) -> None:
    desk.provider.close()
    desk.reply("First.")
    for _ in range(30):
        seconds = desk.round()
        if seconds is None:
            break
        desk.ahead += int(seconds * 1000) + 1
    [one] = desk.dead()
    assert "takes no connections" in one.entry.reason
    assert one.entry.tries > 5


@pytest.mark.parametrize("logged", [False, True])
def test_an_answer_that_is_lost_sends_nothing_twice(desk: Desk, logged: bool) -> None:
    desk.provider.next = ["lost", 201]
    desk.provider.silent = True
    name = desk.reply("Three it is.")
    assert desk.round() is not None
    [one] = desk.waiting()
    assert one.entry.stage == "doubtful"
    if logged:
        # The log comes before anybody knows that it is the reply.
        assert desk.take(*desk.log()).new == 1
    desk.ahead += 6_000
    assert desk.round() is not None
    desk.provider.silent = False
    desk.ahead += 31_000
    assert desk.round() is None
    assert len(desk.provider.sent) == 1
    assert desk.ids(name) == [desk.provider.sent[0]["sid"]]
    assert desk.take(*desk.log()).new == 0
    words = [one["payload"][0]["contentString"] for one in desk.bodies() if "partOf" in one]
    assert words.count("Three it is.") == 1
    assert desk.run(verify(desk.store, P)) == []


def test_what_nobody_can_tell_of_waits_for_a_person(desk: Desk) -> None:
    desk.provider.next = ["lost"]
    desk.provider.silent = True
    desk.reply("Three it is.")
    while (seconds := desk.round()) is not None:
        desk.ahead += int(seconds * 1000) + 1
    [one] = desk.dead()
    assert one.entry.reason == UNKNOWN
    assert len(desk.provider.sent) == 1


def test_two_of_the_same_words_are_two(desk: Desk) -> None:
    first = desk.reply("Yes.")
    assert desk.round() is None
    desk.provider.next = ["lost"]
    second = desk.reply("Yes.")
    assert desk.round() is not None
    desk.ahead += 6_000
    assert desk.round() is None
    assert len(desk.provider.sent) == 2
    assert {*desk.ids(first), *desk.ids(second)} == {m["sid"] for m in desk.provider.sent}


def test_stop_counts_until_the_last_moment(desk: Desk) -> None:
    desk.reply("Three it is.")
    stop = Wished("twilio", "SM9", ANA, OFFICE, Wish.STOP, datetime.now(UTC))
    desk.run(keep_wishes(desk.store, P, [stop]))
    assert desk.round() is None
    assert desk.provider.sent == []
    [one] = desk.dead()
    assert "STOP" in one.entry.reason


def test_what_was_taken_back_and_whose_account_is_gone_is_not_sent(desk: Desk) -> None:
    name = desk.reply("Three it is.")
    id_ = name.partition("/")[2]
    before = desk.run(desk.store.read(P, "Communication", id_))
    body = {**decode(before.body), "status": "entered-in-error"}
    resource, stamped = stamp(body, id_, new_id(2), 2)
    version = resource["meta"]["versionId"]
    write = Write("Communication", id_, version, 2, resource, stamped, before)
    desk.run(desk.store.commit(P, ChangeSet((write,))))
    assert desk.round() is None
    assert (desk.waiting(), desk.dead()) == ([], [])
    desk.reply("Four.")
    desk.run(remove_account(desk.store, P, "desk"))
    assert desk.round() is None
    [one] = desk.dead()
    assert "account is gone" in one.entry.reason
    assert desk.provider.sent == []


def test_of_two_who_send_at_once_one_does(desk: Desk) -> None:
    desk.reply("Three it is.")

    async def both() -> None:
        await asyncio.gather(*(desk.outbox().round() for _ in range(4)))

    desk.run(both())
    assert len(desk.provider.sent) == 1


def test_whoever_has_lost_the_lease_sends_nothing(desk: Desk) -> None:
    from threadwell.stores.contract import Kept

    desk.reply("Three it is.")
    outbox = desk.outbox()
    outbox._still_held = lambda: (Kept("duty-lease", "outbox", b"mine", before=b"mine"),)
    desk.run(outbox.round())
    assert desk.provider.sent == []
    assert desk.round() is None
    assert len(desk.provider.sent) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_around_the_call(desk: Desk, url: str, provider: Provider, moment: str) -> None:
    if url == ":memory:":
        pytest.skip("nobody else can open a store in memory")
    name = desk.reply("Three it is.")
    child = Path(__file__).with_name("outbox_child.py")
    process = stem.start([sys.executable, str(child), url], stdout=subprocess.PIPE, text=True)

    def kill() -> None:
        process.kill()
        process.wait()

    if moment == "before":
        # The provider has heard of it, and has not taken it: nobody knows that here.
        provider.before, provider.next = kill, [(500, 0)]
    else:
        take = provider.take
        provider.take = lambda form: (take(form), kill())[0]  # type: ignore[method-assign]
    assert "done" not in process.communicate(timeout=60)[0]
    provider.before = None
    [one] = desk.waiting()
    assert one.entry.stage == "trying"
    assert desk.round() is not None
    desk.ahead += 91_000
    while (seconds := desk.round()) is not None:
        desk.ahead += int(seconds * 1000) + 1
    if moment == "after":
        assert len(provider.sent) == 1
        assert desk.ids(name) == [provider.sent[0]["sid"]]
        assert desk.dead() == []
    else:
        assert provider.sent == []
        [dead] = desk.dead()
        assert dead.entry.reason == UNKNOWN
    assert desk.run(verify(desk.store, P)) == []


class Hanging:
    """A server that takes connections and says nothing, with an account there of its own."""

    def __init__(self, desk: Desk, channel: str) -> None:
        self.desk, self.channel = desk, channel
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=50)
        host = f"127.0.0.1:{self.socket.getsockname()[1]}"
        values = {"account_sid": "AC", "auth_token": "token", "api_url": f"http://{host}"}
        self.own, self.kind = Address(AddressKind.PHONE, "+12125550199"), "phone"
        if channel == "email":
            values = {"provider": "lmtp", "smtp-host": host, "smtp-tls": "no"}
            self.own, self.kind = Address(AddressKind.EMAIL, "care@clinic.example.org"), "email"
        account = Account("slow", channel, (self.own,), values, (host, "127.0.0.1"))
        desk.run(keep_account(desk.store, P, account))

    def reply(self, number: int) -> None:
        """To another patient each time."""
        value = f"kin{number}@example.org" if self.kind == "email" else f"+120755501{number:02}"
        who = Address(AddressKind(self.kind), value)
        self.desk.put("Patient", f"kin{number}", telecom=[{"system": self.kind, "value": value}])
        thread = f"{value},{self.own.value}" if self.kind == "phone" else ""
        first = Message(
            *(self.channel, f"s{number}@example.org", who, (self.own,)),
            *(datetime.now(UTC) - timedelta(minutes=5), "hello", "hello", thread),
            ours=(self.own,),
        )
        self.desk.take(first)
        self.desk.reply("It hangs.", f"kin{number}")


@pytest.mark.parametrize("channel", ["twilio", "email"])
def test_a_server_that_hangs_holds_up_no_other(provider: Provider, channel: str) -> None:
    desk = Desk(":memory:", provider)
    hanging = Hanging(desk, channel)
    for number in range(10):
        hanging.reply(number)
    desk.reply("Good morning.")

    async def meanwhile() -> float | None:
        outbox = desk.outbox()
        under_way = asyncio.create_task(outbox.round())

        async def until(count: int) -> None:
            async with asyncio.timeout(60):
                while len(provider.sent) < count:
                    await asyncio.sleep(0.01)

        await until(1)
        bea = next(one for one in bodies if one["subject"]["reference"] == "Patient/bea")
        await reply(
            Seat(desk.store, P, desk.settings),
            f"Communication/{bea['id']}",
            "Written meanwhile.",
            live_channels(),
            sender="Practitioner/dana",
        )
        await until(2)
        assert not under_way.done()
        hanging.socket.close()
        return await under_way

    bodies = desk.bodies()
    assert desk.run(meanwhile()) is not None
    assert [one["body"] for one in provider.sent] == ["Good morning.", "Written meanwhile."]
    assert len(desk.waiting()) == 10
    assert desk.dead() == []
    desk.runner.close()


def test_what_is_under_way_goes_on_though_the_store_fails(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(":memory:", provider)
    desk.reply("Good morning.")
    answers, real = threading.Event(), desk.store.list_private
    provider.before = answers.wait
    asked = []

    async def once(kind: str, **more: Any) -> Any:
        asked.append(kind)
        if asked.count(OUTBOX) > 1:
            raise StoreBusy("not now")
        return await real(kind, **more)

    async def rounds() -> None:
        outbox = desk.outbox()
        monkeypatch.setattr(desk.store, "list_private", once)
        with pytest.raises(StoreBusy):
            await outbox.round()
        monkeypatch.undo()
        answers.set()
        assert await outbox.round() is None

    desk.run(rounds())
    assert [one["body"] for one in provider.sent] == ["Good morning."]
    assert (desk.waiting(), desk.dead(), provider.asked) == ([], [], 0)
    desk.runner.close()


def test_a_round_that_is_broken_off_leaves_nothing_under_way(provider: Provider) -> None:
    desk = Desk(":memory:", provider)
    hanging = Hanging(desk, "twilio")
    hanging.reply(0)

    async def broken_off() -> None:
        round_ = asyncio.create_task(desk.outbox().round())
        connection, _ = await asyncio.to_thread(hanging.socket.accept)
        round_.cancel()
        with pytest.raises(asyncio.CancelledError):
            await round_
        connection.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    desk.run(broken_off())
    hanging.socket.close()
    [one] = desk.waiting()
    assert one.entry.stage is Stage.TRYING
    desk.runner.close()
