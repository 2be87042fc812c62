"""What of a resource's index entries can differ between two versions, by the members that differ.

The other entries are in both versions. Of these nobody needs the keys, only which parameters have
a value, when the resource happened, and what compounds are made of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from threadwell.fhir.json import encode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.extract import Extraction, Member, Take
from threadwell.fhir.search.references import parse_absolute
from threadwell.fhir.search.values import CompositeValue, DateValue, IndexValue, ReferenceValue
from threadwell.stores.sql.compounds import CompoundKeys
from threadwell.stores.sql.members import ABSOLUTE, MOST, Finder, MemberEntries, Param

#: Of so many sets of members that differ it is known at a time what hangs on them.
_MOST = 64
#: What is noted of a rest is remembered of members that have no more letters than this in all.
_LONG = 2_000


class Bound(NamedTuple):
    """A compound as ``keys``, with the bits of what must be ``missing``, and ``codes``: all of the
    parameters that decide on it.
    """

    keys: CompoundKeys
    missing: int
    codes: frozenset[str]


class Rest(NamedTuple):
    """What is noted of the members that do not differ, and the keys of what is in the order of the
    last update, hangs on them alone, and moves with every update. It is shared.
    """

    noted: MemberEntries
    updated: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """``touched``: what finds the entries of all parameters that a member which differs counts for,
    by member; ``notes``: what notes the rest. ``compounds`` hang on what is touched; ``same`` do
    not, and are in the order of the last update.
    """

    touched: Mapping[str, Finder]
    notes: Mapping[str, Notes]
    compounds: tuple[Bound, ...]
    same: tuple[Bound, ...]
    _known: dict[bytes, Rest] = field(default_factory=dict)

    def rest(self, resource: Resource) -> Rest:
        """What is noted of the rest of a version: remembered, as one resource is changed often."""
        try:
            form = encode([resource.get(name) for name in self.notes])
        except UnicodeEncodeError:  # half of a character
            form = b""
        found = self._known.get(form)
        if found is None:
            found = self._rest(resource)
            if 0 < len(form) <= _LONG and all(one.alone for one in self.notes.values()):
                if len(self._known) >= MOST:
                    self._known.clear()
                self._known[form] = found
        return found

    def _rest(self, resource: Resource) -> Rest:
        rest = MemberEntries()
        for name, notes in self.notes.items():
            element = resource.get(name)
            if element is not None:
                notes.gather(element, resource, rest)
        keys = [
            key
            for compound, missing, _ in self.same
            if not rest.present & missing
            for key in compound.of(rest.parts)
        ]
        return Rest(rest, tuple(dict.fromkeys(keys)))


class Splits:
    """The splits of a type in a project.

    ``links`` are the codes of its parameters whose values may be references.
    """

    def __init__(
        self,
        plan: Extraction,
        params: Mapping[str, Param],
        finders: Mapping[str, Finder],
        links: Collection[str],
        compounds: Iterable[Bound],
    ) -> None:
        self._plan = plan
        self._params = params
        self._finders = finders
        self._links = frozenset(links)
        self._compounds = tuple(compounds)
        #: The parameters that stand under each member.
        self._codes = {
            name: frozenset(take.code for take in member.takes)
            for name, member in plan.members.items()
        }
        #: What nobody can tell of, and what holds of an absent member too.
        self._always = frozenset(take.code for take in plan.always.takes).union(
            *[codes.difference(plan.reads) for codes in self._codes.values()]
        )
        self._looked_at = {
            name: member.looked_at for name, member in plan.members.items() if member.looked_at
        }
        #: What tells when a resource happened, by member.
        self._when = {
            name: Finder(_only(member, codes), params, remembers=False)
            for name, member in plan.members.items()
            if (codes := [take.code for take in member.takes if params[take.code].natural])
        }
        self._known: dict[frozenset[str], Split] = {}

    def moved(self, was: Resource, now: Resource) -> bool:
        """Whether the members that tell when the resource happened tell another time: a look that
        costs little, and may miss one.
        """
        for name in self._when:
            if was.get(name) != now.get(name):
                break
        else:
            return False
        times = []
        for resource in was, now:
            found = MemberEntries()
            for name, finder in self._when.items():
                if name in resource:
                    finder.gather(resource[name], resource, found)
            times.append(found.natural)
        return times[0] != times[1]

    def differing(self, was: Resource, now: Resource) -> frozenset[str] | None:
        """The members that differ, of those that parameters look at; ``None`` if nobody can tell.

        Numbers that are equal and have other digits differ: how they are found is not known here.
        """
        finders, looked_at = self._finders, self._looked_at
        changed: list[str] = []
        # Equal to Python, which thinks so of ``1``, ``1.0`` and ``true``.
        same: list[tuple[str, Any, Any]] = []
        for name, one in was.items():
            if name not in finders:
                continue
            other = now.get(name)
            inner = looked_at.get(name)
            if inner is not None and one.__class__ is dict and other.__class__ is dict:
                one, other = _of(one, inner), _of(other, inner)
            if one != other:
                changed.append(name)
            elif one.__class__ is not str:
                same.append((name, one, other))
        changed += [name for name in now if name in finders and name not in was]
        try:
            if encode([one for _, one, _ in same]) != encode([other for *_, other in same]):
                changed += [name for name, one, other in same if encode(one) != encode(other)]
        except UnicodeEncodeError:  # half of a character
            return None
        return frozenset(changed)

    def of(self, changed: frozenset[str]) -> Split:
        """The split for those members that differ."""
        found = self._known.get(changed)
        if found is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            found = self._known[changed] = self._split(changed)
        return found

    def _split(self, changed: frozenset[str]) -> Split:
        reads = self._plan.reads
        touched = self._always.union(
            code for code, names in reads.items() if not names.isdisjoint(changed)
        )
        finders: dict[str, Finder] = {}
        notes: dict[str, Notes] = {}
        for name, member in self._plan.members.items():
            codes, finder = self._codes[name], self._finders[name]
            if touched >= codes:
                finders[name] = finder
                continue
            if not touched.isdisjoint(codes):
                finders[name] = Finder(_only(member, touched), self._params, remembers=False)
            rest = _only(member, codes - touched)
            notes[name] = Notes(rest, finder, self._params, self._links)
        compounds = [one for one in self._compounds if not touched.isdisjoint(one.codes)]
        same = [one for one in self._compounds if touched.isdisjoint(one.codes)]
        return Split(
            finders, notes, tuple(compounds), tuple([one for one in same if one.keys.updated])
        )


class Notes:
    """Notes of a member what is not a key: ``present``, ``natural`` and ``parts``."""

    __slots__ = ("_each", "_finder", "_names", "_takes", "alone")

    def __init__(
        self, member: Member, finder: Finder, params: Mapping[str, Param], links: frozenset[str]
    ) -> None:
        self._each = member.each
        self._names = member.names
        #: Whether the member alone tells what is noted of it.
        self.alone = not any(take.resource for take in member.takes)
        #: What remembers all of it, if anything does.
        self._finder = finder if finder.repeats else None
        #: Last, the bit of a parameter of whose values nothing else is noted.
        self._takes: list[tuple[Param, Take, int]] = []
        for take in member.takes:
            param = params[take.code]
            plain = not (param.part or param.natural or take.code in links)
            if param.bit or not plain:
                self._takes.append((param, take, param.bit if plain else 0))

    def gather(self, element: Any, resource: Resource, into: MemberEntries) -> None:
        """Note what the member says."""
        for item in element if self._each else (element,):
            if item is None:  # a primitive that has an extension only
                continue
            if self._finder is not None:
                _note_all(self._finder.remembered(item, resource), into)
            elif not self._names or not self._names.isdisjoint(item):
                self._gather(item, resource, into)

    def _gather(self, item: Any, resource: Resource, into: MemberEntries) -> None:
        for param, (_, take, whole), bit in self._takes:
            if bit and into.present & bit:
                continue
            values: list[IndexValue] = []
            take(resource if whole else item, values)
            if values:
                into.present |= param.bit
                if not bit:
                    _note(param, values, into)


def noted(rest: MemberEntries) -> MemberEntries:
    """Something of its own with what is noted."""
    found = MemberEntries()
    found.present, found.natural = rest.present, rest.natural
    found.parts = {param: [*forms] for param, forms in rest.parts.items()}
    return found


def _note_all(other: MemberEntries, into: MemberEntries) -> None:
    """Note the same of what was gathered."""
    into.present |= other.present
    if other.natural < into.natural:
        into.natural = other.natural
    if other.parts:
        for param, forms in other.parts.items():
            into.parts.setdefault(param, []).extend(forms)


def _note(param: Param, values: list[IndexValue], into: MemberEntries) -> None:
    if param.part:
        into.parts.setdefault(param.code, []).extend(param.forms(values))
    for value in values:
        if isinstance(value, DateValue):
            if param.natural and value.low < into.natural:
                into.natural = value.low
        else:
            # Of a composite the first part alone is in the index.
            firsts = value.components[0] if isinstance(value, CompositeValue) else (value,)
            for one in firsts:
                if isinstance(one, ReferenceValue) and one.url and parse_absolute(one.url):
                    into.present |= ABSOLUTE


def _only(member: Member, codes: Collection[str]) -> Member:
    return member._replace(takes=tuple([take for take in member.takes if take.code in codes]))


def _of(element: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: element[name] for name in element if name in names}
