"""What an import tries again of what is held: what changes since the last one may let in."""

from __future__ import annotations

from hashlib import sha256

from threadwell.intake.held.awaited import as_thing
from threadwell.intake.held.release import Wanted
from threadwell.intake.noticed import notice
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Store

_KIND = "released"
#: So many changes are gone through sooner than all that is held.
_MOST_CHANGES = 5000


async def to_release(store: Store, project: str, settings: Settings) -> tuple[Wanted, bytes]:
    """What is to be tried, and what to keep once that was done (``keep_released``).

    It is all that is held where nobody has kept it, by other settings, or long ago.
    """
    now = await store.position(project)
    by, done = _digest(settings), done_until(now, settings)
    kept = (await store.get_private(_KIND, project) or b"").decode().partition(" ")
    if kept[2] != by or not 0 <= now - int(kept[0]) <= _MOST_CHANGES:
        return Wanted(all=True), done
    noticed = await notice(store, project, int(kept[0]), now, (), settings.country)
    circles = {as_thing(one) for one in ("", *noticed.written)}
    return Wanted({*noticed.addresses, *noticed.said, *circles}, noticed.held), done


def done_until(position: int, settings: Settings) -> bytes:
    """What to keep where all that changes up to a position may let in was tried."""
    return f"{position} {_digest(settings)}".encode()


async def keep_released(store: Store, project: str, done: bytes) -> None:
    """Keep that it was tried."""
    await store.put_private(_KIND, project, done)


def _digest(settings: Settings) -> str:
    """Of the settings by which somebody has an address."""
    own = sorted(str(one.key) for one in settings.owner)
    told = (*own, settings.country, settings.unknown, settings.organization)
    return sha256("\x1f".join(map(str, told)).encode("utf-8", "replace")).hexdigest()[:16]
