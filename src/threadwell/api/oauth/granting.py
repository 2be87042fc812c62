"""Who has which policy, changed so that servers that run know of it within ``access.LOOK``."""

from __future__ import annotations

from typing import Any

from threadwell.access.grants import keep_age
from threadwell.access.memberships import (
    Membership,
    keep_membership,
    keep_policy,
    remove_membership,
    remove_policy,
)
from threadwell.fhir.resource import Resource
from threadwell.logins import endings
from threadwell.stores.contract import Store


async def set_policy(store: Store, project: str, policy: Any) -> Resource:
    """Keep an AccessPolicy; it holds at once for all who have it. Raises ``BadPolicy``."""
    kept = await keep_policy(store, project, policy)
    await endings.tell(store)
    return kept


async def drop_policy(store: Store, project: str, id_: str) -> bool:
    """Remove an AccessPolicy that nobody has (else ``BadPolicy``); ``False`` if there is none."""
    return await remove_policy(store, project, id_)


async def give(store: Store, project: str, membership: Membership) -> None:
    """Give somebody policies, in place of those they had. Raises ``BadPolicy``."""
    await keep_membership(store, project, membership)
    await endings.tell(store)


async def free(store: Store, project: str, who: str) -> bool:
    """Let somebody do everything again; ``False`` where they may already."""
    had = await remove_membership(store, project, who)
    await endings.tell(store)
    return had


async def choose_age(store: Store, project: str, years: int) -> None:
    """Choose the age from which patients are asked themselves, 0 for none; raises ``BadAge``."""
    await keep_age(store, project, years)
    await endings.tell(store)
