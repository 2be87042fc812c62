"""What all resources of a type in a project have in common in the index.

Of an update only that is worked out which hangs on a member that differs (``sql.split``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from operator import and_
from typing import NamedTuple

from threadwell.fhir.definitions.search_parameters import search_parameters
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import Home
from threadwell.fhir.search.extract import extraction
from threadwell.fhir.search.within import plain_type
from threadwell.stores.natural import NATURAL
from threadwell.stores.sql.compounds import CompoundKeys, compounds
from threadwell.stores.sql.keys import Keys, every, every_updated, scope
from threadwell.stores.sql.members import Finder, MemberEntries, Param, Places
from threadwell.stores.sql.split import Bound, Splits
from threadwell.stores.sql.together import Together

#: Of so many sets of members it is known at a time what is to be done with them.
_MOST = 256
#: The parameter codes of a type beyond this many are not in ``present``.
PRESENT_BITS = 63


@dataclass(frozen=True, slots=True)
class Shape:
    """What all resources of a type in a project have in common: keys, or beginnings of keys.

    ``compounds`` are together by the parameters that must be missing; what has one of those that
    ``excludes`` is in none. ``outlines`` are by the names of members.
    """

    every: int
    every_updated: int
    finders: Mapping[str, Finder]
    always: Finder
    together: Together
    compounds: tuple[CompoundGroup, ...]
    excludes: int
    splits: Splits
    outlines: dict[tuple[str, ...], Outline]

    def gather(self, resource: Resource) -> tuple[MemberEntries, MemberEntries]:
        """What the members put into the index; and that of those alone that come again."""
        found = MemberEntries()
        own, again = self._outline(tuple(resource))
        for name, finder in own:
            finder.gather(resource[name], resource, found)
        remembered = self.together.find({name: resource[name] for name in again}, resource)
        found.add(remembered, parts=not found.present & self.excludes)
        self.always.gather(resource, resource, found)
        return found, remembered

    def _outline(self, names: tuple[str, ...]) -> Outline:
        outline = self.outlines.get(names)
        if outline is None:
            there = [(name, self.finders[name]) for name in names if name in self.finders]
            outline = Outline(
                tuple([one for one in there if not one[1].again]),
                tuple([name for name, finder in there if finder.again]),
            )
            if len(self.outlines) >= _MOST:
                self.outlines.clear()
            self.outlines[names] = outline
        return outline


class Outline(NamedTuple):
    """What is to be done with the members of a resource that has those and no others: each of its
    ``own`` by itself; those of these names that come ``again`` together.
    """

    own: tuple[tuple[str, Finder], ...]
    again: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompoundGroup:
    """The compounds of a type for resources without certain parameters.

    ``missing`` are the bits of those. Of ``settled`` ones all parts are of members that come again
    (``Together``): their keys are remembered with these. The ``others`` are asked each time.
    """

    missing: int
    settled: tuple[CompoundKeys, ...]
    others: tuple[CompoundKeys, ...]

    def of(self, found: MemberEntries, again: MemberEntries) -> Iterable[Places]:
        """The keys of a resource, of all its members and of those that come again."""
        if again.compounds is None:
            again.compounds = {}
        known = again.compounds.get(self.missing)
        if known is None:
            known = again.compounds[self.missing] = _places(self.settled, again)
        return (known, _places(self.others, found)) if self.others else (known,)


def _places(compounds: Iterable[CompoundKeys], found: MemberEntries) -> Places:
    places: list[int] = []
    updated: list[int] = []
    for compound in compounds:
        into = updated if compound.updated else places
        into += compound.of(found.parts)
    return places, updated


@lru_cache(maxsize=2048)
def shape_of(keys: Keys, bases: Home, project: str, type_: str) -> Shape:
    """``type_`` may be an inner one (``fhir.search.within``)."""
    plain = plain_type(type_)
    of = bases.catalogue.of(plain)
    own = of.own if of else frozenset[str]()
    bits = present_bits(type_)
    in_compounds = {param for compound in compounds(type_) for param in compound.params}
    parameters = search_parameters(plain) if of is None else of.written
    params = {
        code: Param(
            keys,
            bases,
            code,
            scope(project, type_, code),
            bits.get(code, 0),
            natural=code == NATURAL.get(type_),
            part=code in in_compounds,
            told=code in own,
            targets=parameter.targets,
            is_date=parameter.type == "date",
        )
        for code, parameter in parameters.items()
    }
    plan = extraction(plain, bases.catalogue)
    finders = {name: Finder(member, params) for name, member in plan.members.items()}
    unsettled = {
        take.code
        for name, member in (*plan.members.items(), ("", plan.always))
        if name not in finders or not finders[name].again
        for take in member.takes
    }
    groups: dict[int, tuple[list[CompoundKeys], list[CompoundKeys]]] = {}
    bound: list[Bound] = []
    for compound in compounds(type_):
        under = scope(project, type_, compound.name)
        missing = sum(bits[one] for one in compound.missing)
        settled, others = groups.setdefault(missing, ([], []))
        mine = settled if unsettled.isdisjoint(compound.params) else others
        mine.append(CompoundKeys(compound, under, keys.key))
        bound.append(Bound(mine[-1], missing, frozenset((*compound.missing, *compound.params))))
    return Shape(
        keys.key(every(project, type_)),
        keys.key(every_updated(project, type_)),
        finders,
        Finder(plan.always, params),
        Together(finders),
        tuple(
            CompoundGroup(missing, tuple(settled), tuple(others))
            for missing, (settled, others) in groups.items()
        ),
        reduce(and_, groups, -1),
        Splits(
            plan,
            params,
            finders,
            links=[c for c, one in parameters.items() if one.type in {"reference", "composite"}],
            compounds=bound,
        ),
        {},
    )


@cache
def present_bits(type_: str) -> dict[str, int]:
    """The bit of each parameter of a type in ``present``: of those that R4 has."""
    codes = sorted(search_parameters(type_))[:PRESENT_BITS]
    return {code: 1 << position for position, code in enumerate(codes)}
