"""Killed at every step of every way in and out: nothing acknowledged is lost, nothing comes twice.

Each case is a message of its own. A process brings it to its end and is killed at one of its steps,
the next one goes on from what it left, and then the message has to be there, or sent, once, in its
state. The steps are gone through by their numbers: with the first, the second … until a process has
come to its end before it. Then at random instants, until there were as many kills as are wanted.
"""

from __future__ import annotations

import asyncio
import gc
import random
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import postgres
from bench.faults.dying import NEVER, Death, Steps, child
from bench.faults.journeys.chats import Chats
from bench.faults.journeys.desk import Desk, Found, Journey
from bench.faults.journeys.duties import Duties
from bench.faults.journeys.hooks import RestHooks
from bench.faults.journeys.mails import HandedOver, Mailbox
from bench.faults.journeys.replies import LeasedReplies, MailReplies, TextReplies
from bench.faults.journeys.silences import Silences
from bench.faults.journeys.texts import Texts
from bench.faults.server import Options
from bench.faults.watched import watch, watched_store
from threadwell.app import open_store
from threadwell.intake import verify
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore
from threadwell.stores.postgres import PostgresStore
from threadwell.stores.sqlite import SqliteStore

JOURNEYS: tuple[type[Journey], ...] = (
    *(Texts, Chats, Mailbox, HandedOver, TextReplies, MailReplies, LeasedReplies),
    *(Duties, Silences, RestHooks),
)
#: Files in memory, where there are such.
_MEMORY = Path("/dev/shm")
#: Each way has more steps than these.
_FEW = 30
#: Cases in one store.
_CASES = 60


def run(options: Options) -> None:
    """On the store that is given; else on SQLite and, where there is one, on PostgreSQL."""
    # Whoever is killed leaves what it has written to the kernel: no disk has to be waited for.
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        if options.store:
            _campaign(options, _numbered(options.store))
            return
        _campaign(options, _numbered(str(Path(folder) / "killed.db")))
        with _database() as url:
            if url:
                _campaign(options, _numbered(url))


def _campaign(options: Options, new_store: Callable[[], str]) -> None:
    at_random = random.Random(options.seed)
    board = Board()
    journeys = [kind(_CASES) for kind in JOURNEYS if kind.name in (options.ways or kind.name)]
    for journey in journeys:
        begun, before = time.monotonic(), board.kills
        with _running(journey, new_store) as way:
            number = at_random.randrange(min(options.every, _FEW)) + 1
            while way.kill(board, at=number):
                number += options.every
            by_step = board.kills - before
            # Each way has its part of the kills that are wanted, and some more in any case.
            more = max(options.kills // len(journeys) + 1 - by_step, by_step // 4)
            while board.kills - before < by_step + more:
                way.kill(board, instant=at_random.random())
        took = time.monotonic() - begun
        print(f"{journey.name}: {by_step} kills by step, {more} more in {took:.0f} s", flush=True)
    board.show(new_store())
    if board.wrong:
        raise SystemExit("something acknowledged is not as it should be")


@dataclass
class Board:
    """What has come of the kills, by way and step."""

    rows: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    numbers: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)

    @property
    def kills(self) -> int:
        """All of them."""
        return sum(row[0] for row in self.rows.values())

    @property
    def wrong(self) -> int:
        """How much is not as it should be."""
        return sum(sum(row[1:]) for row in self.rows.values())

    def note(self, way: str, death: Death, at: int, found: Found) -> None:
        """A kill, and what has come of it."""
        row = self.rows.setdefault((way, death.name), [0, 0, 0, 0])
        for place, more in enumerate((int(death.killed), *found)):
            row[place] += more
        if at != NEVER and death.killed:
            self.numbers.setdefault((way, death.name), []).append(at)
            self.steps[way] = max(self.steps.get(way, 0), at)

    def show(self, store: str) -> None:
        """The table, a line for each way and name of a step, with its numbers."""
        kind = "PostgreSQL" if "://" in store else "SQLite"
        print(
            f"{kind}\n{'step':>12}  {'kills':>5} {'lost':>4} {'doubled':>7} {'no state':>8}  what"
        )
        for (way, name), row in self.rows.items():
            kills, lost, doubled, stateless = row
            shown = _ranges(self.numbers.get((way, name), []))
            print(f"{shown:>12}  {kills:5} {lost:4} {doubled:7} {stateless:8}  {way}: {name}")
        whole = [sum(row[place] for row in self.rows.values()) for place in range(4)]
        by_step = sum(map(len, self.numbers.values()))
        steps = ", ".join(f"{way} {many}" for way, many in self.steps.items())
        print(f"the last step reached: {steps}")
        print(
            f"{kind}: {whole[0]:,} kills, {by_step:,} of them by step; lost {whole[1]},"
            f" doubled {whole[2]}, without state {whole[3]}",
            flush=True,
        )


@dataclass
class Way:
    """A journey on one store after the other."""

    journey: Journey
    new_store: Callable[[], str]
    url: str = ""
    cases: Iterator[int] = field(default_factory=lambda: iter(()))
    #: Seconds that a process takes, about.
    lasts: float = 0.2

    def kill(self, board: Board, at: int = NEVER, instant: float | None = None) -> bool:
        """One case with one kill; whether the process was killed before it had come to its end."""
        case = next(self.cases, None)
        if case is None:
            self.finish()
            self.url, self.cases = self.new_store(), iter(range(_CASES))
            self.journey.store += 1
            child(partial(self._set_up, self.url))
            case = next(self.cases)
        outside = partial(self.journey.outside, case)
        within = None if instant is None else instant * self.lasts
        death = child(partial(self._work, case, set()), at, within, outside)
        begun = time.monotonic()
        after = child(partial(self._recover, case, death.told), outside=outside)
        self.lasts += (time.monotonic() - begun - self.lasts) / 10
        found = Found(*map(int, after.found.split()))
        if found.wrong:
            print(f"{self.journey.name} {at}: {death.name}: {found}", flush=True)
        board.note(self.journey.name, death, at, found)
        return death.killed

    def finish(self) -> None:
        """Look at the store as a whole."""
        if self.url and (wrong := child(partial(_verified, self.url)).found):
            raise SystemExit(f"{self.journey.name}: {wrong}")

    async def _set_up(self, url: str, _steps: Steps) -> str:
        store = open_store(url)
        await self.journey.set_up(store)
        await store.close()
        return ""

    async def _work(self, case: int, told: set[str], steps: Steps) -> str:
        watch(steps)
        with steps.doing("open the store"):
            store = watched_store(open_store(self.url), steps)
        await self.journey.work(Desk(store, steps), case, told)
        with steps.doing("close the store"):
            await store.close()
        return ""

    async def _recover(self, case: int, told: set[str], steps: Steps) -> str:
        store = open_store(self.url)
        await self.journey.work(Desk(store, steps), case, told)
        found = await self.journey.check(Desk(store, steps), case)
        await store.close()
        return " ".join(map(str, map(int, found)))


@contextmanager
def _running(journey: Journey, new_store: Callable[[], str]) -> Iterator[Way]:
    journey.begin()
    try:
        # What is loaded once is there in each process that is made of this one, as are the stores.
        assert PostgresStore, SqliteStore
        asyncio.run(_warm(journey))
        gc.collect()
        gc.freeze()
        way = Way(journey, new_store)
        yield way
        way.finish()
    finally:
        journey.end()


async def _warm(journey: Journey) -> None:
    store, line = MemoryStore(), socket.socketpair()
    await journey.set_up(store)
    desk = Desk(store, Steps(NEVER, line[0]))
    outside = asyncio.create_task(asyncio.to_thread(_outside, journey, line[1]))
    try:
        await journey.work(desk, 0, set())
    finally:
        line[0].close()
        await outside
    assert not (await journey.check(desk, 0)).wrong


def _outside(journey: Journey, line: socket.socket) -> None:
    while said := line.recv(4096):
        for one in said.decode().splitlines():
            if one.startswith("ask "):
                journey.outside(0, one.removeprefix("ask "))
                line.send(b"\n")


async def _verified(url: str, _steps: Steps) -> str:
    store = open_store(url)
    findings = await verify(store, DEFAULT_PROJECT)
    await store.close()
    return "; ".join(map(str, findings[:5]))


def _numbered(url: str) -> Callable[[], str]:
    """Stores that are not there yet, named after one."""
    numbers = count()

    def make() -> str:
        if "://" not in url:
            return f"{url.removesuffix('.db')}-{next(numbers)}.db"
        return f"{url}k{next(numbers)}" if "schema=" in url else f"{url}&schema=k{next(numbers)}"

    return make


@contextmanager
def _database() -> Iterator[str]:
    binaries = postgres.find_binaries()
    if binaries is None:
        print("PostgreSQL is left out: there is none (make test installs it)")
        yield ""
        return
    server = postgres.start_server(binaries)
    try:
        yield server.url()
    finally:
        server.remove()


def _ranges(numbers: list[int]) -> str:
    """``3-5, 9`` of numbers."""
    out: list[list[int]] = []
    for one in sorted(set(numbers)):
        if out and one == out[-1][1] + 1:
            out[-1][1] = one
        else:
            out.append([one, one])
    shown = ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in out)
    return shown if len(shown) < 40 else f"{len(numbers)} from {out[0][0]} to {out[-1][1]}"
