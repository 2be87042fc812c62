"""Sockets of apps over each store: slow ones, silent ones, many, and those whose token ends."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.api.chat_stand_in import APP, SECRET, App, person
from threadwell.api.chat import socket as sockets
from threadwell.app import channel_labels, live_channels
from threadwell.audit.finding import Wanted, find
from threadwell.audit.record import Record
from threadwell.audit.trail import Trail
from threadwell.channels.account import Account
from threadwell.channels.chat.tokens import new_token
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.taking import Taking
from threadwell.stores.contract import DEFAULT_PROJECT


@pytest.fixture
def app(new_api: Any, store: Any) -> App:
    api = new_api(store=store, channels=live_channels)
    api.run(keep_account(api.store, DEFAULT_PROJECT, APP))
    return App(api, person(api, "p-1", "Ana"))


class Line:
    """An app's end of a socket: what it says comes from a queue, and it takes what it is sent once
    it is let.
    """

    def __init__(self, app: App) -> None:
        at = datetime.fromtimestamp(app.api.clock() / 1000, UTC)
        self.app = app
        self.token = new_token(APP, app.who, at, 600)
        self.said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.frames: list[dict[str, Any]] = []
        self.code = 0
        self.takes = asyncio.Event()
        self.takes.set()
        self.said.put_nowait({"type": "websocket.connect"})

    async def run(self) -> None:
        scope = {
            "type": "websocket",
            "path": "/chat/app/socket",
            "query_string": b"",
            "headers": [],
            "subprotocols": [sockets.SUBPROTOCOL],
        }
        await self.app.api.app(scope, self.said.get, self.send)

    async def send(self, message: dict[str, Any]) -> None:
        await self.takes.wait()
        if message["type"] == "websocket.send":
            self.frames.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self.code = message["code"]

    def say(self, **frame: Any) -> None:
        self.said.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})

    def leave(self) -> None:
        self.said.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(60):
            while not holds():
                await asyncio.sleep(0.01)

    def told(self) -> list[str]:
        return [one["message"]["text"] for one in self.frames if one["type"] == "message"]


def test_an_app_that_is_slow_is_told_all_the_same(app: App, monkeypatch: Any) -> None:
    monkeypatch.setattr("threadwell.api.chat.following._WAITING", 3)
    app.send("k0", "first")
    app.take()

    async def go() -> list[str]:
        line = Line(app)
        task = asyncio.create_task(line.run())
        line.say(type="hello", token=line.token)
        await line.until(lambda: any(one["type"] == "synced" for one in line.frames))
        line.takes.clear()
        for number in range(1, 8):
            await taken(app, f"k{number}", f"text {number}")
        line.takes.set()
        await line.until(lambda: len(line.told()) >= 8)
        line.leave()
        await task
        return line.told()

    assert app.api.run(go()) == ["first", *(f"text {number}" for number in range(1, 8))]


async def taken(app: App, key: str, text: str) -> None:
    """Send and take in, from within the loop."""
    at = datetime.fromtimestamp(app.api.clock() / 1000, UTC)
    token = new_token(APP, app.who, at, 600)
    answer = await app.api.send(
        "POST",
        "/chat/app/messages",
        {"key": key, "text": text},
        authorization=f"Bearer {token}",
        content_type="application/json",
    )
    assert answer.status_code == 201
    app.api.clock.now += 1000
    options = (app.api.store, DEFAULT_PROJECT, live_channels(), channel_labels())
    await Taking(*options, clock=app.api.clock).round()


def test_an_app_that_takes_nothing_is_let_go(app: App, monkeypatch: Any) -> None:
    monkeypatch.setattr("threadwell.api.line._TAKES", 0.05)

    async def go() -> None:
        line = Line(app)
        task = asyncio.create_task(line.run())
        line.say(type="hello", token=line.token)
        await line.until(lambda: any(one["type"] == "synced" for one in line.frames))
        line.takes.clear()
        line.say(type="ping")
        async with asyncio.timeout(60):
            await task

    app.api.run(go())


def test_a_socket_ends_with_its_token_and_its_account(app: App, monkeypatch: Any) -> None:
    monkeypatch.setattr(sockets, "_CHECK", 0.01)

    async def code_after(change: Any) -> int:
        line = Line(app)
        task = asyncio.create_task(line.run())
        line.say(type="hello", token=line.token)
        await line.until(lambda: any(one["type"] == "synced" for one in line.frames))
        await change()
        async with asyncio.timeout(60):
            await task
        return line.code

    async def later() -> None:
        app.api.clock.now += 601_000

    async def another_secret() -> None:
        other = Account("app", "chat", APP.addresses, {"secret": SECRET[::-1]})
        await keep_account(app.api.store, DEFAULT_PROJECT, other)
        app.api.clock.now += 2000

    assert app.api.run(code_after(later)) == 4401
    assert app.api.run(code_after(another_secret)) == 4401


def test_a_patient_has_so_many_sockets(app: App, monkeypatch: Any) -> None:
    monkeypatch.setattr("threadwell.api.chat.following.MOST_OF_ONE", 2)

    async def go() -> list[int]:
        lines = [Line(app) for _ in range(3)]
        tasks = []
        for line in lines:
            tasks.append(asyncio.create_task(line.run()))
            line.say(type="hello", token=line.token)
            await line.until(
                lambda line=line: (
                    line.code or (line.frames[-1:] != [] and (line.frames[-1]["type"] == "synced"))
                )
            )
        for line in lines:
            line.leave()
        await asyncio.gather(*tasks)
        return [line.code for line in lines]

    assert app.api.run(go()) == [0, 0, 4429]


def test_what_a_socket_tells_is_recorded(new_api: Any, store: Any) -> None:
    """Who was told, when and of which messages: of those it begins with, and of what is new."""
    trail = Trail(store)
    api = new_api(store=store, channels=live_channels, trail=trail)
    api.run(keep_account(api.store, DEFAULT_PROJECT, APP))
    app = App(api, person(api, "p-1", "Ana"))
    app.send("k0", "first")
    app.take()

    async def go() -> list[Record]:
        line = Line(app)
        task = asyncio.create_task(line.run())
        line.say(type="hello", token=line.token)
        await line.until(lambda: any(one["type"] == "synced" for one in line.frames))
        await taken(app, "k1", "second")
        await line.until(lambda: len(line.told()) == 2)
        line.leave()
        await task
        ids = [one["message"]["id"] for one in line.frames if one["type"] == "message"]
        records = [at.record async for at in find(trail, DEFAULT_PROJECT, Wanted(act="chat"))]
        told = [one for one in records if one.asked == "/chat/app/socket"]
        seen = {f"{t.id}" for one in told for t in one.touched if t.type == "Communication"}
        assert set(ids) <= seen
        return told

    first, second = sorted(api.run(go()), key=lambda one: one.at)[:2]
    assert first.by.who == second.by.who == app.who
    assert (first.by.way, first.by.client) == ("chat", "app")
