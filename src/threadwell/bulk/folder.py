"""All that a store has as NDJSON in a folder, as of one moment; broken off, it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from threadwell.access.view import Whole
from threadwell.audit.record import Who
from threadwell.audit.way import WAY
from threadwell.bulk.files import Lines, export_record, named, written
from threadwell.bulk.job import UNDER_WAY, Asked, Part, Progress
from threadwell.bulk.replacing import replace
from threadwell.bulk.scope import Scope
from threadwell.bulk.walking import Walk
from threadwell.fhir.stamp import Clock, instant, now_ms
from threadwell.intake.carried import MANIFEST, extension_of
from threadwell.stores.contract import ChangeSet, Store

#: How far it is, while it is under way.
UNDONE = ".threadwell-export.json"


class Taken(Exception):
    """The folder has something else in it; the message names it."""


class _State(msgspec.Struct, frozen=True):
    asked: Asked
    progress: Progress


async def export_into(
    store: Store,
    project: str,
    folder: Path,
    types: Sequence[str],
    *,
    since: int | None = None,
    told: Callable[[Progress], None] = lambda _: None,
    clock: Clock = now_ms,
    by: Who | None = None,
) -> Progress:
    """Write files of those types, and ``manifest.json``; what comes into them is recorded before,
    as seen ``by`` somebody. Raises ``Taken``, ``OSError`` and
    ``StoreError``.
    """
    asked = Asked(url="", fhir="", who="", types=tuple(types), since=since)
    progress = _begun(folder, asked)
    bases = await store.home(project)
    view = Whole(store)
    scope = Scope(view, project, asked, {}, bases)
    walk = Walk(store, project, view, asked, scope, bases, clock, {})
    if not progress.time:
        await walk.begin(progress)
    while progress.phase in UNDER_WAY:
        lines = Lines()
        wait = await walk.step(progress, lines)
        if wait:
            await asyncio.sleep(wait)
        if lines.shown:
            kept = export_record(project, by or Who(way=WAY.get()), lines.shown, clock())
            await store.commit(project, ChangeSet((), kept=(kept,)))
        written(folder, progress, lines)
        replace(folder / UNDONE, msgspec.json.encode(_State(asked, progress)))
        told(progress)
    more = await extension_of(store, project)
    replace(folder / MANIFEST, _manifest(progress, more))
    (folder / UNDONE).unlink()
    return progress


def _begun(folder: Path, asked: Asked) -> Progress:
    """How far it was, with the files as they were then."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / UNDONE
    if not mark.exists():
        if any(folder.iterdir()):
            raise Taken(f"{folder} is not empty: give a folder that is, or does not exist")
        return Progress()
    state = msgspec.json.decode(mark.read_bytes(), type=_State)
    if state.asked != asked:
        raise Taken(f"{folder} has an export of something else that was broken off: remove it")
    for name, file in state.progress.files.items():
        with (folder / name).open("r+b") as there:
            there.truncate(file.size)
    for path in folder.iterdir():
        if path != mark and path.name not in state.progress.files:
            path.unlink()
    return state.progress


def _manifest(progress: Progress, more: Mapping[str, Any]) -> bytes:
    told = {
        "transactionTime": instant(progress.time),
        **{
            part.value: [
                {"type": file.type, "url": name, "count": file.lines}
                for name, file in named(progress, part)
            ]
            for part in (Part.OUTPUT, Part.DELETED)
        },
        **more,
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
