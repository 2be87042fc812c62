"""The care time zone: in which a day of the practice begins and ends, kept with the store."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from threadwell.stores.contract import Store

_KIND, _NAME = "setting", "care-zone"


async def care_zone(store: Store) -> ZoneInfo:
    """The zone of the practice; UTC where none was ever told."""
    return await kept_zone(store) or ZoneInfo("UTC")


async def kept_zone(store: Store) -> ZoneInfo | None:
    """The zone that an import was told; ``None`` where none ever was."""
    name = await store.get_private(_KIND, _NAME)
    return ZoneInfo(name.decode()) if name else None


async def keep_care_zone(store: Store, zone: ZoneInfo) -> None:
    """Remember the zone for later imports and for the pages."""
    if zone != await kept_zone(store):
        await store.put_private(_KIND, _NAME, zone.key.encode())
