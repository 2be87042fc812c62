"""``GET metrics``: the counts of all workers, and of the store's duties, for Prometheus."""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.load.exposition import exposition, of_duties

_TYPE = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")


async def metrics(context: Context, _: Request) -> Answer:
    """200; nothing in it is about anybody, so it needs no login."""
    duties, stuck = await context.readiness.duties(), await context.readiness.stuck()
    text = exposition(context.load.meter.board) + of_duties(duties, stuck)
    return Answer(200, [_TYPE, (b"cache-control", b"no-store")], text.encode())
