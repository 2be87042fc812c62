"""Who takes part in a session, and from when to when (``Encounter.participant``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.people import reference
from threadwell.encounters.times import fhir_time
from threadwell.encounters.turned import Membership

_PROFESSIONALS = ("Practitioner/", "PractitionerRole/")
_RELATED = "RelatedPerson/"
_TAKING_PART = (*_PROFESSIONALS, _RELATED)


class Spoken(NamedTuple):
    """One message's part in it: when, by whom and to whom (references, ``""`` if unknown)."""

    at: int
    sender: str
    recipients: tuple[str, ...]


def participants(
    spoken: Sequence[Spoken], joined: Sequence[Membership] = (), ended: int = 0
) -> list[dict[str, Any]]:
    """The participants in the order of their first message, then those who only received.

    The first professional who wrote is the primary performer, others who wrote are secondary
    performers; RelatedPersons, and professionals who wrote nothing, take part. Patients and
    organisations are no participants of an Encounter. Each takes part from the first to the last
    of their own messages, or else of those that reached them; whoever ``joined``, since then, and
    until they left or the session ``ended``, in microseconds since 1970 UTC, 0 while it has not.
    """
    left = {one.who: one.until for one in joined if one.until}
    wrote: dict[str, tuple[int, int]] = {}
    received: dict[str, tuple[int, int]] = {}
    each = [(one.sender, one.recipients, one.at, one.at) for one in spoken] if left else None
    for sender, recipients, first, last in each or _by_way(spoken):
        if sender.startswith(_TAKING_PART):
            _extend(wrote, sender, first, last)
        for who in recipients:
            if who.startswith(_TAKING_PART) and (who not in left or last <= left[who]):
                _extend(received, who, first, last)
    out: list[dict[str, Any]] = []
    performer = "PPRF"
    for who in wrote:
        code = "PART"
        if not who.startswith(_RELATED):
            code, performer = performer, "SPRF"
        out.append(_participant(who, code, wrote[who]))
    silently = sorted(received.keys() - wrote.keys()) if received else ()
    out += [_participant(who, "PART", received[who]) for who in silently]
    for member in sorted(joined) if joined else ():
        silent = member.who not in wrote and member.who not in received
        if member.since and silent and member.who.startswith(_TAKING_PART):
            until = member.until or (max(ended, member.since) if ended else None)
            out.append(_participant(member.who, "PART", (member.since, until)))
    return out


def _by_way(spoken: Iterable[Spoken]) -> list[tuple[str, tuple[str, ...], int, int]]:
    """From whom to whom, and the first and last time: a session's messages go few ways."""
    first: dict[tuple[str, tuple[str, ...]], int] = {}
    last: dict[tuple[str, tuple[str, ...]], int] = {}
    for at, sender, recipients in spoken:
        way = sender, recipients
        last[way] = at
        if way not in first:
            first[way] = at
    return [(*way, at, last[way]) for way, at in first.items()]


def _extend(spans: dict[str, tuple[int, int]], who: str, first: int, last: int) -> None:
    if (there := spans.get(who)) is not None:
        first, last = min(there[0], first), max(there[1], last)
    spans[who] = first, last


def _participant(who: str, code: str, span: tuple[int, int | None]) -> dict[str, Any]:
    period = {"start": fhir_time(span[0])}
    if span[1] is not None:
        period["end"] = fhir_time(span[1])
    return {"type": [codes.participation(code)], "period": period, "individual": reference(who)}
