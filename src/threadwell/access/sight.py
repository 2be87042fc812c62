"""What searching and writing ask of the view that they are done through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from threadwell.access.holding import Around, Seen
from threadwell.access.policy import Entry, Interaction, Policy
from threadwell.fhir.search.query import Filter
from threadwell.stores.contract import Reading, Stored


class Sight(Reading, Around, Protocol):
    """A view through a policy; ``bases`` are those of the FHIR API."""

    policy: Policy
    bases: frozenset[str]

    async def see(self, stored: Stored | None, interaction: Interaction) -> Stored | None:
        """A version as the caller sees it; ``None`` if they do not."""
        ...

    async def see_all(
        self, type_: str, found: Sequence[Stored], interaction: Interaction
    ) -> list[Stored]:
        """Those versions of a type that the caller sees, each as they see it."""
        ...

    async def entries(self, stored: Stored, interaction: Interaction) -> list[Entry]:
        """The entries that allow that of a version."""
        ...

    async def all_hold(self, filters: Iterable[Filter], of: Seen) -> bool:
        """Whether the filters hold for a resource that may not be in the store yet."""
        ...
