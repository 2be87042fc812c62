"""How the sessions of a store are cut: chosen with its first import, and kept with it.

Sessions that were cut in two ways would contradict each other, so a later import goes by what is
kept, and another choice is for ``recut``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from threadwell.encounters import codes
from threadwell.fhir.search.query import Query
from threadwell.intake import kept_rules as rules
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.care_zone import CARE_ZONE, CareDays, keep_care_zone, kept_zone
from threadwell.intake.country import COUNTRY, keep_country, kept_country
from threadwell.intake.settings import parse_duration, parse_zone
from threadwell.intake.todos import since as todos
from threadwell.sessions.policies import is_cut_by
from threadwell.stores.contract import Kept, Key, Store

_KIND = "session-choices"
_CLINICAL = re.compile(r"(?:([\w.-]+)=)?([^|\s]+)\|([^|\s]+)(?:\|([^|]+))?")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an import or a new cut is told; ``None`` and ``()`` leave it at what is kept."""

    policy: str | None = None
    gap: str | None = None
    scope: str | None = None
    zone: str | ZoneInfo | None = None
    opening: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    clinical_types: tuple[str, ...] = ()
    organization: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """How sessions are cut, in the words in which it was asked for.

    ``zone`` is ``""`` where nobody has said one. The clinical types and the organization are for
    sessions to come: they may change at any time. ``recutting`` is true from the beginning of a
    new cut to its end, and ``zone_change`` tells which zone data then took the place of which.
    ``country`` is ``""`` where nobody has said one. ``earlier_ids`` tells that messages of the
    store may have ids that earlier builds made: those kept no word about it.
    """

    policy: str = "per-day"
    gap: str = "24h"
    scope: str = "thread"
    zone: str = ""
    opening: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    clinical_types: tuple[str, ...] = ()
    organization: str = ""
    recutting: bool = False
    zone_change: str = ""
    country: str = ""
    earlier_ids: bool = True

    def with_asked(self, asked: Asked) -> Choices:
        """These choices, but for what is asked; raises ``BadSetting`` for a zone that is none."""
        zone = asked.zone
        if zone is not None:
            zone = zone.key if isinstance(zone, ZoneInfo) else parse_zone(zone).key
        return Choices(
            asked.policy or self.policy,
            asked.gap or self.gap,
            asked.scope or self.scope,
            zone or self.zone,
            asked.opening or self.opening,
            asked.closing or self.closing,
            asked.clinical_types or self.clinical_types,
            asked.organization or self.organization,
            self.recutting,
            self.zone_change,
            self.country,
            self.earlier_ids,
        )

    def changes(self, other: Choices) -> list[str]:
        """What ``other`` cuts differently, each as ``policy per-day, not per-thread``.

        What does not cut sessions of its policy is no difference: a day has no gap.
        """
        pairs = [
            ("policy", self.policy, other.policy),
            ("scope", self.scope, other.scope),
            ("zone", self.zone or "UTC", other.zone or "UTC"),
        ]
        for name, setting in (
            ("opening keyword", "opening"),
            ("closing keyword", "closing"),
            ("gap", "gap"),
        ):
            if other.is_cut_by(setting):
                pairs.append((name, self._told(setting), other._told(setting)))
        return [
            f"{name} {ours or 'none'}, not {new or 'none'}"
            for name, ours, new in pairs
            if ours != new and not (name == "gap" and _is_as_long(ours, new))
        ]

    def is_cut_by(self, setting: str) -> bool:
        """Whether ``gap``, ``opening`` or ``closing`` cuts sessions of the policy."""
        return is_cut_by(self.policy, setting)

    def keeping_idle(self, kept: Choices) -> Choices:
        """These, but as ``kept`` in what does not cut: that is for ``recut`` to change."""
        idle = [one for one in ("gap", "opening", "closing") if not self.is_cut_by(one)]
        return replace(self, **{name: getattr(kept, name) for name in idle})

    def _told(self, setting: str) -> str:
        value = getattr(self, setting) if self.is_cut_by(setting) else ""
        return value if isinstance(value, str) else " ".join(value)


def _is_as_long(gap: str, other: str) -> bool:
    return bool(gap and other) and parse_duration("gap", gap) == parse_duration("gap", other)


async def kept_choices(store: Store, project: str) -> Choices | None:
    """What was chosen for the store; ``None`` before its first import."""
    kept = await store.get_private(_KIND, project)
    if kept is None:
        return None
    chosen = msgspec.json.decode(kept, type=Choices)
    return replace(chosen, zone=await kept_zone(store), country=await kept_country(store))


async def chosen(store: Store, project: str) -> dict[Key, Kept]:
    """All that is kept of it, each to be found as it is by a commit that rests on it."""
    found = {Key(_KIND, project): await store.get_private(_KIND, project)}
    for kind, names in (CARE_ZONE, COUNTRY, (todos.KIND, (project,)), (rules.KIND, (project,))):
        there = await store.get_private_many(kind, names)
        found |= {Key(kind, name): there.get(name) for name in names}
    return {key: Kept(*key, one, one) for key, one in found.items() if one is not None}


async def keep_choices(
    store: Store, project: str, choices: Choices, days: CareDays | None = None
) -> None:
    """Keep the choices for later imports, and of ``days`` the zone by whose rules they are cut."""
    if choices.zone and days:
        await keep_care_zone(store, days.cutting)
    if choices.country:
        await keep_country(store, choices.country)
    kept = msgspec.json.encode(replace(choices, zone="", country=""))
    await store.put_private(_KIND, project, kept)


async def has_messages(store: Store, project: str) -> bool:
    """Whether any message was ever taken in."""
    return bool((await store.search(project, Query("Communication", count=1))).matches)


def clinical_types(
    texts: Iterable[str],
) -> tuple[Mapping[str, Any], Mapping[str, Mapping[str, Any]]]:
    """The clinical type of Encounters, and those for sessions of some channels.

    Each text is ``SYSTEM|CODE`` or ``SYSTEM|CODE|DISPLAY``, with ``CHANNEL=`` before it where it
    is for one channel. Raises ``BadSetting``.
    """
    default: Mapping[str, Any] = codes.BY_COMPUTER_LINK
    by_channel: dict[str, Mapping[str, Any]] = {}
    for text in texts:
        match = _CLINICAL.fullmatch(text)
        if match is None:
            raise BadSetting(
                f"clinical type {text!r} is not written as [CHANNEL=]SYSTEM|CODE[|DISPLAY]"
            )
        channel, system, code, display = match.groups()
        coding = {"system": system, "code": code} | ({"display": display} if display else {})
        if channel:
            by_channel[channel] = coding
        else:
            default = coding
    return default, by_channel
