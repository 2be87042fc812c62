"""The contract of a duty, and what one has to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from threadwell.bulk.sight import Allowed, Sees
from threadwell.channels.channel import Channel
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.replies.outgoing import FindLinks, Links
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.subscriptions.hooks import nobody

#: Does what is due, and says in how many seconds it wants another turn; ``None`` when the store
#: stirs.
Round: TypeAlias = Callable[[], Awaitable[float | None]]


@dataclass(frozen=True, slots=True)
class Duty:
    """Work that comes up without a request.

    ``round`` is called again and again, in one process at a time, and never twice at once. What it
    raises is counted and tried again after a pause. A duty that ``heeds_stirs`` gets a turn also
    when something may have been committed, before its seconds are over. That is often for nothing,
    so a round that finds nothing to do has to be cheap. A round may be broken off at any ``await``
    (the process stops, or has lost its lease), and another process may have begun one meanwhile:
    what it commits has ``lease.still_held()`` among its ``kept``, or may be done twice.
    """

    name: str
    round: Round
    heeds_stirs: bool = True


async def nowhere() -> Links:
    """Where nobody has said at which URL the server is reached."""
    return Links("", lambda *_: "")


async def unseen(
    who: str,  # noqa: ARG001 - of whom nobody knows anything
    scopes: tuple[str, ...],  # noqa: ARG001
    patient: str,  # noqa: ARG001
) -> Allowed | None:
    """Where nobody has said what clients see."""
    return None


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a duty has to work with.

    ``labels`` are what people call each channel, ``channels`` those that hear, both by name.
    ``barred`` tells why somebody's Subscriptions are not served, by their reference; ``""`` where
    they are. ``links`` tells where providers reach the server, and ``sees`` what a client
    sees now.
    """

    store: Store
    project: str = DEFAULT_PROJECT
    labels: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = now_ms
    channels: Mapping[str, Channel] = field(default_factory=dict)
    links: FindLinks = nowhere
    barred: Callable[[str], Awaitable[str]] = nobody
    sees: Sees = unseen
