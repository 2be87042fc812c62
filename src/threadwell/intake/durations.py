"""Lengths of time as people write them: ``24h``, ``90m``, ``1d12h``."""

from __future__ import annotations

import re
from datetime import timedelta

_DURATION = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?")


def length_of(text: str) -> timedelta | None:
    """The length of time that is written so; ``None`` for anything else, and for none at all."""
    match = _DURATION.fullmatch(text.replace(" ", "").lower())
    days, hours, minutes = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    return timedelta(days=days, hours=hours, minutes=minutes) or None
