"""What each search parameter costs in the index: entries and bytes, by what a store holds.

Of each type some resources are looked at, the newest, and the others are taken to be like them.
Only the index is counted: not the resources, and not what stands in it for a search of everything.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.json import decode
from threadwell.fhir.search.catalogue import State
from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.query import Query, Sort, Total
from threadwell.stores.contract import IndexSize, Store, Stored
from threadwell.stores.needed import why_needed
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


async def costs(store: Store, project: str, sample: int = SAMPLE) -> list[Cost]:
    """Those of every type that the store holds, the dearest first."""
    home = await store.home(project, anew=True)
    size = await store.index_size()
    bases = Bases(home)
    bases.has(project, home.catalogue, home.turn)
    keys = Keys(b"\0" * 16, bases)
    found: list[Cost] = []
    for type_ in sorted(RESOURCE_TYPES):
        newest = (Sort("_lastUpdated", descending=True),)
        query = Query(type_, sort=newest, count=sample, total=Total.ACCURATE)
        page = await store.search(project, query)
        resources = page.total or 0
        if not page.matches:
            continue
        by_code = _by_code(keys, project, type_, page.matches)
        of = home.catalogue.of(type_)
        states = of.states if of else {}
        for code in {*by_code, *states}:
            each = by_code.get(code, _Counted())
            scale = resources / len(page.matches)
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


def _by_code(keys: Keys, project: str, type_: str, sample: list[Stored]) -> dict[str, _Counted]:
    home = keys.bases.of(project)
    of = home.catalogue.of(type_)
    own = of.own if of else frozenset[str]()
    params: dict[str, Param] = {}
    counted: dict[str, _Counted] = {}
    total: Counter[str] = Counter()
    for stored in sample:
        resource = decode(stored.body)
        every = entries(keys, project, resource, stored.updated)
        total["lists"] += len(every.places) + len(every.placed)
        total["texts"] += len(every.texts)
        for code, values in extract(resource, home).items():
            if code not in params:
                under = scope(project, type_, code)
                params[code] = Param(
                    keys, home, code, under, 0, natural=False, part=False, told=code in own
                )
            into = MemberEntries()
            params[code].put(values, into)
            one = counted.setdefault(code, _Counted())
            one.lists += len({*into.places}) + len({*into.placed})
            one.texts += len({*into.texts})
            one.letters += sum(len(text) for _, text in {*into.texts})
    rest = _Counted(
        total["lists"] - sum(one.lists for one in counted.values()),
        total["texts"] - sum(one.texts for one in counted.values()),
    )
    return {**counted, OTHER: rest}
