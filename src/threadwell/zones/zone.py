"""A zone by the rules of one release, and its form in a store."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import msgspec

from threadwell.zones.release import Release, parse_release


@dataclass(frozen=True, slots=True)
class Zone:
    """``rules`` are the bytes of its file (RFC 8536); ``info`` reads times by them."""

    name: str
    release: Release
    rules: bytes = field(repr=False)
    info: ZoneInfo = field(compare=False, repr=False)


class _Kept(msgspec.Struct, frozen=True):
    name: str
    release: str
    rules: bytes


def encode_zone(zone: Zone) -> bytes:
    """What a store keeps of the zone by which its days were cut."""
    return msgspec.json.encode(_Kept(zone.name, str(zone.release), zone.rules))


_zones: WeakKeyDictionary[ZoneInfo, Zone] = WeakKeyDictionary()


@lru_cache(maxsize=64)
def decode_zone(name: str, release: Release, rules: bytes) -> Zone:
    """The zone of those rules; the same one for the same rules. Raises ``ValueError``."""
    zone = Zone(name, release, rules, ZoneInfo.from_file(BytesIO(rules), key=name))
    _zones[zone.info] = zone
    return zone


def zone_of(info: ZoneInfo) -> Zone | None:
    """The zone that reads times by that; ``None`` where it was not made here."""
    return _zones.get(info)


def kept_zone(kept: bytes) -> Zone:
    """The zone out of what ``encode_zone`` gave; raises ``ValueError`` for anything else."""
    one = msgspec.json.decode(kept, type=_Kept)
    release = parse_release(one.release)
    if release is None:
        raise ValueError("the kept zone names no release")
    return decode_zone(one.name, release, one.rules)
