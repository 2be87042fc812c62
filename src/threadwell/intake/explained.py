"""Why a session is about whom it is about, summed up over its messages. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from threadwell.encounters.attribution import Reason, is_chosen, reasons_of
from threadwell.encounters.corrected import said_by
from threadwell.encounters.names import resource_name
from threadwell.encounters.people import said_of
from threadwell.encounters.times import parse_fhir_time
from threadwell.fhir.resource import Resource

#: The basis where nobody else has the addresses of the messages.
ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Why:
    """Why some of a session's ``messages`` are about a patient, who has that ``name``.

    ``basis`` is ``named`` in the ``words`` of the first of them, ``sender`` (who can only be
    writing for that patient), ``chosen`` or ``session`` (said ``by`` somebody, of the messages or
    of all that the session had), or ``address``: nobody else has it, or somebody (``by``) has said
    whose it is. Where somebody has said that messages are about nobody, ``patient`` is ``""``.
    """

    patient: str
    name: str
    basis: str
    words: str
    by: str
    messages: int


class ToldAt(NamedTuple):
    """What one message tells, sent at that time (µs since 1970 UTC, 0 if nothing tells).

    ``said`` are the Tasks in which a person has said whose its addresses are, by whose they are.
    """

    at: int
    reasons: tuple[Reason, ...]
    said: tuple[tuple[str, str], ...] = ()


def told_by(message: Resource) -> ToldAt:
    """What a stored message tells."""
    try:
        at = parse_fhir_time(str(message.get("sent", "")))
    except ValueError:
        at = 0
    actors = [message.get("sender") or {}, *(message.get("recipient") or ())]
    said = ((_whom(one), task) for one in actors for task in said_of(one) if task)
    return ToldAt(at, reasons_of(message), tuple(said))


def _whom(actor: Resource) -> str:
    """Whom a ``Reference`` names, ``""`` where nobody is known."""
    return str(actor.get("reference", ""))


def summed(
    told: Iterable[ToldAt], patients: Sequence[str], known: Mapping[str, Resource]
) -> tuple[Why, ...]:
    """The reasons of a session's messages, each once.

    ``patients`` are those whom the session is about, and ``known`` has these and the records of
    what was said, by reference, as far as they are there.
    """
    found: dict[tuple[str, str, str], Why] = {}
    bare = 0
    said: dict[str, str] = {}
    for _, reasons, tasks in sorted(told):
        bare += not reasons
        said |= () if reasons else tasks
        for one in reasons:
            by = said_by(known.get(one.source)) if is_chosen([one]) else ""
            key = (one.patient, one.basis, by)
            new = Why(one.patient, _name(one.patient, known), one.basis, one.words, by, 0)
            first = found.get(key, new)
            found[key] = replace(first, messages=first.messages + 1)
    is_alone = len(patients) == 1
    explained = {patient for patient, _, _ in found}
    for patient in patients:
        if patient not in explained:
            name = _name(patient, known)
            task = said.get(patient) or (next(iter(said.values()), "") if is_alone else "")
            by = said_by(known.get(task)) if task else ""
            found[(patient, ADDRESS, by)] = Why(patient, name, ADDRESS, "", by, bare)
    order = {patient: at for at, patient in enumerate(patients)}
    return tuple(sorted(found.values(), key=lambda one: order.get(one.patient, len(order))))


def _name(patient: str, known: Mapping[str, Resource]) -> str:
    return resource_name(known.get(patient, {})) or patient
