"""What a rule is: when, unless, then; as it was read and found right. docs/rules.md tells of
each."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from threadwell.encounters.todo import FRONT_DESK, Pool
from threadwell.intake.hours import OpeningHours
from threadwell.intake.tracking import Tracking


class Event(StrEnum):
    """What a rule may be about."""

    MESSAGE = "message"
    THREAD = "thread-opened"
    UNANSWERED = "unanswered"
    CLOSED = "session-closed"


PRIORITIES = ("routine", "urgent", "asap", "stat")
HOURS = ("open", "closed")
PATIENTS = ("new", "known")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What has to be so; what is ``None`` or empty is no matter."""

    channels: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    hours: str = ""
    patient: str = ""
    tags: tuple[str, ...] = ()
    claimed: bool | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked."""
        return self == Conditions()


@dataclass(frozen=True, slots=True)
class Actions:
    """What is done. ``reply`` names a saved reply; ``sender`` is who sends it, ``""`` the
    practice."""

    pool: Pool | None = None
    priority: str = ""
    reply: str = ""
    sender: str = ""
    tags: tuple[str, ...] = ()
    remind: bool = False
    close: bool = False
    note: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is done."""
        return self == Actions()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``after_us`` is how long a message has to wait for an answer."""

    name: str
    event: Event
    when: Conditions
    unless: Conditions
    then: Actions
    after_us: int = 0


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All that a practice has said of what happens by itself.

    ``since`` is from when on messages need an answer, in microseconds since 1970 UTC: 0 for since
    messages are heard as they come, ``None`` for never. ``away`` gives back what those have who are
    away. ``began`` is since when rules count.
    """

    rules: tuple[Rule, ...] = ()
    hours: OpeningHours | None = None
    since: int | None = 0
    within_us: int = 24 * 3_600_000_000
    pool: Pool = FRONT_DESK
    away: bool = False
    began: int = field(default=0, compare=False)

    def tracking(self, heard_since: int | None) -> Tracking | None:
        """How threads are looked after; ``heard_since`` is when messages were heard first."""
        since = self.since or heard_since
        if self.since is None or since is None:
            return None
        return Tracking(since, self.pool, self.within_us, self.hours)

    def of(self, event: Event) -> tuple[Rule, ...]:
        """The rules about that."""
        return tuple(one for one in self.rules if one.event is event)

    def due(self, at: int, length: int) -> int:
        """When so much time has passed, of that in which the practice is open."""
        return self.hours.after(at, length) if self.hours else at + length
