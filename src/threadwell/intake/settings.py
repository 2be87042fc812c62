"""What a practice decides about its imports, checked before the first message is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from phonenumbers import SUPPORTED_REGIONS

from threadwell import zones
from threadwell.encounters import codes
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.durations import length_of
from threadwell.intake.rulebook.ruleset import RuleSet
from threadwell.intake.tracking import Tracking
from threadwell.messages import Address
from threadwell.sessions import Policy, PolicyOptions
from threadwell.sessions.policies import UnknownPolicy, find_policy

SCOPES = ("thread", "patient")
UNKNOWN = ("quarantine", "patient")
#: How a practice is called that nobody has named.
UNNAMED = "This practice"

_ORGANIZATION = re.compile(r"Organization/[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, slots=True)
class Settings:
    """How an import finds sessions and what it does with strangers.

    ``scope`` is what a session spans: one ``thread``, or all threads of a ``patient``. ``owner``
    are the practice's own addresses and ``organization`` its reference (``Organization/…``),
    ``""`` to find or make one. ``country`` (ISO 3166-1 alpha-2) is where phone numbers belong that
    the store keeps without a country code. ``opening`` and ``closing`` are the keywords of the
    explicit policy; a message that begins with one opens or closes. ``unknown`` says whether a
    message of a stranger waits in quarantine or makes a Patient. ``clinical`` is the coding of the
    clinical type of Encounters, ``clinical_of`` another one for those of some channels, and
    ``labels`` what people call channels: the topic of a thread without a subject. ``batch``
    messages are committed at once, or some times as many where there is much, and what is read
    takes up to ``memory`` bytes before it goes to disk; so many ``workers`` are processes that
    decide while this one writes, where there is enough to do. ``dry_run`` commits none.
    ``correct_times`` lets a message that is read again move, where its time was read by other rules
    of the zone. ``zone_change`` tells,
    while sessions are cut anew for it, which zone data took the place of which (``2025b, now
    2026f``). ``tracking`` tells which messages need an answer, ``None`` where none is asked for,
    and ``rules`` what happens by itself.
    """

    policy: str = "per-day"
    scope: str = "thread"
    options: PolicyOptions = field(default_factory=PolicyOptions)
    unknown: str = "quarantine"
    owner: tuple[Address, ...] = ()
    organization: str = ""
    practice_name: str = UNNAMED
    country: str = "US"
    opening: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    clinical: Mapping[str, Any] = field(default_factory=lambda: codes.BY_COMPUTER_LINK)
    clinical_of: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    batch: int = 2000
    workers: int = 0
    memory: int = 128 * 1024 * 1024
    zone_change: str = ""
    dry_run: bool = False
    correct_times: bool = False
    tracking: Tracking | None = None
    rules: RuleSet | None = None

    def __post_init__(self) -> None:
        self.assign  # noqa: B018 - a policy that is not there is told now
        _one_of("scope", self.scope, SCOPES)
        _one_of("unknown", self.unknown, UNKNOWN)
        if self.organization and not _ORGANIZATION.fullmatch(self.organization):
            raise BadSetting("organization must be a reference such as Organization/123")
        if self.country not in SUPPORTED_REGIONS:
            raise BadSetting(f"country {self.country!r} is no country code such as US or GB")
        if self.batch < 1:
            raise BadSetting("batch must be at least 1")

    @property
    def assign(self) -> Policy:
        """The session policy; raises ``BadSetting`` where no such policy is installed."""
        try:
            return find_policy(self.policy)
        except UnknownPolicy as error:
            raise BadSetting(str(error)) from None


def parse_options(*, zone: str = "UTC", gap: str = "24h", rest: str = "30d") -> PolicyOptions:
    """The options of a policy, out of what a person typed; raises ``BadSetting``."""
    return PolicyOptions(parse_zone(zone), parse_duration("gap", gap), parse_duration("rest", rest))


def parse_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name (``America/Chicago``); raises ``BadSetting``."""
    try:
        return zones.current().data.zone(name).info
    except (zones.UnknownZone, zones.NoZoneData) as error:
        raise BadSetting(f"zone: {error}") from None


def parse_duration(setting: str, text: str) -> timedelta:
    """The length of ``24h``, ``90m``, ``1d12h``; raises ``BadSetting`` naming ``setting``."""
    length = length_of(text)
    if length is None:
        raise BadSetting(f"{setting} {text!r} is no length of time such as 24h, 90m or 1d12h")
    return length


def _one_of(setting: str, value: str, allowed: Iterable[str]) -> None:
    if value not in allowed:
        raise BadSetting(f"{setting} {value!r} is none of {', '.join(allowed)}")
