"""Killed at every step of a reply, from its writing to its provider's id: sent once, or seen.

A process writes replies and sends what is in the outbox to a provider that does not know which
requests are meant as one. It is killed before, during or after each of its calls to the store and
to the provider. Where nobody can tell whether a reply was sent, a person looks at the provider:
here that is who reads its list. At the end each reply was sent once, and has its provider's id.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.faults.dying import CALLER, NEVER, STORE, Deaths, Steps, child
from threadwell.app import channel_labels, live_channels, open_store
from threadwell.calls import HttpCaller
from threadwell.channels.account import Account
from threadwell.encounters.child import sent_as
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake import import_messages, import_people, verify
from threadwell.intake.accounts import keep_account
from threadwell.intake.paging import search_all
from threadwell.intake.practice import kept_settings
from threadwell.intake.replies import sending
from threadwell.intake.replies.outbox import dead_letters, replay_letter, waiting
from threadwell.intake.replies.outgoing import Links
from threadwell.intake.replies.sending import UNKNOWN, Outbox
from threadwell.intake.replies.writing import reply
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT, Store

_OWN = Address(AddressKind.PHONE, "+12125550177")
_WHO = "+12075559900"
_SAYS = "Reply number "


def going(url: str, seconds: float) -> None:
    """What is written here, with kills."""
    # Whoever was killed has no call under way any more.
    sending._LONGEST = 0
    with TemporaryDirectory() as folder:
        provider = _Provider(Path(folder) / "sent")
        try:
            thread, who = asyncio.run(_set_up(url, provider.port))
            _campaign(url, thread, who, provider, seconds)
        finally:
            provider.close()


def _campaign(url: str, thread: str, who: str, provider: _Provider, seconds: float) -> None:
    written: set[int] = set()
    deaths, number, until = Deaths(), 0, time.monotonic() + seconds
    replayed = 0
    while time.monotonic() < until:
        # Who does not know whether a reply was kept says it again, by the same key.
        some = [one for one in range(number) if one not in written][-20:]
        some += range(number, number + random.randrange(1, 3))
        number = max(some) + 1
        at, how = deaths.next()
        died, told = child(partial(_work, url, thread, who, some, at, how))
        written |= told
        deaths.count(at, how, died)
        if not died:
            replayed += asyncio.run(_decide(url, provider))
    left = [one for one in range(number) if one not in written]
    while True:
        died, told = child(partial(_work, url, thread, who, left, NEVER, "before"))
        written |= told
        left = []
        if not (some_left := asyncio.run(_decide(url, provider))):
            break
        replayed += some_left
    missing, twice, without, wrong = asyncio.run(_check(url, written, provider))
    print(f"out: {deaths}")
    print(
        f"of {len(written):,} replies {missing} were not sent, {twice} twice, {without} are without"
        f" their provider's id; {replayed} were for a person to decide; findings: {wrong}"
    )
    if died or missing or twice or without or wrong:
        raise SystemExit("a reply is not as it should be")


async def _work(
    url: str,
    thread: str,
    who: str,
    numbers: list[int],
    at: int,
    how: str,
    tell: Callable[[int], None],
) -> None:
    steps = Steps(at, how)
    store: Store = steps.of(open_store(url), STORE)
    settings = await kept_settings(store, DEFAULT_PROJECT, channel_labels())
    for number in numbers:
        await reply(
            *(store, DEFAULT_PROJECT, thread, f"{_SAYS}{number}", settings, live_channels()),
            sender=who,
            key=f"key-{number}",
        )
        tell(number)

    async def nowhere() -> Links:
        return Links("", lambda *_: "")

    outbox = Outbox(
        *(store, DEFAULT_PROJECT, live_channels(), channel_labels()),
        *(steps.of(HttpCaller(), CALLER), nowhere),
        pauses=(0.001,) * 10,
        asked=(0.001,) * 3,
    )
    due: float | None = 0.0
    while due is not None:
        await asyncio.sleep(due)
        due = await outbox.round()
    await store.close()


async def _decide(url: str, provider: _Provider) -> int:
    """What a person does: what is not in the provider's list is sent after all."""
    sent = provider.sent()
    store = open_store(url)
    dead = await dead_letters(store, DEFAULT_PROJECT)
    for one in dead:
        stored = await store.read(DEFAULT_PROJECT, "Communication", one.entry.message)
        assert stored is not None
        said = decode(stored.body)["payload"][0]["contentString"]
        if one.entry.reason != UNKNOWN or said in sent:
            raise SystemExit(f"a reply is for a person to decide for no reason: {one.entry.reason}")
        await replay_letter(store, DEFAULT_PROJECT, one.id)
    await store.close()
    return len(dead)


async def _set_up(url: str, port: int) -> tuple[str, str]:
    """An account at the provider; the header of a thread to reply in, and who replies."""
    store = open_store(url)
    rows = [
        {"kind": "patient", "id": "zoe", "family": "Zoe", "phone": _WHO},
        {"kind": "practitioner", "id": "desk", "family": "Desk"},
    ]
    await import_people(store, DEFAULT_PROJECT, rows)
    host = f"127.0.0.1:{port}"
    values = {"account_sid": "AC", "auth_token": "secret", "api_url": f"http://{host}"}
    await keep_account(store, DEFAULT_PROJECT, Account("out", "twilio", (_OWN,), values, (host,)))
    settings = await kept_settings(store, DEFAULT_PROJECT, channel_labels())
    who = Address(AddressKind.PHONE, _WHO)
    sent = datetime(2024, 4, 10, 9, tzinfo=UTC)
    first = Message(
        *("twilio", "SM" + "f" * 32, who, (_OWN,), sent, "hello", "hello", f"{_OWN.value}|{_WHO}"),
        medium="SMSWRIT",
    )
    await import_messages(store, DEFAULT_PROJECT, [first], settings)
    async for stored in search_all(store, DEFAULT_PROJECT, Query("Communication", count=1000)):
        body = decode(stored.body)
        if (body.get("payload") or [{}])[0].get("contentString") == "hello":
            people = await store.search(DEFAULT_PROJECT, Query("Practitioner"))
            await store.close()
            return str(body["partOf"][0]["reference"]), f"Practitioner/{people.matches[0].id}"
    raise SystemExit("there is no thread to reply in")


async def _check(url: str, written: set[int], provider: _Provider) -> tuple[int, int, int, int]:
    sent = provider.sent()
    store = open_store(url)
    ids: dict[str, list[str]] = {}
    async for stored in search_all(store, DEFAULT_PROJECT, Query("Communication", count=1000)):
        body = decode(stored.body)
        said = str((body.get("payload") or [{}])[0].get("contentString", ""))
        if said.startswith(_SAYS) and body["status"] != "entered-in-error":
            ids.setdefault(said, []).extend(sent_as(body) or [""])
    wrong = len(await verify(store, DEFAULT_PROJECT))
    wrong += len(await waiting(store, DEFAULT_PROJECT))
    await store.close()
    said = {f"{_SAYS}{number}" for number in written}
    twice = sum(len(sids) > 1 for sids in sent.values()) + len(sent.keys() - said)
    without = sum(ids.get(one) != sent.get(one) for one in said)
    return len(said - sent.keys()), twice, without, wrong


class _Provider:
    """A stand-in for Twilio in a process of its own, with a list of what it has sent in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.touch()
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, path))
        server.daemon_threads = True
        self.port = server.server_port
        self._pid = os.fork()
        if self._pid == 0:
            try:
                server.serve_forever()
            finally:
                os._exit(0)
        server.socket.close()

    def sent(self) -> dict[str, list[str]]:
        """What it has sent, with the ids of each."""
        out: dict[str, list[str]] = {}
        for one in _sent(self._path):
            out.setdefault(one["body"], []).append(one["sid"])
        return out

    def close(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def _sent(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, path: Path, *given: Any) -> None:
        self._sent = path
        super().__init__(*given)

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        told = {
            "sid": f"SM{random.getrandbits(128):032x}",
            "to": form["To"][0],
            "body": form["Body"][0],
            "status": "queued",
            "direction": "outbound-api",
            "num_media": "0",
            "date_created": formatdate(),
        }
        with self._sent.open("a") as sent:
            sent.write(json.dumps(told) + "\n")
        self._reply(201, told)

    def do_GET(self) -> None:
        [to] = parse_qs(urlsplit(self.path).query)["To"]
        found = [one for one in _sent(self._sent) if one["to"] == to]
        self._reply(200, {"messages": found[::-1][:1000]})

    def _reply(self, status: int, told: object) -> None:
        content = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
