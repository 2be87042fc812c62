"""A person takes care of a thread that waits for an answer, or gives it to others.

Each act is one version of the Task, by compare-and-set: of two who claim it at once one has it, and
the other is told who. The reason of an act stands in ``Task.note``, and in a Provenance of that
version.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.corrected import Agent, as_reference
from threadwell.encounters.identity import Identity
from threadwell.encounters.names import human_name
from threadwell.encounters.people import reference
from threadwell.encounters.todo import DISMISSED, FRONT_DESK, Pool, handled, is_open, thread_of_todo
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import instant
from threadwell.intake.commits.batch import Batch
from threadwell.intake.links import as_key, target
from threadwell.intake.patience import Contended, Patience
from threadwell.intake.seat import Standing
from threadwell.stores.contract import Conflict, Kept, Key, Store, Stored

#: Who may have a Task: those who work for the practice.
OWNERS = ("Practitioner/", "PractitionerRole/", "CareTeam/", "Organization/", "HealthcareService/")

CLAIM, RELEASE, REROUTE, DISMISS = "claim", "release", "reroute", "dismiss"
_WORDS = {
    CLAIM: "A person has taken care of a thread that waits for an answer.",
    RELEASE: "A thread that waits for an answer is for its pool again.",
    REROUTE: "A thread that waits for an answer was given to others.",
    DISMISS: "A person has said that a thread needs no answer.",
}


class BadTodo(ValueError):
    """What is asked for cannot be done with the Task; the message says why, without any content."""


class Taken(BadTodo):
    """Somebody else has it: ``owner`` is their reference, ``name`` what they are called."""

    def __init__(self, owner: str, name: str = "") -> None:
        self.owner, self.name = owner, name
        who = f"{name} ({owner})" if name else owner
        super().__init__(f"{who} has claimed it already: reroute it to take it over")


@dataclass(frozen=True, slots=True)
class Todo:
    """A Task as it is after an act: ``task`` is ``Task/…``, ``owner`` a reference or ``""``.

    ``changed`` tells whether the act has changed anything.
    """

    task: str
    status: str
    owner: str
    version: str
    changed: bool = True


async def claim(seat: Standing, task: str, owner: str) -> Todo:
    """Take care of a thread: ``owner`` (``Practitioner/…``) has the Task from now on.

    Claimed twice by the same one, nothing changes. Raises ``Taken`` where somebody else has it, and
    ``BadTodo`` where nothing waits.
    """
    named = await _owner(seat, owner)

    def change(body: Resource) -> Resource | None:
        had = target(body, "owner")
        if had == owner and body["status"] in ("accepted", "in-progress"):
            return None
        if had and had != owner:
            raise Taken(had, str((body.get("owner") or {}).get("display", "")))
        return {**body, "status": "accepted", "owner": named}

    return await _act(seat, task, CLAIM, change)


async def release(
    seat: Standing,
    task: str,
    *,
    why: str = "",
    of: str = "",
    told: Key | None = None,
    kept: Sequence[Kept] = (),
) -> Todo:
    """Give a Task back to its pool. Where nobody has it, nothing changes.

    Nor does it where it is not that ``of`` the one who is named, if one is. ``told`` is the key of
    the Provenance, where that is to be another one, and ``kept`` goes with the commit.
    """

    def change(body: Resource) -> Resource | None:
        if not target(body, "owner") and body["status"] == "requested":
            return None
        if of and target(body, "owner") != of:
            return None
        out = {name: value for name, value in body.items() if name != "owner"}
        return {**out, "status": "requested"}

    return await _act(seat, task, RELEASE, change, why=why, told=told, kept=kept)


async def reroute(
    seat: Standing, task: str, *, why: str, owner: str = "", pool: Pool | None = None
) -> Todo:
    """Give a Task to another person (``owner``), or to a pool; ``why`` is the reason.

    A person whom it is given to has it at once, as ``requested``: they accept it by claiming it.
    """
    if not why.strip():
        raise BadTodo("say why: whoever gets it has to know")
    if bool(owner) == (pool is not None):
        raise BadTodo("say to whom: one person, or one pool")
    named = await _owner(seat, owner) if owner else None

    def change(body: Resource) -> Resource | None:
        out = {name: value for name, value in body.items() if name != "owner"}
        if owner:
            out["owner"] = named
        if pool is not None:
            out["performerType"] = [pool.as_json()]
        return {**out, "status": "requested"}

    return await _act(seat, task, REROUTE, change, why=why)


async def dismiss(seat: Standing, task: str, *, why: str) -> Todo:
    """Say that what was written in a thread up to now needs no answer; ``why`` is the reason."""
    if not why.strip():
        raise BadTodo("say why: whoever looks at it later has to know")

    def change(body: Resource) -> Resource | None:
        done = handled(body, seat.clock() * 1000)
        done["statusReason"] = {
            "coding": [{"system": codes.TODO_STATE, "code": DISMISSED}],
            "text": why,
        }
        return done

    return await _act(seat, task, DISMISS, change, why=why)


def read_pool(text: str) -> Pool:
    """The pool of ``SYSTEM|CODE`` or ``SYSTEM|CODE|DISPLAY``; raises ``BadTodo``."""
    system, *rest = text.split("|", 2)
    if not rest or not rest[0].strip():
        raise BadTodo(f"a pool is written SYSTEM|CODE or SYSTEM|CODE|DISPLAY, not {text!r}")
    return Pool(system, rest[0], rest[1] if rest[1:] else "")


def pool_of(body: Resource) -> Pool:
    """The pool that a Task is for."""
    for concept in body.get("performerType") or ():
        for one in concept.get("coding") or ():
            if one.get("code"):
                return Pool(
                    str(one.get("system", "")), str(one["code"]), str(one.get("display", ""))
                )
    return FRONT_DESK


async def _act(
    seat: Standing,
    task: str,
    what: str,
    change: Callable[[Resource], Resource | None],
    *,
    why: str = "",
    told: Key | None = None,
    kept: Sequence[Kept] = (),
) -> Todo:
    """Write what ``change`` makes of the Task, decided anew as long as others write to it."""
    store, project, by = seat.store, seat.project, seat.by
    key = Key("Task", task.removeprefix("Task/"))
    patience = Patience()
    while await patience.turn():
        stored, body = await _todo(store, project, key)
        wanted = change(body)
        if wanted is None:
            return _told(stored, body, changed=False)
        batch = Batch(updated=seat.clock(), author=by.author)
        if why.strip():
            wanted = {**wanted, "note": [*(wanted.get("note") or ()), _note(why, by, batch)]}
        now = batch.write(key, wanted, stored)
        own = Key("Provenance", Identity(codes.TODO, f"{key.id}|{now.version_id}").id)
        batch.write(told or own, _provenance(now, what, why, by, instant(batch.updated)))
        for one in kept:
            batch.keep(one)
        try:
            await store.commit(project, batch.change_set())
        except Conflict as conflict:
            mine = [Key(one.kind, one.name) for one in kept]
            if conflict.key is not None and conflict.key in (told, *mine):
                raise
            continue
        return _told(now, wanted, changed=True)
    raise Contended("others keep writing to the same Task; try again when they are done")


async def _todo(store: Store, project: str, key: Key) -> tuple[Stored, Resource]:
    stored = await store.read(project, *key)
    if stored is None or stored.deleted:
        raise BadTodo(f"there is no Task/{key.id}")
    body: Resource = decode(stored.body)
    if thread_of_todo(body) is None:
        raise BadTodo(f"Task/{key.id} is not that of a thread which waits for an answer")
    if not is_open(body):
        raise BadTodo(f"Task/{key.id} is over: no message of its thread waits")
    return stored, body


async def _owner(seat: Standing, name: str) -> dict[str, Any]:
    """The reference to somebody of the practice, with what people call them where that is told."""
    if not name.startswith(OWNERS):
        raise BadTodo(f"say who: {', '.join(f'{one}…' for one in OWNERS[:2])} or another of ours")
    stored = await seat.store.read(seat.project, *as_key(name))
    if stored is None or stored.deleted:
        raise BadTodo(f"there is no {name}")
    names = decode(stored.body).get("name") or ()
    called = names if isinstance(names, str) else next(map(human_name, names), "")
    return {**reference(name), **({"display": called} if called else {})}


def _note(why: str, by: Agent, batch: Batch) -> dict[str, Any]:
    out: dict[str, Any] = {"time": instant(batch.updated), "text": why}
    if by.reference:
        return {"authorReference": reference(by.reference), **out}
    return {"authorString": by.name, **out} if by.name else out


def _provenance(now: Stored, what: str, why: str, by: Agent, recorded: str) -> Resource:
    text = f"{_WORDS[what]} {why}".strip()
    return {
        "resourceType": "Provenance",
        "target": [reference(f"Task/{now.id}/_history/{now.version_id}")],
        "recorded": recorded,
        "activity": {
            "coding": [{"system": codes.TODO_ACT, "code": what}],
        },
        "reason": [codes.provenance_reason(text)],
        "agent": [{"who": as_reference(by)}],
    }


def _told(stored: Stored, body: Resource, *, changed: bool) -> Todo:
    owner = target(body, "owner")
    return Todo(f"Task/{stored.id}", str(body["status"]), owner, stored.version_id, changed)
