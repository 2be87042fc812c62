"""The journal: deliveries that were acknowledged and are not taken in yet, as private values.

An entry is named by a digest of what was delivered, so that a retry is the same entry. The order
of entries says nothing: taking them in comes to the same in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

#: Where deliveries wait to be taken in, and where those do of which files are to be fetched yet.
ARRIVED, FILES = "journal", "journal-files"
#: Where deliveries wait of which something has to be asked for before they can be read.
SOUGHT = "journal-sought"


@dataclass(frozen=True, slots=True)
class Entry:
    """A delivery in the journal.

    ``tries`` counts how often it was to be taken in, or its files were asked for, in vain; it is
    ``due`` again at that time, in milliseconds since 1970 UTC. One that cannot be read has no
    channel.
    """

    account: str
    channel: str
    delivery: Delivery
    tries: int = 0
    due: int = 0


@dataclass(frozen=True, slots=True)
class Journaled:
    """An entry as it stands in the store."""

    kind: str
    name: str
    value: bytes = field(repr=False)
    entry: Entry


async def keep(
    store: Store, project: str, account: Account, delivery: Delivery, headers: frozenset[str]
) -> None:
    """Keep a delivery durably; of the same one twice, once. Only some ``headers`` are kept.

    Raises ``StoreError``: then nothing is kept, and it must not be acknowledged.
    """
    some = {name: value for name, value in delivery.headers.items() if name in headers}
    kept = arrived(project, account, replace(delivery, headers=some))
    try:
        await store.commit(project, ChangeSet((), kept=(kept,)))
    except Conflict:
        # It is there, and was not acknowledged in time.
        return


def arrived(project: str, account: Account, delivery: Delivery) -> Kept:
    """What keeps a delivery; a ``Conflict`` where the same one is there already."""
    entry = Entry(account.name, account.channel, delivery)
    value = encoded(entry)
    return Kept(ARRIVED, f"{project}/{_digest(account, delivery)}", value, before=None)


async def entries(
    store: Store, project: str, kind: str, *, after: str = "", count: int = 1000
) -> list[Journaled]:
    """At most ``count`` entries of a kind, those whose name follows ``after``."""
    found = await store.list_private(kind, after=after or f"{project}/", count=count)
    return [
        Journaled(kind, name, value, _decoded(value))
        for name, value in found.items()
        if name.startswith(f"{project}/")
    ]


def removed(one: Journaled) -> Kept:
    """What takes an entry out of the journal; a ``Conflict`` where somebody else has done it."""
    return Kept(one.kind, one.name, None, before=one.value)


def changed(one: Journaled, entry: Entry) -> Kept:
    """What puts ``entry`` in the place of what stood there."""
    return Kept(one.kind, one.name, encoded(entry), before=one.value)


def moved(one: Journaled, kind: str) -> list[Kept]:
    """What moves an entry to another kind, where it has not been tried yet."""
    return [removed(one), Kept(kind, one.name, encoded(replace(one.entry, tries=0, due=0)))]


async def revise(store: Store, project: str, kept: Sequence[Kept]) -> None:
    """Commit what becomes of entries; what somebody else has changed since stays as it is."""
    left = list(kept)
    while left:
        try:
            await store.commit(project, ChangeSet((), kept=tuple(left)))
        except Conflict as conflict:
            if conflict.key is None:
                raise
            left = [one for one in left if one.name != conflict.key.id]
        else:
            return


def encoded(entry: Entry) -> bytes:
    """An entry as the store keeps it."""
    return msgspec.msgpack.encode(entry)


def _decoded(value: bytes) -> Entry:
    try:
        return msgspec.msgpack.decode(value, type=Entry)
    except msgspec.DecodeError:
        # A newer build may have written it, or it is damaged: it must not stop those behind it.
        nothing = Delivery("", ("",), {}, b"", datetime.fromtimestamp(0, UTC))
        return Entry("", "", nothing)


def _digest(account: Account, delivery: Delivery) -> str:
    parts = [account.name, delivery.method, delivery.urls[0].partition("?")[2]]
    start = "\0".join(parts).encode("utf-8", "replace")
    return sha256(start + b"\0" + delivery.body).hexdigest()
