"""Is the server there (live), and can it work (ready)?"""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.api.version import VERSION


async def live(_: Context, __: Request) -> Answer:
    """200: the process answers."""
    return json_answer(200, {"ok": True, "version": VERSION})


async def ready(context: Context, _: Request) -> Answer:
    """200 if the store can be read and written to and the server is not about to stop, else 503.

    Whether its duties are done is told, and decides nothing: requests are answered all the same.
    """
    able = await context.readiness.ask()
    draining = context.load.draining
    ok = all(able) and not draining
    told = {"ok": ok, "version": VERSION, "read": able.read, "write": able.write}
    duties = {
        one.name: "failing" if one.record.error else "done" if one.held else "nobody does it"
        for one in await context.readiness.duties()
    }
    return json_answer(200 if ok else 503, {**told, "draining": draining, "duties": duties})
