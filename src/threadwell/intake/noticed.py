"""What others have changed, as far as it counts for a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from threadwell.encounters import codes
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.due import Touched, parent_of
from threadwell.intake.commits.looked import changes_between
from threadwell.intake.commits.versions import is_intakes
from threadwell.intake.links import circle_of
from threadwell.intake.people.address_book import keys_of
from threadwell.intake.people.question import scope_of
from threadwell.intake.people.route import address_key
from threadwell.stores.contract import Key, Store, Stored

#: Of whom a run knows by whom it has met. Whoever works for the practice may be met anywhere.
_FAMILY = frozenset({"Patient", "RelatedPerson"})
_PRACTICE = frozenset({"Practitioner", "PractitionerRole", "Organization"})
_OF_CIRCLES = frozenset({"Communication", "Encounter", "Group", "Task"})


@dataclass(slots=True)
class Noticed:
    """What was noticed of changes.

    ``touched`` are the circles of which people have changed something, that has to count now.
    ``written`` are the keys of circles that anybody has written to, and ``lost`` what does not tell
    its circle. ``people`` (``Patient/…``) have changed, and ``addresses`` are the keys of those
    that people have, or had before. ``practice`` tells that somebody of the practice has changed.
    ``held`` are the ids of Tasks of held messages that people have changed, ``asked`` those of
    which people have said or asked who writes, and ``said`` the keys of addresses of which anybody
    has. ``waiting`` tells that somebody holds something.
    """

    touched: Touched = field(default_factory=Touched)
    written: set[str] = field(default_factory=set)
    lost: set[Key] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    said: set[str] = field(default_factory=set)
    practice: bool = False
    waiting: bool = False

    def update(self, other: Noticed) -> None:
        """Take in what was noticed later."""
        self.touched.update(other.touched)
        for name in ("written", "lost", "people", "addresses", "held", "asked", "said"):
            getattr(self, name).update(getattr(other, name))
        self.practice |= other.practice
        self.waiting |= other.waiting

    def add(self, stored: Stored, country: str) -> None:
        """Notice a change; phone numbers without a country belong to that one."""
        if stored.type not in _ANY:
            return
        body: Resource = {} if stored.deleted else decode(stored.body)
        if stored.type in _FAMILY:
            self.people.add(f"{stored.type}/{stored.id}")
            self.addresses |= keys_of(body, country)
        elif stored.type in _PRACTICE:
            self.practice = True
            self.addresses |= keys_of(body, country)
        else:
            if stored.type == "Task":
                self._add_task(stored, body)
            self._add_to_circle(stored, body)

    def _add_task(self, stored: Stored, body: Resource) -> None:
        ours = is_intakes(stored.version_id)
        if _is_held(body) or stored.deleted:
            self.waiting = True
            if not ours:
                self.held.add(stored.id)
        if _asks(body):
            if (scope := scope_of(body)) is not None:
                self.said.add(address_key(scope.address))
            if not ours:
                self.asked.add(stored.id)

    def _add_to_circle(self, stored: Stored, body: Resource) -> None:
        ours = is_intakes(stored.version_id)
        if circle := circle_of(body):
            self.written.add(circle)
        elif not ours:  # Intake replaces the marker of the circle with whatever it writes.
            header = Key("Communication", parent_of(body))
            self.lost |= {Key(stored.type, stored.id), header}
        if not ours:
            self.touched.add(stored, body)


_ANY = _FAMILY | _PRACTICE | _OF_CIRCLES


async def notice(
    store: Store, project: str, after: int, until: int, own: Collection[str], country: str
) -> Noticed:
    """What others have changed between two positions; ``own`` are version ids of ours."""
    out = Noticed()
    changed: Counter[Key] = Counter()
    async for change in changes_between(store, project, after, until):
        stored = change.stored
        if stored.version_id not in own:
            out.add(stored, country)
            if stored.type in _FAMILY | _PRACTICE:
                changed[Key(stored.type, stored.id)] += 1
    for key, times in changed.items():
        # Whoever waits for an address may have its place once another one has it no longer.
        versions, _ = await store.history(project, *key, times + 1, 0)
        for one in versions:
            if not one.deleted:
                out.addresses |= keys_of(decode(one.body), country)
    return out


class Changed(NamedTuple):
    """The ids of Tasks that people have changed: ``held`` messages, and ``asked`` who writes."""

    held: set[str]
    asked: set[str]


async def changed_by_people(
    store: Store, project: str, after: int, until: int
) -> tuple[Touched, Changed]:
    """What anybody but intake has changed between two positions."""
    touched, tasks = Touched(), Changed(set(), set())
    async for change in changes_between(store, project, after, until):
        stored = change.stored
        if is_intakes(stored.version_id) or stored.type not in _OF_CIRCLES:
            continue
        body: Resource = {} if stored.deleted else decode(stored.body)
        if not stored.deleted:
            touched.add(stored, body)
        if stored.type == "Task" and (stored.deleted or _is_held(body)):
            tasks.held.add(stored.id)
        if stored.type == "Task" and _asks(body):
            tasks.asked.add(stored.id)
    return touched, tasks


def found_in(circles: Iterable[Circle], noticed: Noticed) -> list[str]:
    """The keys of those circles that are no longer as they are stored."""
    lost = noticed.lost
    children = {key.id for key in lost if key.type == "Communication"}
    return [
        one.key
        for one in circles
        if one.key in noticed.written
        or any(key in one.stored for key in lost)
        or (children and any(placed.child in children for placed in one.messages.values()))
    ]


def met_in(
    circles: Iterable[Circle], people: Collection[str], addresses: Collection[str]
) -> list[str]:
    """The keys of those circles in which those people or addresses are met."""
    return [
        one.key
        for one in circles
        if any(patient in people for patient in one.patients)
        or any(address_key(party.address) in addresses for party in one.parties.values())
    ]


def _is_held(task: Resource) -> bool:
    codings = (task.get("code") or {}).get("coding") or ()
    return any(one.get("code") == "quarantine" for one in codings)


def _asks(task: Resource) -> bool:
    """Whether it is a question, or an answer, who writes."""
    return any(one.get("system") == codes.SHARED for one in task.get("identifier") or ())
