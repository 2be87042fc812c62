"""An import as the store keeps it: what was asked, how far it is, and what could not be stored.

All of it are private values, as those of an export (``job``). How far it is changes in the commit
of the resources that it tells of: what is told as done is done, and nothing is done twice.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from threadwell.bulk.job import PIECES, File, Part
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

#: Kinds of private values; they go by themselves, and belong to no copy of a store.
ASKED, PROGRESS = "bulk-import-asked", "bulk-import-progress"
#: Pieces that are removed at once.
_AT_ONCE = 20


class State(StrEnum):
    """What is done for it now, or what has become of it."""

    LOADING = "loading"
    DONE = "done"
    FAILED = "failed"
    ENDED = "ended"


class Input(msgspec.Struct, frozen=True):
    """A file to be fetched, and the type of every resource in it."""

    type: str
    url: str


class AskedImport(msgspec.Struct, frozen=True):
    """What was asked for, checked.

    ``url`` is the request, ``source`` where the files come from. ``who`` is the client that asked,
    ``client`` its id, with ``scopes`` about resources, and as an app about a ``patient``.
    """

    url: str
    source: str
    who: str
    client: str
    inputs: tuple[Input, ...]
    scopes: tuple[str, ...] = ()
    patient: str = ""


class Count(msgspec.Struct):
    """What became of the lines of a file. ``why`` it was not read to its end, ``""`` if it was."""

    lines: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    bad: int = 0
    why: str = ""


class Loading(msgspec.Struct):
    """How far an import is.

    ``time`` is when it began, in milliseconds since 1970 UTC. It is at the file ``at``, of which it
    has looked at ``number`` lines, that end at ``ends`` in the text; ``digest`` is that of the
    bytes in which they were. ``later`` are lines (of which file, and which number) that refer to
    what was not there yet; ``again`` counts how often it looks at those, and is -1 when it does for
    the last time; ``waiting`` is how many there were before. ``tries`` are those to fetch a file,
    the next one ``due`` then. ``files`` and ``kept`` are as of an export.
    """

    state: State = State.LOADING
    time: int = 0
    at: int = 0
    ends: int = 0
    number: int = 0
    digest: str = ""
    counts: list[Count] = []
    later: list[tuple[int, int]] = []
    again: int = 0
    waiting: int = 0
    tries: int = 0
    due: int = 0
    files: dict[str, File] = {}
    kept: int = 0
    failures: int = 0
    error: str = ""
    expires: int = 0

    def next_file(self) -> None:
        """Go on with the next file."""
        self.at += 1
        self.ends = self.number = self.tries = self.due = 0
        self.digest = ""

    def lines(self) -> int:
        """How many lines were looked at."""
        return sum(count.lines for count in self.counts)

    def errors(self) -> list[tuple[str, File]]:
        """The files of what could not be stored, by name."""
        return [(name, one) for name, one in self.files.items() if one.part is Part.ERROR]


class ImportJob(msgspec.Struct, frozen=True):
    """An import under its id, with the value of its progress as it was read."""

    id: str
    progress: Loading
    value: bytes


async def begin_import(store: Store, project: str, id_: str, asked: AskedImport, now: int) -> None:
    """Keep what is asked: whoever has the duty hears of it."""
    name = _name(project, id_)
    progress = Loading(time=now, counts=[Count() for _ in asked.inputs])
    kept = (
        Kept(ASKED, name, msgspec.json.encode(asked), before=None),
        Kept(PROGRESS, name, msgspec.json.encode(progress), before=None),
    )
    await store.commit(project, ChangeSet((), kept=kept))


async def find_asked_import(store: Store, project: str, id_: str) -> AskedImport | None:
    """What was asked under that id."""
    value = await store.get_private(ASKED, _name(project, id_))
    return None if value is None else msgspec.json.decode(value, type=AskedImport)


async def find_import(store: Store, project: str, id_: str) -> ImportJob | None:
    """The import of that id."""
    value = await store.get_private(PROGRESS, _name(project, id_))
    return None if value is None else ImportJob(id_, _read(value), value)


async def import_jobs(store: Store, project: str) -> list[ImportJob]:
    """Every import of a project, in the order in which they were asked for."""
    mine = f"{project}/"
    found = await store.list_private(PROGRESS, after=mine)
    return [
        ImportJob(name.removeprefix(mine), _read(value), value)
        for name, value in found.items()
        if name.startswith(mine)
    ]


def kept_loading(project: str, job: ImportJob) -> Kept:
    """The progress of the job as it is by now, after the one that was read."""
    value = msgspec.json.encode(job.progress)
    return Kept(PROGRESS, _name(project, job.id), value, before=job.value)


async def end_import(store: Store, project: str, id_: str) -> bool:
    """Have an import end, whatever is done for it; ``False`` where there is none."""
    while (job := await find_import(store, project, id_)) is not None:
        if job.progress.state is State.ENDED:
            return False
        job.progress.state = State.ENDED
        try:
            await store.commit(project, ChangeSet((), kept=(kept_loading(project, job),)))
        except Conflict:
            continue
        return True
    return False


async def remove_import(store: Store, project: str, job: ImportJob, held: tuple[Kept, ...]) -> None:
    """Remove an import and its pieces, those first; may be broken off, and done again."""
    name = _name(project, job.id)
    prefix = f"{name}/"
    while True:
        found = await store.list_private(PIECES, after=prefix, count=_AT_ONCE)
        gone = tuple(Kept(PIECES, one, None) for one in found if one.startswith(prefix))
        if not gone:
            break
        await store.commit(project, ChangeSet((), kept=(*gone, *held)))
    last = (Kept(ASKED, name, None), Kept(PROGRESS, name, None, before=job.value))
    await store.commit(project, ChangeSet((), kept=(*last, *held)))


def _read(value: bytes) -> Loading:
    return msgspec.json.decode(value, type=Loading)


def _name(project: str, id_: str) -> str:
    return f"{project}/{id_}"
