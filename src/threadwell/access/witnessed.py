"""A view through a policy that tells the witness of a request what it has let through."""

from __future__ import annotations

from collections.abc import Sequence

from threadwell.access.limited import Limited
from threadwell.audit.witness import CURRENT, Witness
from threadwell.fhir.search.query import Query
from threadwell.stores.contract import ALWAYS, Change, Key, Page, Span, Stored


class Witnessed(Limited):
    """``Limited``, for a caller whose requests are recorded."""

    async def read(self, project: str, type_: str, id_: str) -> Stored | None:
        stored = await super().read(project, type_, id_)
        witness = CURRENT.get()
        if witness is not None:
            if stored is None:
                await self._note_hidden(witness, project, type_, id_)
            elif witness.reads:
                witness.saw(stored)
        return stored

    async def read_many(self, project: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        found = await super().read_many(project, keys)
        witness = CURRENT.get()
        if witness is not None and witness.reads:
            witness.saw_all(found.values())
        return found

    async def read_version(
        self, project: str, type_: str, id_: str, version_id: str
    ) -> Stored | None:
        stored = await super().read_version(project, type_, id_, version_id)
        witness = CURRENT.get()
        if witness is not None:
            if stored is None:
                await self._note_hidden(witness, project, type_, id_)
            elif witness.reads:
                witness.saw(stored)
        return stored

    async def history(
        self, project: str, type_: str, id_: str, count: int, offset: int
    ) -> tuple[list[Stored], int]:
        found = await super().history(project, type_, id_, count, offset)
        witness = CURRENT.get()
        if witness is not None:
            if not found[1]:
                await self._note_hidden(witness, project, type_, id_)
            elif witness.reads:
                witness.saw_all(found[0])
        return found

    async def recent(
        self, project: str, types: Sequence[str], before: int, count: int, span: Span = ALWAYS
    ) -> list[Change]:
        found = await super().recent(project, types, before, count, span)
        witness = CURRENT.get()
        if witness is not None and witness.reads:
            witness.saw_all(one.stored for one in found)
        return found

    async def search(self, project: str, query: Query) -> Page:
        page = await super().search(project, query)
        witness = CURRENT.get()
        if witness is not None and witness.reads:
            witness.saw_all(page.matches)
            witness.saw_all(page.included)
        return page

    async def _note_hidden(self, witness: Witness, project: str, type_: str, id_: str) -> None:
        # It is looked for whether it is there or not: how long that takes says nothing.
        if await self._read(project, type_, id_) is not None:
            witness.hid = True
