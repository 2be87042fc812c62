"""The process in which ``threadwell serve`` has chained what is seen and changed.

Where there are duties, the process that does them does this as well.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from threadwell.audit.keeper import keep_chaining
from threadwell.audit.record import Who
from threadwell.server import logs
from threadwell.server.ahead import Ahead
from threadwell.server.beside import Beside, stopping, told
from threadwell.server.loop import loop_factory
from threadwell.stores.contract import StoreError
from threadwell.stores.unused import give_back

_log = logging.getLogger(__name__)


def chaining_beside(store: str, ahead: Ahead | None = None) -> Beside:
    """The process that chains what is recorded of a store on this machine."""
    return Beside("audit trail", __name__, store, ahead)


async def _chain(url: str) -> int:
    from threadwell.app import open_store, open_trail

    asyncio.get_running_loop().set_exception_handler(logs.tell_loop)
    stop = stopping(lifeline=True)
    store = open_store(url)
    try:
        trail = open_trail(url, store, Who(way="audit"))
        await keep_chaining(trail, stop, partial(give_back, store))
    finally:
        await store.close()
    return 0


def main() -> int:
    """What the process runs."""
    logs.configure("audit")
    store = told()
    if not store:
        return 0
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(_chain(store))
    except StoreError as error:
        _log.error("cannot chain the audit trail: %s", error)
        return 1
