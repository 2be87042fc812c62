"""What an import has written waits outside the index: it is found as if it were there."""

from __future__ import annotations

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.property.test_stores import compare, searches, steps
from threadwell.intake.gathered.changes import as_it_was, with_worked
from threadwell.stores.contract import ChangeSet
from threadwell.stores.sqlite import SqliteStore


class Importing(SqliteStore):
    """Everything is written to it as an import's processes write, until it is closed."""

    _import: AsyncExitStack | None = None

    async def commit(self, project: str, change_set: ChangeSet) -> None:
        if self._import is None:
            self._import = AsyncExitStack()
            await self._import.enter_async_context(self.in_bulk())
        told = with_worked(change_set, project, await self.index_keys())
        await super().commit(project, as_it_was(told))

    async def close(self) -> None:
        if self._import is not None:
            await self._import.aclose()
        await super().close()


@given(steps, st.lists(searches, min_size=5, max_size=25))
def test_what_an_import_writes_is_found_as_memory_has_it(
    steps: list[Any], searches: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        compare(Importing.open(Path(folder) / "threadwell.db"), steps, searches)
