"""``GET metrics``: counts of all workers, of duties and of what waits, for Prometheus."""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.load.exposition import exposition, of_duties, of_waits

_TYPE = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")


async def metrics(context: Context, _: Request) -> Answer:
    """200; nothing in it is about anybody, so it needs no login."""
    duties, waits = await context.readiness.duties(), await context.readiness.waits()
    text = exposition(context.load.meter.board) + of_duties(duties) + of_waits(waits)
    return Answer(200, [_TYPE, (b"cache-control", b"no-store")], text.encode())
