"""What a person has answered to the question whom a session is about (§3).

An answer is a review Task that is ``completed`` and names the patients as its ``output``; or just
the ``subject`` of the Encounter that the Task is about, which was none before. It counts as if the
messages that named nobody had named those patients. Once it is written on these messages it holds
wherever later ones take them, and the Task is marked as applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.corrected import is_answered_by
from threadwell.encounters.merge import is_applied, is_live, is_locked
from threadwell.encounters.people import reference
from threadwell.encounters.review import asks_of_some
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import MissingFilter, Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.intake.links import as_key, circle_of, target
from threadwell.intake.paging import search_all
from threadwell.stores.contract import Key, Store

_OUTPUT = "patient"


class Answer(NamedTuple):
    """The patients (``Patient/…``, in order) whom the session of that Encounter is about."""

    encounter: str
    patients: tuple[str, ...]


async def find_answers(
    store: Store, project: str, tasks: Mapping[Key, Resource]
) -> dict[Key, Answer]:
    """The answers that were not applied yet, by the Task that asked."""
    asked = {key: target(task, "focus") for key, task in tasks.items() if not _is_done(task)}
    encounters = await read_named(store, project, asked.values())
    subjects = {name: target(one, "subject") for name, one in encounters.items()}
    groups = await read_named(store, project, subjects.values(), "Group")
    found: dict[Key, Answer] = {}
    for key, name in asked.items():
        encounter = encounters.get(name)
        if encounter is None or not is_live(encounter) or is_locked(encounter):
            continue
        # Where other messages tell whom a session is about, its subject answers nothing.
        own = [] if asks_of_some(tasks[key]) else _patients(subjects[name], groups)
        if patients := chosen_in(tasks[key]) or own:
            found[key] = Answer(as_key(name).id, tuple(sorted(patients)))
    return found


async def answered_circles(store: Store, project: str) -> dict[str, tuple[str, ...]]:
    """The keys and patients of the circles that have an answer which was not applied yet."""
    applied_ = TokenMatch(codes.APPLIED["system"], codes.APPLIED["code"])
    query = Query(
        "Task",
        (
            TokenFilter("code", (TokenMatch(codes.TASK_CODE, "review"),)),
            MissingFilter("focus", missing=False),
            TokenFilter("business-status", (applied_,), negate=True),
        ),
    )
    tasks = {
        Key("Task", stored.id): decode(stored.body)
        async for stored in search_all(store, project, query)
    }
    found = await find_answers(store, project, tasks)
    circles = {circle_of(tasks[key]): candidates(tasks[key]) for key in found}
    return {circle: patients for circle, patients in circles.items() if circle and patients}


def answered(task: Resource, patients: Iterable[str]) -> Resource:
    """The Task with that answer, not applied yet."""
    out = {**task, "status": "completed", "output": _outputs(patients)}
    out.pop("businessStatus", None)
    return out


def applied(task: Resource, patients: Iterable[str]) -> Resource:
    """The Task with an answer that stands on the messages."""
    out = {**task, "status": "completed", "businessStatus": {"coding": [codes.APPLIED]}}
    if output := _outputs(patients):
        out["output"] = [*output, *filter(is_answered_by, task.get("output") or ())]
    return out


def candidates(task: Resource) -> tuple[str, ...]:
    """The patients among whom the Task asks to choose: those of its circle, in order."""
    return _inputs(task, codes.CANDIDATE)


def suggestions(task: Resource) -> tuple[str, ...]:
    """Those of them whom the practice has named in the session, in order."""
    return _inputs(task, codes.SUGGESTION)


def chosen_in(task: Resource) -> list[str]:
    """The patients (``Patient/…``) whom the answer of a completed Task names."""
    if task["status"] != "completed":
        return []
    named = [target(one, "valueReference") for one in task.get("output") or ()]
    return [name for name in named if name.startswith("Patient/")]


def is_dismissed(task: Resource) -> bool:
    """Whether somebody has closed the question, perhaps without an answer."""
    return task["status"] == "completed" and not is_applied(task)


def _inputs(task: Resource, kind: str) -> tuple[str, ...]:
    return tuple(
        str(one["valueReference"]["reference"])
        for one in task.get("input") or ()
        if "valueReference" in one and one["type"].get("text") == kind
    )


def _is_done(task: Resource) -> bool:
    """Whether no answer is to be looked for: it was applied, or the question withdrawn."""
    return is_applied(task) or not (is_live(task) or task["status"] == "completed")


def _outputs(patients: Iterable[str]) -> list[Resource]:
    return [
        {"type": {"text": _OUTPUT}, "valueReference": reference(patient)} for patient in patients
    ]


def _patients(subject: str, groups: Mapping[str, Resource]) -> list[str]:
    """The patient that a subject is, or the members of the Group."""
    if subject.startswith("Patient/"):
        return [subject]
    members = [target(one, "entity") for one in groups.get(subject, {}).get("member") or ()]
    return [member for member in members if member.startswith("Patient/")]


async def read_named(
    store: Store, project: str, names: Iterable[str], type_: str = "Encounter"
) -> dict[str, Resource]:
    """The resources of that type among ``names`` that are there, by name."""
    keys = list({as_key(name) for name in names if name.startswith(f"{type_}/")})
    found = await store.read_many(project, keys) if keys else {}
    return {
        f"{key.type}/{key.id}": decode(stored.body)
        for key, stored in found.items()
        if not stored.deleted
    }
