"""Which project whoever opens a store is about, where that is not said where it is opened."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from threadwell.stores.failures import StoreError
from threadwell.stores.stored import DEFAULT_PROJECT

if TYPE_CHECKING:
    from threadwell.stores.contract import Store

#: The name or id of a project; ``""`` for the first one.
CHOSEN: ContextVar[str] = ContextVar("project", default="")


async def chosen(store: Store, named: str = "") -> str:
    """The id of the project that is named or, if none is, ``CHOSEN``; raises ``StoreError``."""
    named = named or CHOSEN.get()
    if not named:
        return DEFAULT_PROJECT
    # A command that only prints help names this module, and loads nothing more.
    from threadwell.projects.registry import named_project

    found = await named_project(store, named)
    if found is None:
        raise StoreError(
            f"there is no project {named}: `threadwell project list` has those there are"
        )
    return found.id
