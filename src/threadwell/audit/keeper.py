"""What is recorded goes into the chain, as long as a server runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from threadwell.audit.keeping import prune
from threadwell.audit.record import Who
from threadwell.audit.trail import Trail
from threadwell.stores.contract import StoreError

_log = logging.getLogger(__name__)

#: Seconds in which what was seen is made to outlive a loss of power.
SYNC = 0.5
#: Seconds after which it is chained at the latest.
PAUSE = 10.0
#: Seconds between two looks for what is older than it is to be kept.
_PRUNE = 3600.0
#: Records that take so much memory to chain that it is worth giving back.
MUCH = 500


async def keep_chaining(
    trail: Trail, stop: asyncio.Event, chained: Callable[[], None] = lambda: None
) -> None:
    """Chain what waits every ``PAUSE`` until ``stop`` is set, and then once more.

    ``chained`` is called after each time that there was ``MUCH``, and once when it becomes quiet:
    what else was done meanwhile in this process took memory, too.
    """
    loop = asyncio.get_running_loop()
    due = pruned = loop.time()
    was_quiet = True
    while not stop.is_set():
        try:
            await asyncio.to_thread(trail.sync)
            if loop.time() >= due:
                drained = await trail.drain()
                if drained >= MUCH or not (drained or was_quiet):
                    chained()
                was_quiet = not drained
                due = loop.time() + PAUSE
            if loop.time() >= pruned:
                await _prune(trail)
                pruned = loop.time() + _PRUNE
        except (StoreError, OSError) as error:
            _log.error("what was seen and changed cannot be chained: %s", error)
            due = loop.time() + PAUSE
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), SYNC)
    with suppress(StoreError, OSError):
        await trail.drain()


async def _prune(trail: Trail) -> None:
    for project in await trail.whole.projects():
        await prune(trail, project, Who(way="retention"))
