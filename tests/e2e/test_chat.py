"""A patient's app and the practice, over real sockets: a message is there once, on both sides."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import jwt
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

import threadwell
from threadwell.channels.account import Account
from threadwell.channels.chat.tokens import new_token

SECRET = "a-secret-that-is-long-enough-for-tests-0001"
PROTOCOL = "threadwell-chat-1"
PLAIN: dict[str, Any] = {"subprotocols": [PROTOCOL]}
PDF, NO_TYPE = {"Content-Type": "application/pdf"}, {"Content-Type": "a"}
NO = "unsupported-type"
HALF = b'{"key": "m3", "text": "\\ud83d"}'
#: What some libraries once took: a token that says of itself that it is not signed.
NONE_TOKEN = jwt.encode({"sub": "x", "aud": "chat/app", "iat": 1, "exp": 1 << 39}, None, "none")
_NUMBERS = count(1)


class App:
    """What a patient's app does."""

    def __init__(self, server: Any, who: str, account: str = "app") -> None:
        self.base = f"{server.base_url}chat/{account}"
        self.token = token(who, account)
        self.http = httpx.Client(
            base_url=self.base, headers={"Authorization": f"Bearer {self.token}"}
        )

    def send(self, key: str, text: str, *files: str) -> httpx.Response:
        body = {"key": key, "text": text, "attachments": list(files)}
        return self.http.post("/messages", json=body)

    def read(self, *ids: str) -> httpx.Response:
        return self.http.post("/read", json={"ids": list(ids)})

    def messages(self, **query: str) -> Any:
        return self.http.get("/messages", params=query).raise_for_status().json()

    @contextmanager
    def socket(self, cursor: str = "", **more: Any) -> Iterator[ClientConnection]:
        url = self.base.replace("http", "ws", 1) + "/socket"
        more = {"subprotocols": [PROTOCOL], **more}
        with connect(url, **more) as found:
            hello = {"type": "hello", "token": self.token, "cursor": cursor}
            found.send(json.dumps(hello))
            yield found


def token(who: str, account: str = "app", secret: str = SECRET, **more: Any) -> str:
    made = Account(account, "chat", (), {"secret": secret})
    at = more.pop("at", datetime.now(UTC))
    return new_token(made, who, at, more.pop("seconds", 600))


def take(socket: ClientConnection, wanted: Any, seconds: float = 60) -> list[Any]:
    """Frames up to the first for which ``wanted`` is true; the last one is that."""
    out = []
    deadline = time.monotonic() + seconds
    while not out or not wanted(out[-1]):
        out.append(json.loads(socket.recv(timeout=max(0.1, deadline - time.monotonic()))))
    return out


def synced(frame: Any) -> bool:
    return frame["type"] == "synced"


def says(text: str) -> Any:
    return lambda frame: frame["type"] == "message" and frame["message"]["text"] == text


@pytest.fixture(scope="module", autouse=True)
def account(server: Any) -> None:
    with threadwell.open(server.store) as tw:
        tw.add_account("app", "chat", {"secret": SECRET, "origins": "https://app.example.org"})
        tw.add_account("other", "chat", {"secret": SECRET[::-1]})


@pytest.fixture
def http(server: Any) -> httpx.Client:
    return server.http()


@pytest.fixture
def app(server: Any, http: httpx.Client) -> App:
    return App(server, person(http))


def person(http: httpx.Client) -> str:
    who = f"pat-{next(_NUMBERS)}"
    made = {
        "resourceType": "Patient",
        "name": [{"given": ["Ines"], "family": f"Sample{who}"}],
        "telecom": [{"system": "other", "value": f"chat:app/{who}"}],
    }
    http.post("Patient", json=made).raise_for_status()
    return who


def nurse(http: httpx.Client) -> str:
    made = {"resourceType": "Practitioner", "name": [{"text": "Nurse Berg"}]}
    return f"Practitioner/{http.post('Practitioner', json=made).raise_for_status().json()['id']}"


def recorded(http: httpx.Client, id_: str) -> Any:
    deadline = time.monotonic() + 60
    while (found := http.get(f"Communication/{id_}")).status_code == 404:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found.raise_for_status().json()


def test_a_message_is_in_the_record_and_its_answer_in_the_app(app: App, http: httpx.Client) -> None:
    with app.socket() as socket:
        assert take(socket, synced)[0]["type"] == "ready"
        first = app.send("m1", "Is the clinic open on Friday?")
        assert first.status_code == 201, first.text
        again = app.send("m1", "Is the clinic open on Friday?")
        assert (again.status_code, again.json()) == (200, first.json())
        own = take(socket, says("Is the clinic open on Friday?"))[-1]["message"]
        assert (own["id"], own["key"], own["from"]) == (first.json()["id"], "m1", "patient")

        child = recorded(http, first.json()["id"])
        assert child["sender"]["reference"].startswith("Patient/")
        reply = {
            "resourceType": "Communication",
            "status": "in-progress",
            "partOf": child["partOf"],
            "sender": {"reference": nurse(http)},
            "payload": [{"contentString": "Until noon."}],
        }
        http.post("Communication", json=reply).raise_for_status()
        answer = take(socket, says("Until noon."))[-1]
        assert answer["message"]["from"] == "practice"
        socket.send(json.dumps({"type": "received", "ids": [answer["message"]["id"]]}))
        take(socket, lambda one: one.get("message", {}).get("state") == "delivered")
        socket.send(json.dumps({"type": "read", "ids": [answer["message"]["id"]]}))
        last = take(socket, lambda one: one.get("message", {}).get("state") == "read")[-1]
    there = recorded(http, answer["message"]["id"])
    assert there["status"] == "completed"
    with app.socket(last["cursor"]) as socket:
        assert [one["type"] for one in take(socket, synced)] == ["ready", "synced"]
    with app.socket(answer["cursor"]) as socket:
        frames = take(socket, synced)
        assert [one["message"]["state"] for one in frames if one["type"] == "message"] == ["read"]
    texts = [one["text"] for one in app.messages()["messages"]]
    assert texts == ["Is the clinic open on Friday?", "Until noon."]


def test_what_is_not_this_patients_is_refused(server: Any, app: App, http: httpx.Client) -> None:
    mallory = App(server, person(http))
    sent = app.http.post("/attachments", content=b"%PDF-1.4 x", headers=PDF).json()["id"]
    id_ = app.send("m1", "See the letter.", sent).json()["id"]
    child = recorded(http, id_)
    (file,) = [
        part["contentAttachment"]["url"] for part in child["payload"] if "contentAttachment" in part
    ]
    binary = file.rpartition("/storage/")[2].partition("/")[0]
    assert app.http.get(f"/attachments/{binary}").content == b"%PDF-1.4 x"
    plain = httpx.Client(base_url=app.base)
    post, get = app.http.post, app.http.get
    nobody = httpx.get(f"{server.base_url}chat/nobody/messages")
    big = b"x" * (10 * 1024**2 + 1)
    foreign = {"Origin": "https://evil.example"}
    soon = datetime.now(UTC)
    cases: list[tuple[str, httpx.Response, int, str, str]] = [
        ("no token", plain.get("/messages"), 401, "token", "Authorization"),
        *(
            (name, plain.get("/messages", headers=bearer(made)), 401, "token", "Authorization")
            for name, made in {
                "other secret": token("x", secret=SECRET[::-1]),
                "other account": token("x", account="other"),
                "expired": token("x", at=soon - timedelta(hours=2), seconds=60),
                "from the future": token("x", at=soon + timedelta(hours=2)),
                "damaged": app.token[:-3],
                "no algorithm": NONE_TOKEN,
            }.items()
        ),
        ("no account", nobody, 404, "not-found", "path"),
        ("another's file", mallory.http.get(f"/attachments/{binary}"), 404, "not-found", "path"),
        ("another's file named", mallory.send("m2", "x", sent), 404, "not-found", "attachments[0]"),
        ("another's message", mallory.read(id_), 404, "not-found", "ids[0]"),
        ("other words", app.send("m1", "Changed."), 409, "conflict", "key"),
        ("too long", app.send("m3", "x" * 10_001), 413, "too-large", "text"),
        ("empty", app.send("m3", "  "), 400, "invalid", "text"),
        ("bad key", app.send("m 3", "x"), 400, "invalid", "key"),
        ("control characters", app.send("m3", "a\x00b"), 400, "invalid", "text"),
        ("no JSON", post("/messages", content=b"{"), 400, "invalid", "body"),
        ("another shape", post("/messages", json={"key": 7}), 400, "invalid", "key"),
        ("half a character", post("/messages", content=HALF), 400, "invalid", "body"),
        ("a large body", post("/messages", content=b" " * 200_000), 413, "too-large", ""),
        ("no type", post("/attachments", content=b"x", headers=NO_TYPE), 415, NO, "Content-Type"),
        ("a large file", post("/attachments", content=big, headers=PDF), 413, "too-large", ""),
        ("bad cursor", get("/messages?after=x"), 400, "invalid", "after"),
        ("a foreign page", get("/messages", headers=foreign), 403, "origin", "Origin"),
        ("another method", app.http.put("/messages", json={}), 405, "not-allowed", "method"),
        ("another path", get("/secrets"), 404, "not-found", "path"),
    ]  # fmt: skip
    for name, answer, status, code, where in cases:
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["where"]) == (status, code, where), name
        assert "access-control-allow-origin" not in answer.headers, name
        assert error["text"], name
    assert mallory.messages()["messages"] == []
    for other in (mallory, App(server, "nobody-known")):
        with other.socket() as socket:
            assert [one["type"] for one in take(socket, synced)] == ["ready", "anew", "synced"]


def test_sockets_that_are_refused(server: Any, app: App) -> None:
    url = app.base.replace("http", "ws", 1) + "/socket"
    for options, status, where in (
        ({"origin": "https://evil.example"}, 403, "Origin"),
        ({"subprotocols": ["soap"]}, 400, "Sec-WebSocket-Protocol"),
        ({"subprotocols": None}, 400, "Sec-WebSocket-Protocol"),
    ):
        with pytest.raises(InvalidStatus) as error, connect(url, **{**PLAIN, **options}):
            pass
        response = error.value.response
        assert response.status_code == status
        assert json.loads(response.body)["error"]["where"] == where
    with connect(url, **PLAIN, origin="https://app.example.org") as socket:
        assert socket.subprotocol == PROTOCOL
    for first, code in (
        ({"type": "hello", "token": token("x", secret=SECRET[::-1])}, 4401),
        ({"type": "hello"}, 4400),
        ({"type": "ping"}, 4400),
        ({"type": "hello", "token": app.token, "cursor": "x"}, 4400),
        (["hello"], 4400),
        (b"\x00", 4400),
        ("x" * 200_000, 1009),
    ):
        with connect(url, **PLAIN) as socket:
            socket.send(first if isinstance(first, bytes | str) else json.dumps(first))
            with pytest.raises(ConnectionClosed) as closed:
                take(socket, lambda frame: frame["type"] != "error")
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == code, first
    with app.socket() as socket:
        take(socket, synced)
        for frame, where in (
            ({"type": "read", "ids": ["7d5ad8a1-0000-4000-8000-000000000000"]}, "ids[0]"),
            ({"type": "hello", "token": app.token}, "type"),
        ):
            socket.send(json.dumps(frame))
            assert take(socket, lambda one: one["type"] == "error")[-1]["where"] == where
        socket.send(json.dumps({"type": "ping"}))
        take(socket, lambda one: one["type"] == "pong")
        socket.send(json.dumps({"type": "token", "token": token("somebody-else")}))
        with pytest.raises(ConnectionClosed):
            take(socket, lambda _: False)


def test_pages_of_named_origins_may_use_it(app: App) -> None:
    origin = "https://app.example.org"
    asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = httpx.options(f"{app.base}/messages", headers=asks)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == origin
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    answer = httpx.options(
        f"{app.base}/messages", headers={**asks, "Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    got = app.http.get("/messages", headers={"Origin": origin})
    assert got.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-credentials" not in got.headers


def bearer(made: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {made}"}
