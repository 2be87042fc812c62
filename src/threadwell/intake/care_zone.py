"""The care time zone: its name, and the rules by which the days of a store were cut.

Governments change the rules of zones, and zone data follows. A store keeps the very rules that
its days were cut by, so that nothing moves a finished session but a person (``recut``): new data
is taken at once where it moves nothing, and waits to be told where it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from threadwell import zones
from threadwell.installs import pip_install
from threadwell.intake.bad_setting import BadSetting
from threadwell.stores.contract import Store
from threadwell.zones import Source, Zone

if TYPE_CHECKING:
    from threadwell.intake.moved import MovedSession

#: Sessions that a line names.
_NAMED = 10
_KIND, _NAME, _RULES = "setting", "care-zone", "care-zone-rules"
#: The private values that it is kept in: their kind and names.
CARE_ZONE = _KIND, (_NAME, _RULES)


class OlderZoneData(BadSetting):
    """This process has older zone data than the one by which the days of the store were cut."""

    def __init__(self, kept: Zone, here: Zone) -> None:
        super().__init__(
            f"the days of this store were cut by zone data {kept.release}, and here is only "
            f"{here.release}: install a newer tzdata (`{pip_install('--upgrade', 'tzdata')}`)"
        )


@dataclass(frozen=True, slots=True)
class CareDays:
    """By which rules the days of a store are cut.

    ``kept`` are those of the store, ``None`` before its first import, ``here`` those of this
    process. ``moved`` are the sessions that would not be the same by the latter.
    """

    kept: Zone | None
    here: Zone
    moved: tuple[MovedSession, ...] = ()

    @property
    def cutting(self) -> Zone:
        """The rules to go on with: the newer ones, unless they would move a session."""
        return self.kept if self.kept and self.waiting else self.here

    @property
    def waiting(self) -> tuple[MovedSession, ...]:
        """The sessions that a new cut would move; those that were billed stay as they are."""
        return tuple(one for one in self.moved if not one.locked)


async def care_zone(store: Store) -> ZoneInfo:
    """The zone of the practice, by the newest rules there are; UTC where none was ever told."""
    return zones.current().data.zone(await kept_zone(store) or "UTC").info


async def kept_zone(store: Store) -> str:
    """The name of the zone that an import was told; ``""`` where none ever was."""
    name = await store.get_private(_KIND, _NAME)
    return name.decode() if name else ""


async def kept_rules(store: Store) -> Zone | None:
    """The zone with the rules by which days are cut; ``None`` where none was ever told."""
    kept = await store.get_private(_KIND, _RULES)
    return zones.kept_zone(kept) if kept else None


async def keep_care_zone(store: Store, zone: Zone) -> None:
    """Remember the zone and its rules for later imports, and for the pages."""
    for name, value in ((_NAME, zone.name.encode()), (_RULES, zones.encode_zone(zone))):
        if value != await store.get_private(_KIND, name):
            await store.put_private(_KIND, name, value)


async def care_days(store: Store, project: str, name: str) -> CareDays:
    """By which rules days are cut in the zone of that name; raises ``OlderZoneData``."""
    from threadwell.intake.moved import moved_sessions

    here = zones.current().data.zone(name)
    kept = await kept_rules(store)
    if kept is None or kept.name != name:
        return CareDays(None, here)
    if kept.release > here.release:
        raise OlderZoneData(kept, here)
    return CareDays(kept, here, tuple(await moved_sessions(store, project, kept, here)))


async def days_of_store(store: Store, project: str) -> CareDays | None:
    """The same for the store's own zone; ``None`` where none was ever told."""
    name = await kept_zone(store)
    return await care_days(store, project, name) if name else None


@dataclass(frozen=True, slots=True)
class ZoneReport:
    """The zone data of this process and its machine, and the days of the store.

    ``machine`` is ``None`` where the machine has none that tells its release, ``days`` where the
    store was never told a zone.
    """

    used: Source
    machine: Source | None
    days: CareDays | None


async def zone_report(store: Store, project: str) -> ZoneReport:
    """What ``threadwell zones`` shows; raises ``OlderZoneData``."""
    return ZoneReport(zones.current(), zones.machine(), await days_of_store(store, project))


def waiting_text(days: CareDays) -> str:
    """A line that says what waits for a new cut; ``""`` if nothing does. It names no patient."""
    sessions = sorted({one.encounter for one in days.waiting})
    if not sessions or days.kept is None:
        return ""
    some = ", ".join(sessions[:_NAMED])
    more = f" and {len(sessions) - _NAMED} more" if len(sessions) > _NAMED else ""
    return (
        f"zone data {days.here.release} has other days for messages of {some}{more} than "
        f"{days.kept.release}, by which the days of this store were cut: nothing moves until "
        "`threadwell recut`; `threadwell zones` lists them"
    )
