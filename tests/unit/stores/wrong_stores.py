"""Stores that break the contract, each in one way: the suite must tell every one of them.

Not a test module of its own: ``test_suite_tells_wrong_stores.py`` runs it. Only the first store
keeps the contract.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from threadwell.fhir.json import decode, encode
from threadwell.fhir.search.query import Place
from threadwell.stores.contract import WHATEVER, ChangeSet, Conflict, Key, Page
from threadwell.stores.memory import MemoryStore
from threadwell.stores.suite import StoreContract


class Right(MemoryStore):
    """Breaks nothing."""


class LosesUpdates(MemoryStore):
    """Takes a write whatever version it follows."""

    async def commit(self, project, change_set):
        await super().commit(project, await _following_whatever_is_there(self, project, change_set))


class CommitsHalf(MemoryStore):
    """Keeps the writes that stand before the one that is refused."""

    async def commit(self, project, change_set):
        await super().commit(project, replace(change_set, writes=()))
        for write in change_set.writes:
            await super().commit(project, ChangeSet((write,)))


class MixesProjects(MemoryStore):
    """Has one project for all."""

    def __init__(self):
        super().__init__()
        one = self._projects["default"]
        self._projects = defaultdict(lambda: one)


class WritesBodiesAnew(MemoryStore):
    """Hands out bodies that mean the same, byte for byte another thing."""

    async def commit(self, project, change_set):
        writes = [
            replace(one, body=encode(dict(sorted(decode(one.body).items())))) if one.body else one
            for one in change_set.writes
        ]
        await super().commit(project, replace(change_set, writes=tuple(writes)))


class FindsTheDeleted(MemoryStore):
    """Finds by id what is gone."""

    async def read(self, project, type_, id_):
        found = await super().read(project, type_, id_)
        if found and found.deleted:
            versions, _ = await self.history(project, type_, id_, 10, 0)
            return next((one for one in versions if not one.deleted), found)
        return found


class TellsHistoryBackwards(MemoryStore):
    """Begins with the oldest version."""

    async def history(self, project, type_, id_, count, offset):
        every, total = await super().history(project, type_, id_, 10_000, 0)
        return every[::-1][offset : offset + count], total


class LooksForNoMatches(MemoryStore):
    """Creates though something matches already."""

    async def commit(self, project, change_set):
        await super().commit(project, replace(change_set, unmatched=()))


class LooksAtNothingUnchanged(MemoryStore):
    """Does not mind that what was only read has moved on."""

    async def commit(self, project, change_set):
        await super().commit(project, replace(change_set, unchanged=()))


class NeverHasMore(MemoryStore):
    """Ends every search with its first page."""

    async def search(self, project, query):
        return (await super().search(project, query))._replace(more=False)


class CountsThePage(MemoryStore):
    """Takes the size of the page for the number of all matches."""

    async def search(self, project, query):
        page = await super().search(project, query)
        return page if page.total is None else page._replace(total=len(page.matches))


class SortsNothing(MemoryStore):
    """Answers in the order in which things were made."""

    async def search(self, project, query):
        return await super().search(project, replace(query, sort=()))


class IncludesNothing(MemoryStore):
    """Leaves out what a match refers to."""

    async def search(self, project, query):
        return (await super().search(project, query))._replace(included=[])


class ShowsTheNewestContent(MemoryStore):
    """Gives the bytes of the newest version for each one."""

    async def content(self, project, id_, version_id):
        newest = await self.read(project, "Binary", id_)
        return await super().content(project, id_, newest.version_id) if newest else None


class TakesPrivateValuesTwice(MemoryStore):
    """Lets the second of two win that both were to be the first."""

    async def put_private(self, kind, name, value, *, only_new=False):
        return await super().put_private(kind, name, value)


class KeepsWhateverIsThere(MemoryStore):
    """Writes private values without a look at what they are to take the place of."""

    async def commit(self, project, change_set):
        kept = tuple(replace(one, before=WHATEVER) for one in change_set.kept)
        await super().commit(project, replace(change_set, kept=kept))


class KeepsWhatWasRefused(MemoryStore):
    """Writes private values before it looks at anything else."""

    async def commit(self, project, change_set):
        for one in change_set.kept:
            await self.put_private(one.kind, one.name, one.value)
        await super().commit(project, replace(change_set, kept=()))


class LetsOthersSlipIn(MemoryStore):
    """Looks at the versions, lets others have a turn, and then writes."""

    async def commit(self, project, change_set):
        for write in change_set.writes:
            there = await self.read(project, write.type, write.id)
            if (there and there.version_id) != (write.before and write.before.version_id):
                raise Conflict(Key(write.type, write.id))
        await asyncio.sleep(0)
        await super().commit(project, await _following_whatever_is_there(self, project, change_set))


class TellsTwice(MemoryStore):
    """Tells each of its news two times."""

    async def follow(self, project, after):
        async for change in super().follow(project, after):
            yield change
            yield change


class RepeatsPages(MemoryStore):
    """Begins every page of a search at the first match."""

    async def search(self, project, query) -> Page:
        return await super().search(project, replace(query, offset=0))


class SkipsTies(MemoryStore):
    """Goes on behind all that have what the last one had."""

    async def search(self, project, query) -> Page:
        page = await super().search(project, query)
        return page._replace(last=page.last and Place(page.last.values, 2**40))


class LosesItsPlace(MemoryStore):
    """Goes on at the beginning where the one that a page ended with has gone."""

    async def search(self, project, query) -> Page:
        everything = await super().search(project, replace(query, count=1000, after=None))
        numbers = [self._numbers[stored.id] for stored in everything.matches]
        lost = query.after is not None and query.after.number not in numbers
        return await super().search(project, replace(query, after=None) if lost else query)

    @property
    def _numbers(self):
        rows = [row for project in self._projects.values() for row in project.rows.values()]
        return {row.id: row.created for row in rows}


async def _following_whatever_is_there(store, project, change_set):
    keys = [Key(write.type, write.id) for write in change_set.writes]
    there = await store.read_many(project, keys)
    pairs = zip(keys, change_set.writes, strict=True)
    writes = tuple(structs.replace(write, before=there.get(key)) for key, write in pairs)
    return replace(change_set, writes=writes)


#: The test of the suite that tells each of them; the right one passes all of these.
STORES = {
    CommitsHalf: "test_what_is_not_committed_is_not_told",
    CountsThePage: "test_a_page_goes_on_behind_the_last",
    FindsTheDeleted: "test_every_version_is_told_as_it_was_committed",
    IncludesNothing: "test_include",
    KeepsWhatWasRefused: "test_what_was_there_decides",
    KeepsWhateverIsThere: "test_what_was_there_decides",
    LetsOthersSlipIn: "test_of_many_updates_at_once_one_wins",
    LooksAtNothingUnchanged: "test_what_must_be_unchanged_is",
    LooksForNoMatches: "test_what_is_not_committed_is_not_told",
    LosesItsPlace: "test_a_page_ends_with_the_match_that_reaches_the_bound",
    LosesUpdates: "test_what_is_not_committed_is_not_told",
    MixesProjects: "test_projects_are_not_told_of_each_other",
    NeverHasMore: "test_a_page_ends_with_the_match_that_reaches_the_bound",
    RepeatsPages: "test_an_offset_counts_from_where_the_query_goes_on",
    ShowsTheNewestContent: "test_content_stays_with_its_version",
    SkipsTies: "test_a_page_ends_with_the_match_that_reaches_the_bound",
    SortsNothing: "test_a_page_goes_on_behind_the_last",
    TakesPrivateValuesTwice: "test_private_values",
    TellsHistoryBackwards: "test_every_version_stays",
    TellsTwice: "test_every_version_is_told_as_it_was_committed",
    WritesBodiesAnew: "test_a_read_returns_what_was_committed",
}


def _contract_of(store: type[MemoryStore], *tests: str) -> type[StoreContract]:
    """Those tests of the suite, on that store."""

    def open_(self, path: Path):
        return store()

    assert all(hasattr(StoreContract, name) for name in tests)
    others = (name for name in dir(StoreContract) if name.startswith("test_"))
    return type(
        f"Test{store.__name__}",
        (StoreContract,),
        {
            **{name: None for name in others if name not in tests},
            "open": open_,
            "__doc__": store.__doc__,
        },
    )


TestRight = _contract_of(Right, *STORES.values())
globals().update(
    {f"Test{store.__name__}": _contract_of(store, name) for store, name in STORES.items()}
)
