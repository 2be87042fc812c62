"""Sessions that end by themselves: a timer fires while the process that heeds it is killed."""

from __future__ import annotations

import asyncio

from bench.faults.journeys import texts
from bench.faults.journeys.desk import OFFICE, Desk, Found, Journey, counted
from threadwell.app import channel_labels, live_channels
from threadwell.duties import lease, rota, silences
from threadwell.duties.duty import Workplace
from threadwell.encounters.merge import is_live
from threadwell.fhir.json import decode
from threadwell.intake import import_people
from threadwell.intake.accounts import keep_account
from threadwell.intake.commits.timers import next_timer
from threadwell.intake.links import target
from threadwell.stores.contract import DEFAULT_PROJECT, Store

#: Seconds between two beats and until a lease is over; else each kill would take five.
_BEAT, _LEASE = 0.05, 0.6
#: Milliseconds after which every session of today is over.
_LATER = 4 * 86_400_000


class Silences(Journey):
    """A text, and that its session is finished once nobody has written for long enough."""

    name = "silences"

    async def set_up(self, store: Store) -> None:
        await import_people(store, DEFAULT_PROJECT, texts.people(self.cases))
        await keep_account(store, DEFAULT_PROJECT, texts.account(1))

    async def work(self, desk: Desk, case: int, told: set[str]) -> None:
        lease.BEAT = rota.BEAT = _BEAT
        lease.LEASE = _LEASE
        if "text" not in told:
            await texts.deliver(desk, _delivery(case))
            desk.steps.tell("text")
        await desk.take_in()
        desk.ahead = _LATER
        duty = silences.duty(
            Workplace(
                desk.store,
                labels=channel_labels(),
                clock=desk.clock,
                channels=live_channels(),
            )
        )
        stop = asyncio.Event()
        performing = asyncio.create_task(rota.perform(desk.store, DEFAULT_PROJECT, [duty], stop))
        async with asyncio.timeout(30):
            while await next_timer(desk.store, DEFAULT_PROJECT) is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        stop.set()
        await performing

    async def check(self, desk: Desk, case: int) -> Found:
        found = await desk.children("twilio", _sid(case))
        text = counted(found)
        ends = [await _finished(desk, body["partOf"][0]["reference"]) for body in found]
        silent = await next_timer(desk.store, DEFAULT_PROJECT) is None
        return Found(
            text.lost + await desk.settled(),
            text.doubled + sum(max(0, one - 1) for one in ends),
            text.stateless + sum(one == 0 for one in ends) + (not silent),
        )


async def _finished(desk: Desk, header: str) -> int:
    """How often the session of that thread was finished."""
    stored = await desk.store.read(DEFAULT_PROJECT, "Communication", header.partition("/")[2])
    assert stored is not None
    encounter = target(decode(stored.body), "encounter").partition("/")[2]
    versions, _ = await desk.store.history(DEFAULT_PROJECT, "Encounter", encounter, 50, 0)
    bodies = [decode(one.body) for one in versions if not one.deleted]
    states = [body["status"] for body in bodies if is_live(body)]
    return sum(
        one == "finished" and before != "finished"
        for one, before in zip(states, [*states[1:], ""], strict=True)
    )


def _delivery(case: int) -> dict[str, str]:
    ends = {"MessageSid": _sid(case), "From": texts.patient(case).value, "To": OFFICE.value}
    return {**ends, "SmsStatus": "received", "Body": f"Evening {case}", "NumMedia": "0"}


def _sid(case: int) -> str:
    return f"SM{case:031x}e"
