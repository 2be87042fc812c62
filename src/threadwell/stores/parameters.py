"""Which search parameters a project has beside R4's, and which of R4's not: how that comes about.

It follows from the ``SearchParameter`` resources that are committed, and from what is turned off
and on. A parameter that comes is first ``INDEXING``: from the commit on every write has it, and
what was there before is brought in line bit by bit (``Store.index``). One that goes is ``FADING``
until no process can search by it any more (``GRACE``), and then ``LEAVING``. Until then whatever is
written has it: else a search with ``:not`` would find just what it must not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import msgspec

from threadwell.fhir.definitions.search_parameters import (
    Component,
    SearchParameter,
    search_parameters,
)
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import R4, Catalogue, Change, State
from threadwell.fhir.search.defining import Defined, Undefined, defined

#: Parameters of its own that a project may have, a type of each counted.
MOST = 500
#: How long a process may not know what another one has changed, in seconds.
UNSEEN = 0.5
#: How long the index has to be left as it is while something is ``fading``, in seconds.
GRACE = 4 * UNSEEN
_GOING = frozenset({State.FADING, State.LEAVING})
_PENDING = frozenset({State.INDEXING, *_GOING})


class Definition(msgspec.Struct, frozen=True):
    """A parameter as it is kept; ``id`` is that of the SearchParameter, ``""`` for one of R4."""

    id: str = ""
    kind: str = ""
    expression: str = ""
    targets: tuple[str, ...] = ()
    components: tuple[tuple[str, str], ...] = ()
    url: str = ""
    description: str = ""


class Listed(msgspec.Struct, frozen=True):
    """A parameter of a type that is not as in R4. ``following`` takes its place when it is out."""

    type: str
    code: str
    of: Definition
    state: State
    following: Definition | None = None


class Parameters(msgspec.Struct, frozen=True):
    """All of a project's. ``turn`` grows with every change. Of the resources up to the number
    ``after`` the index is in line with them.
    """

    turn: int = 0
    listed: tuple[Listed, ...] = ()
    after: int = 0

    @property
    def catalogue(self) -> Catalogue:
        """What can be searched and has to be indexed by now; the same for the same lists."""
        return _catalogue(self.listed) if self.listed else R4

    @property
    def pending(self) -> frozenset[str]:
        """The types of which the index is not in line."""
        return frozenset(one.type for one in self.listed if one.state in _PENDING)

    @property
    def fading(self) -> bool:
        """Whether something is to go that another process may still search by."""
        return any(one.state is State.FADING for one in self.listed)

    def faded(self) -> Parameters:
        """No process searches any more by what is to go."""
        found = [
            msgspec.structs.replace(one, state=State.LEAVING) if one.state is State.FADING else one
            for one in self.listed
        ]
        return Parameters(self.turn + 1, tuple(found))

    def finished(self) -> Parameters:
        """All that was there has been brought in line."""
        found: list[Listed] = []
        for one in self.listed:
            match one.state:
                case State.INDEXING if one.of.id:
                    found.append(msgspec.structs.replace(one, state=State.WHOLE))
                case State.FADING | State.LEAVING if one.following is not None:
                    found.append(Listed(one.type, one.code, one.following, State.INDEXING))
                case State.FADING | State.LEAVING if not one.of.id:
                    found.append(msgspec.structs.replace(one, state=State.OFF))
                case State.WHOLE | State.OFF:
                    found.append(one)
        return Parameters(self.turn + 1, tuple(found))

    def redefined(self, resources: Iterable[tuple[str, Resource | None]]) -> Parameters:
        """What becomes of it where SearchParameters are committed, each by its id.

        Of several with one code for a type the one that came first has it; one that cannot be
        used is as none.
        """
        now = self
        for id_, resource in resources:
            now = now._redefined(id_, resource)
        return now if now.listed == self.listed else now._at_next_turn()

    def turned(self, type_: str, code: str, *, on: bool) -> Parameters:
        """What becomes of it where a parameter of R4 is left out, or brought back."""
        place, known = self._find(type_, code)
        if on and known is not None and not known.of.id:
            if known.state is State.OFF:
                found = msgspec.structs.replace(known, state=State.INDEXING)
            elif known.state in _GOING and known.following is None:
                found = msgspec.structs.replace(known, following=Definition())
            else:
                return self
        elif not on and known is None:
            found = Listed(type_, code, Definition(), State.FADING)
        elif not on and known is not None and not known.of.id and known.state is State.INDEXING:
            found = msgspec.structs.replace(known, state=State.LEAVING)
        elif not on and known is not None and not known.of.id and known.following is not None:
            found = msgspec.structs.replace(known, following=None)
        else:
            return self
        return self._with(place, found)._at_next_turn()

    def _redefined(self, id_: str, resource: Resource | None) -> Parameters:
        try:
            new = None if resource is None else defined(resource)
        except Undefined:
            new = None
        definition = None if new is None else _definition(id_, new)
        types = () if new is None else new.types
        code = "" if new is None else new.parameter.code
        now = self
        for one in self.listed:
            if one.code == code and one.type in types:
                continue
            if one.following is not None and one.following.id == id_:
                place, _ = self._find(one.type, one.code)
                now = now._with(place, msgspec.structs.replace(one, following=None))
            elif one.of.id == id_ and one.state not in _GOING:
                now = now._without(one)
        if definition is None:
            return now
        for type_ in types:
            now = now._defined(type_, code, definition)
        return now

    def _defined(self, type_: str, code: str, definition: Definition) -> Parameters:
        place, known = self._find(type_, code)
        if known is None:
            if len(self.listed) >= MOST:
                return self
            return self._with(None, Listed(type_, code, definition, State.INDEXING))
        holder = known.following or (known.of if known.state not in _GOING else None)
        if holder is not None and holder.id != definition.id:
            return self
        if holder == definition:
            return self
        if holder is not None and known.following is None and _alike(holder, definition):
            return self._with(place, msgspec.structs.replace(known, of=definition))
        found = Listed(type_, code, known.of, _gone(known.state), definition)
        return self._with(place, found)

    def _without(self, one: Listed) -> Parameters:
        place, _ = self._find(one.type, one.code)
        return self._with(place, Listed(one.type, one.code, one.of, _gone(one.state)))

    def _find(self, type_: str, code: str) -> tuple[int | None, Listed | None]:
        for place, one in enumerate(self.listed):
            if (one.type, one.code) == (type_, code):
                return place, one
        return None, None

    def _with(self, place: int | None, one: Listed) -> Parameters:
        listed = list(self.listed)
        if place is None:
            listed.append(one)
        else:
            listed[place] = one
        return msgspec.structs.replace(self, listed=tuple(listed))

    def _at_next_turn(self) -> Parameters:
        return Parameters(self.turn + 1, self.listed)


def _gone(state: State) -> State:
    """What becomes of a parameter that is to go: by what is being indexed nobody searches yet."""
    return State.FADING if state in (State.WHOLE, State.FADING) else State.LEAVING


#: Nothing but R4's.
PLAIN = Parameters()
#: Changes what a project has.
Changing = Callable[[Parameters], Parameters]


def read_parameters(value: bytes | None) -> Parameters:
    """What ``write_parameters`` has kept."""
    return PLAIN if value is None else msgspec.json.decode(value, type=Parameters)


def write_parameters(parameters: Parameters) -> bytes:
    """As it is kept."""
    return msgspec.json.encode(parameters)


def parameter_of(one: Listed, definition: Definition) -> SearchParameter:
    """What a definition says."""
    if not definition.id:
        return search_parameters(one.type)[one.code]
    return SearchParameter(
        code=one.code,
        type=definition.kind,
        expression=definition.expression,
        targets=definition.targets,
        components=tuple(Component(*pair) for pair in definition.components),
        url=definition.url,
        description=definition.description,
    )


def _definition(id_: str, found: Defined) -> Definition:
    parameter = found.parameter
    return Definition(
        id_,
        parameter.type,
        parameter.expression,
        parameter.targets,
        tuple((one.url, one.expression) for one in parameter.components),
        parameter.url,
        parameter.description,
    )


def _alike(one: Definition, other: Definition) -> bool:
    """Whether the index is the same by both."""
    plain = {"url": "", "description": ""}
    return msgspec.structs.replace(one, **plain) == msgspec.structs.replace(other, **plain)


@lru_cache(maxsize=64)
def _catalogue(listed: tuple[Listed, ...]) -> Catalogue:
    return Catalogue([Change(one.type, parameter_of(one, one.of), one.state) for one in listed])
