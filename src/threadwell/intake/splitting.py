"""A person says which patients a session is about, by which messages, and what each came for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.attribution import CHOSEN
from threadwell.encounters.corrected import Agent, Correction
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import Clock, new_id
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.details import Details
from threadwell.intake.circles.due import patients_of
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Report
from threadwell.intake.correcting import (
    BadCorrection,
    check_patients,
    encounters_of,
    meant_by,
)
from threadwell.intake.importing import revise
from threadwell.intake.links import as_key, circle_of, target
from threadwell.intake.people.standing import who_stand
from threadwell.intake.run import Run
from threadwell.intake.seat import Seat
from threadwell.stores.contract import Key, Store

#: Who may take part in an Encounter, and what may be its diagnosis.
_TAKES_PART = ("Practitioner", "PractitionerRole", "RelatedPerson")
_CLINICAL = ("Condition", "Procedure")


@dataclass(frozen=True, slots=True)
class Part:
    """One patient's part of a session.

    ``messages`` are those that are about the ``patient`` (``Patient/…``), perhaps about others
    too; where there are none, it is all that no part names. ``reasons`` are CodeableConcepts,
    ``service`` is one, and ``diagnoses`` are references to Conditions or Procedures of the
    patient. ``participants`` are references. What is empty stays as it is.
    """

    patient: str
    messages: tuple[str, ...] = ()
    reasons: tuple[Mapping[str, Any], ...] = ()
    diagnoses: tuple[str, ...] = ()
    service: Mapping[str, Any] | None = None
    participants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """What has become of it: the session encounter, and the Encounter of each patient.

    That is a medical encounter, or the session's own where it is about one patient.
    """

    report: Report
    session: str
    encounters: Mapping[str, str]


async def split_by_patient(seat: Seat, session: str, parts: Sequence[Part]) -> Split:
    """Make the medical encounters of a session (``Encounter/…``), or correct them.

    It holds at once and for good, as every correction. Raises ``BadCorrection`` for what is not
    of the patient in whose part it stands, or cannot be split, and ``Contended`` if others keep
    writing.
    """
    store, project = seat.store, seat.project
    parts = [replace(one, patient=await _who_stands(store, project, one)) for one in parts]
    whom = [one.patient for one in parts]
    if not whom:
        raise BadCorrection("name the patients that the session is about")
    if twice := sorted({one for one in whom if whom.count(one) > 1}):
        raise BadCorrection(f"{' and '.join(twice)} has two parts")
    await check_patients(store, project, whom)
    for part in parts:
        await _check(store, project, part)
    if as_key(session).type != "Encounter":
        raise BadCorrection(f"{session} is no Encounter/…")
    headers, _ = await meant_by(store, project, session)
    circle = circle_of(headers[0])
    cut = _Cut(session, {one["id"] for one in headers}, parts, seat.by, seat.clock)

    async def make(run: Run) -> Batch:
        who = await patients_of(run.people, circle, headers[0]["id"])
        if not who:
            raise BadCorrection(f"{session} belongs to patients who cannot be told any more")
        return await run.revise(circle, who, lambda circle, _: cut.put(circle))

    report = await revise(seat, make)
    _, medical = await encounters_of(store, project, cut.messages)
    return Split(report, session, await _by_patient(store, project, session, medical, whom))


@dataclass(slots=True)
class _Cut:
    """The parts, until they stand on the messages; ``headers`` are those of the session."""

    session: str
    headers: set[str]
    parts: Sequence[Part]
    by: Agent
    clock: Clock
    messages: tuple[str, ...] = field(default=())

    def put(self, circle: Circle) -> None:
        """Put it on the messages, and the details with it; raises ``BadCorrection``."""
        if any(Key("Communication", header) in circle.locked for header in self.headers):
            raise BadCorrection(f"{self.session} has been billed: it stays as it was billed")
        there = {
            one.child: one
            for one in circle.messages.values()
            if one.link is not None and one.link.header in self.headers
        }
        groups: dict[frozenset[str], list[str]] = {}
        for child, whom in self._whom(list(there)).items():
            groups.setdefault(whom, []).append(child)
        for whom in sorted(groups, key=sorted):
            meant = sorted((there[one] for one in groups[whom]), key=lambda one: one.sent)
            how = Correction(new_id(self.clock()), tuple(one.child for one in meant), self.by)
            circle.correct(meant, sorted(whom), how, CHOSEN)
        about = frozenset[str]().union(*(one.about for one in there.values()))
        if missing := sorted({one.patient for one in self.parts} - about):
            raise BadCorrection(f"no message is left that is about {' and '.join(missing)}")
        for part in self.parts:
            circle.details[self.session, part.patient] = _details(part)
        self.messages = tuple(f"Communication/{one}" for one in there)

    def _whom(self, there: Sequence[str]) -> dict[str, frozenset[str]]:
        """Whom each message is about by the parts; those that no part tells of are left out."""
        found: dict[str, set[str]] = {}
        for part in self.parts:
            for name in part.messages:
                child = name.removeprefix("Communication/")
                if child not in there:
                    raise BadCorrection(f"{self.session} has no message Communication/{child}")
                found.setdefault(child, set()).add(part.patient)
        rest = {one.patient for one in self.parts if not one.messages}
        if rest:
            for child in there:
                if child not in found:
                    found[child] = set(rest)
        return {child: frozenset(whom) for child, whom in found.items()}


def _details(part: Part) -> Details:
    elements: dict[str, Any] = {}
    if part.reasons:
        elements["reasonCode"] = [dict(one) for one in part.reasons]
    if part.diagnoses:
        elements["diagnosis"] = [{"condition": {"reference": one}} for one in part.diagnoses]
    if part.service:
        elements["serviceType"] = dict(part.service)
    more = [
        {"type": [codes.participation("PART")], "individual": {"reference": one}}
        for one in part.participants
    ]
    return Details(elements, more)


async def _who_stands(store: Store, project: str, part: Part) -> str:
    return next(iter(await who_stand(store, project, [part.patient])))


async def _check(store: Store, project: str, part: Part) -> None:
    """Whether what stands in a part is of its patient."""
    for name in part.diagnoses:
        body = await _read(store, project, name, _CLINICAL)
        if target(body, "subject") != part.patient:
            whose = target(body, "subject") or "nobody"
            raise BadCorrection(f"{name} is of {whose}: it is no detail of {part.patient}'s care")
    for name in part.participants:
        body = await _read(store, project, name, _TAKES_PART)
        if body["resourceType"] == "RelatedPerson" and target(body, "patient") != part.patient:
            raise BadCorrection(
                f"{name} is a related person of {target(body, 'patient')}, "
                f"and takes no part in {part.patient}'s care"
            )


async def _read(store: Store, project: str, name: str, types: Sequence[str]) -> Resource:
    key = as_key(name)
    if key.type not in types:
        raise BadCorrection(f"{name} is none of {', '.join(types)}")
    stored = await store.read(project, *key)
    if stored is None or stored.deleted:
        raise BadCorrection(f"there is no {name}")
    body: Resource = decode(stored.body)
    return body


async def _by_patient(
    store: Store, project: str, session: str, medical: Sequence[str], whom: Sequence[str]
) -> dict[str, str]:
    keys = [as_key(one) for one in medical]
    found = await store.read_many(project, keys) if keys else {}
    of = {target(decode(one.body), "subject"): f"Encounter/{key.id}" for key, one in found.items()}
    return {one: of.get(one, session) for one in whom}
