"""The Encounters of a session: its own, one for each of several patients, and their Group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.frame import Frame
from threadwell.encounters.identity import Identity
from threadwell.encounters.participants import Spoken, participants
from threadwell.encounters.people import reference
from threadwell.encounters.times import fhir_time
from threadwell.fhir.resource import Resource


@dataclass(frozen=True, slots=True)
class Shape:
    """What differs between the Encounters of one session."""

    identity: Identity
    tag: dict[str, str]
    subject: str
    clinical: Mapping[str, Any]
    part_of: str = ""


def encounter(shape: Shape, spoken: Sequence[Spoken], finished: bool, frame: Frame) -> Resource:
    """An Encounter over the messages in ``spoken``, at least one, in the order of time."""
    start, end = fhir_time(spoken[0].at), fhir_time(spoken[-1].at)
    out: Resource = {
        "resourceType": "Encounter",
        "identifier": identifiers(shape.identity, frame),
        "status": "finished" if finished else "in-progress",
    }
    if finished:
        out["statusHistory"] = [{"status": "in-progress", "period": {"start": start, "end": end}}]
    out["class"] = codes.VIRTUAL
    out["type"] = [{"coding": [shape.tag]}, {"coding": [dict(shape.clinical)]}]
    if shape.subject:
        out["subject"] = reference(shape.subject)
    if who := participants(spoken):
        out["participant"] = who
    out["period"] = {"start": start, "end": end} if finished else {"start": start}
    if frame.provider:
        out["serviceProvider"] = reference(frame.provider)
    if shape.part_of:
        out["partOf"] = reference(shape.part_of)
    return out


def group(identity: Identity, patients: Sequence[str], frame: Frame) -> Resource:
    """The Group of the patients that a session is about."""
    return {
        "resourceType": "Group",
        "identifier": identifiers(identity, frame),
        "active": True,
        "type": "person",
        "actual": True,
        "quantity": len(patients),
        "member": [{"entity": reference(patient)} for patient in patients],
    }


def identifiers(identity: Identity, frame: Frame) -> list[dict[str, Any]]:
    """What it is, and which circle it belongs to, by which a later run finds it."""
    return [identity.as_json(), Identity(codes.CIRCLE, frame.circle).as_secondary()]
