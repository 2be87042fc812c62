"""Which sessions somebody wants to see, as a search."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from threadwell.encounters import codes
from threadwell.encounters.pattern import SESSIONS
from threadwell.encounters.times import microseconds
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import (
    AllFilter,
    DateFilter,
    Filter,
    HasFilter,
    IdFilter,
    MissingFilter,
    Query,
    ReferenceFilter,
    Sort,
    TokenFilter,
)
from threadwell.fhir.search.sought import DateMatch, Prefix, ReferenceMatch, TokenMatch
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.links import as_key, target
from threadwell.intake.paging import search_all
from threadwell.stores.contract import Reading

_SUPERSEDED = "entered-in-error"
#: Each status that can be asked for: whether ``Encounter.status`` is, or is not, one of these.
STATUSES: dict[str, tuple[bool, tuple[str, ...]]] = {
    "all": (False, (_SUPERSEDED,)),
    "open": (True, ("planned", "arrived", "triaged", "in-progress", "onleave")),
    "finished": (True, ("finished",)),
    "superseded": (True, (_SUPERSEDED,)),
}
_OPEN_TASKS = ("requested", "accepted", "in-progress")
#: A Task that asks a person, and is open.
_ASKS: tuple[Filter, ...] = (
    TokenFilter("code", (TokenMatch(codes.TASK_CODE, "review"),)),
    TokenFilter("status", tuple(TokenMatch(None, one) for one in _OPEN_TASKS)),
)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What sessions are wanted; what is empty leaves it open.

    ``status`` is one of ``STATUSES``: ``all`` is all but the superseded. ``patient`` is a
    Patient's id or reference, ``channel`` a channel's own name. They begin on one of the days from
    ``since`` to ``until``, days of the care time zone. ``to_review`` leaves those about which a
    question is open.
    """

    status: str = "all"
    patient: str = ""
    channel: str = ""
    since: date | None = None
    until: date | None = None
    to_review: bool = False

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise BadSetting(f"status {self.status!r} is none of {', '.join(STATUSES)}")
        if self.since and self.until and self.since > self.until:
            raise BadSetting(f"no day is from {self.since} on and until {self.until}")


async def wanted_query(
    store: Reading, project: str, wanted: Wanted, zone: ZoneInfo
) -> Query | None:
    """The search for them, the newest first; ``None`` where nothing can be found."""
    is_one, statuses = STATUSES[wanted.status]
    found: list[Filter] = [
        *SESSIONS,
        TokenFilter("status", tuple(TokenMatch(None, one) for one in statuses), negate=not is_one),
        *_days(wanted, zone),
    ]
    if wanted.channel:
        of_thread = (TokenMatch(codes.THREAD + wanted.channel, None),)
        found.append(HasFilter("Communication", "encounter", TokenFilter("identifier", of_thread)))
    if wanted.to_review:
        found.append(HasFilter("Task", "focus", AllFilter(_ASKS)))
    if wanted.patient:
        ids = await sessions_of(store, project, wanted.patient.removeprefix("Patient/"))
        if not ids:
            return None
        found.append(IdFilter(tuple(sorted(ids))))
    return Query("Encounter", tuple(found), sort=(Sort("date", descending=True),))


async def sessions_of(store: Reading, project: str, patient: str) -> set[str]:
    """Ids of the sessions that are about a patient.

    Also by a medical encounter within one, and by a thread where the session names nobody.
    """
    matches = (ReferenceMatch("Patient", patient, ""),)
    about = ReferenceFilter("subject", matches)
    ids: set[str] = set()
    async for stored in search_all(store, project, Query("Encounter", (about,))):
        encounter = decode(stored.body)
        parent = as_key(target(encounter, "partOf"))
        ids.add(parent.id if parent.type == "Encounter" else encounter["id"])
    headers = Query(
        "Communication",
        (
            about,
            MissingFilter("part-of", missing=True),
            MissingFilter("encounter", missing=False),
        ),
    )
    async for stored in search_all(store, project, headers):
        ids.add(as_key(target(decode(stored.body), "encounter")).id)
    return ids


async def asked_about(store: Reading, project: str, among: Iterable[str]) -> set[str]:
    """Ids of the session encounters, ``among`` some, about which a question is open."""
    matches = tuple(ReferenceMatch("Encounter", id_, "") for id_ in among)
    if not matches:
        return set()
    query = Query("Task", (*_ASKS, ReferenceFilter("focus", matches)))
    out: set[str] = set()
    async for stored in search_all(store, project, query):
        focus = as_key(target(decode(stored.body), "focus"))
        if focus.type == "Encounter":
            out.add(focus.id)
    return out


def bounds(wanted: Wanted, zone: ZoneInfo) -> tuple[int | None, int | None]:
    """When the wanted days begin, and when they are over, in microseconds since 1970 UTC."""
    since = _midnight(wanted.since, zone) if wanted.since else None
    return since, _midnight(wanted.until + _DAY, zone) if wanted.until else None


def _days(wanted: Wanted, zone: ZoneInfo) -> list[Filter]:
    since, until = bounds(wanted, zone)
    out: list[Filter] = []
    if since is not None:
        out.append(DateFilter("date", (DateMatch(Prefix.SA, since, since),)))
    if until is not None:
        out.append(DateFilter("date", (DateMatch(Prefix.LT, until, until),)))
    return out


def _midnight(day: date, zone: ZoneInfo) -> int:
    return microseconds(datetime.combine(day, time.min, zone).astimezone(UTC))
