"""What a caller has of the store: the one way from a request to what is stored.

Handlers are given a ``View`` and never the store itself, so no way to data passes by a policy.
``Whole`` is the view of those who may do everything, and costs nothing; ``limited.Limited`` is
that of everybody else. Both answer as a store does for one who knows of nothing more than the
caller may see: what is hidden looks like what never was.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

from threadwell.fhir.outcome import FhirError
from threadwell.fhir.resource import Resource
from threadwell.stores.contract import ChangeSet, Key, Reading, Store, Stored, Write

Commit: TypeAlias = Callable[[str, ChangeSet], Awaitable[None]]


class View(Reading, Protocol):
    """A store as one caller sees it (``stores.contract.Reading``); ``project`` is as there."""

    async def commit(self, project: str, change_set: ChangeSet) -> None:
        """As ``Store.commit``; raises ``FhirError`` 403 for what the caller may not write."""
        ...

    async def sort_out(
        self, project: str, writes: Sequence[Write]
    ) -> tuple[list[Write], list[tuple[Write, FhirError]]]:
        """Those that the caller may write together, and the others, each with the reason.

        Raises ``Conflict`` where others have written meanwhile.
        """
        ...

    def knows(self, reference: str) -> bool:
        """Whether the caller may refer to that, whether they see it or not."""
        ...

    def hides(self, type_: str) -> bool:
        """Whether the caller may be shown less of a resource of the type than others are."""
        ...

    def check(self, type_: str, interaction: str) -> None:
        """Raise ``FhirError`` 403 unless the caller may do so to any resource of the type.

        Of the others that answer nothing, or refuse what is written, in any case.
        """
        ...

    async def acting(
        self, on: Key | None, said: bytes = b"", writes: Resource | None = None
    ) -> Store:
        """The store itself, for an act of ``intake`` that decides by more than the caller sees.

        ``on`` is what it is done to, ``said`` the body of the request, which may name more, and
        ``writes`` a resource that it makes or changes, as far as the caller has said it. Raises
        ``FhirError`` 403 for what the caller may not do, 404 for what they do not see.
        """
        ...

    async def shown(self, stored: Stored) -> Stored:
        """What was just written, without what is hidden from the caller."""
        ...

    def keeps(self, type_: str) -> bool:
        """Whether ``keep`` may put anything into a resource of the type."""
        ...

    async def keep(self, resource: Resource, current: Stored) -> frozenset[str]:
        """Put what the caller may not see or change of ``current`` into what is to follow it.

        The paths are those of what they do not see: of these nothing is told to them.
        """
        ...


class Whole:
    """The view of a caller without a policy: all of the store.

    It has the store's own methods, so that a call costs what it costs without a view.
    """

    __slots__ = (
        "_store",
        "commit",
        "content",
        "history",
        "read",
        "read_many",
        "read_version",
        "recent",
        "search",
    )

    def __init__(self, store: Store) -> None:
        self._store = store
        self.read = store.read
        self.read_many = store.read_many
        self.read_version = store.read_version
        self.history = store.history
        self.recent = store.recent
        self.content = store.content
        self.search = store.search
        self.commit = store.commit

    async def sort_out(
        self,
        project: str,  # noqa: ARG002 - everything may be written
        writes: Sequence[Write],
    ) -> tuple[list[Write], list[tuple[Write, FhirError]]]:
        """All of them."""
        return list(writes), []

    def knows(self, reference: str) -> bool:  # noqa: ARG002 - they see what is there
        """Nothing else."""
        return False

    def hides(self, type_: str) -> bool:  # noqa: ARG002 - nothing is hidden
        """All of each is shown."""
        return False

    def check(self, type_: str, interaction: str) -> None:
        """Everything may be done."""

    async def acting(
        self,
        on: Key | None,  # noqa: ARG002 - nothing is hidden
        said: bytes = b"",  # noqa: ARG002
        writes: Resource | None = None,  # noqa: ARG002
    ) -> Store:
        """The store."""
        return self._store

    async def shown(self, stored: Stored) -> Stored:
        """All of it."""
        return stored

    def keeps(self, type_: str) -> bool:  # noqa: ARG002 - everything may be changed
        """Nothing is put back."""
        return False

    async def keep(
        self,
        resource: Resource,  # noqa: ARG002 - everything may be changed
        current: Stored,  # noqa: ARG002
    ) -> frozenset[str]:
        """Everything may be changed."""
        return frozenset()
