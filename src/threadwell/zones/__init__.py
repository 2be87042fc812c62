"""The one place where time zones are opened: which data there is, its release, and a zone of it.

It stands below everything: a day of care is a day by a named release of the IANA zone data
(RFC 8536, RFC 9557), and whoever needs a zone asks here and never the machine.
"""

from threadwell.zones.data import UTC_ZONE, UnknownZone, ZoneData
from threadwell.zones.moved import Span, differing
from threadwell.zones.release import Release, parse_release
from threadwell.zones.sources import NoZoneData, Source, current, machine, package
from threadwell.zones.zone import Zone, decode_zone, encode_zone, kept_zone

__all__ = [
    "UTC_ZONE",
    "NoZoneData",
    "Release",
    "Source",
    "Span",
    "UnknownZone",
    "Zone",
    "ZoneData",
    "current",
    "decode_zone",
    "differing",
    "encode_zone",
    "kept_zone",
    "machine",
    "package",
    "parse_release",
]
