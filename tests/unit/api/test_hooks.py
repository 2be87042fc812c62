"""What a provider delivers is verified, kept before it is acknowledged, and taken in.

The provider is a stand-in that signs as Twilio does, and delivers again, late and out of order.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
from itertools import permutations
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from threadwell.app import channel_labels, live_channels
from threadwell.calls import Call, Called
from threadwell.channels.account import Account
from threadwell.channels.live import State
from threadwell.fhir.json import decode
from threadwell.intake import Intake
from threadwell.intake.accounts import keep_account, remove_account
from threadwell.intake.arrivals.consents import may_write
from threadwell.intake.arrivals.depth import JournalDepth, journal_depth
from threadwell.intake.arrivals.files import Files
from threadwell.intake.arrivals.journal import ARRIVED, FILES, entries
from threadwell.intake.arrivals.statuses import sent_state
from threadwell.intake.arrivals.stuck import replay_delivery, stuck_deliveries
from threadwell.intake.arrivals.taking import Taking
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT, StoreBusy, StoreFull
from threadwell.stores.memory import MemoryStore

OFFICE = Address(AddressKind.PHONE, "+12125550100")
ANA, BEN = "+12075550111", "+12075550122"
TOKEN = "f2b5a0d19c7e4a68"
URL = "http://testserver/hooks/desk"
FORM = "application/x-www-form-urlencoded"


class Twilio:
    """A stand-in for the provider, and a clinic that has an account there."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.files: dict[str, bytes | int] = {}
        self.asked: list[Call] = []
        values = {"account_sid": "AC" + "0" * 32, "auth_token": TOKEN}
        account = Account("desk", "twilio", (OFFICE,), values)
        api.run(keep_account(api.store, DEFAULT_PROJECT, account))

    def deliver(self, said: dict[str, str], **options: Any) -> httpx.Response:
        """Deliver signed parameters; ``signature`` and ``url`` may be wrong."""
        url = options.get("url", URL)
        text = url + "".join(name + said[name] for name in sorted(said))
        digest = hmac.digest(options.get("token", TOKEN).encode(), text.encode(), "sha1")
        signature = options.get("signature", base64.b64encode(digest).decode())
        return self.api.call(
            "POST",
            options.get("path", "/hooks/desk"),
            urlencode(said).encode(),
            authorization=None,
            content_type=FORM,
            x_twilio_signature=signature,
        )

    async def call(self, call: Call) -> Called:
        """Answer a call for a file."""
        self.asked.append(call)
        found = self.files.get(call.url, 404)
        if isinstance(found, int):
            return Called(found, {}, b"")
        return Called(200, {"content-type": "image/jpeg"}, found)

    def take(self) -> None:
        """Take in what was delivered."""
        options = (self.api.store, DEFAULT_PROJECT, live_channels(), channel_labels())
        self.api.run(Taking(*options, clock=self.api.clock).round())

    def fetch(self) -> float | None:
        """Fetch files that are due; when others are."""
        options = (self.api.store, DEFAULT_PROJECT, live_channels(), channel_labels(), self)
        return self.api.run(Files(*options, clock=self.api.clock, pauses=(5, 60)).round())

    def waiting(self, kind: str = ARRIVED) -> int:
        return len(self.api.run(entries(self.api.store, DEFAULT_PROJECT, kind)))

    def children(self) -> list[dict[str, Any]]:
        found = self.api.call("GET", "Communication?part-of:missing=false&_count=100").json()
        return [entry["resource"] for entry in found.get("entry", [])]

    def held(self) -> list[dict[str, Any]]:
        found = self.api.call("GET", "Task?status=requested&_count=100").json()
        return [entry["resource"] for entry in found.get("entry", [])]


@pytest.fixture
def twilio(new_api: Any, store: Any) -> Twilio:
    api = new_api(store=store, channels=live_channels)
    api.make(telecom=[{"system": "phone", "value": ANA}], name=[{"given": ["Ana"]}])
    return Twilio(api)


def text(number: int, body: str, **more: str) -> dict[str, str]:
    """The parameters of a text message."""
    return {
        "MessageSid": f"SM{number:032x}",
        "SmsStatus": "received",
        "From": ANA,
        "To": OFFICE.value,
        "Body": body,
        "NumMedia": "0",
        **more,
    }


def status(number: int, word: str, **more: str) -> dict[str, str]:
    """The parameters of a status callback."""
    sid = f"SM{number:032x}"
    return {"MessageSid": sid, "MessageStatus": word, "To": ANA, "From": OFFICE.value, **more}


def test_a_message_is_kept_then_taken_in(twilio: Twilio) -> None:
    answer = twilio.deliver(text(1, "Is the clinic open on Friday?"))
    assert (answer.status_code, answer.headers["content-type"][:8]) == (200, "text/xml")
    assert answer.text.endswith("<Response/>")
    assert (twilio.waiting(), twilio.children()) == (1, [])
    twilio.take()
    (child,) = twilio.children()
    assert twilio.waiting() == 0
    assert child["payload"] == [{"contentString": "Is the clinic open on Friday?"}]
    assert child["sent"] == child["received"] == "2024-03-10T12:00:00Z"
    session = twilio.api.call("GET", "Encounter").json()["entry"][0]["resource"]
    assert session["subject"]["reference"].startswith("Patient/")


def test_a_retry_is_the_same_delivery(twilio: Twilio) -> None:
    said = text(1, "Hello")
    assert [twilio.deliver(said).status_code for _ in range(3)] == [200] * 3
    assert twilio.waiting() == 1
    twilio.take()
    (first,) = twilio.children()
    twilio.api.clock.now += 7000
    twilio.deliver(said)
    twilio.take()
    assert twilio.children() == [first]
    assert twilio.waiting() == 0


@pytest.mark.parametrize(
    "options",
    [
        {"signature": ""},
        {"signature": "0/KCTR6DLpKmkAf8muzZqo1nDgQ="},
        {"signature": "\u00ff\u00fe".encode("latin-1")},
        {"token": "another"},
        {"url": "http://testserver/hooks/other"},
        {"url": "https://testserver/hooks/desk"},
    ],
)
def test_what_the_provider_has_not_signed_is_refused(
    twilio: Twilio, options: dict[str, Any], caplog: Any
) -> None:
    answer = twilio.deliver(text(1, "Hello Leonora"), **options)
    assert answer.status_code == 403
    twilio.take()
    assert (twilio.children(), twilio.held(), twilio.waiting()) == ([], [], 0)
    assert "Leonora" not in answer.text + caplog.text
    assert "refused" in caplog.text


def test_an_account_that_is_not_there(twilio: Twilio) -> None:
    said = text(1, "Hello")
    for path in ("/hooks/other", "/hooks/", "/hooks/..", "/hooks/desk/more", "/hooks/DESK"):
        assert twilio.deliver(said, path=path).status_code == 404
    twilio.api.run(remove_account(twilio.api.store, DEFAULT_PROJECT, "desk"))
    twilio.api.clock.now += 1000
    assert twilio.deliver(said).status_code == 404


def test_what_waits_of_an_account_that_is_gone_is_taken_in(twilio: Twilio) -> None:
    twilio.deliver(text(1, "Hello"))
    twilio.api.run(remove_account(twilio.api.store, DEFAULT_PROJECT, "desk"))
    twilio.take()
    # Nobody knows whose the number was any more.
    assert [one["reasonCode"]["coding"][0]["code"] for one in twilio.held()] or twilio.children()
    assert twilio.waiting() == 0


def test_urls_that_the_provider_may_know(new_api: Any) -> None:
    api = new_api(channels=live_channels, also_at=["https://clinic.example.org"])
    twilio = Twilio(api)
    known = ("https://clinic.example.org", "https://clinic.example.org:443", "http://testserver:80")
    for number, url in enumerate(known):
        answer = twilio.deliver(text(number, "Hello"), url=f"{url}/hooks/desk")
        assert answer.status_code == 200, url
    said = text(9, "Hello")
    path = "/hooks/desk?from=pool%20A"
    assert twilio.deliver(said, path=path, url=f"http://testserver{path}").status_code == 200
    assert twilio.deliver(said, path=path).status_code == 403


def test_a_url_of_the_accounts_own(new_api: Any) -> None:
    api = new_api(channels=live_channels)
    twilio = Twilio(api)
    values = {"account_sid": "AC" + "0" * 32, "auth_token": TOKEN}
    own = Account("desk", "twilio", (OFFICE,), values, url="https://edge.example.org/sms/in")
    api.run(keep_account(api.store, DEFAULT_PROJECT, own))
    assert twilio.deliver(text(1, "Hi"), url="https://edge.example.org/sms/in").status_code == 200


def test_a_body_that_is_no_form(twilio: Twilio) -> None:
    body = json.dumps({"MessageSid": "SM1"}).encode()
    digest = hashlib.sha256(body).hexdigest()
    path = f"/hooks/desk?bodySHA256={digest}"
    signed = hmac.digest(TOKEN.encode(), f"http://testserver{path}".encode(), "sha1")
    headers = {
        "authorization": None,
        "content_type": "application/json",
        "x_twilio_signature": base64.b64encode(signed).decode(),
    }
    assert twilio.api.call("POST", path, body, **headers).status_code == 200
    assert twilio.api.call("POST", path, body + b" ", **headers).status_code == 403
    twilio.take()
    (held,) = twilio.held()
    binary = held["input"][0]["valueReference"]["reference"]
    kept = twilio.api.call("GET", binary, accept="*/*")
    assert kept.content == body


@pytest.mark.parametrize("error", [StoreFull("full"), StoreBusy("busy")])
def test_what_cannot_be_kept_is_not_acknowledged(new_api: Any, error: Exception) -> None:
    class Failing(MemoryStore):
        failing = False

        async def commit(self, *of: Any) -> None:
            if self.failing:
                raise error
            await super().commit(*of)

    store = Failing()
    twilio = Twilio(new_api(store=store, channels=live_channels))
    store.failing = True
    answer = twilio.deliver(text(1, "Hello"))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    store.failing = False
    assert twilio.deliver(text(1, "Hello")).status_code == 200
    assert twilio.waiting() == 1


def test_many_at_once_are_all_kept(twilio: Twilio) -> None:
    said = [text(number, f"Message {number}") for number in range(40)]

    async def all_() -> list[int]:
        async def one(what: dict[str, str]) -> int:
            signed = URL + "".join(name + what[name] for name in sorted(what))
            digest = hmac.digest(TOKEN.encode(), signed.encode(), "sha1")
            answer = await twilio.api.send(
                "POST",
                "/hooks/desk",
                urlencode(what).encode(),
                authorization=None,
                content_type=FORM,
                x_twilio_signature=base64.b64encode(digest).decode(),
            )
            return answer.status_code

        return await asyncio.gather(*(one(what) for what in [*said, *said]))

    assert twilio.api.run(all_()) == [200] * 80
    assert twilio.waiting() == 40
    twilio.take()
    assert len(twilio.children()) == 40


def test_files_come_after_their_message(twilio: Twilio) -> None:
    urls = [f"https://api.twilio.com/2010-04-01/Media/ME{at}" for at in (1, 2)]
    media = {f"MediaUrl{at}": url for at, url in enumerate(urls)}
    kinds = {f"MediaContentType{at}": "image/jpeg" for at in (0, 1)}
    twilio.deliver(text(1, "Both sides", NumMedia="2", **media, **kinds))
    twilio.take()
    (child,) = twilio.children()
    assert [part.get("contentAttachment", {}).get("url") for part in child["payload"]] == [None] * 3
    assert child["note"]
    assert child["medium"][0]["coding"][0]["code"] == "MMSWRIT"

    twilio.files[urls[0]] = b"front"
    assert twilio.fetch() == 5.0
    assert twilio.waiting(FILES) == 1
    assert twilio.fetch() == 5.0
    assert len(twilio.asked) == 2
    assert all("Authorization" in call.headers for call in twilio.asked)
    assert TOKEN not in repr(twilio.asked)
    twilio.files[urls[1]] = b"back"
    twilio.api.clock.now += 5000
    assert twilio.fetch() is None
    (child,) = twilio.children()
    attached = [part["contentAttachment"] for part in child["payload"][1:]]
    assert [one["size"] for one in attached] == [5, 4]
    assert [one["title"] for one in attached] == ["ME1.jpg", "ME2.jpg"]
    assert "note" not in child
    assert (twilio.waiting(), twilio.waiting(FILES)) == (0, 0)


def test_a_file_that_stays_away(twilio: Twilio) -> None:
    url = "https://api.twilio.com/2010-04-01/Media/ME1"
    twilio.deliver(text(1, "", NumMedia="1", MediaUrl0=url, MediaContentType0="image/jpeg"))
    twilio.take()
    pauses = []
    while (pause := twilio.fetch()) is not None:
        pauses.append(pause)
        twilio.api.clock.now += int(pause * 1000)
    assert pauses == [5.0, 60.0]
    (child,) = twilio.children()
    assert [note["text"][:14] for note in child["note"]] == ["a file of it i"]
    assert child["payload"][0]["contentAttachment"]["title"] == "ME1.jpg"


def test_files_that_cannot_be_kept_are_stuck(
    twilio: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [f"https://api.twilio.com/2010-04-01/Media/ME{at}" for at in (1, 2)]
    for number, url in enumerate(urls):
        said = {"NumMedia": "1", "MediaUrl0": url, "MediaContentType0": "image/jpeg"}
        twilio.deliver(text(number, f"file {number}", **said))
        twilio.files[url] = f"file {number}".encode()
    twilio.take()
    real = Intake.take

    async def take(self: Intake, items: Any) -> Any:
        items = list(items)
        if any(one.text == "file 0" for one in items):
            raise ValueError("about Ana")
        return await real(self, items)

    with monkeypatch.context() as patched:
        patched.setattr(Intake, "take", take)
        while (pause := twilio.fetch()) is not None:
            twilio.api.clock.now += int(pause * 1000)
    (one,) = twilio.api.run(stuck_deliveries(twilio.api.store, DEFAULT_PROJECT))
    assert (one.told.reason, one.told.tries) == ("its files could not be kept (ValueError)", 2)
    assert twilio.waiting(FILES) == 0
    assert "threadwell_stuck_deliveries 1\n" in twilio.api.call("GET", "/metrics").text
    twilio.api.run(replay_delivery(twilio.api.store, DEFAULT_PROJECT, one.id))
    twilio.take()
    assert twilio.fetch() is None
    assert not any("note" in child for child in twilio.children())


def test_nobody_else_gets_the_credentials(twilio: Twilio) -> None:
    for number, url in enumerate(("https://twilio.com.example.org/a", "http://api.twilio.com/b")):
        twilio.deliver(text(number, "x", NumMedia="1", MediaUrl0=url))
    twilio.take()
    twilio.fetch()
    assert [(call.url, dict(call.headers)) for call in twilio.asked] == [
        ("https://twilio.com.example.org/a", {})
    ]


def test_strangers_are_held_and_no_message_is_set_aside(twilio: Twilio) -> None:
    twilio.deliver(text(1, "Who is this?", From=BEN))
    twilio.deliver({"CallSid": "CA1", "CallStatus": "ringing"})
    twilio.deliver(text(2, "Hello", From=""))
    twilio.take()
    codes = sorted(one["reasonCode"]["coding"][0]["code"] for one in twilio.held())
    assert codes == ["broken", "set-aside", "unknown-sender"]
    assert twilio.waiting() == 0


def test_statuses_are_no_messages_and_come_in_any_order(new_api: Any) -> None:
    told = [status(5, "sent"), status(5, "queued"), status(5, "delivered"), status(5, "read")]
    outcomes = set()
    for order in permutations(told):
        twilio = Twilio(new_api(channels=live_channels))
        for one in order:
            assert twilio.deliver(one).status_code == 200
            twilio.take()
        sent = twilio.api.run(sent_state(twilio.api.store, DEFAULT_PROJECT, "twilio", sid(5)))
        assert (twilio.children(), twilio.held()) == ([], [])
        outcomes.add((sent.state, sent.code, tuple(sent.told)))
    assert outcomes == {(State.READ, "", ("queued", "sent", "delivered", "read"))}


def test_a_failure_has_its_code(twilio: Twilio) -> None:
    twilio.deliver(status(6, "undelivered", ErrorCode="30003"))
    twilio.deliver(status(6, "sent"))
    twilio.take()
    sent = twilio.api.run(sent_state(twilio.api.store, DEFAULT_PROJECT, "twilio", sid(6)))
    assert (sent.state, sent.code) == (State.FAILED, "30003")


@pytest.mark.parametrize(
    ("said", "writes"),
    [
        ([("STOP", "")], False),
        ([(" stop. ", "")], False),
        ([("STOP", ""), ("START", "")], True),
        ([("START", ""), ("unsubscribe", "")], False),
        ([("Please stop the drops?", "")], True),
        ([("ALTO", "STOP")], False),
        ([("STOP", ""), ("HELP", "")], False),
        ([], True),
    ],
)
def test_who_says_stop_is_not_written_to(
    new_api: Any, said: list[tuple[str, str]], writes: bool
) -> None:
    orders = list(permutations(enumerate(said)))
    for order in orders:
        twilio = Twilio(new_api(channels=live_channels))
        noon = twilio.api.clock.now
        for number, (body, told) in order:
            twilio.api.clock.now = noon + 1000 * number
            twilio.deliver(text(number, body, **({"OptOutType": told} if told else {})))
        twilio.take()
        ana = Address(AddressKind.PHONE, ANA)
        store = twilio.api.store
        assert twilio.api.run(may_write(store, DEFAULT_PROJECT, OFFICE, ana)) == writes
        assert len(twilio.held()) == len(said)


def test_secrets_are_in_no_resource(twilio: Twilio) -> None:
    twilio.deliver(text(1, "Hello"))
    twilio.take()
    everything = twilio.api.call("GET", "?_type=Communication,Task,Basic,Organization,Encounter")
    assert TOKEN not in everything.text
    assert TOKEN not in repr(Account("a", "twilio", values={"auth_token": TOKEN}))
    assert decode(everything.content)["entry"]


def sid(number: int) -> str:
    return f"SM{number:032x}"


def test_what_waits_is_told(twilio: Twilio, monkeypatch: pytest.MonkeyPatch) -> None:
    def depth() -> JournalDepth:
        return twilio.api.run(journal_depth(twilio.api.store, DEFAULT_PROJECT))  # type: ignore[no-any-return]

    assert depth() == JournalDepth()
    for number in range(9):
        twilio.deliver(text(number, f"Message {number}"))
    assert (depth().count, depth().more) == (9, False)
    assert depth().oldest * 1000 == twilio.api.clock.now
    told = twilio.api.call("GET", "/metrics").text
    assert "threadwell_journal_deliveries 9\n" in told
    assert re.search(r"^threadwell_journal_oldest_seconds [1-9]\d+$", told, re.MULTILINE)
    assert 'threadwell_outbox_messages{account="desk"} 0\n' in told
    assert 'threadwell_outbox_oldest_seconds{account="desk"} 0\n' in told
    monkeypatch.setattr("threadwell.intake.arrivals.depth.MOST", 5)
    assert (depth().count, depth().more) == (5, True)
    twilio.take()
    assert depth() == JournalDepth()
