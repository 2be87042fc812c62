"""Messages of Twilio Conversations meet the texts that they are, in a log and by the webhook."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from threadwell.app import channel_labels, live_channels
from threadwell.calls import HttpCaller
from threadwell.calls.call import Call, Called
from threadwell.channels import ReadOptions
from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.channels.live import Status
from threadwell.channels.sending import Failed, Later, Outbound, Sent
from threadwell.channels.twilio.logs.entry import read_entry
from threadwell.encounters.delivery import delivery_of
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake import Settings, import_messages, import_people, parse_options, verify
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.journal import ARRIVED, SOUGHT, entries, keep
from threadwell.intake.arrivals.seeking import PAUSES, Seeking
from threadwell.intake.arrivals.taking import Taking
from threadwell.intake.arrivals.telling import Telling
from threadwell.intake.seat import Seat
from threadwell.intake.thread_acts.withdrawing import withdraw
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT as P
from threadwell.stores.memory import MemoryStore

OWN = Address(AddressKind.PHONE, "+12125550180")
ANA, BEN = "+12125550111", "+12125550112"
START = datetime(2024, 5, 1, 12, tzinfo=UTC)
CH, IM, SM, OUT = ("CH" + "c" * 32, "IM" + "1" * 32, "SM" + "a" * 32, "SM" + "b" * 32)


def bound(address: str, own: str = OWN.value) -> dict[str, Any]:
    binding = {"type": "sms", "address": address, "proxy_address": own}
    return {"sid": "MB1", "identity": None, "messaging_binding": binding}


def person(identity: str) -> dict[str, Any]:
    return {"sid": "MB2", "identity": identity, "messaging_binding": None}


class Twilio:
    """Answers what is asked of Conversations and the message log, as long as it is ``awake``."""

    def __init__(self) -> None:
        self.people: list[dict[str, Any]] = []
        self.log: list[dict[str, Any]] = []
        self.receipts: list[dict[str, Any]] = []
        self.awake = True
        self.asked: list[str] = []
        twilio = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
                assert self.headers["authorization"].startswith("Basic ")
                twilio.asked.append(path)
                told: Any = {}
                if path.endswith(f"{CH}/Participants"):
                    told = {"participants": twilio.people}
                elif path.endswith("/Receipts"):
                    told = {"delivery_receipts": twilio.receipts}
                elif path.endswith("/Messages.json") and query["From"] == [ANA]:
                    told = {"messages": twilio.log}
                content = json.dumps(told).encode()
                self.send_response(200 if twilio.awake else 503)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.host = f"127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def server() -> Iterator[Twilio]:
    one = Twilio()
    yield one
    one.close()


@pytest.fixture
def twilio(server: Twilio) -> Twilio:
    server.people = [bound(ANA), person("dana")]
    made = "Wed, 01 May 2024 12:00:02 +0000"
    server.log = [{"sid": SM, "body": "My knee hurts", "date_created": made}]
    server.receipts = [{"channel_message_sid": OUT}]
    server.awake = True
    server.asked.clear()
    return server


def event(kind: str = "onMessageAdded", **changed: str) -> dict[str, str]:
    return {
        "EventType": kind,
        "ConversationSid": CH,
        "MessageSid": IM,
        "Author": ANA,
        "Body": "My knee hurts",
        "Source": "SMS",
        "DateCreated": "2024-05-01T12:00:01.250Z",
        **changed,
    }


WEBHOOK = {
    "MessageSid": SM,
    "SmsStatus": "received",
    "From": ANA,
    "To": OWN.value,
    "Body": "My knee hurts",
}


class Desk:
    """A practice whose number is in conversations."""

    def __init__(self, twilio: Twilio) -> None:
        self.store, self.now = MemoryStore(), int(START.timestamp() * 1000) + 60_000
        values = {"account_sid": "AC1", "auth_token": "t", "api_url": f"http://{twilio.host}"}
        self.account = Account("desk", "twilio", (OWN,), values, (twilio.host,))
        self.settings = Settings(owner=(OWN,), options=parse_options(), labels=channel_labels())
        clock = lambda: self.now  # noqa: E731 - it follows what a test sets
        self.taking = Taking(
            *(self.store, P, live_channels(), channel_labels()), clock=clock, withdraw=withdraw
        )
        self.seeking = Seeking(self.store, P, live_channels(), HttpCaller(), clock=clock)

    async def begin(self) -> None:
        rows = [
            {"kind": "patient", "id": "ana", "family": "Prado", "phone": ANA},
            {"kind": "patient", "id": "ben", "family": "Berg", "phone": BEN},
        ]
        await import_people(self.store, P, rows)
        await keep_account(self.store, P, self.account)

    async def hear(self, said: dict[str, str]) -> None:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        at = datetime.fromtimestamp(self.now / 1000, UTC)
        delivery = Delivery("POST", ("http://a.example.org/",), kind, urlencode(said).encode(), at)
        await keep(self.store, P, self.account, delivery, frozenset(kind))
        await self.rounds()
        self.now += 1_000

    async def rounds(self) -> None:
        await self.taking.round()
        await self.seeking.round()
        await self.taking.round()

    async def read_log(self, *entries_: dict[str, str]) -> None:
        read = [read_entry(one, ReadOptions(None, (OWN,))) for one in entries_]
        messages = [one for one in read if isinstance(one, Message)]
        assert len(messages) == len(read), read
        await import_messages(Seat(self.store, P, self.settings), messages)

    async def messages(self) -> list[dict[str, Any]]:
        page = await self.store.search(P, Query("Communication", count=1000))
        bodies = [decode(one.body) for one in page.matches]
        assert await verify(self.store, P) == []
        return [one for one in bodies if "partOf" in one and "payload" in one]

    async def held(self) -> list[str]:
        page = await self.store.search(P, Query("Task", count=1000))
        return [decode(one.body)["description"] for one in page.matches]


def logged(sid: str, from_: str, to: str, body: str, direction: str) -> dict[str, str]:
    return {
        "sid": sid,
        "from": from_,
        "to": to,
        "body": body,
        "direction": direction,
        "status": "received" if direction == "inbound" else "delivered",
        "nummedia": "0",
        "datesent": "Wed, 01 May 2024 12:00:02 +0000",
    }


LOG = (
    logged(SM, ANA, OWN.value, "My knee hurts", "inbound"),
    logged(OUT, OWN.value, ANA, "Come at three", "outbound-api"),
)
ANSWER = event(MessageSid="IM" + "2" * 32, Author="dana", Body="Come at three", Source="SDK")


@pytest.mark.parametrize("order", ["event", "webhook", "log"])
def test_event_webhook_and_log_bring_one_message(twilio: Twilio, order: str) -> None:
    async def all_ways() -> list[dict[str, Any]]:
        desk = Desk(twilio)
        await desk.begin()
        ways = {
            "event": [desk.hear(event()), desk.hear(ANSWER)],
            "webhook": [desk.hear(WEBHOOK)],
            "log": [desk.read_log(*LOG)],
        }
        for way in sorted(ways, key=lambda one: one != order):
            for step in ways[way]:
                await step
        await desk.hear(event())
        assert await entries(desk.store, P, SOUGHT) == []
        return await desk.messages()

    found = asyncio.run(all_ways())
    said = {one["payload"][0]["contentString"]: one for one in found}
    assert len(found) == len(said) == 2
    assert said["My knee hurts"]["sender"]["reference"].startswith("Patient/")
    assert said["Come at three"]["sender"]["reference"].startswith("Organization/")
    assert len({one["partOf"][0]["reference"] for one in found}) == 1


def test_it_waits_until_twilio_tells_and_then_keeps_its_own_id(twilio: Twilio) -> None:
    async def wait() -> tuple[list[Any], list[Any], list[Any]]:
        desk = Desk(twilio)
        await desk.begin()
        twilio.awake = False
        await desk.hear(event())
        before = await desk.messages()
        twilio.awake, twilio.log = True, []
        for pause in PAUSES:
            desk.now += int(pause * 1000)
            await desk.rounds()
        assert await entries(desk.store, P, ARRIVED) == []
        return before, await entries(desk.store, P, SOUGHT), await desk.messages()

    before, waiting, (after,) = asyncio.run(wait())
    assert (before, waiting) == ([], [])
    assert after["identifier"][0]["value"] == IM


@pytest.mark.parametrize(
    ("said", "statuses"),
    [
        ({"Body": "My knee hurts"}, {"My knee hurts": "completed"}),
        (
            {"Body": "My hip hurts"},
            {"My knee hurts": "entered-in-error", "My hip hurts": "completed"},
        ),
    ],
)
def test_an_edit_is_another_wording(
    twilio: Twilio, said: dict[str, str], statuses: dict[str, str]
) -> None:
    async def edit() -> dict[str, str]:
        desk = Desk(twilio)
        await desk.begin()
        await desk.read_log(LOG[0])
        await desk.hear(event())
        changed = event("onMessageUpdated", DateUpdated="2024-05-01T12:03:00.000Z", **said)
        await desk.hear(changed)
        await desk.hear(changed)
        found = await desk.messages()
        return {one["payload"][0]["contentString"]: one["status"] for one in found}

    assert asyncio.run(edit()) == statuses


UPDATED = "onMessageUpdated"
FIVE, FIFTY = "take five", "take fifty"


def said_of(body: str, minute: int, **changed: str) -> dict[str, str]:
    """That a message says so: from then on, or since it was written."""
    kind = {"EventType": UPDATED, "DateUpdated": f"2024-05-01T12:{minute:02}:00.000Z"}
    return {**event(Body=body), **(kind if minute else {}), **changed}


@pytest.mark.parametrize("who", ["inbound", "outbound", "group"])
@pytest.mark.parametrize(
    ("bodies", "wordings", "last"),
    [
        ([FIVE, FIVE], [FIVE], 0),
        ([FIVE, FIFTY, FIVE], [FIVE, FIFTY, FIVE], 2),
        ([FIVE, FIFTY, FIFTY, FIFTY], [FIVE, FIFTY], 1),
        ([FIVE, FIVE, FIFTY, FIVE, FIVE], [FIVE, FIFTY, FIVE], 2),
    ],
)
def test_the_words_that_stand_are_those_of_the_last_edit(
    twilio: Twilio, who: str, bodies: list[str], wordings: list[str], last: int
) -> None:
    author = {} if who == "inbound" else {"Author": "nora", "Source": "SDK"}
    twilio.log[0]["body"] = FIVE
    if who == "group":
        twilio.people = [bound(ANA), bound(BEN, ""), person("nora")]
        twilio.receipts *= 2

    async def tell(order: Sequence[int]) -> list[tuple[str, str]]:
        desk = Desk(twilio)
        await desk.begin()
        for at in order:
            await desk.hear(said_of(bodies[at], at, Attributes=f'{{"seen":{at}}}', **author))
        found = await desk.messages()
        worded = [(one.get("extension", [{}])[0].get("valueDateTime", ""), one) for one in found]
        return [
            (one["payload"][0]["contentString"], one["status"])
            for _, one in sorted(worded, key=lambda each: each[0])
        ]

    every = list(range(len(bodies)))
    expected = [
        (one, "completed" if at == last else "entered-in-error") for at, one in enumerate(wordings)
    ]
    assert asyncio.run(tell(every)) == expected
    assert asyncio.run(tell([*every, *every])) == expected
    for order in (every[::-1], [*every[1:], 0], [0, *every[:0:-1]]):
        found = asyncio.run(tell(order))
        assert [one for one, status in found if status == "completed"] == [bodies[-1]]


def test_what_is_removed_is_taken_back(twilio: Twilio) -> None:
    async def remove() -> list[str]:
        desk = Desk(twilio)
        await desk.begin()
        await desk.hear(event())
        await desk.hear(ANSWER)
        await desk.hear({**ANSWER, "EventType": "onMessageRemoved"})
        await desk.hear(event())
        found = await desk.messages()
        return [one["status"] for one in found if one["status"] == "entered-in-error"]

    assert asyncio.run(remove()) == ["entered-in-error"]


def test_a_group_keeps_the_conversation_as_its_thread(twilio: Twilio) -> None:
    async def group() -> list[dict[str, Any]]:
        desk = Desk(twilio)
        await desk.begin()
        twilio.people = [bound(ANA), bound(BEN, ""), person("dana")]
        await desk.hear(event())
        return await desk.messages()

    (found,) = asyncio.run(group())
    assert found["identifier"][0]["value"] == IM
    assert len(found["recipient"]) == 2


@pytest.mark.parametrize("author", [ANA, "nora"])
def test_a_log_brings_no_text_of_a_group_once_more(twilio: Twilio, author: str) -> None:
    """Its sender's text, and those to the others, are the message of the conversation."""
    twilio.people = [bound(ANA), bound(BEN), person("nora")]
    to = {"ana": "SM" + "d" * 32, "ben": OUT}
    sent = [to["ben"]] if author == ANA else list(to.values())
    twilio.receipts = [{"channel_message_sid": one} for one in sent]
    texts = [logged(OUT, OWN.value, BEN, "Ana: My knee hurts", "outbound-api")]
    if author == ANA:
        texts.append(logged(SM, ANA, OWN.value, "My knee hurts", "inbound"))
    else:
        texts.append(logged(to["ana"], OWN.value, ANA, "My knee hurts", "outbound-api"))
    delivered = event("onDeliveryUpdated", ChannelMessageSid=OUT, Status="delivered")

    async def all_ways() -> list[dict[str, Any]]:
        desk = Desk(twilio)
        await desk.begin()
        await desk.hear(event(Author=author, Source="SMS" if author == ANA else "SDK"))
        for _ in range(2):
            await desk.read_log(*texts)
        await desk.hear(event(Author=author, Source="SMS" if author == ANA else "SDK"))
        await desk.hear(delivered)
        telling = Telling(desk.store, P, clock=lambda: desk.now)
        await telling.round()
        return await desk.messages()

    (one,) = asyncio.run(all_ways())
    ids = {each["value"] for each in one["identifier"]}
    assert ids == {IM, *sent, *([SM] if author == ANA else [])}
    assert (delivery := delivery_of(one)) is not None
    assert delivery.state == "delivered"


def test_it_waits_for_the_texts_of_a_group(twilio: Twilio) -> None:
    twilio.people = [bound(ANA), bound(BEN), person("nora")]
    twilio.receipts = []

    async def wait() -> tuple[int, list[dict[str, Any]]]:
        desk = Desk(twilio)
        await desk.begin()
        await desk.hear(event())
        before = len(await desk.messages())
        for pause in PAUSES:
            desk.now += int(pause * 1000)
            await desk.rounds()
        assert await entries(desk.store, P, SOUGHT) == []
        return before, await desk.messages()

    before, (after,) = asyncio.run(wait())
    assert before == 0
    assert {each["value"] for each in after["identifier"]} == {IM, SM}


def test_a_conversation_that_is_gone_is_for_a_person(twilio: Twilio) -> None:
    async def gone() -> list[str]:
        desk = Desk(twilio)
        await desk.begin()
        twilio.people = []
        await desk.hear(event(Author=""))
        return await desk.held()

    (why,) = asyncio.run(gone())
    assert "nobody takes part in its conversation" in why


LIVE = live_channels()["twilio"].live
ACCOUNT = Account("desk", "twilio", (OWN,), {"account_sid": "AC1", "auth_token": "t"})


def parsed(said: dict[str, str]) -> list[Any]:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    delivery = Delivery("POST", ("http://a.example.org/",), kind, urlencode(said).encode(), START)
    assert LIVE is not None
    assert LIVE.answer(delivery).body == b""
    return list(LIVE.parse(delivery, ACCOUNT, "US"))


@pytest.mark.parametrize(
    ("said", "id_"),
    [
        ({"ChannelMessageSid": OUT, "Status": "delivered"}, OUT),
        ({"ChannelMessageSid": "WA" + "1" * 32, "Status": "read"}, IM),
    ],
)
def test_receipts_are_by_the_id_of_the_text(said: dict[str, str], id_: str) -> None:
    (status,) = parsed(event("onDeliveryUpdated", **said))
    assert isinstance(status, Status)
    assert (status.external_id, status.state.value) == (id_, said["Status"])


@pytest.mark.parametrize(
    ("said", "aside"),
    [
        (event("onMessageAdd"), True),
        (event("onParticipantAdded"), True),
        (event("onDeliveryUpdated", Status="sending"), True),
        (event(MessageSid="x"), False),
        (event(ConversationSid="CH1"), False),
    ],
)
def test_other_events_are_kept_and_no_message(said: dict[str, str], aside: bool) -> None:
    (broken,) = parsed(said)
    assert broken.set_aside is aside
    assert b"EventType" in broken.content


def test_a_reply_into_a_group_goes_into_its_conversation() -> None:
    assert LIVE is not None
    assert LIVE.send is not None
    assert LIVE.ask is not None
    out = Outbound("ours", OWN, (OWN, Address(OWN.kind, ANA)), CH, "Hello", START)
    call = LIVE.send(out, ACCOUNT, None)
    assert isinstance(call, Call)
    assert call.url == f"https://conversations.twilio.com/v1/Conversations/{CH}/Messages"
    assert call.body == b"Body=Hello"
    assert LIVE.send(out, ACCOUNT, Called(201, {}, json.dumps({"sid": IM}).encode())) == Sent(IM)
    assert isinstance(LIVE.ask(out, ACCOUNT, None), Later)
    with_file = Outbound("ours", OWN, (OWN,), CH, "Hello", START, ("https://x.example/f",))
    assert isinstance(LIVE.send(with_file, ACCOUNT, None), Failed)
