"""Where the servers of a store are reached: each notes its own address while it runs.

A command beside a server, such as ``threadwell sign-in``, makes its links with it.
"""

from __future__ import annotations

import os
import socket

import msgspec

from threadwell.fhir.stamp import Clock, now_ms
from threadwell.stores.contract import Store

_KIND = "server"
#: Machines that come and go, as containers do, must not fill the store with notes.
_MOST = 20


class _Note(msgspec.Struct, frozen=True):
    """What a server notes; ``since`` in milliseconds since 1970 UTC."""

    url: str
    machine: str
    process: int
    since: int


async def note_address(store: Store, url: str, clock: Clock = now_ms) -> None:
    """Note that this process serves ``store`` at ``url``.

    Nothing is noted when it stops: that it is gone can be seen, and a store that is away or locked
    must not hold it up.
    """
    note = _Note(url, socket.gethostname(), os.getpid(), clock())
    others = await _notes(store)
    latest = sorted(others, key=lambda name: others[name].since, reverse=True)
    for name in others:
        if _has_ended(others[name]) or name not in latest[:_MOST]:
            await store.put_private(_KIND, name, None)
    await store.put_private(_KIND, f"{note.machine} {note.process}", msgspec.json.encode(note))


async def noted_address(store: Store) -> str:
    """Where the server that was started last is reached, ``""`` if none seems to run."""
    running = [note for note in (await _notes(store)).values() if not _has_ended(note)]
    return max(running, key=lambda note: note.since).url if running else ""


async def _notes(store: Store) -> dict[str, _Note]:
    kept = await store.list_private(_KIND)
    return {name: msgspec.json.decode(value, type=_Note) for name, value in kept.items()}


def _has_ended(note: _Note) -> bool:
    """Whether that process is gone; of another machine nobody here can tell."""
    if note.machine != socket.gethostname() or os.name != "posix":
        return False
    try:
        os.kill(note.process, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it runs, and belongs to somebody else
        return False
    return False
