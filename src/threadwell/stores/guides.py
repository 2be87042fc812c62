"""The implementation guides of a store: packages as private values, so that all processes have
them, and how what clients write is held against them.

``guides/PROJECT`` says which packages there are and how writes are checked; it is small, as each
process asks for it every second. ``guide/PROJECT/LABEL`` is what a package has, and
``guide-body/PROJECT/LABEL/NUMBER`` one of its definitions, compressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from threadwell.fhir.packages.package import Head, Package, newer_first
from threadwell.fhir.packages.reading import opened
from threadwell.fhir.resource import Resource
from threadwell.stores.contract import Store

KIND, PACKAGE, BODY = "guides", "guide", "guide-body"

Profiles = Literal["off", "check"]
References = Literal["off", "type", "exists"]
#: What each setting may be.
CHOICES = {"profiles": get_args(Profiles), "references": get_args(References)}


class State(msgspec.Struct, frozen=True):
    """``revision`` changes with whatever is added or removed; ``packages`` are their labels.

    ``profiles`` and ``references`` tell what is held against what clients write.
    """

    revision: int = 0
    packages: Sequence[str] = ()
    profiles: Profiles = "check"
    references: References = "off"


NOTHING = State()


async def read_state(store: Store, project: str) -> tuple[State, bytes | None]:
    """The state, and the value that it was read from."""
    value = await store.get_private(KIND, project)
    return (NOTHING if value is None else msgspec.json.decode(value, type=State)), value


async def read_packages(store: Store, project: str, state: State) -> list[Package]:
    """The packages of a state, in its order."""
    names = {label: f"{project}/{label}" for label in state.packages}
    found = await store.get_private_many(PACKAGE, list(names.values()))
    return [
        msgspec.json.decode(found[name], type=Package) for name in names.values() if name in found
    ]


class Shelves:
    """Which definitions there are, and where; of one revision."""

    def __init__(self, packages: Sequence[Package]) -> None:
        self._by_url: dict[tuple[str, str], list[_Spot]] = {}
        for package in packages:
            for at, head in enumerate(package.heads):
                spots = self._by_url.setdefault((head.type, head.url), [])
                spots.append(_Spot(package.label, at, head))
        for spots in self._by_url.values():
            spots.sort(key=lambda spot: newer_first(spot.head.version), reverse=True)

    def find(self, type_: str, canonical: str, *, exact: bool = True) -> _Spot | None:
        """Where the definition of a canonical is; without a version, the newest one.

        One of another version does where ``exact`` is false.
        """
        url, _, version = canonical.partition("|")
        spots = self._by_url.get((type_, url), ())
        if not version:
            return spots[0] if spots else None
        named = next((spot for spot in spots if spot.head.version == version), None)
        return named or (None if exact or not spots else spots[0])

    def beside(self, label: str, type_: str, canonical: str) -> str:
        """A canonical that the package itself has, with the version that it has it in.

        Of several versions of a guide, each goes by its own definitions.
        """
        if "|" in canonical:
            return canonical
        for spot in self._by_url.get((type_, canonical), ()):
            if spot.label == label and spot.head.version:
                return f"{canonical}|{spot.head.version}"
        return canonical

    def profiles(self) -> dict[str, list[str]]:
        """The canonicals of the profiles of each resource type, in order."""
        found: dict[str, set[str]] = {}
        for (type_, url), spots in self._by_url.items():
            head = spots[0].head
            if type_ == "StructureDefinition" and head.profile and head.of != "Extension":
                found.setdefault(head.of, set()).add(url)
        return {of: sorted(urls) for of, urls in found.items()}

    def heads(self, type_: str) -> list[Head]:
        """The newest of each definition of a type."""
        return [spots[0].head for (of, _), spots in self._by_url.items() if of == type_]


class _Spot(msgspec.Struct, frozen=True):
    label: str
    at: int
    head: Head


async def read_body(store: Store, project: str, spot: _Spot) -> Resource | None:
    """The definition of a spot; ``None`` where it was removed meanwhile."""
    body = await store.get_private(BODY, body_name(project, spot.label, spot.at))
    return None if body is None else opened(body)


def body_name(project: str, label: str, at: int) -> str:
    """The name of the private value of a definition."""
    return f"{project}/{label}/{at:06}"


class Guides:
    """The guides of a project as one process knows them; what is changed counts a second later."""

    LOOK_MS = 1000

    def __init__(self, store: Store, project: str) -> None:
        self.store = store
        self.project = project
        self._looked: int | None = None
        self._state = NOTHING
        self._shelves = Shelves(())
        self._of: State | None = None

    async def state(self, now: int) -> State:
        """The state as it stood a moment ago; ``now`` is in milliseconds since 1970 UTC."""
        if self._looked is None or not 0 <= now - self._looked < self.LOOK_MS:
            self._state, _ = await read_state(self.store, self.project)
            self._looked = now
        return self._state

    async def shelves(self, now: int) -> Shelves:
        """Which definitions there are."""
        state = await self.state(now)
        if (
            self._of is None
            or self._of.packages != state.packages
            or (self._of.revision != state.revision)
        ):
            self._shelves = Shelves(await read_packages(self.store, self.project, state))
            self._of = state
        return self._shelves

    async def find(self, type_: str, canonical: str, now: int) -> Resource | None:
        """The definition of a canonical, if a package has it."""
        spot = (await self.shelves(now)).find(type_, canonical)
        return None if spot is None else await read_body(self.store, self.project, spot)
