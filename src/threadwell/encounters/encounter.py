"""The Encounters of a session: its own, one for each of several patients, and their Group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from threadwell.encounters import codes
from threadwell.encounters.frame import Frame
from threadwell.encounters.identity import Identity
from threadwell.encounters.participants import Spoken, participants
from threadwell.encounters.people import reference
from threadwell.encounters.times import fhir_time
from threadwell.encounters.turned import Membership
from threadwell.fhir.resource import Resource
from threadwell.sessions import NEVER, Turn


class Shape(msgspec.Struct, frozen=True):
    """What differs between the Encounters of one session."""

    identity: Identity
    tag: dict[str, str]
    subject: str
    clinical: Mapping[str, Any]
    part_of: str = ""


class Span(NamedTuple):
    """Whether a session is over, what acts have made of its status, and when it ends (µs).

    It is ``void`` where every message of it was taken back.
    """

    finished: bool
    turns: tuple[Turn, ...] = ()
    closes: int = 0
    void: bool = False


def encounter(
    shape: Shape,
    spoken: Sequence[Spoken],
    span: Span,
    frame: Frame,
    joined: Sequence[Membership] = (),
) -> Resource:
    """An Encounter over the messages in ``spoken``, in the order of time.

    There is none where an act has opened it and nobody has written yet. ``joined`` are those whom
    somebody has let join its threads, or taken out.
    """
    status, history = _status(spoken, span)
    out: Resource = {
        "resourceType": "Encounter",
        "identifier": identifiers(shape.identity, frame),
        "status": status,
    }
    if history:
        out["statusHistory"] = history
    out["class"] = codes.VIRTUAL
    out["type"] = [{"coding": [shape.tag]}, {"coding": [dict(shape.clinical)]}]
    if shape.subject:
        out["subject"] = reference(shape.subject)
    last = spoken[-1].at if spoken and span.finished else 0
    if who := participants(spoken, joined, last):
        out["participant"] = who
    # A session is as long as its messages; while there is none, since somebody opened it.
    start = spoken[0].at if spoken else span.turns[0].at
    out["period"] = {"start": fhir_time(start)}
    if span.finished:
        out["period"]["end"] = fhir_time(spoken[-1].at if spoken else span.closes)
    if frame.provider:
        out["serviceProvider"] = reference(frame.provider)
    if shape.part_of:
        out["partOf"] = reference(shape.part_of)
    return out


def _status(spoken: Sequence[Spoken], span: Span) -> tuple[str, list[dict[str, Any]]]:
    """The status, and those before it. What ends without a message was never begun."""
    begun = spoken[0].at if spoken else NEVER
    over = "finished" if spoken and not span.void else "cancelled"
    turns = _own_turns(spoken, span.turns)
    if not turns:
        if not span.finished:
            return "in-progress", []
        return over, [_was("in-progress", spoken[0].at, spoken[-1].at)]
    names = [
        "cancelled" if one.status == "finished" and (span.void or one.at < begun) else one.status
        for one in turns
    ]
    history = [
        _was(name, one.at, after.at)
        for name, one, after in zip(names, turns, turns[1:], strict=False)
        if one.at < after.at
    ]
    if span.finished and turns[-1].status != "finished":
        end = max(turns[-1].at, spoken[-1].at if spoken else span.closes)
        return over, [*history, _was(names[-1], turns[-1].at, end)]
    return names[-1], history


def _own_turns(spoken: Sequence[Spoken], turns: tuple[Turn, ...]) -> list[Turn]:
    """The turns of the Encounter: one patient's care may begin later than the session."""
    if not turns or not spoken:
        return list(turns)
    start = spoken[0].at
    begun = next((at for at, one in enumerate(turns) if one.status == "in-progress"), 0)
    while begun + 1 < len(turns) and turns[begun + 1].at <= start:
        begun += 1
    before = [one for one in turns[:begun] if one.status == "arrived"]
    return [*before, turns[begun]._replace(at=max(start, turns[begun].at)), *turns[begun + 1 :]]


def _was(status: str, start: int, end: int) -> dict[str, Any]:
    return {"status": status, "period": {"start": fhir_time(start), "end": fhir_time(end)}}


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
    return [identity.as_json(), _of_circle(frame.circle)]


@lru_cache(maxsize=4096)
def _of_circle(circle: str) -> dict[str, Any]:
    """It is shared: never change it."""
    return Identity(codes.CIRCLE, circle).as_secondary()
