"""Sessions that are over by now, though nobody writes any more: found by their timers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.commits.timers import Timer, have_timers, next_timer, timers
from threadwell.intake.driving import Importing
from threadwell.intake.seat import Seat
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Store, StoreError

_log = logging.getLogger(__name__)

#: Circles of which the sessions are finished at once.
_AT_A_TIME = 200


async def finish_silent(
    store: Store,
    project: str,
    settings: Callable[[], Awaitable[Settings]],
    *,
    clock: Clock = now_ms,
) -> float | None:
    """Finish what is over; in how many seconds the next session is, ``None`` where none is open.

    Where nothing is over, one timer is read. ``settings`` are asked for where something is. Done
    twice, also at the same time, it changes nothing. A store of an earlier build is looked through
    once. A circle that cannot be worked on does not keep the others: what it has raised is raised
    after them. Raises ``StoreError``.
    """
    if not await have_timers(store, project):
        await _importing(store, project, await settings(), clock, whole=True)
    first = await next_timer(store, project)
    failure: Exception | None = None
    after = ""
    while first is not None and first.at <= clock() * 1000:
        cut = await settings()
        until = clock() * 1000
        due = await timers(store, project, until, after=after, count=_AT_A_TIME)
        if due:
            failure = await _finish(store, project, cut, due, clock) or failure
            after = due[-1].name
        first = await next_timer(store, project, after)
    if failure is not None:
        raise failure
    return None if first is None else max(0, first.at - clock() * 1000) / 1_000_000


async def _finish(
    store: Store, project: str, settings: Settings, due: list[Timer], clock: Clock
) -> Exception | None:
    """Finish the sessions of those circles; what the work on one of them has raised."""
    try:
        await _importing(store, project, settings, clock, due)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - one circle must not keep the others
        if len(due) == 1:
            _log.error("a session that is over cannot be finished: %s", type(error).__name__)
            return error
        failures = [await _finish(store, project, settings, [one], clock) for one in due]
        return next(filter(None, failures), error)
    return None


async def _importing(
    store: Store,
    project: str,
    settings: Settings,
    clock: Clock,
    due: list[Timer] | None = None,
    *,
    whole: bool = False,
) -> None:
    importing = Importing(Seat(store, project, settings, clock=clock))
    await importing.answer()
    if whole:
        await importing.settle()
    elif due:
        await importing.settle_due(due)
