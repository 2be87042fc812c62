"""Rest-hooks are called for what their Subscriptions are about; what nobody binds any more ends.

Where each stands is kept after each call, under the lease: a round that is broken off tells once
more what it may have told, and nothing is left out.
"""

from __future__ import annotations

from threadwell.calls import HttpCaller
from threadwell.duties.duty import Duty, Workplace
from threadwell.duties.lease import still_held
from threadwell.subscriptions.hooks import AT_ONCE, Hooks
from threadwell.subscriptions.leaving import Leaving


def duty(at: Workplace) -> Duty:
    """The duty, for ``threadwell.app``."""
    hooks = Hooks(
        at.store,
        at.project,
        HttpCaller(at_once=AT_ONCE),
        barred=at.barred,
        still_held=still_held,
        clock=at.clock,
    )
    leaving = Leaving(at.store, at.project, still_held=still_held, clock=at.clock)

    async def tell() -> float | None:
        wait = await hooks.round()
        look = await leaving.round()
        return look if wait is None else min(wait, look)

    return Duty("subscriptions", tell)
