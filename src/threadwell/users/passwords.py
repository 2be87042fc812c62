"""Passwords: which are good enough (NIST SP 800-63B-4 §3.1.1), and their Argon2id hashes.

A hash takes a tenth of a second and 19 MiB on purpose. So it is made in threads of its own, a few
at a time; whoever asks for more of them than that has to wait, and many more are turned away.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from threadwell.stores.contract import StoreBusy
from threadwell.users.settings import Cost, cost

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_T = TypeVar("_T")

#: The least characters of a password that opens an account alone, and beside a second factor.
SHORTEST = 15
SHORTEST_WITH_FACTOR = 8
LONGEST = 256
#: Passwords that are hashed at a time in a process, and that wait: in all, and from one source.
AT_ONCE = 2
MOST_WAITING = 60
MOST_OF_ONE = 6

_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_OURS = ("threadwell",)


class BadPassword(ValueError):
    """A password that is not taken; the message says why, for whoever has chosen it."""


def normal(password: str) -> str:
    """As it is hashed: the same letters typed on another keyboard are the same password."""
    return unicodedata.normalize("NFC", password)


def check_password(password: str, own: Iterable[str], *, with_factor: bool = False) -> None:
    """Raises ``BadPassword`` for one that others would try.

    ``own`` are the words of its owner: name and e-mail address. It need not be of several kinds of
    characters, and never ends by itself.
    """
    text = normal(password)
    least = SHORTEST_WITH_FACTOR if with_factor else SHORTEST
    if len(text) < least:
        raise BadPassword(f"a password has at least {least} characters: several words are good")
    if len(text) > LONGEST:
        raise BadPassword(f"a password has at most {LONGEST} characters")
    if any(unicodedata.category(one) in ("Cc", "Cs") for one in text):
        raise BadPassword("a password has no control characters")
    lower = text.casefold()
    words = {word for one in (*own, *_OURS) for word in _words_of(one)}
    if _is_common(lower, words):
        raise BadPassword("that is one of the passwords that are tried first: take another")


def _is_common(lower: str, words: set[str]) -> bool:
    bare = "".join(lower.split())
    tried = {bare, _piece(bare), _AROUND.sub("", bare), _piece(_AROUND.sub("", bare))}
    if len(set(bare)) < 5 or any(one in common_passwords() or one in words for one in tried):
        return True
    # What is left of it beside words of its owner, and runs of the alphabet or the keyboard.
    rest = bare
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    rest = _without_runs(rest)
    return len(rest) < 8 and sum(not one.isdigit() for one in rest) < 4


def _piece(text: str) -> str:
    """The piece that ``text`` repeats."""
    at = (text + text).find(text, 1)
    return text[:at] if 0 < at < len(text) else text


def _without_runs(text: str) -> str:
    """Without pieces of four and more that stand so in a row, forwards or backwards."""
    rows = [*_RUNS, *(row[::-1] for row in _RUNS)]
    kept, at = "", 0
    while at < len(text):
        size = 4
        while size <= len(text) - at and any(text[at : at + size] in row for row in rows):
            size += 1
        size -= 1
        if size >= 4:
            at += size
        else:
            kept += text[at]
            at += 1
    return kept


def _words_of(text: str) -> list[str]:
    lower = normal(text).casefold()
    return [one for one in (*re.split(r"[\W_]+", lower), lower) if len(one) >= 4]


@cache
def common_passwords() -> frozenset[str]:
    """The 30,000 passwords that are met most often."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # Slow to load: only where one is chosen.

    return frozenset(FREQUENCY_LISTS["passwords"])


class Hashing:
    """Makes and checks hashes, off the event loop. One of it serves a whole process."""

    def __init__(self, cost_: Cost | None = None) -> None:
        self._cost = cost_ or cost()
        self._threads = ThreadPoolExecutor(AT_ONCE, "threadwell-passwords")
        self._waiting: Counter[str] = Counter()

    async def hash(self, password: str, source: str = "") -> str:
        """The hash to keep. Raises ``StoreBusy`` where too many wait."""
        return await self._do(lambda: self._hasher.hash(normal(password)), source)

    async def verify(self, kept: str, password: str, source: str = "") -> bool:
        """Is that the password? It takes as long where there is none (``""``)."""
        return await self._do(lambda: self._verify(kept, password), source)

    def is_old(self, kept: str) -> bool:
        """Was it made with another cost than is set now?"""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        """Hash nothing any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _do(self, work: Callable[[], _T], source: str) -> _T:
        full = self._waiting.total() >= MOST_WAITING + AT_ONCE
        if full or (source and self._waiting[source] >= MOST_OF_ONE):
            raise StoreBusy("too many people sign in at once: try again in a moment")
        self._waiting[source] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting[source] -= 1
            if not self._waiting[source]:
                del self._waiting[source]

    def _verify(self, kept: str, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerifyMismatchError

        if len(password) > LONGEST:
            # Nobody has one like that, and to hash it may take long.
            password = password[:LONGEST]
            kept = ""
        try:
            self._hasher.verify(kept or self._nobodys, normal(password))
        except (VerifyMismatchError, InvalidHashError):
            return False
        return bool(kept)

    @property
    def _hasher(self) -> PasswordHasher:
        return _hasher(self._cost)

    @property
    def _nobodys(self) -> str:
        return _nobodys(self._cost)


@cache
def _hasher(cost_: Cost) -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=cost_.passes, memory_cost=cost_.memory, parallelism=cost_.lanes)


@cache
def _nobodys(cost_: Cost) -> str:
    """A hash of no password, to spend the time on where there is none."""
    import secrets

    return _hasher(cost_).hash(secrets.token_urlsafe(32))


@cache
def shared() -> Hashing:
    """That of this process."""
    return Hashing()
