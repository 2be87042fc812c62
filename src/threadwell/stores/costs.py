"""What each search parameter costs in the index: entries and bytes, by what a store holds.

Of each type some resources are looked at, the newest, and the others are taken to be like them;
or all of them, which takes a while. Only the index is counted: not the resources, and not what
stands in it for a search of everything.
"""

from __future__ import annotations

from dataclasses import dataclass

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.json import decode
from threadwell.fhir.search.catalogue import State
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.query import Query, Sort, Total
from threadwell.stores.contract import IndexSize, Store, Stored
from threadwell.stores.needed import why_needed
from threadwell.stores.scanning import scan
from threadwell.stores.sql.bases import Bases
from threadwell.stores.sql.entries import entries
from threadwell.stores.sql.keys import Keys, scope
from threadwell.stores.sql.members import MemberEntries, Param

#: Resources of a type that are looked at.
SAMPLE = 500
#: What an entry takes where nothing can be measured: a text beside its letters.
_ENTRY, _TEXT = 26.0, 24.0
#: What stands for the lists that are of no parameter.
OTHER = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one parameter of a type (``OTHER``: of what no parameter stands for) in all ``resources``
    of the type. ``state`` is ``None`` for one as in R4; ``needed`` tells why it has to stay.
    """

    type: str
    code: str
    resources: int
    entries: int
    bytes: int
    state: State | None
    needed: str


async def costs(store: Store, project: str, sample: int | None = SAMPLE) -> list[Cost]:
    """Those of every type that the store holds, the dearest first; exactly without a ``sample``."""
    home = await store.home(project, anew=True)
    size = await store.index_size()
    bases = Bases(home)
    bases.has(project, home.catalogue, home.turn)
    keys = Keys(b"\0" * 16, bases)
    found: list[Cost] = []
    for type_ in sorted(RESOURCE_TYPES):
        counting = _Counting(keys, project, type_)
        if sample is None:
            async for stored in scan(store, project, Query(type_)):
                counting.add(stored)
            resources = counting.looked_at
        else:
            newest = (Sort("_lastUpdated", descending=True),)
            query = Query(type_, sort=newest, count=sample, total=Total.ACCURATE)
            page = await store.search(project, query)
            resources = page.total or 0
            for stored in page.matches:
                counting.add(stored)
        if not counting.looked_at:
            continue
        by_code = counting.by_code()
        of = home.catalogue.of(type_)
        states = of.states if of else {}
        for code in {*by_code, *states}:
            each = by_code.get(code, _Counted())
            scale = resources / counting.looked_at
            found.append(
                Cost(
                    type_,
                    code,
                    resources,
                    round(each.entries * scale),
                    round(each.size(size) * scale),
                    states.get(code),
                    why_needed(type_, code) if code and code not in states else "",
                )
            )
    return sorted(found, key=lambda one: (-one.bytes, one.type, one.code))


@dataclass(slots=True)
class _Counted:
    lists: int = 0
    texts: int = 0
    letters: int = 0

    @property
    def entries(self) -> int:
        return self.lists + self.texts

    def size(self, measured: IndexSize) -> float:
        """The bytes of all of them."""
        entry = measured.list_bytes / measured.lists if measured.lists else _ENTRY
        if measured.texts:
            return self.lists * entry + self.texts * measured.text_bytes / measured.texts
        return self.lists * entry + self.texts * _TEXT + self.letters


class _Counting:
    """Counts the entries of resources of one type."""

    def __init__(self, keys: Keys, project: str, type_: str) -> None:
        self._keys, self._project, self._type = keys, project, type_
        self._home = keys.bases.of(project)
        of = self._home.catalogue.of(type_)
        self._own = of.own if of else frozenset[str]()
        self._params: dict[str, Param] = {}
        self._counted: dict[str, _Counted] = {}
        self._total = _Counted()
        self.looked_at = 0

    def add(self, stored: Stored) -> None:
        """Count those of one resource."""
        self.looked_at += 1
        resource = decode(stored.body)
        every = entries(self._keys, self._project, resource, stored.updated)
        self._total.lists += len(every.places) + len(every.placed)
        self._total.texts += len(every.texts)
        for code, values in extract(resource, self._home).items():
            into = MemberEntries()
            self._of(code).put(values, into)
            one = self._counted.setdefault(code, _Counted())
            one.lists += len({*into.places}) + len({*into.placed})
            one.texts += len({*into.texts})
            one.letters += sum(len(text) for _, text in {*into.texts})

    def by_code(self) -> dict[str, _Counted]:
        """How many each parameter has, and ``OTHER``."""
        each = self._counted.values()
        rest = _Counted(
            self._total.lists - sum(one.lists for one in each),
            self._total.texts - sum(one.texts for one in each),
        )
        return {**self._counted, OTHER: rest}

    def _of(self, code: str) -> Param:
        if (param := self._params.get(code)) is None:
            under, told = scope(self._project, self._type, code), code in self._own
            param = self._params[code] = Param(
                self._keys, self._home, code, under, 0, natural=False, part=False, told=told
            )
        return param
