"""What is asked of Meta to send a reply, and what its answers mean."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.channels.whatsapp_cloud.cloud_deliveries import (
    ACCOUNT,
    ANA,
    DESK,
    LIVE,
    NOON,
    OWN,
    VALUES,
    wamid,
)
from threadwell.calls.call import Call, Called
from threadwell.channels.sending import Failed, Later, Outbound, Sent
from threadwell.messages import Address, AddressKind

TO = Address(AddressKind.PHONE, f"+{ANA}")
REPLY = Outbound("ours-1", OWN, (TO,), f"+{ANA},+{DESK}", "Yes, until 5.", NOON)
SENDING = replace(ACCOUNT, values={**VALUES, "phone_number_id": "700100"})


def step(out: Outbound = REPLY, answer: Called | None = None) -> Any:
    assert LIVE.send is not None
    return LIVE.send(out, SENDING, answer)


def answered(status: int, told: Any, **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return step(answer=Called(status, names, json.dumps(told).encode()))


TEMPLATES = [
    {"id": "visit", "language": "de", "text": "Termin am {{1}} um {{2}}."},
    {"id": "ready", "text": "{{what}} is ready for {{who}}"},
    {"id": "closed", "text": "We are closed."},
]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Termin am Montag um 9.",
            {
                "name": "visit",
                "language": {"code": "de"},
                "components": [
                    {
                        "type": "body",
                        "parameters": [
                            {"type": "text", "text": "Montag"},
                            {"type": "text", "text": "9"},
                        ],
                    }
                ],
            },
        ),
        (
            "It is ready for Ana",
            {
                "name": "ready",
                "language": {"code": "en"},
                "components": [
                    {
                        "type": "body",
                        "parameters": [
                            {"type": "text", "parameter_name": "what", "text": "It"},
                            {"type": "text", "parameter_name": "who", "text": "Ana"},
                        ],
                    }
                ],
            },
        ),
        ("We are closed.", {"name": "closed", "language": {"code": "en"}}),
    ],
)
def test_a_template(text: str, said: Any) -> None:
    values = {**SENDING.values, "templates": json.dumps(TEMPLATES)}
    assert LIVE.send is not None
    call = LIVE.send(replace(REPLY, text=text), replace(SENDING, values=values), None)
    assert isinstance(call, Call)
    sent = json.loads(call.body)
    assert (sent["type"], sent["template"]) == ("template", said)
    assert "text" not in sent
    file = replace(REPLY, text=text, files=("https://clinic.example.org/f/1",))
    call = LIVE.send(file, replace(SENDING, values=values), None)
    assert isinstance(call, Call)
    assert json.loads(call.body)["type"] == "document"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, {"type": "text", "text": {"body": "Yes, until 5."}}),
        (
            {"answers": wamid(3)},
            {
                "type": "text",
                "text": {"body": "Yes, until 5."},
                "context": {"message_id": wamid(3)},
            },
        ),
        (
            {"files": ("https://clinic.example.org/f/1",)},
            {
                "type": "document",
                "document": {
                    "link": "https://clinic.example.org/f/1",
                    "caption": "Yes, until 5.",
                },
            },
        ),
        (
            {"files": ("https://clinic.example.org/f/1",), "text": ""},
            {"type": "document", "document": {"link": "https://clinic.example.org/f/1"}},
        ),
    ],
)
def test_a_reply(changed: Any, said: Any) -> None:
    call = step(replace(REPLY, **changed))
    assert isinstance(call, Call)
    assert (call.method, call.url) == ("POST", "https://graph.facebook.com/v23.0/700100/messages")
    assert call.headers["Authorization"] == "Bearer EAAG-not-real"
    assert "EAAG" not in repr(call)
    common = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": ANA}
    assert json.loads(call.body) == common | said


@pytest.mark.parametrize(
    "changed",
    [
        {"recipients": (TO, OWN)},
        {"recipients": (Address(AddressKind.OTHER, "whatsapp_cloud:US.77"),)},
        {"thread": f"group:G7,+{DESK}"},
        {"files": ("https://a.example", "https://b.example")},
        {"text": "x" * 4097},
        {"text": "x" * 1025, "files": ("https://a.example",)},
    ],
)
def test_what_cannot_be_sent(changed: Any) -> None:
    assert isinstance(step(replace(REPLY, **changed)), Failed)


def test_an_account_that_only_hears() -> None:
    assert LIVE.send is not None
    assert isinstance(LIVE.send(REPLY, ACCOUNT, None), Failed)


def error(code: Any) -> dict[str, Any]:
    return {"error": {"message": "no", "type": "OAuthException", "code": code}}


@pytest.mark.parametrize(
    ("status", "told", "outcome"),
    [
        (200, {"messages": [{"id": wamid(9)}]}, Sent(wamid(9))),
        (200, {}, "doubtful"),
        (200, [], "doubtful"),
        (500, error(131000), "doubtful"),
        (502, "", "doubtful"),
        (429, error(130429), "later"),
        (400, error(131056), "later"),
        (400, error(80007), "later"),
        (503, error(131016), "later"),
        (500, error(2), "later"),
        (401, error(190), "later"),
        (403, error(10), "later"),
        (400, error(200), "later"),
        (400, error(299), "later"),
        (400, error(131047), "failed"),
        (400, error("131026"), "failed"),
        (403, error(131030), "failed"),
        (400, error(100), "failed"),
        (404, {}, "failed"),
        (400, error(None), "failed"),
    ],
)
def test_what_an_answer_means(status: int, told: Any, outcome: Any) -> None:
    found = answered(status, told)
    if isinstance(outcome, Sent):
        assert found == outcome
    elif outcome == "failed":
        assert isinstance(found, Failed)
        assert found.reason
    else:
        assert isinstance(found, Later)
        assert found.doubtful == (outcome == "doubtful")


def test_how_long_to_wait() -> None:
    assert answered(429, error(130429), retry_after="30").seconds == 30
    assert answered(429, error(130429), retry_after="soon").seconds == 0
    assert answered(400, error(131047)).code == "131047"
