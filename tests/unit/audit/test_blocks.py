"""A block ends once its records name many versions, however few records there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.unit.audit.test_trail import _seen, _write
from threadwell.audit import draining
from threadwell.audit.chain import Block
from threadwell.audit.record import Touched
from threadwell.audit.verifying import verify
from threadwell.stores.contract import ChangeSet

if TYPE_CHECKING:
    from tests.unit.audit.conftest import Desk


def _change(desk: Desk, number: int) -> None:
    """Several versions that are written at once: one record, which waits in the store."""
    writes = tuple(_write("Basic", f"{number}-{at}") for at in range(2))
    desk.run(desk.trail.store.commit(desk.project, ChangeSet(writes)))


def _look(desk: Desk, number: int) -> None:
    """As many that are seen at once: one record, which waits in a spool."""
    _seen(desk, *(Touched("Basic", f"{number}-{at}", "1") for at in range(2)), act="search")


@pytest.mark.parametrize("act", [_change, _look])
def test_what_names_many_versions_goes_into_several_blocks(
    act: Callable[[Desk, int], None], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def blocks() -> list[Block]:
        return [block async for block in desk.trail.blocks(desk.project)]

    monkeypatch.setattr(draining, "_VERSIONS", 5)
    for number in range(7):
        act(desk, number)
    assert desk.run(desk.trail.drain()) == 7
    assert [block.header.count for block in desk.run(blocks())] == [3, 3, 1]
    verdict = desk.run(verify(desk.store, desk.project))
    assert (verdict.problem, verdict.lines) == ("", 7)
