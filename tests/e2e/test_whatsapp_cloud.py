"""Meta delivers to a real server, and a stand-in for its API hands over the files."""

from __future__ import annotations

import asyncio
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

import threadwell
from threadwell.app import open_store
from threadwell.intake.arrivals.journal import ARRIVED, entries
from threadwell.intake.arrivals.statuses import sent_state
from threadwell.stores.contract import DEFAULT_PROJECT

ANA, DESK = "12075550146", "12125550145"
VALUES = {"app_secret": "app-one", "verify_token": "open sesame", "access_token": "EAAG-not-real"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@dataclass
class Meta:
    """The Graph API: where a file is, the file, and sending, for who has the token."""

    url: str = ""
    asked: list[tuple[str, int]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, path: str, token: str | None, agent: str | None) -> tuple[int, str, bytes]:
        if token != "Bearer EAAG-not-real" or not agent:
            return 401, "application/json", b'{"error": {"code": 190}}'
        if path == "/801":
            said = {"messaging_product": "whatsapp", "id": "801", "url": f"{self.url}/files/801"}
            return 200, "application/json", json.dumps(said).encode()
        return (200, "image/png", PNG) if path == "/files/801" else (404, "text/plain", b"")


@pytest.fixture
def meta() -> Iterator[Meta]:
    stand_in = Meta()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = self.headers
            status, kind, body = stand_in.answer(
                self.path, headers["Authorization"], headers["User-Agent"]
            )
            stand_in.asked.append((self.path, status))
            self.reply(status, kind, body)

        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            stand_in.sent.append({"path": self.path, **said})
            told = {"messaging_product": "whatsapp", "messages": [{"id": "wamid.E2E2"}]}
            self.reply(200, "application/json", json.dumps(told).encode())

        def reply(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.url = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield stand_in
    listening.shutdown()
    listening.server_close()
    thread.join()


def test_from_an_empty_account_to_the_first_message(server: Any, meta: Meta) -> None:
    with threadwell.open(server.store) as tw:
        values = {**VALUES, "api_url": meta.url, "phone_number_id": "700100"}
        hosts = meta.url.partition("//")[2]
        tw.add_account("wa", "whatsapp_cloud", values, addresses=f"+{DESK}", hosts=hosts)
    url = f"{server.base_url}hooks/wa"
    asked = {"hub.mode": "subscribe", "hub.verify_token": "open sesame", "hub.challenge": "1158"}
    said = httpx.get(url, params=asked)
    assert (said.status_code, said.text) == (200, "1158")
    assert httpx.get(url, params={**asked, "hub.verify_token": "guess"}).status_code == 403

    http = server.http()
    person = {"resourceType": "Patient", "telecom": [{"system": "phone", "value": f"+{ANA}"}]}
    http.post("Patient", json=person).raise_for_status()
    image = {"id": "801", "mime_type": "image/png", "caption": "Is this normal?"}
    # A day after it only a template may answer it.
    now = int(time.time()) - 60
    message = {"from": ANA, "id": "wamid.E2E1", "timestamp": f"{now}", "type": "image"}
    status = {"id": "wamid.E2E0", "status": "read", "timestamp": f"{now + 1}", "recipient_id": ANA}
    body = delivery(messages=[{**message, "image": image}], statuses=[status])
    assert deliver(url, body, secret="app-two").status_code == 403
    for _ in range(3):
        assert deliver(url, body).status_code == 204

    deadline = time.monotonic() + 60
    while not (child := found(http)) or "url" not in child["payload"][1]["contentAttachment"]:
        assert time.monotonic() < deadline, child
        time.sleep(0.1)
    assert child["payload"][0] == {"contentString": "Is this normal?"}
    attached = child["payload"][1]["contentAttachment"]
    assert (attached["contentType"], attached["size"]) == ("image/png", len(PNG))
    assert "note" not in child
    assert datetime.fromisoformat(child["sent"]).timestamp() == now
    assert child["medium"][0]["coding"][0]["code"] == "APPWRIT"
    # What was delivered again is there once, and what became of another message is none.
    deliver(url, body)
    while asyncio.run(waiting(server.store)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    held = http.get("Communication", params={"sender": child["sender"]["reference"]}).json()
    assert [one["resource"]["id"] for one in held["entry"] if "partOf" in one["resource"]] == [
        child["id"]
    ]
    sent = asyncio.run(state(server.store, "wamid.E2E0"))
    assert (str(sent.state), list(sent.told)) == ("read", ["read"])

    # A reply goes back through the thread, and what becomes of it stands on it.
    writer = http.post("Practitioner", json={"resourceType": "Practitioner"}).json()["id"]
    with threadwell.open(server.store) as tw:
        answer = f"Communication/{child['id']}"
        replied = tw.reply(answer, "It is.", sender=f"Practitioner/{writer}")
    told = {"id": "wamid.E2E2", "status": "delivered", "timestamp": f"{now + 30}"}
    assert deliver(url, delivery(statuses=[told])).status_code == 204
    while (state_ := asyncio.run(state(server.store, "wamid.E2E2"))) is None or len(
        state_.told
    ) < 2:
        assert time.monotonic() < deadline + 60
        time.sleep(0.1)
    (asked_,) = meta.sent
    assert (asked_["path"], asked_["to"]) == ("/700100/messages", ANA)
    assert (asked_["text"], asked_["context"]) == ({"body": "It is."}, {"message_id": "wamid.E2E1"})
    ids = http.get(replied.message).json()["identifier"]
    assert "wamid.E2E2" in [one["value"] for one in ids]


def delivery(**members: Any) -> bytes:
    metadata = {"display_phone_number": DESK, "phone_number_id": "700100"}
    value = {"messaging_product": "whatsapp", "metadata": metadata, **members}
    entry = {"id": "900100", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def deliver(url: str, body: bytes, secret: str = "app-one") -> httpx.Response:
    signature = "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
    return httpx.post(url, content=body, headers={"X-Hub-Signature-256": signature})


def found(http: httpx.Client) -> dict[str, Any]:
    """The message, as it is in the record."""
    system = "https://threadwell.dev/fhir/identifier/message/whatsapp_cloud"
    answer = http.get("Communication", params={"identifier": f"{system}|wamid.E2E1"})
    entries = answer.raise_for_status().json().get("entry", [])
    return entries[0]["resource"] if entries else {}


async def waiting(url: str) -> int:
    """The deliveries that are not taken in yet."""
    store = open_store(url)
    try:
        return len(await entries(store, DEFAULT_PROJECT, ARRIVED))
    finally:
        await store.close()


async def state(url: str, message: str) -> Any:
    store = open_store(url)
    try:
        return await sent_state(store, DEFAULT_PROJECT, "whatsapp_cloud", message)
    finally:
        await store.close()
