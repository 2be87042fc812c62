"""The people of a backfill: what tells them from others, and their lines."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

from threadwell.bulk.replacing import named
from threadwell.fhir.json import decode, encode
from threadwell.fhir.search.query import Query
from threadwell.intake.paging import search_all
from threadwell.intake.whole import PEOPLE
from threadwell.stores.contract import Store


async def digest_of_people(store: Store, project: str) -> str:
    """What tells all people, and what is known of them, from others."""
    total = 0
    for type_ in sorted(PEOPLE):
        async for stored in search_all(store, project, Query(type_)):
            body = {**decode(stored.body), "meta": None}
            total += int.from_bytes(blake2b(encode(body), digest_size=16).digest(), "big")
    return f"{total:x}"


async def write_people(store: Store, project: str, folder: Path) -> dict[str, int]:
    """Write a file of each type of people; how many there are of each."""
    counts: dict[str, int] = {}
    for type_ in sorted(PEOPLE):
        target = folder / f"{type_}.ndjson"
        target.unlink(missing_ok=True)
        count = 0
        with (fresh := target.with_suffix(".new")).open("wb") as file:
            async for stored in search_all(store, project, Query(type_)):
                with named(target):
                    file.write(stored.body + b"\n")
                count += 1
            with named(target):
                file.flush()
        if count:
            counts[type_] = count
            fresh.replace(target)
        else:
            fresh.unlink()
    return counts
