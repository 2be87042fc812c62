"""The contract of a store: what ``intake`` and ``api`` may ask of it, and what it must hold.

A store keeps every version of every resource of every project, as bytes. It answers a ``Query``
and commits a ``ChangeSet`` whole or not at all. It never looks at who asks: access is decided
above it. The tests in ``threadwell.stores.suite`` are part of the contract.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Hashable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from threadwell.fhir.resource import Resource
from threadwell.stores.failures import StoreBusy as StoreBusy
from threadwell.stores.failures import StoreDamaged as StoreDamaged
from threadwell.stores.failures import StoreError as StoreError
from threadwell.stores.failures import StoreFull as StoreFull
from threadwell.stores.failures import StoreSlow as StoreSlow
from threadwell.stores.failures import Unindexed as Unindexed
from threadwell.stores.stored import ALWAYS as ALWAYS
from threadwell.stores.stored import DEFAULT_PROJECT as DEFAULT_PROJECT
from threadwell.stores.stored import START as START
from threadwell.stores.stored import Change as Change
from threadwell.stores.stored import Key as Key
from threadwell.stores.stored import Matches as Matches
from threadwell.stores.stored import Position as Position
from threadwell.stores.stored import Span as Span
from threadwell.stores.stored import Stored as Stored
from threadwell.stores.stored import Version as Version

if TYPE_CHECKING:
    # A command that only prints help names this module, and none of R4's definitions.
    from threadwell.fhir.search.catalogue import Home
    from threadwell.fhir.search.query import Place, Query
    from threadwell.stores.parameters import Changing, Parameters

#: How long a store works on a search, in seconds.
LONGEST = 120.0


class Write(msgspec.Struct, frozen=True):
    """A new version of a resource to commit; ``resource`` ``None`` is a deletion.

    ``body`` is the serialised ``resource`` with ``id``, ``meta.versionId`` and
    ``meta.lastUpdated`` in it (see ``threadwell.fhir.stamp``). ``before`` is the version that this
    one follows: ``None`` where the resource must not exist yet. A commit whose ``before`` is no
    longer the current version is a ``Conflict``. A deleted resource may be written again, with
    its deletion as ``before``. ``content`` is a Binary's bytes, kept apart from its body.
    ``worked`` is what a store has worked out of the body beforehand, of no meaning to others.
    """

    type: str
    id: str
    version_id: str
    updated: int
    resource: Resource | None
    body: bytes
    before: Stored | None = None
    author: str = ""
    content: bytes | None = None
    worked: object = None


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A precondition: ``query`` matches nothing when the commit happens."""

    query: Query


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A precondition: ``before`` is still the current version, though it is not written."""

    before: Stored


class Whatever(Enum):
    """What a private value may have been before."""

    WHATEVER = "whatever"
    UNUSED = "unused"


#: Of a ``Kept``: whatever was there before.
WHATEVER = Whatever.WHATEVER
#: Of a ``Kept``: its name was made for it, and nobody else has it. Nobody looks whether that is so.
UNUSED = Whatever.UNUSED


@dataclass(frozen=True, slots=True)
class Kept:
    """A private value (``Store.get_private``) that is written with a change set.

    ``value`` ``None`` removes it. ``before`` is what has to be there when it is: ``None`` for
    nothing; where something else is, the commit is a ``Conflict`` with ``Key(kind, name)``. So of
    many who take what they have read for current one succeeds.
    """

    kind: str
    name: str
    value: bytes | None
    before: bytes | Whatever | None = WHATEVER


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Writes that become visible together, or not at all, if every precondition holds.

    It writes each resource and each private value at most once (``ValueError`` otherwise).
    Preconditions look at the store as it is before the writes. ``worked`` is what a store has
    worked out of the writes beforehand, of no meaning to others: whoever adds anything to a change
    set leaves it, and the writes, as they are.
    """

    writes: tuple[Write, ...]
    unmatched: tuple[Unmatched, ...] = ()
    unchanged: tuple[Unchanged, ...] = ()
    kept: tuple[Kept, ...] = ()
    worked: object = None


class Conflict(Exception):
    """The store has moved on: nothing of the change set was written; read again and decide anew.

    ``key`` names the resource, or the private value, that is not as expected; ``None`` where an
    ``Unmatched`` query found something.
    """

    def __init__(self, key: Key | None) -> None:
        super().__init__(f"{key.type}/{key.id} has changed" if key else "a match exists by now")
        self.key = key

    def __reduce__(self) -> tuple[type[Conflict], tuple[Key | None]]:
        return Conflict, (self.key,)


class Page(NamedTuple):
    """The answer to a ``Query``: one page of matches, what they include, and the total if asked.

    ``more`` tells whether matches follow this page (of a query that goes ``back``, whether some
    stand before it), ``first`` and ``last`` where its first and its last match stand: a query
    ``after`` the last goes on there, and what was written or deleted meanwhile makes it neither
    skip nor repeat what stayed where it was. The total counts every match, wherever the page
    begins; an estimated one may be exact. One that would take too long to tell exactly is ``None``
    where the query asks for it ``ACCURATE``, and else ``estimated``. At most
    ``including.MAX_INCLUDED`` are included, and no more than there is room for; ``cut`` tells that
    some are left out, or may be. ``places`` are those of all matches where the query asks for them.
    """

    matches: list[Stored]
    included: list[Stored]
    total: int | None
    more: bool
    first: Place | None = None
    last: Place | None = None
    places: Sequence[Place] = ()
    cut: bool = False
    estimated: bool = False


class IndexSize(NamedTuple):
    """How many entries of lists and texts an index has, and bytes that they take; 0 where that
    cannot be told.
    """

    lists: int
    list_bytes: int
    texts: int
    text_bytes: int


class Reading(Protocol):
    """What is asked of a store to read resources. Every method may be called from many tasks at
    once; ``project`` is a project's id.
    """

    async def read(self, project: str, type_: str, id_: str) -> Stored | None:
        """The current version, ``deleted`` or not; ``None`` where there never was one."""
        ...

    async def read_many(self, project: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        """The current versions of those of ``keys`` that ever existed, deletions included."""
        ...

    async def read_version(
        self, project: str, type_: str, id_: str, version_id: str
    ) -> Stored | None:
        """That version, ``None`` where it does not exist."""
        ...

    async def history(
        self, project: str, type_: str, id_: str, count: int, offset: int
    ) -> tuple[list[Stored], int]:
        """A page of the versions, newest first, and how many there are; ``([], 0)`` if none."""
        ...

    async def recent(
        self, project: str, types: Sequence[str], before: int, count: int, span: Span = ALWAYS
    ) -> list[Change]:
        """The changes before that position, the last one first, at most ``count``: those of
        resources of ``types`` (of any, if there are none) that lie in ``span``.
        """
        ...

    async def content(self, project: str, id_: str, version_id: str) -> bytes | None:
        """The bytes committed as ``Write.content`` with that version of a Binary."""
        ...

    async def search(self, project: str, query: Query) -> Page:
        """The page of current, undeleted resources that ``query`` asks for.

        Where it goes on ``after`` a place, in an order that the store keeps, a page costs the same
        however far down it is (see ``scanning.scan``).
        """
        ...


class Store(Reading, Protocol):
    """A store of FHIR resources.

    An acknowledged ``commit`` survives the death of the process and of the machine; a search that
    starts after it sees it.
    """

    async def commit(self, project: str, change_set: ChangeSet) -> None:
        """Write all of ``change_set`` durably, or raise ``Conflict`` having written none of it."""
        ...

    async def expunge(
        self, project: str, gone: Sequence[Stored], kept: Sequence[Kept] = ()
    ) -> None:
        """Remove every version of resources that are deleted, and every content, durably.

        ``gone`` are their deletions (``ValueError`` for what is none), each the current version;
        ``Conflict``, and nothing is removed, where another one is. What is not there is passed
        over. ``kept`` is written with it, whatever was there (``WHATEVER``). From then on it is as
        though they had never been, and their ids may be written again.
        Whoever follows the project is told of none of their versions any more, and once of each
        resource: of a deletion without a ``version_id``. Nothing else keeps an id of theirs.
        """
        ...

    def moment(self, *, just_read: bool = False) -> Hashable | None:
        """What names all that is stored as it is now, or as it was when the store last told of a
        resource (``just_read``), or answered a query that asks for it (``Query.dated``): while it
        stays the same, nothing was committed, by whichever process.

        ``None`` where to find that out costs as much as to look at what may have changed.
        """
        ...

    async def known_as(self, *bases: str) -> frozenset[str]:
        """Every FHIR base that the store's resources are known under, as ``normal_base`` writes it.

        ``bases`` are so from now on, to every process that asks, and for what is written already:
        a reference to ``{base}/Patient/1`` is one to ``Patient/1``.
        """
        ...

    async def home(self, project: str, *, anew: bool = False) -> Home:
        """The FHIR bases of ``known_as``, with the search parameters that a project has.

        They follow from the SearchParameters that are committed to it, and from
        ``change_parameters``. Where another process has changed them it may be a second until that
        is seen here, if not asked ``anew``; what is written heeds them at once.
        """
        ...

    async def parameters(self, project: str) -> Parameters:
        """The search parameters in which a project differs from R4, as they are now."""
        ...

    async def change_parameters(self, project: str, changing: Changing) -> Parameters:
        """Change them; the answer is what they are then."""
        ...

    async def index(self, project: str) -> Parameters:
        """Bring the index of some of what is stored in line with them; the answer is what they are
        then. Nothing is left to do once none is ``pending``. To do it twice changes nothing.
        """
        ...

    async def index_size(self) -> IndexSize:
        """How large the index is, of all projects together; it may take a while."""
        ...

    async def projects(self) -> list[str]:
        """Every project that something was written to."""
        ...

    async def versions(self, project: str, after: Position, count: int) -> list[Version]:
        """Some of the versions that follow ``after``, at least one and at most ``count``; ``[]``
        if none do.

        Resources come in the order of their creation, each with its versions, oldest first.
        """
        ...

    async def position(self, project: str) -> int:
        """The position of the project's last change; 0 where there is none."""
        ...

    async def changes(self, project: str, after: int, count: int) -> list[Change]:
        """Some of the changes after that position that are there by now, in order: at least one
        and at most ``count``; ``[]`` if there are none.
        """
        ...

    def follow(self, project: str, after: int) -> AsyncGenerator[Change, None]:
        """Every change after that position, in order and each once, whichever process makes it.

        It waits for more, also while the store is away, until the store is closed. Going on from
        the position of the last change that was taken misses none, in another process too. Close
        it when done (``contextlib.aclosing``), and let many listeners of a process share one.
        """
        ...

    def stirrings(self, project: str) -> AsyncGenerator[None, None]:
        """Yields now, and whenever something may have been committed to a project since.

        Also where a change set had nothing but private values, and whichever process committed
        it; until the store is closed. Close it when done (``contextlib.aclosing``).
        """
        ...

    async def private_kinds(self) -> list[str]:
        """Every kind that has a private value."""
        ...

    async def get_private(self, kind: str, name: str) -> bytes | None:
        """A value of the server's own (keys, client registrations), never part of the FHIR data."""
        ...

    async def get_private_many(self, kind: str, names: Sequence[str]) -> dict[str, bytes]:
        """Those of the values of a kind that are there, by name."""
        ...

    async def list_private(
        self, kind: str, *, after: str = "", count: int | None = None
    ) -> dict[str, bytes]:
        """The values of a kind by name, in the order of the code points of their names.

        Only those whose name follows ``after``, and at most ``count``.
        """
        ...

    async def put_private(
        self, kind: str, name: str, value: bytes | None, *, only_new: bool = False
    ) -> bool:
        """Keep a value durably (``None`` removes it).

        With ``only_new`` an existing value stays and the answer is ``False``: of many processes
        that start at once, one makes the signing key.
        """
        ...

    async def close(self) -> None:
        """Finish what was acknowledged and let go of every file and connection."""
        ...
