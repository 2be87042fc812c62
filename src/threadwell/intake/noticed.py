"""What others have changed, as far as it counts for a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from threadwell.encounters import codes
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.due import Circles, Touched, parent_of
from threadwell.intake.commits.looked import changes_between
from threadwell.intake.commits.versions import is_intakes
from threadwell.intake.links import circle_of
from threadwell.intake.people.address_book import AddressBook, keys_of
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
    its circle. ``people`` (``Patient/…``) have changed, who have the ``addresses`` of those keys
    by now. ``practice`` tells that somebody of the practice has changed, and ``waiting`` that
    another thing waits, or is said of who writes.
    """

    touched: Touched = field(default_factory=Touched)
    written: set[str] = field(default_factory=set)
    lost: set[Key] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    practice: bool = False
    waiting: bool = False

    @property
    def releases(self) -> bool:
        """Whether something that waits may have its place now."""
        return bool(self.people) or self.practice or self.waiting

    def update(self, other: Noticed) -> None:
        """Take in what was noticed later."""
        self.touched.update(other.touched)
        for name in ("written", "lost", "people", "addresses"):
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
        else:
            self.waiting |= stored.type == "Task" and (stored.deleted or _waits(body))
            self._add_to_circle(stored, body)

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
    async for change in changes_between(store, project, after, until):
        if change.stored.version_id not in own:
            out.add(change.stored, country)
    return out


async def circles_changed(people: AddressBook, after: int, until: int) -> Circles:
    """The circles of which anybody but intake has changed something between two positions."""
    touched = Touched()
    async for change in changes_between(people.store, people.project, after, until):
        stored = change.stored
        if not (stored.deleted or is_intakes(stored.version_id)) and stored.type in _OF_CIRCLES:
            touched.add(stored, decode(stored.body))
    return await touched.find(people)


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


def _waits(task: Resource) -> bool:
    """Whether a Task is that of something held, or a question or an answer who writes."""
    codings = (task.get("code") or {}).get("coding") or ()
    return any(one.get("code") == "quarantine" for one in codings) or any(
        one.get("system") == codes.SHARED for one in task.get("identifier") or ()
    )
