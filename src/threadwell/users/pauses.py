"""Pauses after wrong guesses, in a way that nobody can lock somebody else out by them.

What is counted is not the account, but who tries it from where: each source for itself, and each
source with each account. Whoever guesses from elsewhere makes nobody wait but themselves. A
browser in which somebody has signed in before is counted by itself, too, so that it gets in while
others behind the same address are made to wait.

An attempt is counted before it is looked at, in the store: of many at once, in several
processes, none is free. One that was right is taken back.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import secrets
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from threadwell.fhir.stamp import Clock
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store, StoreBusy

_KIND = "sign-in-tries"
_MINUTE = 60_000
#: The longest pause, and after how much quiet all is forgotten.
LONGEST = 15 * _MINUTE
FORGOTTEN = 60 * _MINUTE
_TRIES = 50
#: Of how many counts a new one looks whether they are to be forgotten.
_SWEPT = 20


class Rule(NamedTuple):
    """How many wrong attempts are free; each one more doubles the pause, from a second on."""

    name: str
    free: int


SOURCE = Rule("source", 50)
PAIR = Rule("source and account", 5)
BROWSER = Rule("known browser", 10)
CODE = Rule("code", 10)
LETTERS = Rule("letters", 3)
# Nothing can be guessed there: it is only what strangers have us keep that is bounded.
PASSKEY = Rule("passkey", 200)
OUTSIDE = Rule("outside", 200)


class Tries(msgspec.Struct, frozen=True):
    """Attempts that were not right, the time of the last one, and until when there is a pause."""

    count: int
    last: int
    until: int = 0


class Paused(Exception):
    """It has to be waited; ``seconds`` are what remains of the pause."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many attempts: try again in {_spoken(seconds)}")
        self.seconds = seconds


class Counted(NamedTuple):
    """A counter: by which rule, and of what."""

    rule: Rule
    of: str

    @property
    def name(self) -> str:
        """As the store names it: nothing of an address can be read from it."""
        return hashlib.sha256(f"{self.rule.name}\n{self.of}".encode()).hexdigest()


def source_of(address: str) -> str:
    """What an address counts as: an IPv6 network has 2**64 of them."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


class Pauses:
    """The counters of a project."""

    def __init__(self, store: Store, project: str, clock: Clock) -> None:
        self._store = store
        self._project = project
        self._clock = clock

    async def enter(self, counters: Iterable[Counted]) -> None:
        """Count an attempt by each; raises ``Paused``, and then has counted none."""
        for _ in range(_TRIES):
            now = self._clock()
            kept, wait = [], 0
            for one in counters:
                value = await self._store.get_private(_KIND, one.name)
                had = _read(value, now)
                wait = max(wait, had.until - now)
                count = had.count + 1
                until = now + _pause(count - one.rule.free) if count >= one.rule.free else 0
                kept.append(_kept(one, Tries(count, now, until), value))
            if wait > 0:
                raise Paused(-(-wait // 1000))
            try:
                await self._store.commit(self._project, ChangeSet((), kept=tuple(kept)))
            except Conflict:
                await asyncio.sleep(secrets.randbelow(20) / 1000)
                continue
            await self._sweep(now)
            return
        raise StoreBusy("too many people sign in at once: try again in a moment")

    async def right(self, forgotten: Iterable[Counted], taken_back: Iterable[Counted] = ()) -> None:
        """The attempt was right: forget some counters, and take it back from others."""
        for one in forgotten:
            await self._store.put_private(_KIND, one.name, None)
        for one in taken_back:
            await self._take_back(one)

    async def _take_back(self, one: Counted) -> None:
        for _ in range(_TRIES):
            value = await self._store.get_private(_KIND, one.name)
            if value is None:
                return
            had = msgspec.json.decode(value, type=Tries)
            less = Tries(had.count - 1, had.last) if had.count > 1 else None
            try:
                kept = (_kept(one, less, value),)
                await self._store.commit(self._project, ChangeSet((), kept=kept))
            except Conflict:
                continue
            return

    async def _sweep(self, now: int) -> None:
        # From anywhere in the row of names, so that all have their turn.
        after = secrets.token_hex(4)
        found = await self._store.list_private(_KIND, after=after, count=_SWEPT)
        for name, value in found.items():
            if not _read(value, now).count:
                kept = (Kept(_KIND, name, None, before=value),)
                try:
                    await self._store.commit(self._project, ChangeSet((), kept=kept))
                except Conflict:
                    continue


def _kept(one: Counted, tries: Tries | None, before: bytes | None) -> Kept:
    value = None if tries is None else msgspec.json.encode(tries)
    return Kept(_KIND, one.name, value, before=before)


def _read(value: bytes | None, now: int) -> Tries:
    had = Tries(0, now) if value is None else msgspec.json.decode(value, type=Tries)
    # A clock that was set back keeps nobody out for longer than the longest pause.
    if not 0 <= now - had.last < FORGOTTEN:
        return Tries(0, now)
    return had


def _pause(beyond: int) -> int:
    return min(1000 << min(beyond, 20), LONGEST)


def _spoken(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} second{'s' if seconds != 1 else ''}"
    return f"{-(-seconds // 60)} minutes"
