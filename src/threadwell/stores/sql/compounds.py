"""Which searches have a posting list of their own: several criteria in one key, in their order.

A compound pays where a criterion alone is common and both together are rare, or where the order
is that of ``meta.lastUpdated``. A thread header is one Communication in twenty, so an inbox costs
little to write and one walk of a list to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import chain, product

from threadwell.fhir.search.values import IndexValue, ReferenceValue, TokenValue
from threadwell.stores.sql.keys import Scope, of_code, of_reference, of_token

_EVENT_STATUS = (
    "preparation",
    "in-progress",
    "not-done",
    "on-hold",
    "stopped",
    "completed",
    "entered-in-error",
    "unknown",
)
_TASK_STATUS = (
    "draft",
    "requested",
    "received",
    "accepted",
    "rejected",
    "ready",
    "cancelled",
    "in-progress",
    "on-hold",
    "failed",
    "completed",
    "entered-in-error",
)

#: Of so many resources the keys of a compound are known at a time, of forms of no more letters.
_MOST, _SHORT = 1_000, 1_000

#: The form of a code outside its closed set, and of none at all.
OTHER = "other"


@dataclass(frozen=True)
class Compound:
    """Resources of ``type`` that have no value under ``missing``, by their ``params`` together.

    ``updated`` orders them by ``meta.lastUpdated`` instead of naturally. A parameter in ``closed``
    has exactly one code, of those named: then ``:not`` is a matter of the remaining ones.
    """

    type: str
    missing: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    updated: bool = False
    closed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def name(self) -> str:
        """The parameter that its keys stand under; no code of R4 looks like it."""
        absent = ",".join(self.missing)
        return f"{absent}!{','.join(self.params)}@{'updated' if self.updated else 'natural'}"

    def forms(self, parts: Mapping[str, Sequence[str]]) -> Iterator[str]:
        """The forms under which a resource stands here that has none of ``missing``.

        ``parts`` are the ``part_forms`` of each of ``params`` that the resource has a value for.
        """
        if not self.params:
            yield ""
            return
        for forms in product(*[self._part(param, parts.get(param, ())) for param in self.params]):
            yield compound_form(forms)

    def _part(self, param: str, forms: Sequence[str]) -> Sequence[str]:
        closed = self._closed_forms.get(param)
        if closed is None:
            return forms
        return [form if form in closed else OTHER for form in forms] or [OTHER]

    @cached_property
    def _closed_forms(self) -> Mapping[str, frozenset[str]]:
        return {param: frozenset(map(of_code, codes)) for param, codes in self.closed.items()}


class CompoundKeys:
    """The keys of a compound ``under`` its scope: of those parts that came last they are known."""

    def __init__(self, compound: Compound, under: Scope, key: Callable[[str], int]) -> None:
        self.updated = compound.updated
        #: What it has of every resource, if it is of no parameters.
        self._only = None if compound.params else [key(under)]
        self._compound = compound
        self._under = under
        self._key = key
        self._known: dict[tuple[tuple[str, ...], ...], list[int]] = {}

    def of(self, parts: Mapping[str, Sequence[str]]) -> list[int]:
        """The keys of a resource that has these ``parts`` (``Compound.forms``)."""
        if self._only is not None:
            return self._only
        compound = self._compound
        mine = tuple([tuple(parts.get(param, ())) for param in compound.params])
        found = self._known.get(mine)
        if found is None:
            found = [self._key(self._under + form) for form in compound.forms(parts)]
            if sum(map(len, chain.from_iterable(mine))) <= _SHORT:
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[mine] = found
        return found


def part_forms(value: IndexValue) -> tuple[str, ...]:
    """The forms of a value as a part of compounds."""
    if isinstance(value, ReferenceValue):
        return (of_reference(value.type, value.id),) if value.id else ()
    if not isinstance(value, TokenValue) or not value.code:
        return ()
    code = of_code(value.code)
    return (code, of_token(value.system, value.code)) if value.system else (code,)


def compound_form(forms: tuple[str, ...]) -> str:
    """The form of several values together."""
    return "".join(f"{len(form)}:{form}" for form in forms)


@cache
def compounds(type_: str) -> tuple[Compound, ...]:
    """The compounds of a resource type, those of most criteria first."""
    found = [compound for compound in COMPOUNDS if compound.type == type_]
    return tuple(sorted(found, key=lambda c: -len(c.missing + c.params)))


_STATUS = {"status": _EVENT_STATUS}
_TODO = {"status": _TASK_STATUS}

COMPOUNDS: tuple[Compound, ...] = (
    Compound("Communication", ("part-of",)),
    Compound("Communication", ("part-of",), updated=True),
    Compound("Communication", ("part-of",), ("status",), closed=_STATUS),
    Compound("Communication", ("part-of",), ("status",), updated=True, closed=_STATUS),
    Compound("Communication", ("part-of",), ("recipient",)),
    Compound("Communication", ("part-of",), ("recipient",), updated=True),
    Compound("Communication", ("part-of",), ("recipient", "status"), updated=True, closed=_STATUS),
    Compound("Communication", ("part-of",), ("subject",)),
    Compound("Communication", ("part-of",), ("subject",), updated=True),
    Compound("Communication", ("part-of",), ("sender",)),
    Compound("Communication", ("part-of",), ("encounter",)),
    Compound("Encounter", ("part-of",)),
    Compound("Encounter", ("part-of",), updated=True),
    Compound("Encounter", (), ("class",), updated=True),
    Compound("Task", (), ("code", "owner", "status"), closed=_TODO),
    Compound("Task", (), ("code", "status"), closed=_TODO),
    Compound("Task", (), ("code", "status"), updated=True, closed=_TODO),
    Compound("Task", (), ("owner", "status"), updated=True, closed=_TODO),
    Compound("Task", ("owner",), ("performer",)),
    Compound("Task", ("owner",), ("performer",), updated=True),
    # What people are put in order by: those without it stand before all others.
    Compound("Patient", ("family",)),
    Compound("Patient", ("given",)),
    Compound("Patient", ("name",)),
    Compound("Patient", ("birthdate",)),
    Compound("Practitioner", ("family",)),
    Compound("Practitioner", ("given",)),
    Compound("Practitioner", ("name",)),
    Compound("RelatedPerson", ("name",)),
    Compound("RelatedPerson", ("birthdate",)),
    Compound("Organization", ("name",)),
    Compound("Location", ("name",)),
)
