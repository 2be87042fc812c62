"""What others have changed, as far as it counts for a run that lives on."""

from __future__ import annotations

from dataclasses import dataclass, field

from threadwell.encounters import codes
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.due import Circles, circles_of
from threadwell.intake.commits.looked import changes_between
from threadwell.intake.commits.versions import is_intakes
from threadwell.intake.links import circle_of
from threadwell.intake.people.address_book import AddressBook
from threadwell.stores.contract import Key, Stored

#: Of whom a run knows by whom it has met. Whoever works for the practice may be met anywhere.
_FAMILY = frozenset({"Patient", "RelatedPerson"})
_PRACTICE = frozenset({"Practitioner", "PractitionerRole", "Organization"})
_OF_CIRCLES = frozenset({"Communication", "Encounter", "Group", "Task"})
_AT_ONCE = 500


@dataclass(slots=True)
class Noticed:
    """What was noticed of changes.

    ``circles`` are those of which people have changed something that has to count now. ``loaded``
    are the keys of circles that are not what they were, and ``lost`` are resources whose circle
    cannot be told any more. ``people`` (``Patient/…``) have changed, who now have the ``addresses``
    of those keys. ``practice`` tells that somebody of the practice has changed, and ``waiting``
    that it is another thing that waits, or that is said of who writes.
    """

    circles: Circles = field(default_factory=dict)
    loaded: set[str] = field(default_factory=set)
    lost: set[Key] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    practice: bool = False
    waiting: bool = False

    def __bool__(self) -> bool:
        return any((self.circles, self.loaded, self.lost, self.people, self.practice, self.waiting))

    @property
    def releases(self) -> bool:
        """Whether something that waits may have its place now."""
        return bool(self.people) or self.practice or self.waiting

    def add(self, other: Noticed) -> None:
        """Take in what was noticed later."""
        self.circles |= other.circles
        self.people |= other.people
        self.addresses |= other.addresses
        self.practice |= other.practice
        self.waiting |= other.waiting


async def circles_changed(people: AddressBook, after: int, until: int) -> Circles:
    """The circles of which anybody but intake has changed something between two positions."""
    out: Circles = {}
    some: list[Stored] = []
    async for change in changes_between(people.store, people.project, after, until):
        if change.stored.type in _OF_CIRCLES and not is_intakes(change.stored.version_id):
            some.append(change.stored)
        if len(some) == _AT_ONCE:
            out |= await circles_of(people, some)
            some.clear()
    return out | await circles_of(people, some)


async def notice(people: AddressBook, after: int, until: int, own: frozenset[str]) -> Noticed:
    """What others have changed between two positions; ``own`` are version ids of ours."""
    out = Noticed()
    some: list[Stored] = []
    async for change in changes_between(people.store, people.project, after, until):
        stored = change.stored
        if stored.version_id not in own and _note(out, stored, people):
            some.append(stored)
        if len(some) == _AT_ONCE:
            out.circles |= await circles_of(people, some)
            some.clear()
    out.circles |= await circles_of(people, some)
    return out


def _note(out: Noticed, stored: Stored, people: AddressBook) -> bool:
    """Note a change; whether it is one of a circle that has to be looked at."""
    body: Resource = {} if stored.deleted else decode(stored.body)
    if stored.type in _FAMILY:
        out.people.add(f"{stored.type}/{stored.id}")
        out.addresses |= people.addresses_of(body)
    elif stored.type in _PRACTICE:
        out.practice = True
    elif stored.type in _OF_CIRCLES:
        if stored.type == "Task" and (stored.deleted or _waits(body)):
            out.waiting = True
        if circle := circle_of(body):
            out.loaded.add(circle)
        elif is_intakes(stored.version_id):
            # Whoever has written it has replaced the marker of its circle.
            return False
        else:
            parents = body.get("partOf") or [{}]
            parent = parents[0] if isinstance(parents, list) else parents
            header = str(parent.get("reference", "")).rpartition("/")[2]
            out.lost |= {Key(stored.type, stored.id), Key("Communication", header)}
        return not is_intakes(stored.version_id)
    return False


def _waits(task: Resource) -> bool:
    """Whether a Task is that of something held, or a question or an answer who writes."""
    codings = (task.get("code") or {}).get("coding") or ()
    return any(one.get("code") == "quarantine" for one in codings) or any(
        one.get("system") == codes.SHARED for one in task.get("identifier") or ()
    )
