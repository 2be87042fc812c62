"""Workers killed at any instant while sockets listen: who comes back misses nothing."""

from __future__ import annotations

import asyncio
import json
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from bench.ears import SUBSCRIPTION
from bench.faults.killed import kill_one
from bench.faults.server import Options, Server, serving
from bench.faults.traffic import Seen, writes_and_reads

#: Sockets that listen, and seconds that they have at the end.
_LISTENERS, _PATIENCE = 8, 60.0
_LOST = (OSError, EOFError, WebSocketException, httpx.HTTPError, TimeoutError)


@dataclass
class _Ear:
    """A client that comes back: what it was told, in that order, and the number of the last."""

    told: dict[str, int] = field(default_factory=dict)
    number: str = ""
    listens: asyncio.Event = field(default_factory=asyncio.Event)
    again: int = 0
    doubled: int = 0
    unordered: int = 0

    async def listen(self, server: Server, http: httpx.AsyncClient) -> None:
        """Until it is cancelled."""
        made = await http.post("Subscription", json=SUBSCRIPTION)
        id_ = made.raise_for_status().json()["id"]
        url = server.url.replace("http", "ws", 1) + "ws/subscriptions-r4"
        while True:
            try:
                got = await http.get(f"Subscription/{id_}/$get-ws-binding-token")
                parameters = got.raise_for_status().json()["parameter"]
                token = next(one["valueString"] for one in parameters if one["name"] == "token")
                since = {"eventsSinceNumber": self.number} if self.number else {}
                async with connect(url) as line:
                    payload = {"token": token, **since}
                    await line.send(json.dumps({"type": "bind-with-token", "payload": payload}))
                    async for frame in line:
                        self._take(json.loads(frame))
            except _LOST:
                pass
            self.again += 1
            await asyncio.sleep(0.05)

    def _take(self, frame: dict[str, Any]) -> None:
        status = frame["entry"][0]["resource"]
        if status["type"] != "event-notification":
            self.number = self.number or status["eventsSinceSubscriptionStart"]
            self.listens.set()
            return
        event = status["notificationEvent"][0]
        number, id_ = int(event["eventNumber"]), frame["entry"][1]["resource"]["id"]
        if id_ in self.told:
            self.doubled += 1
            return
        self.unordered += number <= int(self.number) and bool(self.told)
        self.number, self.told[id_] = str(number), number


def run(options: Options) -> None:
    """A worker is killed about every second."""
    if options.workers < 2:
        print("skipped: nobody starts a single worker anew")
        return
    with serving(options) as server:
        asyncio.run(_run(options, server))


async def _run(options: Options, server: Server) -> None:
    seen, killed = Seen(), 0
    headers = {"authorization": server.authorization}
    async with httpx.AsyncClient(
        base_url=f"{server.url}fhir/R4/", headers=headers, timeout=30
    ) as http:
        ears = [_Ear() for _ in range(_LISTENERS)]
        listening = [asyncio.create_task(ear.listen(server, http)) for ear in ears]
        await asyncio.gather(*(ear.listens.wait() for ear in ears))
        writing = asyncio.create_task(
            writes_and_reads(server, seen, connections=2, seconds=options.seconds, reads=0)
        )
        stop = time.monotonic() + options.seconds - 1
        while time.monotonic() < stop:
            await asyncio.sleep(random.uniform(0.2, 1.0))
            # A machine that is busy may not answer in time which workers there are.
            with suppress(httpx.TransportError):
                await asyncio.to_thread(kill_one, server)
                killed += 1
        await writing
        ends = time.monotonic() + _PATIENCE
        wrote = set(seen.acknowledged)
        while not all(wrote <= ear.told.keys() for ear in ears):
            if time.monotonic() > ends:
                break
            await asyncio.sleep(0.1)
        for one in listening:
            one.cancel()
    missing = sum(len(wrote - ear.told.keys()) for ear in ears)
    print(
        f"{killed} killed, sockets opened anew {sum(ear.again for ear in ears):,} times:"
        f" of {len(wrote):,} acknowledged, to {_LISTENERS} listeners, {missing} were not told,"
        f" {sum(ear.doubled for ear in ears)} twice, {sum(ear.unordered for ear in ears)} not in"
        " their order"
    )
    if missing or any(ear.unordered for ear in ears):
        raise SystemExit("a listener that came back has missed something")
