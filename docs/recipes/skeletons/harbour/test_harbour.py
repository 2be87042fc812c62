"""The channel hears what its README says."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from threadwell.calls.call import Call, Called
from threadwell.channels import harbour
from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.channels.live import Arrived, File, Lost, State, Status
from threadwell.messages import Address, AddressKind, Broken, Message

LIVE = harbour.CHANNEL.live
assert LIVE is not None
KEY = "of-the-tests-alone"
OFFICE = Address(AddressKind.PHONE, "+12125550100")
ACCOUNT = Account("desk", "harbour", (OFFICE,), {"secret": KEY})
BODY = (Path(__file__).parent / "delivery.json").read_bytes()
NOON = datetime(2025, 5, 13, 16, tzinfo=UTC)


def delivery(body: bytes = BODY, signature: str | None = None) -> Delivery:
    if signature is None:
        signature = hmac.digest(KEY.encode(), body, "sha256").hex()
    headers = {"harbour-signature": signature, "content-type": "application/json"}
    return Delivery("POST", ("https://clinic.example.org/hooks/desk",), headers, body, NOON)


@pytest.mark.parametrize("signature", ["", "0" * 64, "ÿþ"])
def test_only_the_provider_is_heard(signature: str) -> None:
    assert LIVE.verify(delivery(), ACCOUNT) is None
    assert LIVE.verify(delivery(signature=signature), ACCOUNT) is not None
    changed = replace(delivery(), body=BODY + b" ")
    assert LIVE.verify(changed, ACCOUNT) is not None


def test_each_event_is_read_on_its_own() -> None:
    first, second, status, aside, broken = LIVE.parse(delivery(), ACCOUNT, "US")
    assert isinstance(first, Arrived)
    assert first.message.attachments[0].content is None
    assert [remote.place for remote in first.files] == ["f-1"]
    assert isinstance(second, Message)
    assert (second.external_id, second.sender.value) == ("ht-2", "+12075550111")
    assert (second.ours, second.thread_hint) == ((OFFICE,), first.message.thread_hint)
    assert isinstance(status, Status)
    assert (status.external_id, status.state) == ("ht-0", State.DELIVERED)
    assert isinstance(aside, Broken)
    assert isinstance(broken, Broken)
    assert (aside.set_aside, broken.set_aside) == (True, False)
    assert b"ht-3" in broken.content


def test_a_retry_is_the_same_messages() -> None:
    later = replace(delivery(), received=NOON.replace(hour=18))
    ids = [
        [
            heard.external_id
            for heard in LIVE.parse(one, ACCOUNT, "US")
            if isinstance(heard, Message)
        ]
        for one in (delivery(), later)
    ]
    assert ids == [["ht-2"], ["ht-2"]]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"events": 7}', BODY[:200], b"\xff"])
def test_what_cannot_be_read_is_kept_whole(body: bytes) -> None:
    (broken,) = LIVE.parse(delivery(body), ACCOUNT, "US")
    assert isinstance(broken, Broken)
    assert broken.content == body


def test_a_file_is_fetched_with_the_secret_that_is_never_shown() -> None:
    (arrived, *_) = LIVE.parse(delivery(), ACCOUNT, "US")
    assert isinstance(arrived, Arrived)
    call = LIVE.fetch(arrived.files[0], ACCOUNT, None)
    assert isinstance(call, Call)
    assert call.url == "https://api.harbour.example/files/f-1"
    assert KEY in call.headers["Authorization"]
    assert KEY not in repr(call) + repr(ACCOUNT)
    there = LIVE.fetch(arrived.files[0], ACCOUNT, Called(200, {"content-type": "image/jpeg"}, b"x"))
    assert there == File(b"x", "image/jpeg")
    gone = LIVE.fetch(arrived.files[0], ACCOUNT, Called(404, {}, b""))
    assert isinstance(gone, Lost)
    assert gone.again
