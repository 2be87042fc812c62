"""Serve a store over HTTP until a signal says stop, by one process or by several."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from threadwell.api.load.limits import MAX_IN_FLIGHT, MAX_PAGE
from threadwell.app import checked_url
from threadwell.server import logs
from threadwell.server.listening import listen, listen_at, url_of
from threadwell.server.mail.place import Place
from threadwell.server.supervisor import supervise
from threadwell.server.work import Work


@dataclass(frozen=True, slots=True)
class Serving:
    """How to serve. ``port`` 0 takes a free one.

    ``base_url`` is where clients reach the server, if not there, and ``also_at`` are further URLs
    under which they know it (``api.context.open_context``). ``max_in_flight`` holds for each
    worker, ``rate_limit`` for each client over all of them, a minute; 0 sets no limit.
    A page ends with ``max_page`` bytes. The link that signs in is for ``sign_in_as``, who has to
    be in the store (``Practitioner/…``). With ``duties`` it has the store's duties done, beside
    the workers.
    """

    store: str
    host: str = "127.0.0.1"
    port: int = 8103
    base_url: str | None = None
    also_at: tuple[str, ...] = ()
    workers: int = 1
    max_in_flight: int = MAX_IN_FLIGHT
    rate_limit: int = 0
    max_page: int = MAX_PAGE
    duties: bool = True
    sign_in_as: str = ""
    mail: Place | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """What to tell when the server listens: where it is, and a link that signs a browser in.

    ``mail`` is where it takes mails (``HOST:PORT``), ``""`` where it takes none.
    """

    url: str
    sign_in_link: str
    mail: str = ""


def serve(settings: Serving, ready: Callable[[Ready], None]) -> int:
    """Serve the store; returns after SIGINT or SIGTERM, everything answered and closed.

    Returns the exit code: 0, or 1 if something had to be left unfinished. Raises ``OSError`` if
    it cannot listen, ``StoreError`` if the store cannot be opened, and ``BadSetting`` where a URL
    is none.
    """
    if settings.workers > 1 and not hasattr(os, "fork"):
        raise OSError("this system cannot fork processes: leave --workers at 1")
    base = settings.base_url and checked_url(settings.base_url, "the base URL")
    also_at = [checked_url(url, "the other URL") for url in settings.also_at]
    logs.configure()
    listeners = listen(settings.host, settings.port, settings.workers)
    # Whoever is told that the server runs can hand mails over at once, also while the process that
    # takes them is being started, or started anew.
    mails, place = _listen_for_mails(settings.mail)
    listens_at = url_of(settings.host, listeners[0])
    url = (base or listens_at).rstrip("/") + "/"
    task = Work(
        settings.store,
        url,
        (listens_at, *also_at),
        settings.max_in_flight,
        settings.rate_limit,
        settings.workers,
        settings.max_page,
        settings.duties,
        settings.sign_in_as,
        place,
    )
    told = partial(_tell, ready, url, place.shown() if place else "")
    with mails or contextlib.nullcontext():
        return _run(settings, task, listeners, told)


def _run(
    settings: Serving, task: Work, listeners: list[socket.socket], told: Callable[[str], None]
) -> int:
    if settings.workers == 1:
        return _run_here(settings, task, listeners[0], told)
    return supervise(task, listeners, told)


def _run_here(
    settings: Serving, task: Work, listener: socket.socket, told: Callable[[str], None]
) -> int:
    import asyncio

    from threadwell.server.loading import fork_beside, preload
    from threadwell.server.loop import loop_factory
    from threadwell.server.worker import work

    preload()
    ahead = fork_beside(settings.store, duties=settings.duties)
    try:
        with listener, asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(work(task, 0, listener, told, ahead=ahead))
    finally:
        if ahead is not None:
            ahead.let_go()


def _listen_for_mails(place: Place | None) -> tuple[socket.socket | None, Place | None]:
    """The socket at which mails are taken, and the place with it; raises ``OSError``."""
    if place is None or os.name != "posix":  # Elsewhere no process is given a socket so.
        return None, place
    there = listen_at(place.host, place.port, "--mail")
    return there, replace(place, port=there.getsockname()[1], listens=there.fileno())


def _tell(ready: Callable[[Ready], None], url: str, mail: str, link: str) -> None:
    ready(Ready(url, link, mail))
