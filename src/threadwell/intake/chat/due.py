"""Private values of the chat that are kept for a while, and go when their time is over.

Each has an entry whose name begins with that time, written in the same commit. So the first entries
tell what is to go, and nothing is searched for.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

from threadwell.intake.patience import Contended, Patience
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

_KIND = "chat-due"
_DIGITS = 15
_BATCH = 200


def kept_until(project: str, due: int, kind: str, name: str) -> Kept:
    """What lets a private value go at that time, in milliseconds since 1970 UTC."""
    digest = sha256(f"{kind}\0{name}".encode()).hexdigest()[:32]
    entry = f"{project}/{due:0{_DIGITS}}/{digest}"
    return Kept(_KIND, entry, msgspec.json.encode((due, kind, name)))


async def let_go(store: Store, project: str, now: int) -> float | None:
    """Let go of what is due; the seconds until something else is, ``None`` where nothing waits.

    Raises ``Contended`` where others keep writing to the same values.
    """
    patience = Patience()
    while await patience.turn():
        found = await store.list_private(_KIND, after=f"{project}/", count=_BATCH)
        entries = {name: value for name, value in found.items() if name.startswith(f"{project}/")}
        if not entries:
            return None
        gone: list[Kept] = []
        for entry, value in entries.items():
            due, kind, name = msgspec.json.decode(value, type=tuple[int, str, str])
            if due > now:
                break
            gone += [Kept(_KIND, entry, None, before=value), Kept(kind, name, None)]
        if not gone:
            return max(0.0, (due - now) / 1000)
        # One value may have been kept twice: a change set writes each name once.
        once = {(one.kind, one.name): one for one in gone}
        try:
            await store.commit(project, ChangeSet((), kept=tuple(once.values())))
        except Conflict:
            continue
        patience = Patience()
    raise Contended("others keep writing to what is let go of")
