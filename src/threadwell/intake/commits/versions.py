"""The version ids that intake gives: by them it knows its own writes among those of others.

All that one commit writes has the same. They are UUIDs version 7 whose last four bytes follow from
the rest, which another's have by chance once in four thousand million times.
"""

from __future__ import annotations

from hashlib import sha256

from threadwell.fhir.stamp import new_id

_SIGN = b"intake"
_SIGNED = 28


def new_version(ms: int) -> str:
    """A fresh version id of that time."""
    free = new_id(ms)[:_SIGNED]
    return free + _signature(free)


def is_intakes(version_id: str) -> bool:
    """Whether intake gave it, in whichever process."""
    return len(version_id) == 36 and version_id[_SIGNED:] == _signature(version_id[:_SIGNED])


def _signature(free: str) -> str:
    return sha256(_SIGN + free.encode()).hexdigest()[:8]
