"""What a session policy is given, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from threadwell.zones import UTC_ZONE

#: ``Session.closes`` of a session that only an explicit act ends.
NEVER = 2**62
_MICROSECOND = timedelta(microseconds=1)


class Sent(NamedTuple):
    """As much of a message as a policy sees. Their natural order is that of time.

    ``at`` is when it was sent, in microseconds since 1970 UTC; ``id`` its identity, unique and
    stable, which also decides between messages of one instant. ``inbound`` is true of what the
    patient's side wrote. ``opens`` and ``closes`` tell of the configured keywords. An ``automatic``
    one answers for somebody who is away: no policy is given it, and no session is made by it.
    """

    at: int
    id: str
    thread: str
    inbound: bool = True
    opens: bool = False
    closes: bool = False
    automatic: bool = False


class Kind(StrEnum):
    """What an act does to a session."""

    OPEN = "open"
    CLOSE = "close"
    REOPEN = "reopen"


class Act(NamedTuple):
    """A session opened, closed or reopened by a person, not by a message.

    ``at`` is when, in microseconds since 1970 UTC, ``id`` its identity. An opening is one of
    ``thread``, ``""`` while none is known. The others are about the session that has the message
    ``of`` (``Sent.id``), or that the act ``of`` has opened.
    """

    at: int
    id: str
    kind: Kind
    of: str = ""
    thread: str = ""


class Turn(NamedTuple):
    """From that time on, in microseconds since 1970 UTC, a session has that FHIR status."""

    at: int
    status: str


class Session(NamedTuple):
    """Messages that make one session, in the order of time; never empty, but where it is opened
    by an act and nobody has written yet.

    ``mark`` tells it from every other session of its thread or patient. ``closes`` is when it is
    over, in microseconds since 1970 UTC: from then on it is finished. ``acts`` are the ids of the
    acts on it, ``turns`` what they have made of its status, in the order of time; of a session
    without acts there are none. One that an act ``opened`` has the id of that as its mark.
    """

    mark: str
    messages: tuple[Sent, ...]
    closes: int
    opened: bool = False
    turns: tuple[Turn, ...] = ()
    acts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """What a policy may depend on beside the messages.

    ``zone`` is the care time zone. ``gap`` is the silence that ends an inactivity-gap session and
    an explicit one that nobody closed; ``rest`` the silence after which a per-thread session
    counts as finished.
    """

    zone: ZoneInfo = field(default=UTC_ZONE)
    gap: timedelta = timedelta(hours=24)
    rest: timedelta = timedelta(days=30)

    @property
    def gap_us(self) -> int:
        """``gap`` in microseconds."""
        return self.gap // _MICROSECOND

    @property
    def rest_us(self) -> int:
        """``rest`` in microseconds."""
        return self.rest // _MICROSECOND


#: Divides the messages of one thread, or of all threads of a patient, into sessions.
#:
#: It is handed the messages in their natural order, each once, and must answer from them and the
#: options alone. Its sessions are disjoint, in the order of their first messages, and their marks
#: distinct. A message may be left out: it stays in its thread without an encounter.
Policy: TypeAlias = Callable[[Sequence[Sent], PolicyOptions], list[Session]]
