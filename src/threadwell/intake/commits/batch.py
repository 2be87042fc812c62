"""What one commit of an import writes, in the making."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake.commits.counts import Counts, Report
from threadwell.stores.contract import Key, Stored, Write


@dataclass(slots=True)
class Batch:
    """The writes of one commit, by key, and what they add to the report.

    ``updated`` is the ``meta.lastUpdated`` of all of them, in milliseconds since 1970 UTC.
    ``revived`` are circles, by key, of which a header had been deleted and is made anew.
    """

    updated: int
    writes: dict[Key, Write] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    replayed: int = 0
    completed: int = 0
    retimed: int = 0
    sessions: int = 0
    superseded: int = 0
    reviews: int = 0
    answers: int = 0
    corrected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    revived: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def write(
        self,
        key: Key,
        resource: Resource,
        before: Stored | None = None,
        content: bytes | None = None,
    ) -> Stored:
        """Add a version that follows ``before``, and return it as it will be stored."""
        version = new_id(self.updated)
        stamped, body = stamp(resource, key.id, version, self.updated)
        self.writes[key] = Write(
            key.type, key.id, version, self.updated, stamped, body, before, content=content
        )
        return Stored(key.type, key.id, version, self.updated, False, body)

    def add_to(self, report: Report) -> None:
        """Count the batch as done."""
        total = report.counts
        total.read += self.counts.read
        total.new += self.counts.new
        total.known += self.counts.known
        total.quarantined += self.counts.quarantined
        report.replayed += self.replayed
        report.completed += self.completed
        report.retimed += self.retimed
        report.sessions += self.sessions
        report.superseded += self.superseded
        report.reviews += self.reviews
        report.answers += self.answers
        report.corrected += self.corrected
        report.reasons.update(self.reasons)


def as_stored(write: Write) -> Stored:
    """A write as the version that it becomes."""
    deleted = write.resource is None
    return Stored(write.type, write.id, write.version_id, write.updated, deleted, write.body)
