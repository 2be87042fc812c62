"""Groups that turn out to belong together: they share an id, or wait for the same thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from threadwell.backfill.spool import Spooled

if TYPE_CHECKING:
    import pyarrow as pa

#: Ids that are compared at once.
_AT_ONCE = 250_000


@dataclass(slots=True)
class Joined:
    """Which groups are made with which: each goes with the ``home`` of its own."""

    homes: dict[int, int] = field(default_factory=dict)

    def home(self, group: int) -> int:
        """The group that stands for all that belong together with one."""
        while (above := self.homes.get(group, group)) != group:
            group = above
        return group

    def join(self, one: int, other: int) -> None:
        """Let two groups belong together."""
        first, second = sorted((self.home(one), self.home(other)))
        if first != second:
            self.homes[second] = first

    def moves(self) -> dict[int, int]:
        """The home of each group that has another one than itself."""
        return {group: self.home(group) for group in self.homes}

    @classmethod
    def of(cls, links: Iterable[tuple[int, int]]) -> Joined:
        """What is linked."""
        joined = cls()
        for one, other in links:
            joined.join(one, other)
        return joined


def parts_of(items: int) -> int:
    """In how many parts the ids of so many items are compared: a power of two."""
    parts = 1
    while items // parts > _AT_ONCE:
        parts *= 2
    return parts


def of_one_id(paths: Sequence[Path], part: int, parts: int) -> list[tuple[int, int]]:
    """Groups in which messages have the same id, in pairs, by the files of all tasks: of one part
    of all ids.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    tables: list[pa.Table] = []
    for batch in Spooled(paths).every():
        both = pa.table({"id": batch.column("id"), "group": batch.column("group")})
        if parts > 1:
            low = pc.bit_wise_and(both["id"], pa.scalar(parts - 1, pa.uint64()))
            both = both.filter(pc.equal(low, pa.scalar(part, pa.uint64())))
        tables.append(both)
    return pairs_of(tables)


def pairs_of(tables: Sequence[pa.Table]) -> list[tuple[int, int]]:
    """Groups in which messages have the same id, in pairs; each row has an ``id`` and a ``group``.

    All rows of an id have to be there.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not tables:
        return []
    every = pa.concat_tables(tables).combine_chunks()
    ends = every.group_by("id").aggregate([("group", "min"), ("group", "max")])
    several = ends.filter(pc.not_equal(ends["group_min"], ends["group_max"]))["id"]
    found = every.filter(pc.is_in(every["id"], value_set=several.combine_chunks()))
    first: dict[int, int] = {}
    pairs = zip(found["id"].to_pylist(), found["group"].to_pylist(), strict=True)
    return [(first[id_], group) for id_, group in pairs if first.setdefault(id_, group) != group]
