"""Who takes part in a session, and from when to when (``Encounter.participant``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.people import reference
from threadwell.encounters.times import fhir_time

_PROFESSIONALS = ("Practitioner/", "PractitionerRole/")
_RELATED = "RelatedPerson/"


class Spoken(NamedTuple):
    """One message's part in it: when, by whom and to whom (references, ``""`` if unknown)."""

    at: int
    sender: str
    recipients: tuple[str, ...]


def participants(spoken: Sequence[Spoken]) -> list[dict[str, Any]]:
    """The participants in the order of their first message, then those who only received.

    The first professional who wrote is the primary performer, others who wrote are secondary
    performers; RelatedPersons, and professionals who wrote nothing, take part. Patients and
    organisations are no participants of an Encounter.
    """
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    silent: set[str] = set()
    for one in spoken:
        first.setdefault(one.sender, one.at)
        last[one.sender] = one.at
        silent.update(one.recipients)
    out: list[dict[str, Any]] = []
    performer = "PPRF"
    for who in _may_take_part(first):
        code = "PART"
        if not who.startswith(_RELATED):
            code, performer = performer, "SPRF"
        period = {"start": fhir_time(first[who]), "end": fhir_time(last[who])}
        out.append(
            {"type": [codes.participation(code)], "period": period, "individual": reference(who)}
        )
    return out + [
        {"type": [codes.participation("PART")], "individual": reference(who)}
        for who in _may_take_part(sorted(silent - first.keys()))
    ]


def _may_take_part(whom: Iterable[str]) -> list[str]:
    return [who for who in whom if who.startswith((*_PROFESSIONALS, _RELATED))]
