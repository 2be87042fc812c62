"""The process in which ``threadwell serve`` has duties done, so that requests stay quick.

What is recorded on this machine is chained there, too: every machine has one.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from threadwell.audit.keeper import keep_chaining
from threadwell.audit.record import Who
from threadwell.server import logs
from threadwell.server.ahead import Ahead
from threadwell.server.beside import Beside, stopping, told
from threadwell.server.loop import loop_factory
from threadwell.stores.contract import Store, StoreError
from threadwell.stores.unused import give_back

if TYPE_CHECKING:
    from threadwell.duties.duty import Duty

_log = logging.getLogger(__name__)


def duties_beside(store: str, ahead: Ahead | None = None) -> Beside:
    """The process that does the duties of a store; the first of them may be forked ``ahead``."""
    return Beside("duties", __name__, store, ahead)


def do_duties(store: str, *, lifeline: bool = False) -> int:
    """Do the duties of a store until SIGINT or SIGTERM; the exit code.

    With ``lifeline`` until standard input ends, too. Raises ``StoreError`` if the store cannot be
    opened.
    """
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_do_duties(store, lifeline))


async def perform_here(store: Store, stop: asyncio.Event) -> None:
    """Do the duties of a store that is open, in this process, until ``stop`` is set."""
    from threadwell.app import duties_of
    from threadwell.duties.rota import perform_all
    from threadwell.projects.registry import projects
    from threadwell.projects.within import within

    known: dict[str, tuple[Duty, ...]] = {}

    async def shifts() -> dict[str, tuple[Duty, ...]]:
        for one in await projects(store):
            if one.id not in known:
                known[one.id] = duties_of(within(store, one.id), one.id)
        return known

    await perform_all(store, shifts, stop)


async def _do_duties(url: str, lifeline: bool) -> int:
    from threadwell.app import open_store, open_trail

    asyncio.get_running_loop().set_exception_handler(logs.tell_loop)
    stop = stopping(lifeline=lifeline)
    store = open_store(url)
    try:
        trail = open_trail(url, store, Who(way="duty"))
        chaining = keep_chaining(trail, stop, partial(give_back, store))
        await asyncio.gather(perform_here(trail.store, stop), chaining)
    finally:
        await store.close()
    return 0


def main() -> int:
    """What the process runs."""
    logs.configure("duties")
    try:
        store = told()
        return do_duties(store, lifeline=True) if store else 0
    except StoreError as error:
        _log.error("cannot do the duties: %s", error)
        return 1
