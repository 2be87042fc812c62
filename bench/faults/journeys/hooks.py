"""Rest-hooks: who subscribes is told of each change, whoever that calls them is killed."""

from __future__ import annotations

import asyncio

from bench.faults.journeys.desk import Desk, Found, Journey
from bench.faults.journeys.stand_ins import Subscriber
from bench.faults.watched import watched_calls
from threadwell.calls import HttpCaller
from threadwell.duties import lease, rota
from threadwell.duties.duty import Duty
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import new_id, now_ms, stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Conflict, Key, Store, Write
from threadwell.subscriptions.hook_states import allow_host, states
from threadwell.subscriptions.hooks import Hooks

#: Seconds between two beats and until a lease is over; else each kill would take five.
_BEAT, _LEASE = 0.05, 0.6
_SUBSCRIPTION = "00000000-0000-4000-8000-0000000000aa"


class RestHooks(Journey):
    """A Task that is written, and its subscriber, told by the duty under its lease."""

    name = "rest-hooks"

    def begin(self) -> None:
        self.subscriber = Subscriber()

    def end(self) -> None:
        self.subscriber.close()

    async def set_up(self, store: Store) -> None:
        host = f"127.0.0.1:{self.subscriber.port}"
        await allow_host(store, DEFAULT_PROJECT, host)
        channel = {
            "type": "rest-hook",
            "endpoint": f"http://{host}/told",
            "payload": "application/fhir+json",
        }
        subscription: Resource = {
            "resourceType": "Subscription",
            "status": "active",
            "reason": "To hear",
            "criteria": "Task?status=requested",
            "channel": channel,
        }
        await _write(store, subscription, _SUBSCRIPTION)
        # From here on it hears of what is written.
        await Hooks(store, DEFAULT_PROJECT, HttpCaller()).round()

    async def work(self, desk: Desk, case: int, told: set[str]) -> None:
        lease.BEAT = rota.BEAT = _BEAT
        lease.LEASE = _LEASE
        if "written" not in told:
            todo: Resource = {
                "resourceType": "Task",
                "status": "requested",
                "intent": "order",
                "description": f"Store {self.store}",
            }
            try:
                await _write(desk.store, todo, _id(case))
            except Conflict as conflict:
                # It may have been written before somebody could be told so.
                if conflict.key != Key("Task", _id(case)):
                    raise
            desk.steps.tell("written")
        hooks = Hooks(
            desk.store,
            DEFAULT_PROJECT,
            watched_calls(HttpCaller(), desk.steps, "call"),
            still_held=lease.still_held,
            clock=desk.clock,
            pauses=(0.05,),
            glance=0,
        )
        duty, stop = Duty("subscriptions", hooks.round), asyncio.Event()
        performing = asyncio.create_task(rota.perform(desk.store, DEFAULT_PROJECT, [duty], stop))
        async with asyncio.timeout(30):
            while await self._behind(desk.store):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        stop.set()
        await performing

    async def _behind(self, store: Store) -> bool:
        known = await states(store, DEFAULT_PROJECT)
        state = known.get(_SUBSCRIPTION)
        return state is None or state.position < await store.position(DEFAULT_PROJECT)

    async def check(self, desk: Desk, case: int) -> Found:
        heard = self.subscriber.heard(_id(case), f"Store {self.store}")
        # Told more than once is as promised; not at all, or still to be told, is not.
        return Found(int(not heard), 0, int(await self._behind(desk.store)))


async def _write(store: Store, resource: Resource, id_: str) -> None:
    now = now_ms()
    version = new_id(now)
    stamped, body = stamp(resource, id_, version, now)
    write = Write(resource["resourceType"], id_, version, now, stamped, body, None)
    await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))


def _id(case: int) -> str:
    return f"00000000-0000-4000-8000-{case:012x}"
