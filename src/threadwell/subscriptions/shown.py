"""Subscriptions as people see them: which are served, and how far each has been told."""

from __future__ import annotations

from typing import NamedTuple

from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import instant
from threadwell.stores.contract import Store
from threadwell.stores.scanning import scan
from threadwell.subscriptions.hook_states import states
from threadwell.subscriptions.served import HOOK


class Shown(NamedTuple):
    """A Subscription. Of a rest-hook ``behind`` are the changes that it has not gone past,
    ``number`` is that of the last one it has, and ``tries`` are those in vain of the next call;
    ``due`` is when that is tried again (UTC, ISO 8601), ``""`` where it waits for no pause;
    ``why`` is how the last one went, or why it is not served.
    """

    id: str
    channel: str
    status: str
    criteria: str
    behind: int | None = None
    tries: int = 0
    why: str = ""
    number: int | None = None
    due: str = ""


async def subscriptions(store: Store, project: str) -> list[Shown]:
    """Every Subscription of a project."""
    at = await states(store, project)
    now = await store.position(project)
    out: list[Shown] = []
    async for stored in scan(store, project, Query("Subscription")):
        subscription = decode(stored.body)
        channel = subscription["channel"]["type"]
        state = at.get(stored.id) if channel == HOOK else None
        paused = state and state.tries and state.due and subscription["status"] == "active"
        out.append(
            Shown(
                stored.id,
                channel,
                subscription["status"],
                subscription["criteria"],
                now - state.position if state else None,
                state.tries if state else 0,
                (state.why if state else "") or subscription.get("error", ""),
                state.position if state else None,
                instant(state.due) if state and paused else "",
            )
        )
    return out
