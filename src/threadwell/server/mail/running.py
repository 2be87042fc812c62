"""The process that takes mails until it is stopped."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace

from threadwell.server import logs
from threadwell.server.beside import stopping
from threadwell.server.loop import loop_factory
from threadwell.server.mail.listener import Listener
from threadwell.server.mail.place import Place
from threadwell.server.mail.talk import Rules
from threadwell.stores.contract import Store


def take_mails(
    url: str, place: Place, tell: Callable[[str], None], *, lifeline: bool = False
) -> int:
    """Take mails into a store until SIGINT or SIGTERM; the exit code. ``tell`` is told where.

    With ``lifeline`` until standard input ends, too. Raises ``StoreError`` if the store cannot be
    opened, and ``OSError`` if the port cannot.
    """
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_run(url, place, tell, lifeline))


async def take_mails_here(
    store: Store, place: Place, stop: asyncio.Event, tell: Callable[[str], None]
) -> None:
    """Take mails into a store that is open, until ``stop`` is set; raises ``OSError``."""
    listener = Listener(rules_for(store, place, place.context()))
    server = await listener.start(place.host, place.port, place.listens)
    there = replace(place, port=server.sockets[0].getsockname()[1])
    kind = "LMTP" if place.lmtp else "SMTP"
    tell(f"Threadwell takes mails over {kind} at {there.shown()}")
    await stop.wait()
    server.close()
    # What is under way is acknowledged or not; either way its server knows.
    await listener.finish(10.0)


def rules_for(store: Store, place: Place, context: ssl.SSLContext | None) -> Rules:
    """What a listener of a store goes by."""
    from threadwell.server.mail.houses import Houses

    houses = Houses(store)
    return Rules(
        place.lmtp,
        place.most,
        houses.account_of,
        houses.keep,
        tls=context,
        must_tls=place.must_tls,
    )


async def _run(url: str, place: Place, tell: Callable[[str], None], lifeline: bool) -> int:
    from threadwell.app import open_store

    asyncio.get_running_loop().set_exception_handler(logs.tell_loop)
    stop = stopping(lifeline=lifeline)
    store = open_store(url)
    try:
        await take_mails_here(store, place, stop, tell)
    finally:
        await store.close()
    return 0
