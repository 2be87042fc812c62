"""Backfills as Python and the command line ask for them."""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

from threadwell.app import open_store
from threadwell.audit import record
from threadwell.audit.trail import Trail
from threadwell.audit.way import WAY
from threadwell.backfill.basis import Basis, Torn, Unit
from threadwell.backfill.folder import Folder, Plan
from threadwell.backfill.local import Told, fill
from threadwell.backfill.remote import Remote, fetched, files_at, is_remote
from threadwell.backfill.room import MEMORY, least_for, read_size, room_for
from threadwell.backfill.spark import fill as spark_fill
from threadwell.backfill.working import Filled
from threadwell.bulk.processes import cores
from threadwell.channels.channel import Channel, ReadOptions
from threadwell.channels.reading import apart, read_path
from threadwell.facade.importing import ImportJob, Who, looked_over, settings_of
from threadwell.facade.opened import login_name
from threadwell.fhir.stamp import now_ms
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.care_zone import care_days
from threadwell.intake.choices import Choices, keep_choices, kept_choices
from threadwell.intake.practice import cut_by
from threadwell.intake.settings import Settings
from threadwell.intake.whole import Item
from threadwell.projects.chosen import CHOSEN, chosen
from threadwell.projects.within import within
from threadwell.stores.contract import DEFAULT_PROJECT, Store, StoreError
from threadwell.stores.unused import give_back

#: Bytes of a table that are worth a stripe or span of their own; how many spans there are for each
#: process at most, so that all of them end about when the last one does; and bytes of a larger one.
_STRIPE, _TURNS, _SPAN = 2 * 1024 * 1024, 4, 64 * 1024 * 1024
_MB = 1024 * 1024
#: How a JVM is started in which nothing is worked out.
_HANDING_ON = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
#: Rows are few and large, and compressed: no code is made for them, and few are handed on at once.
_FEW_ROWS = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "32",
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
    "spark.shuffle.compress": "false",
    "spark.shuffle.spill.compress": "false",
}


@dataclass(frozen=True, slots=True)
class BackfillJob:
    """What to make, and where: ``what`` is read as an import reads it.

    ``remote`` are addresses of further files, or folders of files, that are read (``s3://…``).
    With a ``store`` (a path or URL) it goes there, into the ``project`` that is named, and
    ``folder`` is where it is spread meanwhile. ``workers`` is how many processes work,
    ``partitions`` over how many what is read is spread; 0 is as many as fit. All processes together
    take about ``memory`` bytes; 0 is 768 MB, or what so many processes need at least.
    """

    what: ImportJob
    folder: Path
    workers: int = 0
    partitions: int = 0
    memory: int = 0
    store: str = ""
    project: str = ""
    remote: tuple[str, ...] = ()


async def begin_backfill(job: BackfillJob) -> tuple[Basis, Folder, Plan, Choices]:
    """Have the people ready, and find out what there is to read.

    Raises ``Taken`` for a folder with something else in it, or that another process fills,
    ``BadSetting`` for too little memory, and what an import raises.
    """
    workers = job.workers or cores()
    least = least_for(workers)
    if 0 < job.memory < least:
        raise BadSetting(
            f"a backfill by --workers {workers} needs {least // _MB} MB at least:"
            " give it more, or fewer workers"
        )
    folder = Folder(job.folder)
    acting = record.Who(way=WAY.get(), name=login_name())
    project, opener = DEFAULT_PROJECT, partial(_opened, folder.people)
    if job.store:
        # A project is one of a store that is there.
        store = open_store(job.store, create=not (job.project or CHOSEN.get()))
        try:
            project = await chosen(store, job.project)
        finally:
            await store.close()
        opener = partial(_recorded, job.store, acting, project)
    with folder.beginning():
        async with opener() as store:
            choices = await looked_over(store, project, job.what)
            if choices.recutting:
                raise BadSetting(
                    "the sessions of this store are being cut anew: `threadwell recut`"
                )
            days = await care_days(store, project, choices.zone or "UTC")
            await settings_of(store, project, job.what.who, choices)
            await keep_choices(store, project, choices, days)
        who = replace(job.what.who, people=None)
        room = room_for(job.memory or max(MEMORY, least), workers)
        basis = Basis(
            project,
            opener,
            partial(_settings, who, room.group),
            partial(_read, job.what, choices.earlier_ids),
            now_ms,
            bool(job.store),
        )
        far = [one for address in job.remote for one in files_at(address)]
        near = _units(job.what, workers)
        units = near + [Unit(one.address, trusted=True, size=one.size) for one in far]
        size = sum(one.size for one in units)
        least = 2 * workers if workers > 1 else 1
        partitions = job.partitions or folder.partitions() or room.partitions(size, least)
        by = _by(job.what, choices, str(days.cutting.release))
        plan = Plan(_asked(by, near, far), by, units, partitions, buffered=room.buffered)
        gc.collect()
        give_back()  # Of who reads many people it is a hundred megabytes.
    return basis, folder, plan, choices


def run_backfill(
    basis: Basis, folder: Folder, plan: Plan, workers: int, told: Told = lambda *_: None
) -> Filled:
    """Make it, or what is missing of it. Raises ``Taken`` where another process makes it."""
    with folder.held():
        before = folder.plan()
        if (
            before is not None
            and before.asked == plan.asked
            and before.partitions == plan.partitions
        ):
            plan = before
        return fill(basis, folder, plan, workers or cores(), told)


def run_on_spark(basis: Basis, folder: Folder, plan: Plan, master: str) -> Filled:
    """Make it on a cluster, ``master`` as Spark names it: ``spark://host:7077``, ``local[2]``."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master).appName("threadwell backfill")
    if master.startswith("local"):
        # Its JVM hands on what Python makes. To compile that well costs more than it ever saves.
        builder = builder.config("spark.driver.extraJavaOptions", _HANDING_ON)
        builder = builder.config("spark.ui.enabled", "false")
    for name, value in _FEW_ROWS.items():
        builder = builder.config(name, value)
    spark = (
        builder
        # Groups have their partitions already: Spark must not put them together again.
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.sql.shuffle.partitions", str(plan.partitions))
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    try:
        with folder.held():
            return spark_fill(spark, basis, folder, plan, _opened)
    finally:
        spark.stop()


@asynccontextmanager
async def _opened(url: str | Path) -> AsyncGenerator[Store, None]:
    store = open_store(url)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def _recorded(url: str, by: record.Who, project: str) -> AsyncGenerator[Store, None]:
    """A project of a store; its changes are recorded as done by somebody."""
    async with _opened(url) as store:
        trail = Trail(store, by=by)
        try:
            yield within(trail.store, project)
        finally:
            trail.close()
            with suppress(StoreError):
                await trail.drain_some()


async def _settings(who: Who, memory: int, store: Store, project: str) -> Settings:
    choices = await kept_choices(store, project) or Choices()
    settings = replace(await settings_of(store, project, who, choices), memory=memory)
    return cut_by(settings, await care_days(store, project, choices.zone or "UTC"))


def _read(job: ImportJob, earlier_ids: bool, unit: Unit, settings: Settings) -> Iterator[Item]:
    if unit.stripe >= unit.stripes:
        return
    if is_remote(unit.path):
        with fetched(unit.path) as here:
            yield from _read(job, earlier_ids, unit._replace(path=str(here)), settings)
        return
    path = Path(unit.path)
    stripe, fits = (unit.stripe, unit.stripes), list[bool]()
    options = ReadOptions(
        settings.options.zone,
        settings.owner,
        settings.country,
        earlier_ids=earlier_ids,
        stripe=stripe,
        span=unit.span,
        fits=partial(fits.append, True),
    )
    if unit.broken:
        yield from apart(path, job.channels).broken
        return
    channel = job.channel if unit.trusted else None
    every = job.channels
    if job.channel and not unit.trusted:
        every = tuple(one for one in every if one.name == job.channel)
    yield from read_path(path, channel=channel, options=options, channels=every)
    if unit.span and not fits:
        raise Torn


def _units(job: ImportJob, workers: int) -> list[Unit]:
    units: list[Unit] = []
    for path in job.paths:
        found, trusted = apart(path, job.channels), not path.is_dir()
        if found.broken:
            units.append(Unit(str(path.resolve()), broken=True))
        for one in found.paths:
            size = read_size(one)
            if (channel := found.rows.get(one)) is None:
                units.append(Unit(str(one.absolute()), trusted, size=size))
            else:
                units += _parts(one, trusted, channel, size, workers)
    return units


def _parts(path: Path, trusted: bool, channel: Channel, size: int, workers: int) -> Iterator[Unit]:
    """A table in spans, or in stripes where it cannot be cut."""
    name = str(path.absolute())
    turns = workers * _TURNS if workers > 1 else 1
    count = max(min(turns, size // _STRIPE), size // _SPAN, 1)
    spans = channel.spans(path, count) if count > 1 else []
    for span in spans:
        share = size * (span.ends - span.begins) // spans[-1].ends
        yield Unit(name, trusted, size=share, span=span)
    if not spans:
        stripes = min(workers, size // _STRIPE + 1)
        for number in range(stripes):
            yield Unit(name, trusted, number, stripes, size=size // stripes)


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
    return path.stat().st_size


def _by(job: ImportJob, choices: Choices, release: str) -> str:
    """What tells one way to make it from others."""
    told = (choices, replace(job.who, people=None), job.channel, job.columns, job.set_aside)
    return _digest((told, release, version("threadwell")))


def _asked(by: str, units: list[Unit], far: list[Remote]) -> str:
    """What tells one job over one state of its files from others."""
    paths = ((unit, Path(unit.path)) for unit in units)
    files = [(unit, one.stat().st_mtime_ns, _size(one)) for unit, one in paths if one.exists()]
    return _digest((by, files, far))


def _digest(told: object) -> str:
    return blake2b(repr(told).encode("utf-8", "replace"), digest_size=16).hexdigest()
