"""Who was away is told what they missed, over real sockets and by real calls, on each store."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

import threadwell

MINUTE = 60


class Endpoint:
    """Somebody's server: it says 200 to each call, and keeps its number and the id it is about."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                endpoint.told.append((int(self.headers["x-threadwell-event-number"]), body["id"]))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"

    @contextmanager
    def listening(self) -> Iterator[Endpoint]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()


@pytest.fixture
def http(server: Any) -> Iterator[httpx.Client]:
    with server.http() as client:
        yield client


def made(http: httpx.Client, body: dict[str, Any]) -> str:
    return str(http.post(body["resourceType"], json=body).raise_for_status().json()["id"])


def subscription(criteria: str, **channel: str) -> dict[str, Any]:
    return {
        "resourceType": "Subscription",
        "status": "active",
        "reason": "To hear",
        "criteria": criteria,
        "channel": channel or {"type": "websocket"},
    }


def task(topic: str) -> dict[str, Any]:
    code = {"coding": [{"system": "https://topics.example.org/", "code": topic}]}
    return {"resourceType": "Task", "status": "requested", "intent": "order", "code": code}


@contextmanager
def bound(server: Any, http: httpx.Client, id_: str, **since: str) -> Iterator[ClientConnection]:
    """A socket that has a Subscription, and was told so."""
    got = http.get(f"Subscription/{id_}/$get-ws-binding-token").raise_for_status().json()
    token = next(one["valueString"] for one in got["parameter"] if one["name"] == "token")
    url = server.base_url.replace("http", "ws", 1) + "ws/subscriptions-r4"
    with connect(url) as line:
        payload = {"token": token, **since}
        line.send(json.dumps({"type": "bind-with-token", "payload": payload}))
        assert heard(line)["type"] == "handshake"
        yield line


def heard(line: ClientConnection) -> dict[str, Any]:
    """The next status that is no heartbeat, with the id of what it is about."""
    while True:
        frame = json.loads(line.recv(timeout=MINUTE))
        status: dict[str, Any] = frame["entry"][0]["resource"]
        if status["type"] != "heartbeat":
            about = [entry["resource"]["id"] for entry in frame["entry"][1:]]
            return {**status, "about": "".join(about)}


def told(line: ClientConnection, count: int) -> list[tuple[int, str]]:
    """The numbers of so many events, and what each is about."""
    events = [heard(line) for _ in range(count)]
    return [(int(one["notificationEvent"][0]["eventNumber"]), one["about"]) for one in events]


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + MINUTE
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_many_sockets_are_told_the_same_and_in_order(server: Any, http: httpx.Client) -> None:
    ids = [made(http, subscription("Task?code=many")) for _ in range(3)]
    with (
        bound(server, http, ids[0]) as a,
        bound(server, http, ids[1]) as b,
        bound(server, http, ids[2]) as c,
    ):
        wrote = [made(http, task("many")) for _ in range(8)]
        # One that is long is told as well as what is short.
        long = {**task("many"), "description": "x" * 70_000}
        wrote.append(made(http, long))
        wrote.append(made(http, task("many")))
        events = told(a, len(wrote))
        assert [id_ for _, id_ in events] == wrote
        assert sorted(set(events)) == events
        assert told(b, len(wrote)) == events
        assert told(c, len(wrote)) == events


def test_a_listener_that_was_away_goes_on_from_the_last_it_was_told(
    server: Any, http: httpx.Client
) -> None:
    id_ = made(http, subscription("Task?code=away"))
    with bound(server, http, id_) as line:
        first = made(http, task("away"))
        ((number, about),) = told(line, 1)
        assert about == first
    missed = [made(http, task("away")) for _ in range(3)]
    made(http, task("another"))
    with bound(server, http, id_, eventsSinceNumber=str(number + 1)) as line:
        live = made(http, task("away"))
        events = told(line, 4)
        assert [id_ for _, id_ in events] == [*missed, live]
    asked = http.get(f"Subscription/{id_}/$events", params={"eventsSinceNumber": str(number)})
    found = asked.raise_for_status().json()
    assert [one["resource"]["id"] for one in found["entry"][1:]] == [first, *missed, live]
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "eventsSinceNumber", "valueString": str(events[-1][0])}],
    }
    posted = http.post(f"Subscription/{id_}/$events", json=parameters).raise_for_status().json()
    assert [one["resource"]["id"] for one in posted["entry"][1:]] == [live]


def test_an_endpoint_that_has_lost_something_is_set_back(server: Any, http: httpx.Client) -> None:
    with Endpoint().listening() as endpoint, threadwell.open(server.store) as tw:
        tw.allow_hook_host(endpoint.host)
        channel = {"type": "rest-hook", "endpoint": f"http://{endpoint.host}/told"}
        body = subscription("Task?code=hook", **channel, payload="application/fhir+json")
        id_ = made(http, body)
        wrote = [made(http, task("hook")) for _ in range(4)]
        until(lambda: len(endpoint.told) >= 4)
        once = endpoint.told.copy()
        assert [id_ for _, id_ in once] == wrote
        # It asks by itself …
        asked = http.get(f"Subscription/{id_}/$events", params={"eventsSinceNumber": once[2][0]})
        entries = asked.raise_for_status().json()["entry"]
        assert [one["resource"]["id"] for one in entries[1:]] == wrote[2:]
        # … or is called once more.
        tw.set_hook_back(id_, once[1][0])
        until(lambda: len(endpoint.told) >= 7)
        assert endpoint.told[4:7] == once[1:]
        assert made(http, task("hook"))
        until(lambda: len(endpoint.told) >= 8)
        (shown,) = [one for one in tw.subscriptions() if one.id == id_]
        assert (shown.status, shown.why) == ("active", "")
        for number in (0, 1_000_000):
            with pytest.raises(ValueError, match="events have numbers from 1 to"):
                tw.set_hook_back(id_, number)
        with pytest.raises(LookupError, match="no rest-hook"):
            tw.set_hook_back(id_[::-1], 1)
        http.delete(f"Subscription/{id_}").raise_for_status()
