"""The keys of references: what leads to a resource, and what leads on within one."""

from __future__ import annotations

from collections.abc import Iterable

from threadwell.fhir.json import decode
from threadwell.fhir.search.catalogue import Catalogue
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.field import field
from threadwell.fhir.search.query import AllFilter, Filter, MissingFilter, parts_of
from threadwell.fhir.search.references import Name, leads_to
from threadwell.fhir.search.references import is_named as is_named_type
from threadwell.fhir.search.terms import is_named
from threadwell.fhir.search.values import ReferenceValue
from threadwell.stores.contract import Stored
from threadwell.stores.including import Referring, Target, target_of
from threadwell.stores.sql.keys import Keys, of_plain, of_reference, of_url, scope

#: The name of what has none, or is not asked for it.
NAMELESS = Name("", "")


def holds_names(type_: str, param: str, catalogue: Catalogue) -> bool:
    """Whether a reference parameter of a type holds canonicals."""
    return is_named(field(type_, param, catalogue))


class Referred:
    """The ids of the resources of a type that others refer to by a parameter, gathered from both.

    ``urls`` are those of canonicals, for which is to be looked: ``add_named`` takes what was found.
    """

    def __init__(self, param: str, to: str, bases: frozenset[str]) -> None:
        self._param = param
        self._only = frozenset([param])
        self._to = to
        self._bases = bases
        self._named: list[ReferenceValue] = []
        self.ids: dict[str, None] = {}

    @property
    def urls(self) -> list[str]:
        """Those of canonicals; none where resources of the type have no urls."""
        urls = dict.fromkeys(value.url for value in self._named)
        return list(urls) if is_named_type(self._to) else []

    def add(self, source: Stored) -> None:
        """Add what a resource refers to."""
        for value in extract(decode(source.body), self._bases, self._only).get(self._param, ()):
            if not isinstance(value, ReferenceValue):
                continue
            if value.id and value.type == self._to:
                self.ids[value.id] = None
            if value.canonical and value.url:
                self._named.append(value)

    def add_named(self, found: Iterable[Stored]) -> None:
        """Add those of the resources with such urls that the canonicals lead to."""
        for target in map(target_of, found):
            if any(leads_to(value, *target) for value in self._named):
                self.ids[target.id] = None


def forms_of(target: Target, *, named: bool) -> list[str]:
    """The forms of references to a resource; ``named``, of canonicals too."""
    forms = [of_reference(target.type, target.id)]
    if named and target.name.url:
        forms += name_forms(target.name)
    return forms


def referring(filter_: Filter, param: str) -> Filter:
    """A filter of what refers by a parameter: what has no reference there need not be looked at."""
    return AllFilter((*parts_of(filter_), MissingFilter(param, missing=False)))


def name_forms(name: Name) -> list[str]:
    """The forms of canonicals that lead to a resource of that name."""
    plain = [of_plain(name.url)]
    return [*plain, of_url(f"{name.url}|{name.version}")] if name.version else plain


def referring_keys(keys: Keys, project: str, ask: Referring) -> list[int]:
    """The lists of all that is asked for."""
    catalogue = keys.bases.of(project).catalogue
    return [
        keys.key(under + form)
        for type_, param in ask.params
        for under in (scope(project, type_, param),)
        for named in (holds_names(type_, param, catalogue),)
        for target in ask.targets
        for form in forms_of(target, named=named)
    ]


def naming_keys(keys: Keys, project: str, types: Iterable[str], urls: Iterable[str]) -> list[int]:
    """The lists of the resources that have one of the urls."""
    return [keys.key(scope(project, t, "url") + of_url(url)) for t in types for url in urls]
