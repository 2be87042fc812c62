"""What Telnyx delivers is verified, and read. People, numbers and ids are invented."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from threadwell.calls.call import Call, Called
from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.channels.halves import NOTE
from threadwell.channels.live import Arrived, File, Heard, Lost, Remote, State, Status, Wish, Wished
from threadwell.channels.telnyx import CHANNEL
from threadwell.messages import Address, AddressKind, Broken, Message

assert CHANNEL.live is not None
LIVE = CHANNEL.live
ANA, BEN = "+12075550111", "+12075550122"
OWN = Address(AddressKind.PHONE, "+12125550100")
NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)
KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
ID = "5c1f0000-aaaa-4bbb-8ccc-000000000001"


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


ACCOUNT = Account("texts", "telnyx", (OWN,), {"public_key": public(KEY)})


def event(kind: str = "message.received", **payload: Any) -> dict[str, Any]:
    """An event about a text of Ana's."""
    said = {
        "record_type": "message",
        "direction": "inbound",
        "id": ID,
        "type": "SMS",
        "from": {"phone_number": ANA, "carrier": "Harbour Mobile", "line_type": "Wireless"},
        "to": [{"phone_number": OWN.value, "status": "webhook_delivered"}],
        "cc": [],
        "text": "Is the clinic open?",
        "media": [],
        "received_at": "2025-03-03T11:59:58.120+00:00",
        **payload,
    }
    about = {"event_type": kind, "id": "e-1", "occurred_at": "2025-03-03T11:59:59.000Z"}
    return {"data": {"record_type": "event", **about, "payload": said}, "meta": {"attempt": 1}}


def delivery(body: bytes, headers: dict[str, str] | None = None) -> Delivery:
    url = "https://clinic.example.org/hooks/texts"
    return Delivery("POST", (url,), headers or {}, body, NOON)


def signed(body: bytes, key: Ed25519PrivateKey = KEY, at: datetime = NOON) -> dict[str, str]:
    said = str(int(at.timestamp()))
    signature = base64.b64encode(key.sign(said.encode() + b"|" + body)).decode()
    return {"telnyx-signature-ed25519": signature, "telnyx-timestamp": said}


def heard(told: Any, account: Account = ACCOUNT) -> list[Heard]:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return list(LIVE.parse(delivery(body), account, "US"))


def one(told: Any, account: Account = ACCOUNT) -> Message:
    """The message of an event."""
    found = heard(told, account)[0]
    found = found.message if isinstance(found, Arrived) else found
    assert isinstance(found, Message), found
    return found


BODY = json.dumps(event(text="Tschüß")).encode()
GOOD = signed(BODY)


@pytest.mark.parametrize(
    ("headers", "values", "good"),
    [
        (GOOD, {}, True),
        (signed(BODY, at=NOON - timedelta(minutes=4)), {}, True),
        (signed(BODY, OTHER), {"second_public_key": public(OTHER)}, True),
        (signed(BODY, OTHER), {}, False),
        (signed(BODY, at=NOON - timedelta(minutes=6)), {}, False),
        (signed(BODY, at=NOON + timedelta(minutes=6)), {}, False),
        (signed(BODY + b" "), {}, False),
        ({**GOOD, "telnyx-timestamp": str(int(NOON.timestamp()) + 1)}, {}, False),
        ({**GOOD, "telnyx-timestamp": "soon"}, {}, False),
        ({**GOOD, "telnyx-timestamp": "9" * 400}, {}, False),
        ({**GOOD, "telnyx-timestamp": ""}, {}, False),
        ({**GOOD, "telnyx-signature-ed25519": ""}, {}, False),
        ({**GOOD, "telnyx-signature-ed25519": "ÿþ"}, {}, False),
        ({**GOOD, "telnyx-signature-ed25519": "eA=="}, {}, False),
        ({}, {}, False),
        (GOOD, {"public_key": ""}, False),
        (GOOD, {"public_key": "no key"}, False),
    ],
)
def test_only_telnyx_is_heard(headers: dict[str, str], values: dict[str, str], good: bool) -> None:
    account = replace(ACCOUNT, values={**ACCOUNT.values, **values})
    assert (LIVE.verify(delivery(BODY, headers), account) is None) == good
    assert LIVE.verify(delivery(BODY, headers), Account("texts", "telnyx")) is not None


def test_a_text() -> None:
    read = one(event())
    assert (read.channel, read.external_id, read.text) == ("telnyx", ID, "Is the clinic open?")
    assert (read.sender.value, read.recipients, read.ours) == (ANA, (OWN,), (OWN,))
    assert read.sent == datetime(2025, 3, 3, 11, 59, 58, 120_000, UTC)
    assert read.thread_hint == f"{ANA},{OWN.value}"
    assert (read.medium, read.made_id, read.on_arrival) == ("", True, False)
    assert one(event(received_at=None)).sent.second == 59
    never = event(received_at="soon")
    never["data"]["occurred_at"] = "2025-03-03T11:59:59"
    assert (one(never).on_arrival, one(never).sent) == (True, NOON)


def test_a_retry_is_the_same_message() -> None:
    again = event(id=ID.upper())
    again["data"]["id"], again["meta"] = "e-2", {"attempt": 2}
    assert one(again) == one(event())


def test_a_group() -> None:
    to = [{"phone_number": BEN}, {"phone_number": OWN.value}]
    read = one(event(to=to, cc=[{"phone_number": "+12075550133"}], type="MMS"))
    assert [end.value for end in read.recipients] == [BEN, OWN.value, "+12075550133"]
    assert (read.ours, read.medium) == ((OWN,), "MMSWRIT")
    assert read.thread_hint == f"{ANA},{BEN},+12075550133,{OWN.value}"
    nobody = Account("texts", "telnyx")
    assert one(event(), nobody).ours == (OWN,)


@pytest.mark.parametrize(
    ("written", "address"),
    [("24365", "24365"), ("HARBOUR", "sms:HARBOUR"), ("+447700900123", "+447700900123")],
)
def test_who_writes(written: str, address: str) -> None:
    assert one(event(**{"from": {"phone_number": written}})).sender.value == address


def test_files_are_fetched_without_credentials() -> None:
    url = "https://media.telnyx.example/abc/photo"
    media = [{"url": url, "content_type": "image/jpeg", "size": 5}, {"content_type": "x/y"}, 7]
    (found,) = heard(event(media=media, text=""))
    assert isinstance(found, Arrived)
    (file,) = found.message.attachments
    assert (file.filename, file.content_type, file.content) == ("photo.jpg", "image/jpeg", None)
    assert found.message.medium == "MMSWRIT"
    call = LIVE.fetch(found.files[0], ACCOUNT, None)
    assert call == Call("GET", url, {})
    answer = Called(200, {"content-type": "image/jpeg"}, b"x")
    assert LIVE.fetch(found.files[0], ACCOUNT, answer) == File(b"x", "image/jpeg")
    gone = LIVE.fetch(found.files[0], ACCOUNT, Called(404, {}, b""))
    assert isinstance(gone, Lost)
    for place in ("http://media.telnyx.example/a", "file:///etc/passwd", "https://[::1", "photo"):
        assert isinstance(LIVE.fetch(Remote(place, 0), ACCOUNT, None), Lost)


@pytest.mark.parametrize(
    ("word", "state", "code"),
    [
        ("queued", State.QUEUED, ""),
        ("sending", State.QUEUED, ""),
        ("sent", State.SENT, ""),
        ("delivery_unconfirmed", State.SENT, ""),
        ("delivered", State.DELIVERED, ""),
        ("sending_failed", State.FAILED, "40300"),
        ("delivery_failed", State.FAILED, "40300"),
    ],
)
def test_what_became_of_a_message(word: str, state: State, code: str) -> None:
    to = [{"phone_number": ANA, "status": word}, {"phone_number": BEN, "status": "delivered"}]
    errors = [{"code": "40300", "title": "Blocked due to STOP message"}]
    said = {"to": to, "errors": errors, "completed_at": "2025-03-03T11:00:00Z", "direction": "o"}
    first, second = heard(event("message.finalized", **said))
    assert isinstance(first, Status)
    assert isinstance(second, Status)
    assert (first.external_id, first.state, first.code) == (ID, state, code)
    assert first.recipient == Address(AddressKind.PHONE, ANA)
    assert (first.at.hour, second.state, second.code) == (11, State.DELIVERED, "")
    assert second.at == first.at


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ({"text": "Stop"}, Wish.STOP),
        ({"text": "unstop"}, Wish.START),
        ({"text": "ALTO", "autoresponse_type": "OPT_OUT"}, Wish.STOP),
        ({"text": "HOLA", "autoresponse_type": "opt_in"}, Wish.START),
        ({"text": "Please stop the drops?", "autoresponse_type": None}, None),
    ],
)
def test_who_does_not_want_messages(said: dict[str, Any], wish: Wish | None) -> None:
    message, *wishes = heard(event(**said))
    assert isinstance(message, Message)
    assert [found.wish for found in wishes if isinstance(found, Wished)] == ([wish] if wish else [])


@pytest.mark.parametrize(
    ("told", "set_aside"),
    [
        (event("call.initiated"), True),
        (event("message.sent", to=[{"status": "?"}]), True),
        (event(id=""), False),
        (event(to=[]), False),
        (event(**{"from": None}), False),
        ({"data": {"event_type": "message.received", "payload": []}}, False),
        ({"data": []}, False),
        (b"", False),
        (b"{", False),
        (b"[]", False),
        (b"\xff", False),
        (b'{"data":' + b"[" * 100_000, False),
        (BODY[:99], False),
    ],
)
def test_what_is_no_message_is_kept_whole(told: Any, set_aside: bool) -> None:
    (found,) = heard(told)
    assert isinstance(found, Broken)
    assert found.set_aside == set_aside
    assert found.content == (told if isinstance(told, bytes) else json.dumps(told).encode())


def test_half_a_character() -> None:
    read = one(json.dumps(event(text="Thanks XY")).encode().replace(b"XY", rb"\ud83d"))
    assert (read.text, read.notes) == ("Thanks \ufffd", (NOTE,))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
PLACES = st.sampled_from([*event()["data"]["payload"], "errors", "subject", "autoresponse_type"])


@given(PLACES, ANYTHING, st.sampled_from(["message.received", "message.finalized"]))
def test_anything_may_stand_anywhere(place: str, other: Any, kind: str) -> None:
    found = heard(event(kind, **{place: other}))
    assert found
