"""The server's own marks on a resource: id, version and time (§3.1.0.1 ``Resource.meta``).

The stamped body always begins ``{"resourceType":…,"id":…,"meta":{`` so that an answer can add to
``meta`` without parsing it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha1
from uuid import UUID

from threadwell.fhir.json import encode
from threadwell.fhir.resource import Resource

#: The digest of the namespace of derived ids: each goes on from a copy of it, which costs half of a
#: new one.
_DERIVED = sha1(UUID("6e9ccd5c-24c5-5cd9-a4f2-5f0f3b1f7a56").bytes, usedforsecurity=False)

#: The digit of the variant (RFC 9562 §4.1), by the one that stands in its place.
_VARIANT = {f"{digit:x}": f"{digit & 0x3 | 0x8:x}" for digit in range(16)}

#: Milliseconds since 1970 UTC.
Clock = Callable[[], int]


def now_ms() -> int:
    """The wall clock, in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def new_id(ms: int) -> str:
    """A fresh UUID version 7 (RFC 9562 §5.7): ids made later sort later."""
    head = ms.to_bytes(6, "big")
    tail = bytearray(os.urandom(10))
    tail[0] = tail[0] & 0x0F | 0x70
    tail[2] = tail[2] & 0x3F | 0x80
    h = (head + tail).hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def derived_id(system: str, value: str) -> str:
    """The id of the thing with that identifier: a UUID version 5 (RFC 9562 §5.5).

    The same thing has the same id wherever and whenever it is met.
    """
    # Spelt out for speed: an import derives several for every message.
    digest = _DERIVED.copy()
    digest.update(f"{system}|{value}".encode())
    h = digest.hexdigest()
    return f"{h[:8]}-{h[8:12]}-5{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:32]}"


def instant(ms: int) -> str:
    """A FHIR ``instant`` in UTC with milliseconds: ``2024-04-10T09:00:00.000Z``."""
    whole, part = divmod(ms, 1000)
    return f"{_second(whole)}.{part:03d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    # Who writes much does so many times in the same second.
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def stamp(resource: Resource, id_: str, version_id: str, updated: int) -> tuple[Resource, bytes]:
    """The resource with the server's marks, and its bytes.

    ``meta.versionId`` and ``meta.lastUpdated`` of the caller are replaced; the rest of ``meta``
    stays. The caller's dict is not changed.
    """
    meta = {
        **(resource.get("meta") or {}),
        "versionId": version_id,
        "lastUpdated": instant(updated),
    }
    # The first three stand in their place, whatever that was in the resource.
    stamped = {"resourceType": "", "id": id_, "meta": meta, **resource}
    stamped["id"], stamped["meta"] = id_, meta
    return stamped, encode(stamped)
