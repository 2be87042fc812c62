"""The criteria of a Subscription: a search, and whether a version of a resource is found by it.

Most are decided by the version alone, as ``fhir.search.match`` does it. Those that look at other
resources (chains, ``_has``, references by a name) are asked of the store, among the resources that
are current by then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError, invalid
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.match import Subject, matches
from threadwell.fhir.search.pairs import pairs
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import (
    ChainFilter,
    CompartmentFilter,
    Filter,
    HasFilter,
    IdFilter,
    OtherFilter,
    Query,
    ReferenceFilter,
    Total,
    within,
)
from threadwell.fhir.stamp import Clock
from threadwell.stores.naming import with_names

if TYPE_CHECKING:
    from threadwell.fhir.search.values import IndexValues
    from threadwell.stores.contract import Reading, Stored

#: Where the criteria stand.
EXPRESSION = "Subscription.criteria"


@dataclass(slots=True)
class Version:
    """A version as a search sees it, without the resources around it."""

    stored: Stored
    bases: frozenset[str]
    _values: IndexValues | None = None

    @property
    def type(self) -> str:
        return self.stored.type

    @property
    def id(self) -> str:
        return self.stored.id

    @property
    def updated(self) -> int:
        return self.stored.updated

    @property
    def values(self) -> IndexValues:
        if self._values is None:
            self._values = extract(decode(self.stored.body), self.bases)
        return self._values

    def referred(self, param: str) -> Iterable[Subject]:  # noqa: ARG002 - nobody is around
        return ()

    def referring(self, type_: str, param: str) -> Iterable[Subject]:  # noqa: ARG002
        return ()


@dataclass(frozen=True, slots=True)
class Criteria:
    """A search of one type, as a Subscription has it."""

    query: Query
    #: Whether it looks at more than the version itself.
    looks_around: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "looks_around", any(map(_looks_around, self.query.filters)))

    @property
    def type(self) -> str:
        return self.query.type

    async def hold(self, version: Version, store: Reading, project: str) -> bool:
        """Whether the search finds that version."""
        if not self.may_hold(version):
            return False
        return not self.looks_around or await self.found(version, store, project)

    def may_hold(self, version: Version) -> bool:
        """Whether it finds that version as far as the version alone tells."""
        if version.type != self.type:
            return False
        alone = (one for one in self.query.filters if not _looks_around(one))
        return all(matches(one, version) for one in alone)

    async def found(self, version: Version, store: Reading, project: str) -> bool:
        """Whether the search finds it in a store, or in what somebody sees of it, as current."""
        asked = replace(
            self.query,
            filters=(IdFilter((version.id,)), *self.query.filters),
            sort=(),
            count=1,
            total=Total.NONE,
            includes=(),
            rev_includes=(),
            elements=(),
        )
        page = await store.search(project, await with_names(store, project, asked))
        return any(one.version_id == version.stored.version_id for one in page.matches)

    async def check(self, store: Reading, project: str) -> None:
        """Raise ``FhirError`` where whoever sees that of the store may not search so."""
        asked = replace(self.query, count=0, total=Total.NONE, includes=(), rev_includes=())
        await store.search(project, await with_names(store, project, asked))


def parse_criteria(text: str, *, bases: frozenset[str], now: Clock) -> Criteria:
    """The criteria that ``text`` says, ``Communication?part-of=Communication/1``.

    Raises ``FhirError`` 400 that names what is wrong, at ``Subscription.criteria``.
    """
    type_, _, asked = text.lstrip("/").partition("?")
    if type_ not in RESOURCE_TYPES:
        raise invalid("The criteria begin with the type of a resource", EXPRESSION)
    try:
        return Criteria(parse_query(type_, pairs(asked), bases=bases, now=now))
    except FhirError as error:
        issues = [replace(issue, expression=EXPRESSION) for issue in error.issues]
        raise FhirError(400, issues) from None


def _looks_around(filter_: Filter) -> bool:
    match filter_:
        case ChainFilter() | HasFilter():
            return True
        case ReferenceFilter(named=named):
            return named
        case CompartmentFilter(links=links):
            return any(_looks_around(link) for link in links)
        case OtherFilter(inner):
            return _looks_around(inner)
        case _:
            return any(map(_looks_around, within(filter_)))
