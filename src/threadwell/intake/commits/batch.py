"""What one commit of an import writes, in the making."""

from __future__ import annotations

from dataclasses import dataclass, field

from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import stamp
from threadwell.intake.commits.counts import Done
from threadwell.intake.commits.versions import new_version
from threadwell.messages import Address
from threadwell.stores.contract import ChangeSet, Kept, Key, Stored, Unchanged, Unmatched, Write


@dataclass(slots=True)
class Batch(Done):
    """The writes of one commit, by key, and what they do.

    ``updated`` is the ``meta.lastUpdated`` of all of them, in milliseconds since 1970 UTC, and
    ``author`` the reference of the person or client by whose word they are made, ``""`` for none.
    ``version`` is the version id of all that it writes, and ``kept`` are private values that go
    with them. ``circles`` are the keys of circles that it changes, ``says`` tells whether it
    changes what is said of shared addresses, or waits for that; ``said`` are those of which
    somebody has said now who uses them, by their keys. It is refused unless what is ``unmatched``
    and ``unchanged`` is still so.
    ``revived`` are circles, by key, of which a header had been deleted and is made anew.
    """

    updated: int = field(kw_only=True)
    author: str = field(default="", kw_only=True)
    writes: dict[Key, Write] = field(default_factory=dict)
    kept: dict[Key, Kept] = field(default_factory=dict)
    circles: set[str] = field(default_factory=set)
    says: bool = False
    said: dict[str, Address] = field(default_factory=dict)
    unmatched: tuple[Unmatched, ...] = ()
    unchanged: tuple[Unchanged, ...] = ()
    version: str = field(init=False)
    revived: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _gone: int = 0

    def __post_init__(self) -> None:
        self.version = new_version(self.updated)

    def write(
        self,
        key: Key,
        resource: Resource,
        before: Stored | None = None,
        content: bytes | None = None,
    ) -> Stored:
        """Add a version that follows ``before``, and return it as it will be stored."""
        return as_stored(self.put(key, resource, before, content))

    def put(
        self,
        key: Key,
        resource: Resource,
        before: Stored | None = None,
        content: bytes | None = None,
    ) -> Write:
        """The same; the write itself is returned."""
        stamped, body = stamp(resource, key.id, self.version, self.updated)
        return self.put_stamped(key, stamped, body, before, content)

    def put_stamped(
        self,
        key: Key,
        stamped: Resource,
        body: bytes,
        before: Stored | None = None,
        content: bytes | None = None,
    ) -> Write:
        """The same of a resource that has the marks of this batch (``fhir.stamp``) already."""
        write = self.writes[key] = Write(
            key.type,
            key.id,
            self.version,
            self.updated,
            stamped,
            body,
            before,
            self.author,
            content,
        )
        return write

    def keep(self, kept: Kept) -> None:
        """Add a private value."""
        self.kept[Key(kept.kind, kept.name)] = kept

    @property
    def written(self) -> int:
        """How many versions it writes."""
        return self._gone or len(self.writes)

    def let_go(self) -> None:
        """Forget what it writes, which is on its way, but for how many that are."""
        self._gone, self.writes = self.written, {}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.writes or self.kept)

    def change_set(self) -> ChangeSet:
        """What is to be committed."""
        unchanged = tuple(
            one for one in self.unchanged if (one.before.type, one.before.id) not in self.writes
        )
        writes, kept = tuple(self.writes.values()), tuple(self.kept.values())
        return ChangeSet(writes, self.unmatched, unchanged, kept)


def as_stored(write: Write) -> Stored:
    """A write as the version that it becomes."""
    deleted = write.resource is None
    return Stored(
        *(write.type, write.id, write.version_id, write.updated, deleted, write.body),
        author=write.author,
    )
