"""The outbox: what was written here and is not sent yet, as private values of the store.

An entry is written in the commit that writes its message, and taken out in the one that gives the
message its provider's id. What cannot be sent is moved to where a person finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import msgspec

from threadwell.encounters.child_ids import REPLY
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.replies.unsent import say_waiting
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

#: Where messages wait to be sent, and where those are that a person has to decide about.
OUTBOX, DEAD = "outbox", "outbox-dead"


class Stage(StrEnum):
    """How far the sending of a message is.

    It is ``TRYING`` from before a call until its answer is kept: whoever finds that after a crash
    cannot know whether it was sent. ``DOUBTFUL`` is what nobody knows of, and is being asked.
    """

    WAITING = "waiting"
    TRYING = "trying"
    DOUBTFUL = "doubtful"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Entry:
    """A message that is to be sent.

    ``message`` is the logical id of its Communication, ``external_id`` the one that it has here,
    and ``thread`` the channel's own thread. ``written`` and ``due`` are in milliseconds since 1970
    UTC, as is ``since``: when it was tried first, 0 for never. ``tries`` counts the calls to send
    it, and ``asked`` those to find out. ``reason`` and ``code`` tell why it was not sent.
    """

    message: str
    channel: str
    account: str
    external_id: str
    thread: str
    written: int
    stage: Stage = Stage.WAITING
    tries: int = 0
    asked: int = 0
    due: int = 0
    since: int = 0
    reason: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Queued:
    """An entry as it stands in the store."""

    kind: str
    name: str
    value: bytes = field(repr=False)
    entry: Entry

    @property
    def id(self) -> str:
        """By what a person names it."""
        return self.name.rpartition("/")[2]


class NotInOutbox(LookupError):
    """Nothing of that name waits for a person."""


def queued(project: str, name: str, entry: Entry) -> Kept:
    """What puts a message into the outbox, together with the message."""
    return Kept(OUTBOX, f"{project}/{name}", _encoded(entry), before=None)


def removed(one: Queued) -> Kept:
    """What takes an entry out; a ``Conflict`` where it is not as it was read."""
    return Kept(one.kind, one.name, None, before=one.value)


def changed(one: Queued, entry: Entry) -> Kept:
    """What puts ``entry`` in the place of what stood there."""
    return Kept(one.kind, one.name, _encoded(entry), before=one.value)


def buried(one: Queued, entry: Entry) -> tuple[Kept, ...]:
    """What moves an entry to those that a person has to decide about."""
    dead = replace(entry, stage=Stage.HELD)
    return removed(one), Kept(DEAD, one.name, _encoded(dead), before=None)


async def waiting(store: Store, project: str) -> list[Queued]:
    """What is to be sent, in the order in which it was written."""
    return await _entries(store, project, OUTBOX)


async def dead_letters(store: Store, project: str) -> list[Queued]:
    """What was not sent, and waits for a person, in the order in which it was written."""
    return await _entries(store, project, DEAD)


async def letter(store: Store, project: str, external_id: str) -> list[Queued]:
    """What is to become of the message that has that id here: at most one entry, wherever it is."""
    name = f"{project}/{entry_name(external_id)}"
    found = [(kind, await store.get_private(kind, name)) for kind in (OUTBOX, DEAD)]
    return [
        Queued(kind, name, value, msgspec.json.decode(value, type=Entry))
        for kind, value in found
        if value is not None
    ]


async def letters_of(store: Store, project: str, names: Iterable[str]) -> dict[str, Queued]:
    """The entries of those names (``entry_name``) that are there, wherever they are."""
    found: dict[str, Queued] = {}
    wanted = [f"{project}/{name}" for name in dict.fromkeys(names)]
    for kind in (OUTBOX, DEAD) if wanted else ():
        for name, value in (await store.get_private_many(kind, wanted)).items():
            one = Queued(kind, name, value, msgspec.json.decode(value, type=Entry))
            found[one.id] = one
    return found


def entry_name(external_id: str) -> str:
    """The name of the entry of a message, by the id that it has here."""
    return external_id.rpartition("/")[2].removeprefix(REPLY)


async def replay_letter(store: Store, project: str, id_: str, *, clock: Clock = now_ms) -> None:
    """Send one that was not sent, after all; raises ``NotInOutbox``.

    Whoever says so of one that may have been sent, says that it was not. Raises ``Contended`` where
    others keep writing to the message.
    """
    one = await _dead(store, project, id_)
    again = replace(
        one.entry, stage=Stage.WAITING, tries=0, asked=0, since=0, due=clock(), reason="", code=""
    )
    kept = (removed(one), Kept(OUTBOX, one.name, _encoded(again), before=None))
    try:
        await say_waiting(store, project, one.entry.message, kept, clock())
    except Conflict:
        raise NotInOutbox(one.id) from None


async def drop_letter(store: Store, project: str, id_: str) -> None:
    """Send it never; its message stays in the record, and says so. Raises ``NotInOutbox``."""
    one = await _dead(store, project, id_)
    try:
        await store.commit(project, ChangeSet((), kept=(removed(one),)))
    except Conflict:
        raise NotInOutbox(one.id) from None


async def _dead(store: Store, project: str, id_: str) -> Queued:
    name = f"{project}/{id_}"
    value = await store.get_private(DEAD, name)
    if value is None:
        raise NotInOutbox(f"no message {id_} waits for a decision")
    return Queued(DEAD, name, value, msgspec.json.decode(value, type=Entry))


async def _entries(store: Store, project: str, kind: str) -> list[Queued]:
    out: list[Queued] = []
    after = f"{project}/"
    while found := await store.list_private(kind, after=after, count=1000):
        mine = {name: value for name, value in found.items() if name.startswith(f"{project}/")}
        out += [
            Queued(kind, name, value, msgspec.json.decode(value, type=Entry))
            for name, value in mine.items()
        ]
        if len(mine) < len(found):
            break
        after = next(reversed(found))
    # Names are no order: that of a reply which has a key follows from the key.
    return sorted(out, key=lambda one: (one.entry.written, one.name))


def _encoded(entry: Entry) -> bytes:
    return msgspec.json.encode(entry)


def shown(letters: Sequence[Queued]) -> list[dict[str, object]]:
    """Entries as plain values, for people and programs: no words of any message."""
    return [
        {
            "id": one.id,
            "message": f"Communication/{one.entry.message}",
            "channel": one.entry.channel,
            "account": one.entry.account,
            "stage": str(one.entry.stage),
            "tries": one.entry.tries,
            "reason": one.entry.reason,
            "code": one.entry.code,
        }
        for one in letters
    ]
