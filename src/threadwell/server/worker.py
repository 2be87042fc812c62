"""One worker: a process that has the store open and answers requests until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, cast

import uvicorn

from threadwell.api.chat.bodies import MOST_JSON
from threadwell.api.load.allowance import Allowance
from threadwell.api.load.gate import Load
from threadwell.api.load.meter import Meter
from threadwell.audit.keeper import keep_chaining
from threadwell.audit.record import Who
from threadwell.audit.trail import Trail
from threadwell.server import logs
from threadwell.server.ahead import Ahead
from threadwell.server.attendance import duties_beside, perform_here
from threadwell.server.beside import Beside, attend
from threadwell.server.connection import Connection, look_at
from threadwell.server.mail.place import Place
from threadwell.server.work import GRACE, Work
from threadwell.stores.contract import Store
from threadwell.stores.unused import Rest, give_back
from threadwell.stores.watching import Watchable

_log = logging.getLogger(__name__)

#: Seconds after that until the process ends whatever it still does.
_LAST = 5
#: Seconds that a connection may be idle.
_IDLE = 75
#: Files that are no connections: the store, the log, the listener.
_OTHER_FILES = 200
_MAX_CONNECTIONS = 10_000
#: New containers after which Python looks for unreachable ones.
_COLLECTED_AFTER = 50_000


async def work(
    task: Work,
    number: int,
    listener: socket.socket,
    ready: Callable[[str], None],
    lifeline: int | None = None,
    ahead: Ahead | None = None,
) -> int:
    """Serve until a signal, or until the other end of ``lifeline`` closes; the exit code.

    ``ahead`` is the process beside it, if it was forked before. ``ready`` is told a sign-in
    link by the first worker and ``""`` by the others. Raises ``StoreError`` if the store cannot be
    opened.
    """
    from threadwell.app import create_server, open_store, open_trail
    from threadwell.inbox.sign_in import new_link
    from threadwell.inbox.whereabouts import note_address
    from threadwell.stores.urls import store_path

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(logs.tell_loop)
    if number == 0:
        _tell_of_recovery(store_path(task.store))
    store = open_store(task.store)
    trail = open_trail(task.store, store, Who(way="server"))
    server = None
    beside: list[asyncio.Task[None]] = []
    stop = asyncio.Event()
    try:
        if number:
            link = await _first_answer(store)
        else:
            await _look_first(store)
            link = await new_link(store, task.url, who=task.sign_in_as)
        if not number:
            await note_address(store, task.url)
        meter = Meter(task.board, number)
        allowance = Allowance(task.rate_limit, task.tables, number) if task.rate_limit else None
        load = Load(meter, task.max_in_flight, allowance)
        _watch_commits(store, meter)
        if number == 0:
            await _tell_of_days(store)
        _collect_rarely()
        config = uvicorn.Config(
            create_server(
                store,
                base_url=task.url,
                also_at=task.also_at,
                load=load,
                max_page=task.max_page,
                typing=task.typing,
                trail=trail,
            ),
            http=cast(Any, partial(Connection, meter=meter, max_connections=_connections())),
            ws=_sockets(),
            ws_max_size=MOST_JSON,
            ws_per_message_deflate=False,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            # Links are made with the base URL, whatever a proxy or anybody else says.
            proxy_headers=False,
            timeout_keep_alive=_IDLE,
            timeout_graceful_shutdown=GRACE,
        )
        if number == 0:
            chaining = _chaining(task, trail, stop, ahead)
            beside.append(asyncio.create_task(chaining, name="audit"))
        if task.duties and number == 0:
            duties = _duties(task.store, trail.store, stop, ahead)
            beside.append(asyncio.create_task(duties, name="duties"))
        if task.mail and number == 0:
            mails = _mails(task.store, trail.store, task.mail, stop)
            beside.append(asyncio.create_task(mails, name="mails"))
        rest = Rest(partial(give_back, store))
        server = _Server(config, load, lambda: ready(link), stop, rest)
        # The server takes these signals over, and repeats the one that stopped it once it has
        # given them back. By then everything is in order, and the store is to be closed.
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signal_, lambda *_: None)
        if lifeline is not None:
            loop.add_reader(lifeline, _orphaned, loop, lifeline)
        await server.serve(sockets=[listener])
    finally:
        stop.set()
        if beside:
            await asyncio.wait(beside)
        trail.close()
        await store.close()
        if server is not None:
            server.last.cancel()
    _log.info("stopped")
    return 1 if server.left_unfinished else 0


async def _duties(url: str, store: Store, stop: asyncio.Event, ahead: Ahead | None) -> None:
    """Have the duties done until ``stop`` is set, by a process of its own where that can be."""
    from threadwell.app import DUTY_NAMES
    from threadwell.stores.urls import is_shared

    if not DUTY_NAMES:
        return
    if not is_shared(url):
        await perform_here(store, stop)
        return
    await _attended(duties_beside(url, ahead), stop)


async def _chaining(task: Work, trail: Trail, stop: asyncio.Event, ahead: Ahead | None) -> None:
    """Have what is recorded chained until ``stop`` is set, beside the workers where that can be."""
    from threadwell.server.chaining import chaining_beside
    from threadwell.stores.urls import is_shared

    if not is_shared(task.store):
        await keep_chaining(trail, stop)
    elif not task.duties:
        await _attended(chaining_beside(task.store, ahead), stop)


async def _mails(url: str, store: Store, place: Place, stop: asyncio.Event) -> None:
    """Take mails until ``stop`` is set, by a process of its own where that can be."""
    from threadwell.server.mail.beside import mail_beside
    from threadwell.server.mail.running import take_mails_here
    from threadwell.stores.urls import is_shared

    if is_shared(url):
        await _attended(mail_beside(url, place), stop)
        return
    try:
        await take_mails_here(store, place, stop, _log.info)
    except OSError as error:
        _log.error("cannot listen at %s:%d: %s", place.host, place.port, error.strerror)


async def _attended(one: Beside, stop: asyncio.Event) -> None:
    attending = asyncio.create_task(attend(one))
    await asyncio.wait([attending, asyncio.create_task(stop.wait())], return_when="FIRST_COMPLETED")
    attending.cancel()
    await asyncio.wait([attending])


def _sockets() -> Any:
    """What speaks WebSocket with apps."""
    try:
        from threadwell.server.sockets import Socket
    except ModuleNotFoundError as error:
        # An environment that was updated without its requirements serves all else as before.
        _log.error("apps have no sockets here: %s is not installed", error.name)
        return "none"
    return Socket


def _collect_rarely() -> None:
    """What a request makes has no cycles and goes with it: looking for some pays rarely."""
    gc.freeze()
    gc.set_threshold(_COLLECTED_AFTER, 10, 10)


class _Server(uvicorn.Server):
    """Tells when it listens, looks after its connections, and says that it stops."""

    def __init__(
        self,
        config: uvicorn.Config,
        load: Load,
        ready: Callable[[], None],
        stop: asyncio.Event,
        rest: Rest,
    ) -> None:
        super().__init__(config)
        self._load = load
        self._stop = stop
        self._ready = ready
        self._rest = rest
        self.left_unfinished = False
        #: Ends the process, whatever it still does.
        self.last = threading.Timer(GRACE + _LAST, os._exit, (1,))
        self.last.daemon = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._load.meter.ready(True)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:  # of ten ticks a second
            self._look()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.last.start()
        self._stop.set()
        self._load.end()
        looking = asyncio.create_task(self._keep_looking())
        try:
            await super().shutdown(sockets)
        finally:
            self.left_unfinished = bool(self.server_state.tasks)
            looking.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._load.draining = True
        self._load.meter.ready(False)
        if not self.should_exit:
            _log.info("stopping: %d requests under way", self._load.meter.in_flight)
        super().handle_exit(sig, frame)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(1)
            self._look()

    def _look(self) -> None:
        connections = self.server_state.connections
        self._load.meter.connections(len(connections))
        look_at(connections, draining=self._load.draining)
        self._rest.look(self._load.meter.in_flight, self.server_state.total_requests)


async def _first_answer(store: Store) -> str:
    await store.get_private("key", "signing")
    return ""


def _watch_commits(store: Store, meter: Meter) -> None:
    if isinstance(store, Watchable):
        store.watch(meter)


def _tell_of_recovery(path: Path | None) -> None:
    log = path.with_name(f"{path.name}-wal") if path else None
    if log and log.is_file() and (size := log.stat().st_size):
        why = "the last stop was not orderly, or another process has the store open"
        _log.info("%d bytes of the write-ahead log are taken over: %s", size, why)


async def _look_first(store: Store) -> None:
    """Note where each project stands, before anybody writes to it here."""
    from threadwell.projects.registry import projects
    from threadwell.subscriptions.hook_states import note_first_look

    for project in await projects(store):
        await note_first_look(store, project.id)


async def _tell_of_days(store: Store) -> None:
    """Say which sessions newer rules of the care time zone would move; a line for each project."""
    from threadwell.intake.bad_setting import BadSetting
    from threadwell.intake.care_zone import days_of_store, waiting_text
    from threadwell.projects.within import within

    for project in await store.projects():
        try:
            days = await days_of_store(within(store, project), project)
        except (BadSetting, OSError) as error:
            _log.error("%s", error)
            return
        if days and days.waiting:
            _log.warning("%s", waiting_text(days))


def _orphaned(loop: asyncio.AbstractEventLoop, lifeline: int) -> None:
    loop.remove_reader(lifeline)
    _log.error("the process that watches over the workers is gone")
    signal.raise_signal(signal.SIGTERM)


def _connections() -> int:
    """How many connections a process may have, after its limit of files is raised."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return _MAX_CONNECTIONS
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_CONNECTIONS + _OTHER_FILES
    if files < wanted:
        files = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    return max(files - _OTHER_FILES, files // 2)
