"""What is asked of Telnyx to send a reply, and what its answers mean."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from threadwell.calls.call import Call, Called
from threadwell.channels.account import Account
from threadwell.channels.sending import Failed, Later, Outbound, Sent
from threadwell.channels.telnyx import CHANNEL
from threadwell.messages import Address, AddressKind

assert CHANNEL.live is not None
assert CHANNEL.live.send is not None
send = CHANNEL.live.send
OWN = Address(AddressKind.PHONE, "+12125550100")
ANA = Address(AddressKind.PHONE, "+12075550111")
ACCOUNT = Account("texts", "telnyx", (OWN,), {"public_key": "x", "api_key": "KEY-not-real"})
NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)
REPLY = Outbound("ours-1", OWN, (ANA,), f"{ANA.value},{OWN.value}", "Until 5.", NOON)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, {"text": "Until 5."}),
        ({"text": "", "files": ("https://a.example",)}, {"media_urls": ["https://a.example"]}),
        (
            {"hook": "https://clinic.example.org/hooks/texts", "text": "A"},
            {"text": "A", "webhook_url": "https://clinic.example.org/hooks/texts"},
        ),
    ],
)
def test_a_reply(changed: Any, said: Any) -> None:
    call = send(replace(REPLY, **changed), ACCOUNT, None)
    assert isinstance(call, Call)
    assert (call.method, call.url) == ("POST", "https://api.telnyx.com/v2/messages")
    assert json.loads(call.body) == {"from": OWN.value, "to": ANA.value} | said
    assert call.headers["Authorization"] == "Bearer KEY-not-real"
    assert "KEY-not-real" not in repr(call) + repr(ACCOUNT)


@pytest.mark.parametrize(
    "changed",
    [
        {"recipients": (ANA, OWN)},
        {"recipients": (Address(AddressKind.OTHER, "sms:HARBOUR"),)},
        {"own": Address(AddressKind.OTHER, "telnyx:owner")},
        {"files": ("https://a.example",) * 11},
    ],
)
def test_what_cannot_be_sent(changed: Any) -> None:
    assert isinstance(send(replace(REPLY, **changed), ACCOUNT, None), Failed)
    hears = replace(ACCOUNT, values={"public_key": "x"})
    assert isinstance(send(REPLY, hears, None), Failed)


def error(code: Any) -> dict[str, Any]:
    return {"errors": [{"code": code, "title": "no"}]}


@pytest.mark.parametrize(
    ("status", "told", "outcome"),
    [
        (200, {"data": {"id": "5C1F-9"}}, Sent("5c1f-9")),
        (200, {"data": []}, "doubtful"),
        (202, "", "doubtful"),
        (500, error("10007"), "doubtful"),
        (504, "", "doubtful"),
        (429, error("10011"), "later"),
        (429, error("40011"), "later"),
        (400, error("40314"), "later"),
        (400, error("40309"), "failed"),
        (503, "", "later"),
        (401, error("10009"), "later"),
        (400, error("40300"), "failed"),
        (403, error("40305"), "failed"),
        (422, error(7), "failed"),
        (404, [], "failed"),
    ],
)
def test_what_an_answer_means(status: int, told: Any, outcome: Any) -> None:
    found = send(REPLY, ACCOUNT, Called(status, {"retry-after": "9"}, json.dumps(told).encode()))
    if isinstance(outcome, Sent):
        assert found == outcome
    elif outcome == "failed":
        assert isinstance(found, Failed)
    else:
        assert isinstance(found, Later)
        assert found.doubtful == (outcome == "doubtful")
        assert found.seconds == (9 if status in (429, 503) else 0)
