"""An export as the store keeps it: what was asked, how far it is, and the pieces of its files.

All of it are private values. What is asked never changes. How far it is changes by compare-and-set,
in the commit of the pieces that it tells of: so a process that dies in the middle leaves nothing
behind that is not told of, and the next one goes on from there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum

import msgspec

from threadwell.bulk.packing import HEAD, end, unpack
from threadwell.fhir.search.query import Place
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store, StoreError

#: Kinds of private values; what is in them goes by itself, and belongs to no copy of a store.
ASKED, PROGRESS, PIECES = "bulk-asked", "bulk-progress", "bulk-pieces"
KINDS = (ASKED, PROGRESS, PIECES)
#: Pieces that are removed at once.
_AT_ONCE = 200


class Phase(StrEnum):
    """What is done for it now, or what has become of it."""

    WALKING = "walking"
    DELETIONS = "deletions"
    SETTLING = "settling"
    DONE = "done"
    FAILED = "failed"
    ENDED = "ended"


#: Those in which there is work to do.
UNDER_WAY = frozenset({Phase.WALKING, Phase.DELETIONS, Phase.SETTLING})


class Part(StrEnum):
    """Which list of the manifest a file is in."""

    OUTPUT = "output"
    DELETED = "deleted"
    ERROR = "error"


class Asked(msgspec.Struct, frozen=True):
    """What was asked for, checked.

    ``url`` is the request, ``fhir`` the base under which references to files are told. ``who`` is
    the client that asked, with ``scopes`` about resources, and as an app about a ``patient``, as
    far as it has any. ``types`` are the types, in order. ``filters`` are pairs of a type and a
    query, of which one has to match; ``elements`` those of a type, or of every type under ``""``.
    ``since`` is in milliseconds since 1970 UTC, ``None`` without. ``of_patients``: only what
    belongs to a patient; to one of ``patients``, unless that is ``None``. ``notes`` are told beside
    the result.
    """

    url: str
    fhir: str
    who: str
    types: tuple[str, ...]
    filters: tuple[tuple[str, str], ...] = ()
    elements: tuple[tuple[str, str], ...] = ()
    since: int | None = None
    of_patients: bool = False
    patients: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    patient: str = ""


class File(msgspec.Struct):
    """A file: how many lines and bytes it has, their CRC-32, and in how many pieces it is kept."""

    part: Part
    type: str
    lines: int = 0
    size: int = 0
    checksum: int = 0
    pieces: int = 0


class Progress(msgspec.Struct):
    """How far an export is.

    ``time`` is its ``transactionTime`` in milliseconds, 0 before it has begun; ``seen`` the
    position up to which changes were heeded. It has walked the first ``walk`` stretches, and the
    next one up to ``after``. ``log`` is how far deletions were looked for. ``late`` are names of
    resources that were committed when it had begun, with a time before. ``kept`` are the bytes of
    its pieces. ``policy`` stands for what its caller may see. ``expires`` is when the files go.
    """

    phase: Phase = Phase.WALKING
    time: int = 0
    seen: int = 0
    walk: int = 0
    after: tuple[int, int] | None = None
    log: int = -1
    late: list[str] = []
    files: dict[str, File] = {}
    kept: int = 0
    policy: str = ""
    failures: int = 0
    error: str = ""
    expires: int = 0

    @property
    def place(self) -> Place | None:
        """Where the stretch goes on."""
        return None if self.after is None else Place((self.after[0],), self.after[1])

    def lines(self, part: Part = Part.OUTPUT) -> int:
        """How many lines there are in the files of a part."""
        return sum(file.lines for file in self.files.values() if file.part is part)


class Job(msgspec.Struct, frozen=True):
    """An export under its id, with the value of its progress as it was read."""

    id: str
    progress: Progress
    value: bytes

    @property
    def has_changed(self) -> bool:
        """Whether the progress is not as it was read."""
        return msgspec.json.encode(self.progress) != self.value


async def begin(store: Store, project: str, id_: str, asked: Asked) -> None:
    """Keep what is asked: whoever has the duty hears of it."""
    name = _name(project, id_)
    kept = (
        Kept(ASKED, name, msgspec.json.encode(asked), before=None),
        Kept(PROGRESS, name, msgspec.json.encode(Progress()), before=None),
    )
    await store.commit(project, ChangeSet((), kept=kept))


async def find_asked(store: Store, project: str, id_: str) -> Asked | None:
    """What was asked under that id."""
    value = await store.get_private(ASKED, _name(project, id_))
    return None if value is None else msgspec.json.decode(value, type=Asked)


async def find_job(store: Store, project: str, id_: str) -> Job | None:
    """The export of that id."""
    value = await store.get_private(PROGRESS, _name(project, id_))
    return None if value is None else Job(id_, _read(value), value)


async def jobs(store: Store, project: str) -> list[Job]:
    """Every export of a project, in the order in which they were asked for."""
    found = await store.list_private(PROGRESS, after=f"{project}/")
    mine = f"{project}/"
    return [
        Job(name.removeprefix(mine), _read(value), value)
        for name, value in found.items()
        if name.startswith(mine)
    ]


def kept_progress(project: str, job: Job, progress: Progress) -> Kept:
    """The progress that follows the one that was read."""
    name, value = _name(project, job.id), msgspec.json.encode(progress)
    return Kept(PROGRESS, name, value, before=job.value)


def kept_piece(project: str, id_: str, file: str, number: int, piece: bytes) -> Kept:
    """A piece of a file."""
    return Kept(PIECES, _piece(project, id_, file, number), piece)


async def end_job(store: Store, project: str, id_: str) -> bool:
    """Have an export end, whatever is done for it; ``False`` where there is none."""
    while (job := await find_job(store, project, id_)) is not None:
        if job.progress.phase is Phase.ENDED:
            return False
        job.progress.phase = Phase.ENDED
        try:
            kept = (kept_progress(project, job, job.progress),)
            await store.commit(project, ChangeSet((), kept=kept))
        except Conflict:
            continue
        return True
    return False


async def remove(store: Store, project: str, job: Job, held: tuple[Kept, ...]) -> None:
    """Remove an export and its pieces, those first; may be broken off, and done again."""
    prefix = f"{_name(project, job.id)}/"
    while names := await _names(store, prefix):
        gone = tuple(Kept(PIECES, name, None) for name in names)
        await store.commit(project, ChangeSet((), kept=(*gone, *held)))
    name = _name(project, job.id)
    last = (Kept(ASKED, name, None), Kept(PROGRESS, name, None, before=job.value))
    await store.commit(project, ChangeSet((), kept=(*last, *held)))


async def content(
    store: Store, project: str, id_: str, name: str, file: File, *, packed: bool
) -> AsyncIterator[bytes]:
    """A file piece by piece, ``packed`` as gzip. Raises ``StoreError`` where a piece is gone."""
    if packed:
        yield HEAD
    for number in range(file.pieces):
        piece = await store.get_private(PIECES, _piece(project, id_, name, number))
        if piece is None:
            raise StoreError("a file of an export was removed while it was read")
        yield piece if packed else unpack(piece)
    if packed:
        yield end(file.checksum, file.size)


async def _names(store: Store, prefix: str) -> list[str]:
    # One by one where they are large: what is listed is in memory.
    found = await store.list_private(PIECES, after=prefix, count=_AT_ONCE // 20)
    return [name for name in found if name.startswith(prefix)]


def _read(value: bytes) -> Progress:
    return msgspec.json.decode(value, type=Progress)


def _name(project: str, id_: str) -> str:
    return f"{project}/{id_}"


def _piece(project: str, id_: str, file: str, number: int) -> str:
    return f"{project}/{id_}/{file}/{number:08d}"
