"""The imports of a project: fetched, read and written part by part in turns, bounded."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import urlsplit

from threadwell.audit.record import Who
from threadwell.audit.spool import NoPen
from threadwell.audit.witness import CURRENT, Witness
from threadwell.bulk.deciding import Decided, Deciding
from threadwell.bulk.fetching import Fetched, Fetching
from threadwell.bulk.files import Lines
from threadwell.bulk.import_job import (
    AskedImport,
    ImportJob,
    State,
    find_asked_import,
    find_import,
    import_jobs,
    kept_loading,
    remove_import,
)
from threadwell.bulk.lines import Bad, Fit, Line, read_lines
from threadwell.bulk.noting import Found, noted, once_each, read_as, tell
from threadwell.bulk.sight import Sees
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store, StoreError, StoreFull
from threadwell.subscriptions.hook_states import hosts

_log = logging.getLogger(__name__)

#: Imports that are worked on in turns; further ones wait.
AT_ONCE = 3
#: Imports of one client that may be under way, and of all; and those that are kept for one.
OF_ONE, OF_ALL, KEPT_OF_ONE = 3, 20, 20
#: How long the result is kept, in milliseconds.
KEPT_FOR = 24 * 3_600_000
#: Resources of one commit, and bytes of their lines.
PART, PART_BYTES = 500, 2 * 1024 * 1024
#: Bytes of text in one file, however small it was packed.
MOST_TEXT = 64 * 1024**3
#: Bytes of what is told of lines that are refused.
_MOST_TOLD = 256 * 1024 * 1024
#: Tries to fetch a file, and seconds between them.
_TRIES, _PAUSE = 4, (1.0, 5.0, 30.0)
#: Seconds that a round goes on at a time, and until it looks again whether a file has come.
_ROUND, _LOOK = 1.0, 0.2
#: Steps that may fail one after the other.
_PATIENCE = 5

REVOKED = "The client that asked for it may not log in any more"
NO_ROOM = "There is no room left in the store"
CRASHED = "The server failed to load it"
TOO_MUCH = "Too much of it is refused: mend the files, and ask for it again"


@dataclass(slots=True)
class _Open:
    """A file that is read: its lines as far as they were looked at, and those read since."""

    at: int
    again: int
    digest: str
    lines: Iterator[Line]
    number: int
    ahead: list[Found] = field(default_factory=list)


class Imports:
    """Does the imports of a project, for about ``seconds`` a round.

    ``sees`` tells what a client may do now. Each step is one commit, with how far the import is,
    which is changed by compare-and-set, and with ``still_held`` among what is compared.
    """

    def __init__(
        self,
        store: Store,
        project: str,
        sees: Sees,
        *,
        fetching: Fetching | None = None,
        still_held: Callable[[], tuple[Kept, ...]] = tuple,
        clock: Clock = now_ms,
        seconds: float = _ROUND,
    ) -> None:
        self._store = store
        self._project = project
        self._sees = sees
        self._fetching = fetching or Fetching()
        self._held = still_held
        self._clock = clock
        self._seconds = seconds
        self._open: dict[str, _Open] = {}

    async def round(self) -> float | None:
        """Go on with what is under way, for a while; remove what is over.

        In how many seconds there is more to do, ``None`` where there is nothing. Raises
        ``StoreError``.
        """
        ends = monotonic() + self._seconds
        while True:
            found = await import_jobs(self._store, self._project)
            now = self._clock()
            waits: list[float] = []
            for job in found:
                if _is_over(job, now):
                    await self._remove(job)
                elif job.progress.expires:
                    waits.append((job.progress.expires - now) / 1000)
            working = [job for job in found if job.progress.state is State.LOADING][:AT_ONCE]
            mine = frozenset(job.id for job in working)
            self._fetching.keep_only(mine)
            self._open = {id_: one for id_, one in self._open.items() if id_ in mine}
            waits += [await self._step(job) for job in working]
            soonest = min(waits, default=None)
            if soonest is None or soonest > 0 or monotonic() >= ends:
                return soonest if soonest is None else max(0.0, soonest)

    async def _step(self, job: ImportJob) -> float:
        """One step of an import: seconds until the next."""
        asked = await find_asked_import(self._store, self._project, job.id)
        if asked is None:
            await self._remove(job)
            return 0.0
        try:
            return await self._go_on(asked, job)
        except StoreFull:
            return await self._fail(job, NO_ROOM)
        except Conflict as conflict:
            self._check_held(conflict)
            # Others write the same, or have ended it: it is looked at anew.
            self._open.pop(job.id, None)
            return 0.0
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - one that fails must not stop the others
            # Its words may quote a patient.
            _log.error("a step of an import failed: %s", type(error).__name__)
            self._open.pop(job.id, None)
            return await self._failed(job.id)

    async def _go_on(self, asked: AskedImport, job: ImportJob) -> float:
        progress = job.progress
        progress.failures = 0
        if progress.at >= len(asked.inputs):
            await self._end_pass(job)
            return 0.0
        if progress.again and not any(at == progress.at for at, _ in progress.later):
            progress.next_file()
            await self._commit(job, Lines())
            return 0.0
        if progress.counts[progress.at].why:
            # It could not be read to its end before.
            progress.next_file()
            await self._commit(job, Lines())
            return 0.0
        if progress.due > self._clock():
            return (progress.due - self._clock()) / 1000
        allowed = await self._sees(asked.who, asked.scopes, asked.patient)
        if allowed is None:
            return await self._fail(job, REVOKED)
        url = asked.inputs[progress.at].url
        name = f"{job.id}/{progress.at}"
        fetched = self._fetching.get(name, url, await hosts(self._store, self._project))
        if not fetched.done.is_set():
            return _LOOK
        if fetched.error:
            self._fetching.forget(name)
            return await self._not_fetched(job, url, fetched)
        try:
            type_ = asked.inputs[progress.at].type
            judged = not allowed.view.keeps(type_)
            part, is_last = await asyncio.to_thread(self._part, job, fetched, type_, judged)
        except (OSError, EOFError, zlib.error):
            return await self._give_up(job, url, "it is no gzip that can be unpacked to its end")
        if part and part[-1][0].ends > MOST_TEXT:
            return await self._give_up(job, url, f"it has more than {MOST_TEXT:,} bytes of text")
        deciding = Deciding(
            self._store,
            self._project,
            allowed.view,
            asked.who,
            await self._store.known_as(),
            self._clock,
        )
        decided = await deciding.decide([one for _, one in part if isinstance(one, Fit)])
        decided.bad += [one for _, one in part if isinstance(one, Bad)]
        lines = noted(job, asked, decided, part)
        if is_last:
            progress.next_file()
        else:
            progress.number, progress.ends = part[-1][0].number, part[-1][0].ends
            progress.digest = fetched.digest
        if progress.kept > _MOST_TOLD:
            return await self._fail(job, TOO_MUCH)
        await self._commit(job, lines, decided, asked)
        if is_last:
            self._open.pop(job.id, None)
            if not progress.later:
                self._fetching.forget(name)
        else:
            one = self._open[job.id]
            one.ahead, one.number = one.ahead[len(part) :], part[-1][0].number
        return 0.0

    def _part(
        self, job: ImportJob, fetched: Fetched, type_: str, judged: bool
    ) -> tuple[list[Found], bool]:
        """The next lines, no resource twice, and whether they are the last. Raises ``OSError``."""
        progress = job.progress
        if progress.digest and progress.digest != fetched.digest:
            # It is another file by now: what is there already is left alone.
            progress.ends = progress.number = 0
        one = self._open.get(job.id)
        as_left = (progress.at, progress.again, fetched.digest, progress.number)
        if one is None or (one.at, one.again, one.digest, one.number) != as_left:
            lines = read_lines(fetched.path, progress.ends, progress.number)
            one = _Open(progress.at, progress.again, fetched.digest, lines, progress.number)
            self._open[job.id] = one
        wanted = {number for at, number in progress.later if at == progress.at}
        size, is_last = sum(len(line.text) for line, _ in one.ahead), False
        while len(one.ahead) < PART and size < PART_BYTES:
            line = next(one.lines, None)
            if line is None:
                is_last = True
                break
            is_asked = not progress.again or line.number in wanted
            one.ahead.append((line, read_as(line, type_, judged) if is_asked else None))
            size += len(line.text)
        part = once_each(one.ahead)
        return part, is_last and len(part) == len(one.ahead)

    async def _end_pass(self, job: ImportJob) -> None:
        """All files were read: look again at what waits, as long as it gets less; then be done."""
        progress = job.progress
        if progress.later and (not progress.again or len(progress.later) < progress.waiting):
            progress.waiting = len(progress.later)
            progress.again += 1
            progress.at = -1
            progress.next_file()
        elif progress.later and progress.again >= 0:
            # Nothing more has come: they are told of now.
            progress.again, progress.at = -1, -1
            progress.next_file()
        else:
            progress.state = State.DONE
            progress.expires = self._clock() + KEPT_FOR
        await self._commit(job, Lines())

    async def _not_fetched(self, job: ImportJob, url: str, fetched: Fetched) -> float:
        progress = job.progress
        if not fetched.again or progress.tries + 1 >= _TRIES:
            return await self._give_up(job, url, fetched.error)
        pause = _PAUSE[progress.tries]
        progress.tries += 1
        progress.due = self._clock() + int(1000 * pause)
        await self._commit(job, Lines())
        return pause

    async def _give_up(self, job: ImportJob, url: str, why: str) -> float:
        """Go on with the next file, and say why this one was not read to its end."""
        progress = job.progress
        self._open.pop(job.id, None)
        self._fetching.forget(f"{job.id}/{progress.at}")
        progress.counts[progress.at].why = why
        progress.later = [one for one in progress.later if one[0] != progress.at]
        lines = Lines()
        where = f"the file {progress.at + 1} of {urlsplit(url).hostname or 'no host'}"
        tell(lines, f"{where} was not read to its end: {why}", "incomplete")
        progress.next_file()
        await self._commit(job, lines)
        return 0.0

    async def _commit(
        self,
        job: ImportJob,
        lines: Lines,
        decided: Decided | None = None,
        asked: AskedImport | None = None,
    ) -> None:
        """Commit what is written, what is told, and how far it is, together."""
        pieces = await lines.kept(self._project, job.id, job.progress)
        kept = (*pieces, kept_loading(self._project, job), *self._held())
        writes, rests = (tuple(decided.writes), decided.rests) if decided else ((), ())
        witness = _witness(asked, self._clock()) if asked and writes else None
        token = CURRENT.set(witness)
        try:
            await self._store.commit(self._project, ChangeSet(writes, unchanged=rests, kept=kept))
        finally:
            CURRENT.reset(token)

    async def _fail(self, job: ImportJob, why: str) -> float:
        """Have an import end for good, with a reason."""
        now = await find_import(self._store, self._project, job.id)
        if now is None or now.progress.state is not State.LOADING:
            return 0.0
        now.progress.state, now.progress.error = State.FAILED, why
        now.progress.expires = self._clock() + KEPT_FOR
        await self._keep(now)
        return 0.0

    async def _failed(self, id_: str) -> float:
        """Note that a step failed; it is tried again a few times."""
        now = await find_import(self._store, self._project, id_)
        if now is None:
            return 0.0
        now.progress.failures += 1
        if now.progress.failures >= _PATIENCE:
            return await self._fail(now, CRASHED)
        await self._keep(now)
        return 1.0

    async def _keep(self, job: ImportJob) -> None:
        try:
            await self._commit(job, Lines())
        except Conflict as conflict:
            self._check_held(conflict)

    async def _remove(self, job: ImportJob) -> None:
        try:
            await remove_import(self._store, self._project, job, self._held())
        except Conflict as conflict:
            self._check_held(conflict)

    def _check_held(self, conflict: Conflict) -> None:
        """Go on where somebody has written meanwhile, and not where the lease is lost."""
        if conflict.key in [(one.kind, one.name) for one in self._held()]:
            raise conflict


def _witness(asked: AskedImport, now: int) -> Witness:
    """One that has the changes recorded as those of the client that asked."""
    by = Who(who=asked.who, client=asked.client, way="duty")
    # Only changes are recorded, each in its commit.
    return Witness(by, now, NoPen(), act="import")


def _is_over(job: ImportJob, now: int) -> bool:
    progress = job.progress
    is_past = bool(progress.expires and progress.expires <= now)
    return progress.state is State.ENDED or is_past
