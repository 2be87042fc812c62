"""The exports of a project: done page by page in turns, bounded, and removed in the end."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from time import monotonic

from threadwell.audit.record import Who
from threadwell.bulk.files import Lines, export_record
from threadwell.bulk.job import (
    UNDER_WAY,
    Asked,
    Job,
    Part,
    Phase,
    Progress,
    find_asked,
    find_job,
    jobs,
    kept_progress,
    remove,
)
from threadwell.bulk.scope import Scope, filters_of
from threadwell.bulk.sight import Sees
from threadwell.bulk.walking import Walk
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, Issue, outcome
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.stores.contract import (
    ChangeSet,
    Conflict,
    Kept,
    Store,
    StoreError,
    StoreFull,
)

_log = logging.getLogger(__name__)

#: Exports that are worked on in turns; further ones wait.
AT_ONCE = 3
#: Exports of one client that may be under way, and of all; and those that are kept for one.
OF_ONE, OF_ALL, KEPT_OF_ONE = 3, 20, 20
#: How long files are kept, in milliseconds.
KEPT_FOR = 24 * 3_600_000
#: Bytes that the files of all exports may have together, compressed.
MOST_KEPT = 20 * 1024**3
#: Seconds that a round goes on at a time.
_ROUND = 1.0
#: Steps that may fail one after the other.
_PATIENCE = 5

REVOKED = "The client that asked for it may not log in any more"
CHANGED = "What the client may see has changed while it was made: ask for it again"
NO_ROOM = "There is no room left for the files of exports: remove some, or ask for less"
CRASHED = "The server failed to make it"


class Exports:
    """Does the exports of a project, for about ``seconds`` a round.

    ``sees`` tells what a client sees now. Their files have ``most_kept`` bytes together.

    What is done twice is committed once: progress is changed by compare-and-set, in the commit of
    what was made, with ``still_held`` among what is compared.
    """

    def __init__(
        self,
        store: Store,
        project: str,
        sees: Sees,
        *,
        still_held: Callable[[], tuple[Kept, ...]] = tuple,
        clock: Clock = now_ms,
        most_kept: int = MOST_KEPT,
        seconds: float = _ROUND,
    ) -> None:
        self._store = store
        self._project = project
        self._sees = sees
        self._held = still_held
        self._clock = clock
        self._most = most_kept
        self._seconds = seconds

    async def round(self) -> float | None:
        """Go on with what is under way, for a while; remove what is over.

        In how many seconds there is more to do, ``None`` where there is nothing. Raises
        ``StoreError``.
        """
        ends = monotonic() + self._seconds
        while True:
            found = await jobs(self._store, self._project)
            now = self._clock()
            due: list[float] = []
            for job in found:
                if _is_over(job, now):
                    await self._remove(job)
                elif job.progress.expires:
                    due.append((job.progress.expires - now) / 1000)
            working = [job for job in found if job.progress.phase in UNDER_WAY][:AT_ONCE]
            kept = sum(job.progress.kept for job in found)
            waits = [await self._step(job, kept) for job in working]
            soonest = min([*waits, *due], default=None)
            if soonest is None or soonest > 0 or monotonic() >= ends:
                return soonest if soonest is None else max(0.0, soonest)

    async def _step(self, job: Job, kept: int) -> float:
        """One step of an export: seconds until the next."""
        asked = await find_asked(self._store, self._project, job.id)
        if asked is None:
            await self._remove(job)
            return 0.0
        progress, lines = job.progress, Lines()
        wait = 0.0
        try:
            if kept > self._most:
                raise _Over(NO_ROOM)
            wait = await self._go_on(asked, progress, lines)
        except _Over as over:
            return await self._fail(job, str(over))
        except FhirError as error:
            # Policies may forbid what they allowed when it was asked for.
            return await self._fail(job, error.issues[0].text if error.issues else CRASHED)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - one that fails must not stop the others
            # Its words may quote a patient.
            _log.error("a step of an export failed: %s", type(error).__name__)
            return await self._failed(job.id)
        if wait and not job.has_changed:
            return wait
        progress.failures = 0
        if progress.phase is Phase.DONE:
            progress.expires = self._clock() + KEPT_FOR
        await self._commit(job, progress, lines, asked.who)
        return wait

    async def _go_on(self, asked: Asked, progress: Progress, lines: Lines) -> float:
        allowed = await self._sees(asked.who, asked.scopes, asked.patient)
        if allowed is None:
            raise _Over(REVOKED)
        if progress.time and progress.policy != allowed.mark:
            raise _Over(CHANGED)
        bases = await self._store.home(self._project)
        filters = filters_of(asked, bases, self._clock)
        scope = Scope(allowed.view, self._project, asked, filters, bases)
        elements: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
        for type_, name in asked.elements:
            elements[type_] = (*elements[type_], name)
        walk = Walk(
            self._store, self._project, allowed.view, asked, scope, bases, self._clock, elements
        )
        if not progress.time:
            progress.policy = allowed.mark
            await walk.begin(progress)
            for note in asked.notes:
                told = outcome([Issue("informational", note, "", "information")])
                lines.add(Part.ERROR, "OperationOutcome", encode(told))
        # Where there is nothing, there is nothing to be kept.
        wait = await walk.step(progress, lines)
        while not (wait or lines) and progress.phase in UNDER_WAY:
            wait = await walk.step(progress, lines)
        return wait

    async def _commit(self, job: Job, progress: Progress, lines: Lines, who: str) -> None:
        pieces = await lines.kept(self._project, job.id, progress)
        kept = (*pieces, kept_progress(self._project, job, progress), *self._held())
        if lines.shown:
            by, asked = Who(who=who, way="duty"), f"bulkdata/export/{job.id}"
            record = export_record(self._project, by, lines.shown, self._clock(), asked)
            kept = (*kept, record)
        try:
            await self._store.commit(self._project, ChangeSet((), kept=kept))
        except StoreFull:
            await self._fail(job, NO_ROOM)
        except Conflict as conflict:
            self._check_held(conflict)

    async def _fail(self, job: Job, why: str) -> float:
        """Have an export end for good, with a reason."""
        now = await find_job(self._store, self._project, job.id)
        if now is None or now.progress.phase not in UNDER_WAY:
            return 0.0
        progress = now.progress
        progress.phase, progress.error = Phase.FAILED, why
        progress.expires = self._clock() + KEPT_FOR
        kept = (kept_progress(self._project, now, progress), *self._held())
        try:
            await self._store.commit(self._project, ChangeSet((), kept=kept))
        except Conflict as conflict:
            self._check_held(conflict)
        return 0.0

    async def _failed(self, id_: str) -> float:
        """Note that a step failed; it is tried again a few times."""
        now = await find_job(self._store, self._project, id_)
        if now is None:
            return 0.0
        now.progress.failures += 1
        if now.progress.failures >= _PATIENCE:
            return await self._fail(now, CRASHED)
        kept = (kept_progress(self._project, now, now.progress), *self._held())
        try:
            await self._store.commit(self._project, ChangeSet((), kept=kept))
        except Conflict as conflict:
            self._check_held(conflict)
        return 1.0

    async def _remove(self, job: Job) -> None:
        try:
            await remove(self._store, self._project, job, self._held())
        except Conflict as conflict:
            self._check_held(conflict)

    def _check_held(self, conflict: Conflict) -> None:
        """Go on where somebody has ended the export meanwhile, and not where the lease is lost."""
        if conflict.key in [(one.kind, one.name) for one in self._held()]:
            raise conflict


class _Over(Exception):
    """Nothing more can be done for an export; says why."""


def _is_over(job: Job, now: int) -> bool:
    progress = job.progress
    return progress.phase is Phase.ENDED or bool(progress.expires and progress.expires <= now)
