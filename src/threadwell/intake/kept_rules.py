"""The rules of a store: the text of their file, as a private value, so that all processes have
it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec

from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.care_zone import care_zone
from threadwell.intake.rulebook.reading import BadRules, read_rules
from threadwell.intake.rulebook.ruleset import RuleSet
from threadwell.intake.todos.since import heard_since
from threadwell.intake.tracking import Tracking
from threadwell.stores.contract import Store

KIND = "rules"


class Kept(msgspec.Struct, frozen=True):
    """The text of the file, and since when there are rules (µs since 1970 UTC)."""

    text: str
    began: int


async def keep_rules(store: Store, project: str, text: str, *, clock: Clock = now_ms) -> RuleSet:
    """Keep the rules of a file in the place of those before; raises ``BadRules``."""
    zone = await care_zone(store)
    before = await _kept(store, project)
    began = before.began if before else clock() * 1000
    rules = read_rules(text, zone, began=began)
    await store.put_private(KIND, project, msgspec.json.encode(Kept(text, began)))
    return rules


async def checked_rules(store: Store, project: str, text: str) -> RuleSet:
    """The rules of a file as they would be kept; raises ``BadRules``."""
    before = await _kept(store, project)
    return read_rules(text, await care_zone(store), began=before.began if before else 0)


async def drop_rules(store: Store, project: str) -> bool:
    """Have no rules any more; whether there were any."""
    there = await _kept(store, project) is not None
    await store.put_private(KIND, project, None)
    return there


async def kept_text(store: Store, project: str) -> str:
    """The text of the file, ``""`` where there is none."""
    kept = await _kept(store, project)
    return kept.text if kept else ""


async def kept_rules(store: Store, project: str, zone: ZoneInfo | None = None) -> RuleSet | None:
    """The rules of a store, ``None`` where there are none.

    What an earlier build has taken and this one does not counts as none.
    """
    kept = await _kept(store, project)
    if kept is None:
        return None
    try:
        return read_rules(kept.text, zone or await care_zone(store), began=kept.began)
    except BadRules:
        return None


async def kept_tracking(store: Store, project: str) -> Tracking | None:
    """How threads of a store are looked after, ``None`` where they are not."""
    rules = await kept_rules(store, project)
    return (rules or RuleSet()).tracking(await heard_since(store, project))


async def _kept(store: Store, project: str) -> Kept | None:
    value = await store.get_private(KIND, project)
    return msgspec.json.decode(value, type=Kept) if value is not None else None
