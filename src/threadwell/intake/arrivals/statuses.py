"""What providers tell of messages that were sent, kept by the provider's id of the message.

A status may come before its message, after a later one, or more than once: what is kept is the
furthest that was told, whatever the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from threadwell.channels.live import State, Status
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

_KIND = "delivery-state"
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


async def keep_statuses(store: Store, project: str, statuses: Sequence[Status]) -> None:
    """Add what was told to what is kept; raises ``StoreError``."""
    by_name: dict[str, list[Status]] = {}
    for status in statuses:
        name = _name(project, status.channel, status.external_id)
        by_name.setdefault(name, []).append(status)
    while by_name:
        kept = []
        for name, told in by_name.items():
            before = await store.get_private(_KIND, name)
            now = msgspec.json.encode(_joined(before, told))
            if now != before:
                kept.append(Kept(_KIND, name, now, before))
        try:
            if kept:
                await store.commit(project, ChangeSet((), kept=tuple(kept)))
        except Conflict:
            continue
        return


def _joined(before: bytes | None, told: Sequence[Status]) -> Sent:
    known = msgspec.json.decode(before, type=Sent) if before is not None else None
    all_ = dict(known.told) if known else {}
    code = known.code if known else ""
    for one in told:
        all_[one.state] = min(one.at, all_.get(one.state, one.at))
        code = max(code, one.code)
    state = max(map(State, all_), key=_ORDER.index)
    if state is State.FAILED:
        # One of several recipients, or a carrier that changed its mind: it has been there.
        state = next((one for one in reversed(_ARRIVED) if one in all_), state)
    told_ = {str(one): all_[one] for one in _ORDER if one in all_}
    return Sent(state, all_[state], code if state is State.FAILED else "", told_)


def _name(project: str, channel: str, external_id: str) -> str:
    return f"{project}/{channel}|{external_id}"
