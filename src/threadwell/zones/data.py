"""One copy of the IANA zone data in a folder, and the zones in it."""

from __future__ import annotations

import re
from functools import cached_property
from importlib.resources.abc import Traversable
from zoneinfo import ZoneInfo

from threadwell.zones.release import Release
from threadwell.zones.zone import Zone, decode_zone

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+)*")
_MAGIC = b"TZif"
#: zic's own input, as it lies beside what was made of it: ``Z name …``, ``L target name``.
LIST = "tzdata.zi"
#: Files of a zone data folder that are no zone of any place, and folders with copies of another
#: count of time: a practice whose days depended on them could not be told from its name.
_NO_PLACE = ("factory", "localtime", "posixrules", "posix", "right")
#: A file of rules has at most some kilobytes; nothing else is read as one.
_LARGEST = 1 << 20

UTC_ZONE = ZoneInfo("UTC")


class UnknownZone(ValueError):
    """There is no such care time zone; the message says what was asked for, and what is near."""


class ZoneData:
    """The zones of a folder, laid out as ``/usr/share/zoneinfo`` is, in one release."""

    def __init__(self, folder: Traversable, release: Release) -> None:
        self._folder = folder
        self.release = release
        self._open: dict[str, Zone] = {}

    def zone(self, name: str) -> Zone:
        """The zone of an IANA name (``America/Chicago``); raises ``UnknownZone``."""
        if name not in self._open:
            self._open[name] = self._load(name)
        return self._open[name]

    def _load(self, name: str) -> Zone:
        if name.partition("/")[0].lower() in _NO_PLACE:
            raise UnknownZone(
                f"{name!r} is no time zone of a place: its name says nothing about its days"
            )
        rules = self._rules(name)
        if rules is None:
            near = self._names.get(name.lower().replace(" ", "_"))
            hint = f": did you mean {near}?" if near else " such as America/Chicago"
            raise UnknownZone(f"{name!r} is no IANA time zone{hint}")
        return decode_zone(name, self.release, rules)

    def _rules(self, name: str) -> bytes | None:
        """The bytes of the zone's file, if there is one under just this name."""
        # Some file systems find ``america/chicago`` too: it would be a second name for one zone.
        if not _NAME.fullmatch(name) or self._names.get(name.lower(), name) != name:
            return None
        file = self._folder
        for part in name.split("/"):
            file = file / part
        try:
            with file.open("rb") as opened:
                rules = opened.read(_LARGEST)
        except (OSError, ValueError):
            return None
        return rules if rules.startswith(_MAGIC) else None

    @cached_property
    def _names(self) -> dict[str, str]:
        """Every name by itself in lower case, out of zic's own list; a folder need not have it."""
        try:
            lines = (self._folder / LIST).read_text("utf-8").splitlines()
        except (OSError, ValueError):
            return {}
        words = [line.split() for line in lines if line.startswith(("Z ", "L "))]
        names = [one[1] if one[0] == "Z" else one[2] for one in words if len(one) > 2]
        return {name.lower(): name for name in names}
