"""A reply goes out by a provider, which fetches its file and tells what became of it.

The provider calls the URLs that it was told, below the server's base URL: a proxy there hands what
comes on to the server, under the same path.
"""

from __future__ import annotations

import base64
import hmac
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import stem
import threadwell
from threadwell.encounters.delivery import delivery_of

from .conftest import THREADWELL, free_port

BASE = "https://clinic.example.org"
ANA, DESK = "+12075550163", "+12125550164"
ACCOUNT, TOKEN = "AC" + "1" * 32, "4d1c5b0e7f2a9c38"
KEY = Ed25519PrivateKey.generate()
PICTURE = b"\xff\xd8\xff\xe0 a map"


class Api:
    """The API of a provider, which takes whatever it is sent."""

    def __init__(self, id_: str) -> None:
        self.sent: list[dict[str, Any]] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"])).decode()
                form = self.headers["content-type"] != "application/json"
                api.sent.append(dict(parse_qsl(raw)) if form else json.loads(raw))
                body = json.dumps({"sid": id_, "data": {"id": id_}}).encode()
                self.send_response(201)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@dataclass(frozen=True)
class Way:
    """How one provider is spoken to: what it delivers, and where it was told URLs."""

    channel: str
    values: dict[str, str]
    id: str
    to: str
    asked: Callable[[str], httpx.Request]
    told: Callable[[str, str], httpx.Request]
    file: Callable[[dict[str, Any]], str]
    hook: str


def twilio(url: str, said: dict[str, str]) -> httpx.Request:
    """Parameters, signed for the URL that Twilio was told."""
    signed = url + "".join(name + said[name] for name in sorted(said))
    digest = base64.b64encode(hmac.digest(TOKEN.encode(), signed.encode(), "sha1")).decode()
    headers = {"x-twilio-signature": digest, "content-type": "application/x-www-form-urlencoded"}
    return httpx.Request("POST", url, content=urlencode(said).encode(), headers=headers)


def telnyx(url: str, kind: str, payload: dict[str, Any]) -> httpx.Request:
    """An event, signed with the key of the account."""
    body = json.dumps({"data": {"event_type": kind, "payload": payload}}).encode()
    at = str(int(time.time()))
    signature = base64.b64encode(KEY.sign(at.encode() + b"|" + body)).decode()
    headers = {"telnyx-signature-ed25519": signature, "telnyx-timestamp": at}
    return httpx.Request("POST", url, content=body, headers=headers)


def of_twilio(service: str) -> Way:
    ana, desk, sid = f"{service}{ANA}", f"{service}{DESK}", f"MM{7:032x}"
    text = {"MessageSid": f"SM{1:032x}", "From": ana, "To": desk, "Body": "Where are you?"}
    ends = {"MessageSid": sid, "From": desk, "To": ana}
    return Way(
        "twilio",
        {"account_sid": ACCOUNT, "auth_token": TOKEN},
        sid,
        ana,
        lambda url: twilio(url, {**text, "SmsStatus": "received", "NumMedia": "0"}),
        lambda url, word: twilio(url, {**ends, "MessageStatus": word}),
        lambda sent: str(sent["MediaUrl"]),
        "StatusCallback",
    )


def of_telnyx() -> Way:
    public = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
    ends = {"from": {"phone_number": ANA}, "to": [{"phone_number": DESK}]}
    said = {"id": "in-1", "text": "Where are you?", "received_at": "2026-03-04T11:59:58Z"}

    def told(url: str, word: str) -> httpx.Request:
        to = [{"phone_number": ANA, "status": word}]
        return telnyx(url, "message.finalized", {"id": "out-7", "to": to})

    return Way(
        "telnyx",
        {"public_key": public, "api_key": "KEY-of-nobody"},
        "out-7",
        ANA,
        lambda url: telnyx(url, "message.received", {**said, **ends}),
        told,
        lambda sent: str(sent["media_urls"][0]),
        "webhook_url",
    )


@contextmanager
def serving(store: str, log: Path) -> Iterator[str]:
    """A server behind a proxy; where it listens itself."""
    port = free_port()
    command = [*THREADWELL, "serve", "--store", store, "--port", str(port), "--base-url", BASE]
    with log.open("w") as errors:
        process = stem.start(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    try:
        while "Ctrl-C" not in process.stdout.readline():
            assert process.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def through(proxy: str, request: httpx.Request) -> httpx.Response:
    """The answer to a request for a URL below the base, of the server behind the proxy."""
    url = str(request.url)
    assert url.startswith(BASE + "/")
    with httpx.Client(timeout=60) as client:
        there = f"{proxy}{url.removeprefix(BASE)}"
        return client.request(
            request.method, there, content=request.read(), headers=request.headers
        )


def until(what: Callable[[], Any]) -> Any:
    """What is there at last."""
    ends = time.monotonic() + 60
    while not (found := what()):
        assert time.monotonic() < ends
        time.sleep(0.1)
    return found


@pytest.mark.parametrize(
    "way", [of_twilio(""), of_twilio("whatsapp:"), of_telnyx()], ids=["sms", "whatsapp", "telnyx"]
)
def test_its_file_is_fetched_and_its_states_are_on_the_message(way: Way, tmp_path: Path) -> None:
    store, api = str(tmp_path / "threadwell.db"), Api(way.id)
    with threadwell.open(store) as tw:
        values = {**way.values, "api_url": f"http://{api.host}"}
        tw.add_account("desk", way.channel, values, addresses=DESK, hosts=[api.host])
        telecom = [{"system": "phone", "value": ANA}]
        tw.create_resource({"resourceType": "Patient", "telecom": telecom})
        nora = tw.create_resource({"resourceType": "Practitioner"})["id"]
    try:
        with serving(store, tmp_path / "log") as proxy, threadwell.open(store) as tw:
            assert through(proxy, way.asked(f"{BASE}/hooks/desk")).status_code in (200, 204)
            [session] = until(tw.sessions)
            file = tmp_path / "map.jpg"
            file.write_bytes(PICTURE)
            reply = tw.reply(
                f"Communication/{session.headers[0]}",
                "Here.",
                sender=f"Practitioner/{nora}",
                files=[file],
            )
            [sent] = until(lambda: api.sent)
            assert way.to in json.dumps(sent)
            assert sent[way.hook] == f"{BASE}/hooks/desk"
            # Who was given the URL of a file needs nothing else.
            fetched = through(proxy, httpx.Request("GET", way.file(sent)))
            assert (fetched.status_code, fetched.content) == (200, PICTURE)
            assert fetched.headers["content-type"] == "image/jpeg"

            def state() -> str:
                found = delivery_of(tw.read_resource(*reply.message.split("/")))
                return found.state if found else ""

            until(lambda: state() == "queued")
            told = way.told(sent[way.hook], "delivered")
            assert through(proxy, told).status_code in (200, 204)
            until(lambda: state() == "delivered")
            assert (tw.outbox(), tw.dead_letters()) == ([], [])
    finally:
        api.close()
