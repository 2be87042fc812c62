"""What one project has of a store: its own resources, and private values of its own.

Whoever works for a project has this and never the store. So what keeps a private value keeps it
for its project, whether it thinks of projects or not, and what asks for another project's
resources gets a ``ValueError``. What all projects of a server share is listed in ``SHARED``.

The first project has the store itself: its private values are named as they were before there were
several, and those of the others begin with the others' ids.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Hashable, Sequence
from dataclasses import replace
from typing import cast

from threadwell.fhir.search.catalogue import Home
from threadwell.fhir.search.query import Query
from threadwell.projects.registry import NAME, PROJECT
from threadwell.stores.contract import (
    ALWAYS,
    DEFAULT_PROJECT,
    Change,
    ChangeSet,
    Conflict,
    IndexSize,
    Kept,
    Key,
    Page,
    Position,
    Span,
    Store,
    Stored,
    Version,
)
from threadwell.stores.parameters import Changing, Parameters

#: Of which project a client and an account are, and in which an address has accounts; no more.
CLIENT_OF, EMAIL_OF, USER_OF = "client-of", "email-of", "user-of"
#: What somebody has proved at the door who has accounts in several projects.
CHOICE, PAGE_CHOICE = "login-choice", "sign-in-choice"
#: The kinds of private values that are the server's: which projects there are, and what leads to
#: each; which processes serve, and which of them has which duty. What is recorded of each project
#: is chained for all by one process; those names begin with the project.
SHARED = frozenset(
    (
        *(PROJECT, NAME, CLIENT_OF, EMAIL_OF, USER_OF, CHOICE, PAGE_CHOICE),
        # A passkey is asked for before it is known whose it is.
        "passkey-challenge",
        *("server", "duty", "duty-lease", "duty-beat"),
        *("audit-new", "audit-block", "audit-head", "audit-start", "audit-term"),
        *("audit-spool", "audit-retention"),
    )
)
_MARK = ":"


def within(store: Store, project: str) -> Store:
    """What a project has of ``store``."""
    if project == DEFAULT_PROJECT:
        return store
    if isinstance(store, Within):
        if store.project != project:
            raise ValueError("a project has no projects of its own")
        return cast(Store, store)
    return cast(Store, Within(store, project))


async def project_of_client(store: Store, client_id: str) -> str:
    """Of which project a client is that anybody names, ``""`` where it is none but the first."""
    value = await store.get_private(CLIENT_OF, client_id) if client_id.isprintable() else None
    return "" if value is None else value.decode()


class Within:
    """A ``Store`` of one project that is not the first."""

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self.project = self._project = project
        self._prefix = f"{project}{_MARK}"

    async def read(self, project: str, type_: str, id_: str) -> Stored | None:
        self._check(project)
        return await self._store.read(project, type_, id_)

    async def read_many(self, project: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        self._check(project)
        return await self._store.read_many(project, keys)

    async def read_version(
        self, project: str, type_: str, id_: str, version_id: str
    ) -> Stored | None:
        self._check(project)
        return await self._store.read_version(project, type_, id_, version_id)

    async def history(
        self, project: str, type_: str, id_: str, count: int, offset: int
    ) -> tuple[list[Stored], int]:
        self._check(project)
        return await self._store.history(project, type_, id_, count, offset)

    async def recent(
        self, project: str, types: Sequence[str], before: int, count: int, span: Span = ALWAYS
    ) -> list[Change]:
        self._check(project)
        return await self._store.recent(project, types, before, count, span)

    async def content(self, project: str, id_: str, version_id: str) -> bytes | None:
        self._check(project)
        return await self._store.content(project, id_, version_id)

    async def search(self, project: str, query: Query) -> Page:
        self._check(project)
        return await self._store.search(project, query)

    async def commit(self, project: str, change_set: ChangeSet) -> None:
        self._check(project)
        kept = tuple([one if one.kind in SHARED else self._named(one) for one in change_set.kept])
        whole = replace(change_set, kept=kept)
        try:
            await self._store.commit(project, whole)
        except Conflict as error:
            if error.key is None or not error.key.type.startswith(self._prefix):
                raise
            # Whoever decides anew knows its values by the kinds that it gave.
            kind = error.key.type.removeprefix(self._prefix)
            raise Conflict(Key(kind, error.key.id)) from None

    async def expunge(
        self, project: str, gone: Sequence[Stored], kept: Sequence[Kept] = ()
    ) -> None:
        self._check(project)
        named = [one if one.kind in SHARED else self._named(one) for one in kept]
        await self._store.expunge(project, gone, named)

    def moment(self, *, just_read: bool = False) -> Hashable | None:
        return self._store.moment(just_read=just_read)

    async def known_as(self, *bases: str) -> frozenset[str]:
        return await self._store.known_as(*bases)

    async def home(self, project: str, *, anew: bool = False) -> Home:
        self._check(project)
        return await self._store.home(project, anew=anew)

    async def parameters(self, project: str) -> Parameters:
        self._check(project)
        return await self._store.parameters(project)

    async def change_parameters(self, project: str, changing: Changing) -> Parameters:
        self._check(project)
        return await self._store.change_parameters(project, changing)

    async def index_size(self) -> IndexSize:
        return await self._store.index_size()

    async def index(self, project: str) -> Parameters:
        self._check(project)
        return await self._store.index(project)

    async def projects(self) -> list[str]:
        return [one for one in await self._store.projects() if one == self._project]

    async def versions(self, project: str, after: Position, count: int) -> list[Version]:
        self._check(project)
        return await self._store.versions(project, after, count)

    async def position(self, project: str) -> int:
        self._check(project)
        return await self._store.position(project)

    async def changes(self, project: str, after: int, count: int) -> list[Change]:
        self._check(project)
        return await self._store.changes(project, after, count)

    def follow(self, project: str, after: int) -> AsyncGenerator[Change, None]:
        self._check(project)
        return self._store.follow(project, after)

    def stirrings(self, project: str) -> AsyncGenerator[None, None]:
        self._check(project)
        return self._store.stirrings(project)

    async def private_kinds(self) -> list[str]:
        mine = [one for one in await self._store.private_kinds() if one.startswith(self._prefix)]
        return [one.removeprefix(self._prefix) for one in mine]

    async def get_private(self, kind: str, name: str) -> bytes | None:
        return await self._store.get_private(self._kind(kind), name)

    async def get_private_many(self, kind: str, names: Sequence[str]) -> dict[str, bytes]:
        return await self._store.get_private_many(self._kind(kind), names)

    async def list_private(
        self, kind: str, *, after: str = "", count: int | None = None
    ) -> dict[str, bytes]:
        return await self._store.list_private(self._kind(kind), after=after, count=count)

    async def put_private(
        self, kind: str, name: str, value: bytes | None, *, only_new: bool = False
    ) -> bool:
        return await self._store.put_private(self._kind(kind), name, value, only_new=only_new)

    async def close(self) -> None:
        """Nothing: the store is closed by whoever has opened it."""

    def _check(self, project: str) -> None:
        if project != self._project:
            raise ValueError("what is asked for is another project's")

    def _kind(self, kind: str) -> str:
        return kind if kind in SHARED else f"{self._prefix}{kind}"

    def _named(self, one: Kept) -> Kept:
        return Kept(f"{self._prefix}{one.kind}", one.name, one.value, one.before)
