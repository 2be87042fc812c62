"""Duties by lease: the process that has them is killed, and another one takes them over."""

from __future__ import annotations

import asyncio
import os

from bench.faults.journeys import texts
from bench.faults.journeys.desk import OFFICE, Desk, Found, Journey, counted
from threadwell.app import duties_of
from threadwell.duties import lease, rota
from threadwell.intake import import_people
from threadwell.intake.accounts import keep_account
from threadwell.stores.contract import DEFAULT_PROJECT, Store

#: Seconds between two beats and until a lease is over; else each kill would take five.
_BEAT, _LEASE = 0.05, 0.6
_MINE = ("journal", "files", "states", "silences", "rules", "chat")


class Duties(Journey):
    """A text that the duties take in, each of them under its lease."""

    name = "duties"

    async def set_up(self, store: Store) -> None:
        await import_people(store, DEFAULT_PROJECT, texts.people(self.cases))
        await keep_account(store, DEFAULT_PROJECT, texts.account(1))

    async def work(self, desk: Desk, case: int, told: set[str]) -> None:
        lease.BEAT = rota.BEAT = _BEAT
        lease.LEASE = _LEASE
        for what, said in _deliveries(case).items():
            if what not in told:
                await texts.deliver(desk, said)
                desk.steps.tell(what)
        stop = asyncio.Event()
        duties = [one for one in duties_of(desk.store) if one.name in _MINE]
        performing = asyncio.create_task(rota.perform(desk.store, DEFAULT_PROJECT, duties, stop))
        async with asyncio.timeout(30):
            # It has all of them, whoever had them before.
            while await desk.settled() or await self._held_by_others(desk):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        stop.set()
        await performing

    async def _held_by_others(self, desk: Desk) -> bool:
        held = await lease.holders(desk.store)
        mine = sum(f":{os.getpid()}:" in one.holder for one, _ in held.values())
        return mine < len(_MINE)

    async def check(self, desk: Desk, case: int) -> Found:
        found = await desk.children("twilio", _sid(case))
        text = counted(found, state="delivered")
        # Whoever has left has given its leases back.
        held = len(await lease.holders(desk.store))
        return Found(text.lost + await desk.settled(), text.doubled, text.stateless + held)


def _deliveries(case: int) -> dict[str, dict[str, str]]:
    ends = {"MessageSid": _sid(case), "From": texts.patient(case).value, "To": OFFICE.value}
    text = {"SmsStatus": "received", "Body": f"Day {case}", "NumMedia": "0"}
    return {"state": {**ends, "MessageStatus": "delivered"}, "text": {**ends, **text}}


def _sid(case: int) -> str:
    return f"SM{case:031x}d"
