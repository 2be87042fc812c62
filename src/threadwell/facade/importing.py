"""Imports as Python and the command line ask for them: from plain values to ``intake``."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from threadwell.app import channel_labels, channels_with
from threadwell.channels.channel import Channel, ReadOptions
from threadwell.channels.reading import read_path
from threadwell.encounters.corrected import Agent
from threadwell.facade.trial import TrialStore
from threadwell.intake import (
    Acted,
    BadMerge,
    Counts,
    Merged,
    Part,
    Preview,
    Report,
    Settings,
    Split,
    answer_review,
    close_session,
    correct_attribution,
    import_messages,
    import_people,
    merge_patients,
    open_session,
    preview,
    recut,
    reopen_session,
    replay,
    say_whether_same,
    split_by_patient,
)
from threadwell.intake.acting_person import agent_of
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.care_zone import CareDays, care_days, kept_zone, waiting_text
from threadwell.intake.choices import Asked, Choices, has_messages, keep_choices, kept_choices
from threadwell.intake.practice import cut_by, kept_settings, plain_settings, with_practice
from threadwell.intake.reports.outcome import outcome
from threadwell.intake.seat import SOMEBODY, Seat
from threadwell.messages import Address, Broken, Message
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.memory import MemoryStore

Progress: TypeAlias = Callable[[Counts], None]
#: Is told by what the sessions are cut, before they are.
Told: TypeAlias = Callable[[Choices], None]

_log = logging.getLogger("threadwell")

NO_ZONE = "no time zone was ever given: days are those of UTC"


class OtherChoice(BadSetting):
    """Another way to cut sessions than the one in which those of the store were cut."""

    def __init__(self, changes: Sequence[str], zone: str = "") -> None:
        """``zone`` is the one in which times without a zone were read, if it is to be another."""
        moves = (
            f", and moves no time that was read in {zone}: for that, import the files again with "
            "--correct-times"
            if zone
            else ""
        )
        super().__init__(
            f"the sessions of this store are cut by {'; '.join(changes)}: `threadwell recut` cuts "
            f"all of them anew{moves}"
        )


@dataclass(frozen=True, slots=True)
class Who:
    """Who is who; see ``Threadwell.import_messages``."""

    people: Path | None = None
    unknown: str = "quarantine"
    owner: tuple[str | Address, ...] = ()
    country: str = ""

    @classmethod
    def of(
        cls,
        people: str | Path | None,
        unknown: str,
        owner: str | Address | Iterable[str | Address],
        country: str,
    ) -> Who:
        """Out of the values of a caller."""
        owners = (owner,) if isinstance(owner, (str, Address)) else tuple(owner)
        return cls(Path(people) if people else None, unknown, owners, country)


@dataclass(frozen=True, slots=True)
class ImportJob:
    """What to import, and how; see ``Threadwell.import_messages``."""

    paths: tuple[Path, ...]
    channel: str | None = None
    who: Who = field(default_factory=Who)
    asked: Asked = field(default_factory=Asked)
    dry_run: bool = False
    correct_times: bool = False
    workers: int | None = None
    columns: tuple[str, ...] = ()
    set_aside: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that read it; raises ``BadSetting``."""
        return channels_with(self.columns, self.set_aside)


async def run_import(
    store: Store,
    project: str,
    job: ImportJob,
    progress: Progress | None = None,
    told: Told | None = None,
) -> Report:
    """Import people, then messages. What cannot be right is said before anything is written.

    Raises ``BadSetting`` (``OtherChoice`` where the store's sessions are cut otherwise),
    ``UnknownChannel``, ``BadPeople``, ``NeedsZone`` and ``FileNotFoundError``.
    """
    choices = await looked_over(store, project, job)
    (told or _log_zone)(choices)
    days = await care_days(store, project, choices.zone or "UTC")
    _log_waiting(days)
    if job.dry_run:
        store = TrialStore(store)
    settings = await settings_of(store, project, job.who, choices, dry_run=job.dry_run)
    messages = _messages(job, settings, earlier_ids=choices.earlier_ids)
    settings = cut_by(settings, days)
    settings = replace(settings, workers=_cores() if job.workers is None else job.workers)
    await keep_choices(store, project, choices, days)
    seat = Seat(store, project, replace(settings, correct_times=job.correct_times))
    if job.correct_times:
        # What is read again is cut right away; the rest follows, and a recut that was under way.
        report = await import_messages(seat, messages, progress)
        if choices.recutting and not job.dry_run:
            await _recut(seat, choices, None)
        return await _with_outcome(report, store, project)
    if choices.recutting:
        await _recut(seat, choices, progress)
    report = await import_messages(seat, messages, progress)
    return await _with_outcome(report, store, project)


def check_import(job: ImportJob) -> None:
    """Raise what ``run_import`` would raise on a new store for a job that cannot be right."""

    async def check() -> None:
        store = MemoryStore()
        choices = await looked_over(store, DEFAULT_PROJECT, job)
        await settings_of(store, DEFAULT_PROJECT, job.who, choices, quiet=True)

    asyncio.run(check())


async def run_recut(
    store: Store,
    project: str,
    asked: Asked,
    progress: Progress | None = None,
    told: Told | None = None,
    *,
    dry_run: bool = False,
) -> Report:
    """Cut all sessions anew, by what is asked and, for the rest, by what is kept.

    ``told`` hears by what, before they are. Raises ``BadSetting``. Killed half-way, the next one
    or the next import takes it up again.
    """
    kept = await kept_choices(store, project) or Choices()
    choices = replace(kept.with_asked(asked), recutting=True)
    if told:
        told(choices)
    days = await care_days(store, project, choices.zone or "UTC")
    if days.kept and days.waiting and not kept.changes(choices):
        choices = replace(choices, zone_change=f"{days.kept.release}, now {days.here.release}")
    if dry_run:
        store = TrialStore(store)
    settings = await settings_of(store, project, Who(), choices, dry_run=dry_run)
    await keep_choices(store, project, choices, CareDays(None, days.here))
    report = await _recut(Seat(store, project, settings), choices, progress)
    return await _with_outcome(report, store, project)


async def run_preview(store: Store, project: str, asked: Asked) -> Preview:
    """What would be made by what is asked and, for the rest, by what is kept."""
    choices = (await kept_choices(store, project) or Choices()).with_asked(asked)
    settings = await with_practice(
        plain_settings(choices, channel_labels()), store, project, choices
    )
    days = await care_days(store, project, choices.zone or "UTC")
    return await preview(Seat(store, project, cut_by(settings, days)))


async def run_replay(store: Store, project: str, who: Who) -> Report:
    """Give their place to held messages whose people are known by now."""
    choices = await kept_choices(store, project) or Choices()
    settings = await settings_of(store, project, who, choices)
    days = await care_days(store, project, choices.zone or "UTC")
    return await replay(Seat(store, project, cut_by(settings, days)))


async def run_answer(
    store: Store, project: str, task: str, patients: Sequence[str], holds_for: str
) -> Report:
    """Answer whom a session is about, or who writes; raises ``BadAnswer``."""
    return await answer_review(await _seat(store, project), task, patients, holds_for=holds_for)


async def run_correction(
    store: Store, project: str, subject: str, patients: Sequence[str], messages: Sequence[str]
) -> Report:
    """Correct whom messages are about; raises ``BadCorrection``."""
    seat = await _seat(store, project)
    corrected = await correct_attribution(seat, subject, patients, messages=messages)
    return corrected.report


async def run_sameness(store: Store, project: str, task: str, *, same: bool) -> Report:
    """Say whether a held message is another one; raises ``BadSameness``."""
    return await say_whether_same(await _seat(store, project), task, same=same)


async def run_opening(
    store: Store, project: str, patients: Sequence[str], thread: str, by: str, why: str
) -> Acted:
    """Open a session; raises ``BadAct``."""
    seat = await _seat(store, project, await agent_of(store, project, by))
    return await open_session(seat, patients, thread=thread, why=why)


async def run_act(
    store: Store, project: str, session: str, by: str, why: str, *, close: bool
) -> Acted:
    """Close a session, or open it again; raises ``BadAct``."""
    act = close_session if close else reopen_session
    name = session if "/" in session else f"Encounter/{session}"
    seat = await _seat(store, project, await agent_of(store, project, by))
    return await act(seat, name, why=why)


async def run_split(store: Store, project: str, session: str, parts: Sequence[Part]) -> Split:
    """Split a session by patient; raises ``BadCorrection``."""
    name = session if "/" in session else f"Encounter/{session}"
    return await split_by_patient(await _seat(store, project), name, parts)


async def run_merge(store: Store, project: str, old: str, new: str, by: str) -> Merged:
    """Merge two records of one patient; raises ``BadMerge``."""
    seat = await _seat(store, project, await agent_of(store, project, by, BadMerge))
    return await merge_patients(seat, old, new)


async def _seat(store: Store, project: str, by: Agent = SOMEBODY) -> Seat:
    settings = await kept_settings(store, project, channel_labels())
    return Seat(store, project, settings, by)


def as_paths(paths: str | Path | Iterable[str | Path]) -> tuple[Path, ...]:
    """One path or several."""
    if isinstance(paths, (str, Path)):
        return (Path(paths),)
    if not isinstance(paths, Iterable):
        raise TypeError(f"what to import is a path, or several, not of type {type(paths).__name__}")
    return tuple(map(Path, paths))


async def looked_over(store: Store, project: str, job: ImportJob) -> Choices:
    """By what the sessions are to be cut; raises for whatever cannot be right."""
    kept = await kept_choices(store, project)
    first = Choices(zone=await kept_zone(store), earlier_ids=await has_messages(store, project))
    choices = (kept or first).with_asked(job.asked)
    choices = replace(choices, country=job.who.country.upper() or choices.country)
    _plain(job.who, choices)
    if job.correct_times and kept and kept.zone != choices.zone:
        # The zone itself was wrong: all days are cut anew by the right one.
        kept = replace(kept, zone=choices.zone)
        choices = replace(choices, recutting=True)
    if kept and await has_messages(store, project):
        if changes := kept.changes(choices):
            zone = kept.zone or "UTC"
            raise OtherChoice(changes, zone if zone != (choices.zone or "UTC") else "")
        choices = choices.keeping_idle(kept)
    _messages(job, Settings())
    if not choices.zone:
        _refuse_times_without_zone(job)
    return choices


async def settings_of(
    store: Store,
    project: str,
    who: Who,
    choices: Choices,
    *,
    dry_run: bool = False,
    quiet: bool = False,
) -> Settings:
    """The settings, with the people in the store: only then the practice can be told."""
    settings = replace(_plain(who, choices), dry_run=dry_run)
    if who.people:
        report = await import_people(store, project, who.people, country=settings.country)
        for warning in () if quiet else report.warnings:
            _log.warning(warning)
    return await with_practice(settings, store, project, choices)


def _cores() -> int:
    """How many processes may work at once; 0 where it is one alone."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return count if count and count > 1 else 0


def _plain(who: Who, choices: Choices) -> Settings:
    return plain_settings(
        replace(choices, country=who.country.upper() or choices.country),
        channel_labels(),
        unknown=who.unknown,
        owner=who.owner,
    )


async def _with_outcome(report: Report, store: Store, project: str) -> Report:
    """The report of a dry run with what would have come of it."""
    if report.trial is not None:
        report.outcome = await outcome(report.trial, store, project)
    return report


async def _recut(seat: Seat, choices: Choices, progress: Progress | None) -> Report:
    report = await recut(seat, progress)
    await keep_choices(seat.store, seat.project, replace(choices, recutting=False, zone_change=""))
    return report


def _messages(
    job: ImportJob, settings: Settings, *, earlier_ids: bool = False
) -> Iterator[Message | Broken]:
    """What is in the paths; that each is there is looked at now, the rest when it is read."""
    options = ReadOptions(
        settings.options.zone,
        settings.owner,
        settings.country,
        tell=_log.warning,
        earlier_ids=earlier_ids,
    )
    return _read(job, options, job.channels)


def _refuse_times_without_zone(job: ImportJob) -> None:
    """Read ahead what may have such times: found out later, half of it would be imported."""
    asked = [replace(one, read=_nothing) if one.zoned else one for one in job.channels]
    for _ in _read(job, ReadOptions(None), asked):
        pass


def _read(
    job: ImportJob, options: ReadOptions, asked: Sequence[Channel]
) -> Iterator[Message | Broken]:
    return chain.from_iterable(
        [
            read_path(path, channel=job.channel, options=options, channels=asked)
            for path in job.paths
        ]
    )


def _nothing(_path: Path, _options: ReadOptions) -> Iterator[Message | Broken]:
    return iter(())


def _log_waiting(days: CareDays) -> None:
    if days.waiting:
        _log.warning(waiting_text(days))


def _log_zone(choices: Choices) -> None:
    if not choices.zone:
        _log.warning(NO_ZONE)
