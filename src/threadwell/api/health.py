"""Is the server there (live), and can it work (ready)?"""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.plain import json_answer
from threadwell.api.version import VERSION


async def live(_: Context, __: Request) -> Answer:
    """200: the process answers."""
    return json_answer(200, {"ok": True, "version": VERSION})


async def ready(context: Context, _: Request) -> Answer:
    """200 if the store answers too; its failure is a 500 as any other."""
    await context.store.get_private("key", "signing")
    return json_answer(200, {"ok": True, "version": VERSION})
