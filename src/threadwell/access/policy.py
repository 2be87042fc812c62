"""A caller's policy: which resources of which types they may see, and what they may do to them.

It is compiled once out of AccessPolicy resources (``reading``), with the caller's own references in
place of the variables, and asked for every request after that.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from threadwell.fhir.search.catalogue import R4, Catalogue
from threadwell.fhir.search.extract import extraction
from threadwell.fhir.search.query import (
    AllFilter,
    ChainFilter,
    CompartmentFilter,
    EitherFilter,
    Filter,
    HasFilter,
    IdFilter,
    NotFilter,
    Query,
    within,
)


class Interaction(StrEnum):
    """What an entry may allow, as Medplum's AccessPolicy names it."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"
    SEARCH = "search"
    HISTORY = "history"
    VREAD = "vread"


#: Those that change something.
WRITING = frozenset({Interaction.CREATE, Interaction.UPDATE, Interaction.DELETE})
#: By what a hook's endpoint knows this server: for those alone who may write Subscriptions.
CREDENTIALS = frozenset({"channel.header", "extension"})
#: What matches nothing.
NOTHING = EitherFilter(())


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """Resources of a type that ``filters`` all hold for, and what may be done to them.

    ``hidden`` and ``fixed`` are paths of elements (``payload``, ``name.family``) that are not
    shown, and not changed.
    """

    type: str
    filters: tuple[Filter, ...] = ()
    interactions: frozenset[Interaction] = frozenset(Interaction)
    hidden: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()

    @property
    def alone(self) -> bool:
        """Whether its filters look at nothing but the resource itself."""
        return not any(map(leads_on, self.filters))


def ordered(found: Mapping[str, Iterable[Entry]]) -> dict[str, tuple[Entry, ...]]:
    """The entries of each type, first those that need a look at nothing else."""
    return {type_: tuple(sorted(of, key=_cost)) for type_, of in found.items()}


def _cost(entry: Entry) -> int:
    return 0 if not entry.filters else 1 if entry.alone else 2


#: The type, the id and the version of one version of a resource: by these verdicts are remembered.
Version: TypeAlias = tuple[str, str, str]


class Sight(NamedTuple):
    """What was seen of a version: the paths of what is ``hidden`` of it, ``None`` for all of it.

    It holds as long as the store is as it was at that ``moment`` (``Store.moment``); for good
    where that is ``None``, as nothing else was looked at.
    """

    hidden: frozenset[str] | None
    moment: Hashable | None


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Policy:
    """What one caller may do. ``entries`` are those of each type; of any other type nothing.

    ``profile`` is the reference of whom the caller acts as. What is ``known`` to them may be
    referred to, whether they see it or not. ``glass`` is what they may read in an emergency, this
    included; ``None`` where that is no more. ``catalogue`` has the search parameters there are, and
    ``own`` are those of the project's own that any criteria ask by, each with its type, whatever
    scopes leave of these: who is limited by them must not say what they mean.
    A file that they brought is theirs while ``bars`` hold for it. It is good until ``lasts``, in
    milliseconds since 1970 UTC: 0 where it is to be found anew each time, as it hangs on what no
    one tells of; ``None`` where it is good until somebody says otherwise. ``who`` has it.
    ``verdicts`` remembers which entries a version matches, of those that look at it alone, and
    ``sights`` what was seen of versions. A narrower one is made by ``dataclasses.replace``, so that
    whatever else limits this one limits it, too; it remembers nothing of this one.
    """

    entries: dict[str, tuple[Entry, ...]]
    profile: str
    known: frozenset[str] = frozenset()
    glass: Policy | None = None
    catalogue: Catalogue = R4
    own: frozenset[tuple[str, str]] = frozenset()
    bars: tuple[Filter, ...] = ()
    lasts: int | None = None
    who: str = ""
    verdicts: dict[tuple[Entry, Version], bool] = field(default_factory=dict, init=False)
    sights: dict[Interaction, dict[Version, Sight]] = field(
        default_factory=lambda: {one: {} for one in Interaction}, init=False
    )
    _of: dict[tuple[str, Interaction], tuple[Entry, ...]] = field(default_factory=dict, init=False)
    _sight: Hashable = field(default=None, init=False)

    @property
    def sight(self) -> Hashable:
        """What is equal for those who see the same, whoever they are: but for files that they have
        brought themselves, which are theirs alone.
        """
        if self._sight is None:
            entries = frozenset(
                (type_, tuple([(one.filters, one.interactions, one.hidden) for one in of]))
                for type_, of in self.entries.items()
            )
            object.__setattr__(self, "_sight", (entries, self.catalogue))
        return self._sight

    def knows(self, reference: str) -> bool:
        """Whether the caller may refer to that in any case: to themselves, for one."""
        return reference == self.profile or reference in self.known

    def of(self, type_: str, interaction: Interaction) -> tuple[Entry, ...]:
        """The entries of a type that allow that."""
        place = (type_, interaction)
        known = self._of.get(place)
        if known is None:
            of_type = self.entries.get(type_, ())
            known = tuple([one for one in of_type if interaction in one.interactions])
            self._of[place] = known
        return known

    def limit(self, query: Query, interaction: Interaction) -> tuple[Filter, ...]:
        """What a query has to ask for beside its filters, so that it finds what may be seen.

        An entry does not count for a query that asks by what the entry hides: else one could find
        out by asking. No filters, where there is no limit.
        """
        asked = codes(query)
        return self._limit(query.type, interaction, asked)

    def limit_of_links(self, type_: str, filters: Iterable[Filter]) -> tuple[Filter, ...]:
        """The same for resources that a link leads to, of which ``filters`` are asked."""
        return self._limit(type_, Interaction.SEARCH, frozenset(_codes(filters)))

    def _limit(
        self, type_: str, interaction: Interaction, asked: frozenset[str]
    ) -> tuple[Filter, ...]:
        alternatives: list[tuple[Filter, ...]] = []
        for entry in self.of(type_, interaction):
            hidden = hidden_codes(type_, entry.hidden, self.catalogue) if entry.hidden else ()
            if not asked.isdisjoint(hidden):
                continue
            if not entry.filters:
                return ()
            alternatives.append(entry.filters)
        if len(alternatives) == 1:
            return alternatives[0]
        return (EitherFilter(tuple(alternatives)),)


def hidden_codes(type_: str, hidden: frozenset[str], catalogue: Catalogue) -> frozenset[str]:
    """The search parameters of a type that may tell something of what is hidden."""
    roots = {path.partition(".")[0] for path in hidden}
    plan = extraction(type_, catalogue)
    found = {take.code for take in plan.always.takes}
    for name, member in plan.members.items():
        found |= {take.code for take in member.takes if name in roots or take.resource}
    return frozenset(found)


def codes(query: Query) -> frozenset[str]:
    """The search parameters by which a query asks and sorts; what it includes is found by what is
    shown.
    """
    return frozenset({*_codes(query.filters), *(key.param for key in query.sort)})


def _codes(filters: Iterable[Filter]) -> Iterable[str]:
    for filter_ in filters:
        if parts := within(filter_):
            yield from _codes(parts)
        elif isinstance(filter_, CompartmentFilter):
            yield from (link.param for link in filter_.links)
        elif not isinstance(filter_, IdFilter | HasFilter | AllFilter | EitherFilter | NotFilter):
            yield filter_.param


def leads_on(filter_: Filter) -> bool:
    """Whether a filter looks at more than the resource itself."""
    return isinstance(filter_, ChainFilter | HasFilter) or any(map(leads_on, within(filter_)))


def common(all_paths: Iterable[frozenset[str]]) -> frozenset[str]:
    """The paths that all have, or have what they are within."""
    each = list(all_paths)
    if len(each) == 1:
        return each[0]
    return frozenset(
        path
        for paths in each
        for path in paths
        if all(any(f"{path}.".startswith(f"{one}.") for one in others) for others in each)
    )
