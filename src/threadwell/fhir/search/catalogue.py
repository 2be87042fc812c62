"""Which search parameters a store has: R4's without those that are left out, and some of its own.

Most stores have just R4's (``R4``). What differs from those is known by type, so that whatever is
worked out for the other types is shared by all stores.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from threadwell.fhir.definitions.search_parameters import SearchParameter, search_parameters


class State(StrEnum):
    """How far the index has come with a parameter that is not R4's, or is left out of it."""

    #: It is being brought into the index: whatever is written has it, what was there has not yet.
    INDEXING = "indexing"
    #: All that there is can be found by it.
    WHOLE = "whole"
    #: It will be taken out of the index. Nobody searches by it any more; what is written still has
    #: it, as another process may not know of that yet.
    FADING = "fading"
    #: It is being taken out of the index.
    LEAVING = "leaving"
    #: R4 has it, and the store has not.
    OFF = "off"


class Change(NamedTuple):
    """Where a store differs from R4 in one parameter of one type."""

    type: str
    parameter: SearchParameter
    state: State


class OfType:
    """The parameters of a type in one store.

    ``found`` can be searched by. ``written`` is what a resource is put into the index by.
    ``own`` are the codes that R4 does not have; ``states`` are those of whatever is not as in R4.
    """

    __slots__ = ("found", "own", "states", "written")

    def __init__(self, type_: str, changes: Iterable[Change], *, leaving: bool) -> None:
        plain = search_parameters(type_)
        self.found: dict[str, SearchParameter] = dict(plain)
        self.written: dict[str, SearchParameter] = dict(plain)
        self.states: dict[str, State] = {}
        for _, parameter, state in changes:
            code = parameter.code
            self.states[code] = state
            for of, there in (
                (self.found, state is State.WHOLE),
                (self.written, state in _WRITTEN or (leaving and state is State.LEAVING)),
            ):
                of.pop(code, None)
                if there:
                    of[code] = parameter
        self.own = frozenset(self.written) - frozenset(plain)


_WRITTEN = frozenset({State.INDEXING, State.WHOLE, State.FADING})


class Catalogue:
    """All of them. ``before`` is the same with those that are leaving: what the index may still
    hold of a resource is found by it.
    """

    __slots__ = ("_of", "before")

    def __init__(self, changes: Iterable[Change] = (), *, leaving: bool = False) -> None:
        by_type: dict[str, list[Change]] = {}
        for change in changes:
            by_type.setdefault(change.type, []).append(change)
        self._of = {type_: OfType(type_, of, leaving=leaving) for type_, of in by_type.items()}
        self.before = self
        every = [change for of in by_type.values() for change in of]
        if not leaving and any(change.state is State.LEAVING for change in every):
            self.before = Catalogue(every, leaving=True)

    def of(self, type_: str) -> OfType | None:
        """The parameters of a type; ``None`` where they are R4's."""
        return self._of.get(type_)

    def found(self, type_: str) -> Mapping[str, SearchParameter]:
        """The parameters of a type that can be searched by, by code."""
        of = self._of.get(type_)
        return search_parameters(type_) if of is None else of.found

    @property
    def types(self) -> list[str]:
        """The types that have others than R4 gives them."""
        return sorted(self._of)


#: R4's own, all of them and no other.
R4 = Catalogue()


class Home(frozenset[str]):
    """What is a store's own: the FHIR bases that its resources are known under, which are its
    members, and the search parameters that it has.
    """

    catalogue: Catalogue
    #: How often they have changed.
    turn: int

    def __new__(cls, bases: Iterable[str] = (), catalogue: Catalogue = R4, turn: int = 0) -> Home:
        self = super().__new__(cls, bases)
        self.catalogue = catalogue
        self.turn = turn
        return self

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, frozenset)
            and frozenset.__eq__(self, other)
            and catalogue_of(other) is self.catalogue
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = frozenset.__hash__


def catalogue_of(bases: Container[str]) -> Catalogue:
    """The parameters of the store that has these bases; R4's where nothing else is said."""
    found: Any = getattr(bases, "catalogue", R4)
    assert isinstance(found, Catalogue)
    return found
