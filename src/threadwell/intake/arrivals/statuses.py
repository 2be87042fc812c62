"""What providers tell of messages that were sent, kept by the provider's id of the message.

A status may come before its message, after a later one, or more than once: what is kept is the
furthest that was told, whatever the order. What is new waits to be put on its message, which is
done apart from this (``telling.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

import msgspec

from threadwell.channels.live import State, Status
from threadwell.intake.patience import Contended, Patience
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

_KIND = "delivery-state"
#: Where states wait to be put on their messages. A name begins with when that is due.
_UNTOLD = "delivery-untold"
_DIGITS = 15
_ORDER = tuple(State)
#: What nothing that was told before can take back: it has arrived.
_ARRIVED = (State.DELIVERED, State.READ)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message: the furthest state, since when, and each that was told, at first.

    ``code`` is the provider's own of what failed.
    """

    state: State
    at: datetime
    code: str = ""
    told: dict[str, datetime] = field(default_factory=dict)


async def sent_state(store: Store, project: str, channel: str, external_id: str) -> Sent | None:
    """What was told of the message that the provider knows by that id."""
    value = await store.get_private(_KIND, _name(project, channel, external_id))
    return msgspec.json.decode(value, type=Sent) if value is not None else None


@dataclass(frozen=True, slots=True)
class Untold:
    """A state that is not on its message: it is ``due`` then, in milliseconds since 1970 UTC.

    ``tries`` counts how often the message was looked for in vain. ``state`` is a digest of what was
    told.
    """

    channel: str
    external_id: str
    due: int
    state: str
    tries: int = 0

    def kept(self, project: str) -> Kept:
        """What keeps it."""
        name = f"{project}/{self.due:0{_DIGITS}}|{self.channel}|{self.external_id}"
        return Kept(_UNTOLD, name, f"{self.tries} {self.state}".encode())

    def gone(self, project: str) -> Kept:
        """What takes it away; a ``Conflict`` where more was told at the same moment."""
        kept = self.kept(project)
        return replace(kept, value=None, before=kept.value)


async def untold(store: Store, project: str, count: int) -> list[Untold]:
    """At most ``count`` states that are not on their messages, those first that are due first."""
    found = await store.list_private(_UNTOLD, after=f"{project}/", count=count)
    out = []
    for name, value in found.items():
        if not name.startswith(f"{project}/"):
            break
        due, channel, external_id = name.removeprefix(f"{project}/").split("|", 2)
        tries, _, state = value.decode().partition(" ")
        out.append(Untold(channel, external_id, int(due), state, int(tries)))
    return out


async def sent_states(
    store: Store, project: str, ids: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Sent]:
    """What was told of messages, by channel and the provider's id, as far as anything was."""
    names = {_name(project, *one): one for one in ids}
    found = await store.get_private_many(_KIND, list(names))
    return {names[name]: msgspec.json.decode(value, type=Sent) for name, value in found.items()}


def together(states: Iterable[Sent]) -> Sent:
    """The one state of a message that is known by several ids."""
    told: dict[str, datetime] = {}
    code = ""
    for one in states:
        for state, at in one.told.items():
            told[state] = min(at, told.get(state, at))
        code = max(code, one.code)
    return _furthest(told, code)


async def keep_statuses(
    store: Store, project: str, statuses: Sequence[Status], now: int = 0
) -> None:
    """Add what was told to what is kept; raises ``StoreError``.

    From ``now`` on, in milliseconds since 1970 UTC, it may be put on its message.
    """
    patience = Patience()
    while kept := await statuses_kept(store, project, statuses, now):
        if not await patience.turn():
            raise Contended("others keep telling of the same messages")
        try:
            await store.commit(project, ChangeSet((), kept=kept))
        except Conflict:
            continue
        return


async def statuses_kept(
    store: Store, project: str, statuses: Sequence[Status], now: int = 0
) -> tuple[Kept, ...]:
    """What keeps them, for a commit; a ``Conflict`` where more was told meanwhile."""
    by_name: dict[str, list[Status]] = {}
    for status in statuses:
        name = _name(project, status.channel, status.external_id)
        by_name.setdefault(name, []).append(status)
    kept = []
    for name, told in by_name.items():
        before = await store.get_private(_KIND, name)
        value = msgspec.json.encode(_joined(before, told))
        if value != before:
            kept.append(Kept(_KIND, name, value, before))
            one = told[0]
            digest = sha256(value).hexdigest()[:16]
            kept.append(Untold(one.channel, one.external_id, now, digest).kept(project))
    return tuple(kept)


def _joined(before: bytes | None, told: Sequence[Status]) -> Sent:
    known = msgspec.json.decode(before, type=Sent) if before is not None else None
    all_ = dict(known.told) if known else {}
    code = known.code if known else ""
    for one in told:
        all_[one.state] = min(one.at, all_.get(one.state, one.at))
        code = max(code, one.code)
    return _furthest(all_, code)


def _furthest(all_: Mapping[str, datetime], code: str) -> Sent:
    state = max(map(State, all_), key=_ORDER.index)
    if state is State.FAILED:
        # One of several recipients, or a carrier that changed its mind: it has been there.
        state = next((one for one in reversed(_ARRIVED) if one in all_), state)
    told_ = {str(one): all_[one] for one in _ORDER if one in all_}
    return Sent(state, all_[state], code if state is State.FAILED else "", told_)


def _name(project: str, channel: str, external_id: str) -> str:
    return f"{project}/{channel}|{external_id}"
