"""How each duty fares, kept in the store so that every process can tell of it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import msgspec

from threadwell.duties.lease import LEASE, holders
from threadwell.stores.contract import Store

_KIND = "duty"
#: Seconds since the last beat after which nobody is shown to have a duty.
_SILENT = 3 * LEASE


class Record(msgspec.Struct, omit_defaults=True):
    """What has become of a duty's rounds, over all processes that ever had it.

    Times are in seconds since 1970 UTC, 0 for never. ``error`` is the kind of the last failure,
    ``""`` since a round went well; no message is kept, which may quote what a patient wrote.
    """

    runs: int = 0
    failures: int = 0
    seconds: float = 0.0
    last_success: float = 0.0
    last_failure: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A duty as it stands: its record, and who has it (``""`` for nobody)."""

    name: str
    record: Record
    holder: str

    @property
    def held(self) -> bool:
        """Whether a process has it."""
        return bool(self.holder)


async def read_record(store: Store, name: str) -> Record:
    """What has become of a duty so far."""
    kept = await store.get_private(_KIND, name)
    return msgspec.json.decode(kept, type=Record) if kept else Record()


async def keep_record(store: Store, name: str, record: Record) -> None:
    """Keep it, for whoever has the duty next."""
    await store.put_private(_KIND, name, msgspec.json.encode(record))


async def standings(store: Store) -> list[Standing]:
    """Every duty that ever was taken, by name."""
    records = await store.list_private(_KIND)
    held = await holders(store)
    now = time.time()
    return [
        Standing(
            name,
            msgspec.json.decode(records[name], type=Record) if name in records else Record(),
            held[name][0].holder if name in held and now - held[name][1] < _SILENT else "",
        )
        for name in sorted(records.keys() | held.keys())
    ]
