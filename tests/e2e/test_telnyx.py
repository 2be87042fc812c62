"""Telnyx delivers to a real server: a message is in the record once, and a status is none."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import threadwell
from threadwell.app import open_store
from threadwell.intake.arrivals.statuses import sent_state
from threadwell.stores.contract import DEFAULT_PROJECT

ANA, DESK = "+12075550156", "+12125550155"
KEY = Ed25519PrivateKey.generate()


def test_a_text_and_what_became_of_another(server: Any) -> None:
    public = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
    with threadwell.open(server.store) as tw:
        tw.add_account("texts", "telnyx", {"public_key": public}, addresses=DESK)
    http = server.http()
    person = {"resourceType": "Patient", "telecom": [{"system": "phone", "value": ANA}]}
    http.post("Patient", json=person).raise_for_status()
    url = f"{server.base_url}hooks/texts"
    text = {"id": "e2e-1", "from": {"phone_number": ANA}, "to": [{"phone_number": DESK}]}
    text |= {"text": "Is the clinic open?", "received_at": "2025-03-04T11:59:58Z"}
    status = {"id": "e2e-0", "to": [{"phone_number": ANA, "status": "delivered"}]}
    assert deliver(url, "message.received", text, key=Ed25519PrivateKey.generate()) == 403
    told = [("message.finalized", status), ("message.received", text), ("message.received", text)]
    assert [deliver(url, kind, payload) for kind, payload in told] == [204] * 3

    system = "https://threadwell.dev/fhir/identifier/message/telnyx"
    deadline = time.monotonic() + 60
    name = {"identifier": f"{system}|e2e-1"}
    while not (found := http.get("Communication", params=name).json()).get("entry"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (entry,) = found["entry"]
    assert entry["resource"]["payload"] == [{"contentString": "Is the clinic open?"}]
    assert entry["resource"]["sent"] == "2025-03-04T11:59:58Z"
    while (sent := asyncio.run(state(server.store))) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert str(sent.state) == "delivered"


def deliver(url: str, kind: str, payload: Any, key: Ed25519PrivateKey = KEY) -> int:
    body = json.dumps({"data": {"event_type": kind, "payload": payload}}).encode()
    at = str(int(time.time()))
    signature = base64.b64encode(key.sign(at.encode() + b"|" + body)).decode()
    headers = {"Telnyx-Signature-Ed25519": signature, "Telnyx-Timestamp": at}
    return httpx.post(url, content=body, headers=headers).status_code


async def state(url: str) -> Any:
    store = open_store(url)
    try:
        return await sent_state(store, DEFAULT_PROJECT, "telnyx", "e2e-0")
    finally:
        await store.close()
