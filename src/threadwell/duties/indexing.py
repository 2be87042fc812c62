"""The duty that brings the index in line where search parameters come or go."""

from __future__ import annotations

from threadwell.duties.duty import Duty, Workplace
from threadwell.stores.parameters import GRACE


def duty(workplace: Workplace) -> Duty:
    """The duty; a round done twice changes nothing.

    A round is one slice: a few hundred resources in one transaction, for which writers wait. After
    a change it waits until every process knows of it.
    """
    store, project = workplace.store, workplace.project
    known: int | None = None

    async def bring_in_line() -> float | None:
        nonlocal known
        found = await store.parameters(project)
        if not found.pending:
            return None
        if known != found.turn:
            known = found.turn
            return GRACE
        found = await store.index(project)
        return 0.0 if found.pending else None

    return Duty("indexing", bring_in_line)
