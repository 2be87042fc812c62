"""The process that takes mails until it is stopped."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from threadwell.server import logs
from threadwell.server.loop import loop_factory
from threadwell.server.mail.listener import Listener
from threadwell.server.mail.talk import Rules
from threadwell.stores.contract import DEFAULT_PROJECT, Store


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how to listen. ``certificate`` and ``key`` are PEM files, of which one may do."""

    host: str
    port: int
    lmtp: bool
    most: int
    certificate: Path | None = None
    key: Path | None = None
    must_tls: bool = False

    def context(self) -> ssl.SSLContext | None:
        """The TLS of the place, ``None`` without one; raises ``OSError`` for bad files."""
        if self.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        return context


def take_mails(url: str, place: Place, tell: Callable[[str], None]) -> int:
    """Take mails into a store until SIGINT or SIGTERM; the exit code. ``tell`` is told where.

    Raises ``StoreError`` if the store cannot be opened, and ``OSError`` if the port cannot.
    """
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_run(url, place, place.context(), tell))


def rules_for(store: Store, place: Place, context: ssl.SSLContext | None) -> Rules:
    """What a listener of a store goes by."""
    from threadwell.intake.arrivals.handed_over import Recipients, keep_mail

    recipients = Recipients(store, DEFAULT_PROJECT)

    return Rules(
        place.lmtp,
        place.most,
        recipients.account_of,
        partial(keep_mail, store, DEFAULT_PROJECT),
        tls=context,
        must_tls=place.must_tls,
    )


async def _run(
    url: str, place: Place, context: ssl.SSLContext | None, tell: Callable[[str], None]
) -> int:
    from threadwell.app import open_store

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(logs.tell_loop)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    store = open_store(url)
    try:
        listener = Listener(rules_for(store, place, context))
        server = await listener.start(place.host, place.port)
        port = server.sockets[0].getsockname()[1]
        kind = "LMTP" if place.lmtp else "SMTP"
        tell(f"Threadwell takes mails over {kind} at {place.host}:{port}")
        await stop.wait()
        server.close()
        # What is under way is acknowledged or not; either way its server knows.
        await listener.finish(10.0)
    finally:
        await store.close()
    return 0
