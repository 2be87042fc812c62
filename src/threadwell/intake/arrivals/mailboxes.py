"""Mailboxes on mail servers: what is new there goes into the journal, once.

How far a folder was read stands in the same commit as the mails that were read, so nothing is lost
and nothing comes twice, wherever a process ends. Mail servers number mails upwards; where one
begins to count anew (UIDVALIDITY), the folder is read from its beginning, and mails that are known
change nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from time import monotonic
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from threadwell.calls.mailbox import PORT, Connect, Held, Mailbox, MailboxFailed, Place
from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.accounts import accounts
from threadwell.intake.arrivals.journal import ARRIVED, arrived
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

_log = logging.getLogger(__name__)
T = TypeVar("T")

#: Seconds until a mailbox is tried again, after the first failure, the second …
PAUSES = (5.0, 15.0, 60.0, 300.0, 900.0)
#: Seconds between two looks at a folder of which the server does not tell what is new.
LOOK = 60.0
#: Seconds between two turns while mailboxes are idle, and where there are none.
_TURN, _NONE = 0.5, 5.0
#: Mails, and bytes, in one commit.
_MAILS, _BYTES = 100, 16 * 1024 * 1024
#: Larger than mail servers take: only their place is kept.
_LARGEST = 256 * 1024 * 1024

_KIND = "mailbox"


class Position(msgspec.Struct, frozen=True):
    """How far a folder was read: to the mail ``uid``, as ``validity`` numbers them."""

    validity: int
    uid: int = 0


class Mailboxes:
    """Keeps the mailboxes of all accounts; ``pre`` are preconditions of each commit."""

    def __init__(
        self,
        store: Store,
        project: str,
        *,
        clock: Clock = now_ms,
        connect: Connect = Mailbox,
        pauses: Sequence[float] = PAUSES,
        look: float = LOOK,
        pre: Callable[[], tuple[Kept, ...]] = tuple,
    ) -> None:
        self._keeping = _Keeping(store, project, clock, connect, pauses, look, pre)
        self._keepers: dict[str, _Keeper] = {}
        self._known_until = 0.0

    async def round(self) -> float:
        """Take what is new; the seconds until the next turn. Raises ``StoreError``."""
        now = monotonic()
        if now >= self._known_until:
            await self._follow_accounts()
            self._known_until = now + _NONE
        turns = (one.turn() for one in self._keepers.values())
        waits = await asyncio.gather(*turns, return_exceptions=True)
        for wait in waits:
            if isinstance(wait, BaseException):
                raise wait
        return min((wait for wait in waits if not isinstance(wait, BaseException)), default=_NONE)

    def close(self) -> None:
        """Leave every server; another round begins anew."""
        for one in self._keepers.values():
            one.leave()
        self._keepers.clear()
        self._known_until = 0.0

    async def _follow_accounts(self) -> None:
        keeping = self._keeping
        found = await accounts(keeping.store, keeping.project)
        mine = {one.name: one for one in found if is_mailbox(one)}
        for name, keeper in list(self._keepers.items()):
            if mine.get(name) != keeper.account:
                keeper.leave()
                del self._keepers[name]
        for name, account in mine.items():
            if name not in self._keepers:
                self._keepers[name] = _Keeper(account, keeping)


def is_mailbox(account: Account) -> bool:
    """Whether an account is a mailbox that is to be read."""
    return account.channel == "email" and account.value("provider").lower() == "imap"


def place_of(account: Account) -> Place:
    """Where the account's mailbox is; raises ``MailboxFailed`` where it does not say."""
    host, colon, port = account.value("host").partition(":")
    user, password, token = (account.value(name) for name in ("user", "password", "token"))
    if not host or not user or not (password or token):
        reason = "an account of imap needs host, user, and password or token"
        raise MailboxFailed(reason, refused=True)
    if colon and not (port.isdecimal() and 0 < int(port) < 65536):
        raise MailboxFailed(f"{port!r} is no port of {host}", refused=True)
    number = int(port) if colon else PORT
    allowed = host in account.hosts or f"{host}:{number}" in account.hosts
    return Place(host, user, number, password, token, account.value("tls") != "no", allowed)


def folders_of(account: Account) -> list[str]:
    """The folders that are read, the one first that the server tells of at once."""
    names = (name.strip() for name in account.value("folders").split(","))
    return list(dict.fromkeys(filter(None, names))) or ["INBOX"]


def since_of(account: Account) -> date | None:
    """The day on which reading begins; raises ``MailboxFailed`` for what is none."""
    text = account.value("since")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise MailboxFailed("since is no day such as 2026-01-31", refused=True) from None


@dataclass(frozen=True, slots=True)
class _Keeping:
    store: Store
    project: str
    clock: Clock
    connect: Connect
    pauses: Sequence[float]
    look: float
    pre: Callable[[], tuple[Kept, ...]]


@dataclass(slots=True)
class _Keeper:
    """One mailbox: the connection to it, and when it is looked at next."""

    account: Account
    keeping: _Keeping
    mailbox: Mailbox | None = None
    idling: bool = False
    due: float = 0.0
    failures: int = 0
    #: Folders that could not be opened, so that this is said once.
    closed: set[str] = field(default_factory=set)

    async def turn(self) -> float:
        """Take what is new, if it is time to look; the seconds until its next turn."""
        try:
            told = self.mailbox.has_told if self.idling and self.mailbox else None
            if told is not None and await _in_thread(told):
                self.due = 0.0
            if monotonic() < self.due:
                return self._wait()
            more = await self._look()
        except MailboxFailed as error:
            self._failed(error)
            return self._wait()
        except BaseException:
            # Whatever it was doing there, it is not known how far it came.
            self.leave()
            raise
        self.failures = 0
        return 0.0 if more else self._wait()

    def leave(self) -> None:
        """Close the connection; the next turn makes another."""
        if self.mailbox is not None:
            self.mailbox.close()
        self.mailbox, self.idling, self.due = None, False, 0.0

    def _wait(self) -> float:
        left = max(0.0, self.due - monotonic())
        return min(left, _TURN) if self.idling else left

    def _failed(self, error: MailboxFailed) -> None:
        pauses = self.keeping.pauses
        self.leave()
        at = len(pauses) - 1 if error.refused else min(self.failures, len(pauses) - 1)
        self.failures += 1
        self.due = monotonic() + pauses[at]
        _log.warning("the mailbox of %s cannot be read: %s", self.account.name, error)

    async def _look(self) -> bool:
        """Take what is new in every folder; whether there is more."""
        since, folders = since_of(self.account), folders_of(self.account)
        if self.mailbox is None:
            self.mailbox = await _in_thread(self.keeping.connect, place_of(self.account))
        mailbox = self.mailbox
        if self.idling:
            self.idling = False
            await _in_thread(mailbox.stop_idling)
        # The first folder comes last, as it stays open.
        for folder in reversed(folders):
            if await self._take(mailbox, folder, since, is_only=len(folders) == 1):
                return True
        if mailbox.idles and folders[0] not in self.closed:
            await _in_thread(mailbox.idle)
            self.idling = True
        self.due = monotonic() + self.keeping.look
        return False

    async def _take(
        self, mailbox: Mailbox, folder: str, since: date | None, *, is_only: bool
    ) -> bool:
        """Take some of what is new in a folder; whether there may be more."""
        try:
            validity = await _in_thread(mailbox.open, folder)
        except MailboxFailed as error:
            if is_only or "no folder" not in str(error):
                raise
            if folder not in self.closed:
                _log.warning("the mailbox of %s: %s", self.account.name, error)
            self.closed.add(folder)
            return False
        self.closed.discard(folder)
        keeping, name = self.keeping, self._name(folder)
        before = await keeping.store.get_private(_KIND, name)
        position = msgspec.json.decode(before, type=Position) if before else Position(validity)
        if position.validity != validity:
            _log.info("the mailbox of %s counts its mails anew", self.account.name)
            position = Position(validity)
        new = await _in_thread(mailbox.after, position.uid, since)
        if not new:
            return False
        some = new[:_MAILS]
        sizes = await _in_thread(mailbox.sizes, some)
        chosen = _chosen(some, sizes)
        fit = [uid for uid in chosen if sizes.get(uid, 0) <= _LARGEST and uid in sizes]
        held = await _in_thread(mailbox.fetch, fit) if fit else []
        there = {one.uid for one in held}
        left_out = [uid for uid in chosen if uid in sizes and uid not in there]
        held += await self._not_handed_over(mailbox, left_out, sizes)
        entries = [self._entry(folder, validity, one) for one in held]
        now = msgspec.json.encode(Position(validity, chosen[-1]))
        await _commit(keeping, Kept(_KIND, name, now, before), entries)
        return len(chosen) < len(new)

    async def _not_handed_over(
        self, mailbox: Mailbox, uids: Sequence[int], sizes: Mapping[int, int]
    ) -> list[Held]:
        """Mails that are there all the same, without their bytes: so that somebody sees them."""
        out = []
        for uid in uids:
            found = await _in_thread(mailbox.fetch, [uid]) if sizes[uid] <= _LARGEST else []
            there = found or uid in await _in_thread(mailbox.sizes, [uid])
            out += found or ([Held(uid, None, (), None)] if there else [])
        return out

    def _entry(self, folder: str, validity: int, one: Held) -> Kept:
        said = {
            "folder": folder,
            "validity": validity,
            "uid": one.uid,
            "flags": " ".join(one.flags),
        }
        url = f"imap://{self.account.value('host')}/?{urlencode(said)}"
        when = one.arrived or datetime.fromtimestamp(self.keeping.clock() / 1000, UTC)
        headers = {"content-type": "message/rfc822"}
        delivery = Delivery("IMAP", (url,), headers, one.raw or b"", when.astimezone(UTC))
        return arrived(self.keeping.project, self.account, delivery)

    def _name(self, folder: str) -> str:
        account = self.account
        whose = f"{account.value('user')}@{account.value('host')}"
        return f"{self.keeping.project}/{account.name}|{whose}|{folder}"


def _chosen(uids: Sequence[int], sizes: Mapping[int, int]) -> Sequence[int]:
    """The first of those mails, as many as one commit takes, one at least."""
    total = 0
    for at, uid in enumerate(uids):
        size = sizes.get(uid, 0)
        total += size if size <= _LARGEST else 0
        if at and total > _BYTES:
            return uids[:at]
    return uids


async def _commit(keeping: _Keeping, position: Kept, entries: Sequence[Kept]) -> None:
    """Keep the mails and how far the folder was read; nothing where another process has done so."""
    left = list(entries)
    while True:
        kept = (position, *left, *keeping.pre())
        try:
            await keeping.store.commit(keeping.project, ChangeSet((), kept=kept))
        except Conflict as conflict:
            key = conflict.key
            if key is None or key.type != ARRIVED:
                raise
            # It waits in the journal already.
            left = [one for one in left if one.name != key.id]
        else:
            return


async def _in_thread(call: Callable[..., T], *arguments: object) -> T:
    return await asyncio.to_thread(call, *arguments)
