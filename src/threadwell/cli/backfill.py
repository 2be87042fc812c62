"""``threadwell backfill``: millions of messages into NDJSON, on all cores."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from threadwell.app import CHANNEL_NAMES
from threadwell.cli.command import Command, add_format, add_project
from threadwell.cli.errors import Mistake
from threadwell.cli.import_options import add_columns, add_sessions, add_who, columns, sessions, who
from threadwell.cli.output import paint, plural, print_json
from threadwell.cli.report import (
    as_json,
    made,
    print_choices,
    print_reasons,
    print_report,
    print_shared,
)
from threadwell.installs import pip_install
from threadwell.stores.urls import is_new, is_shared, store_path

if TYPE_CHECKING:
    from threadwell.backfill.working import Filled
    from threadwell.facade.importing import ImportJob

_PAUSE = 2.0
_NO_SPARK = f"--spark needs pyspark, pandas and Java: {pip_install('threadwell[spark]')}"
_NO_ARROW = f"a backfill needs pyarrow: {pip_install('threadwell[backfill]')}"


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "paths",
        metavar="SOURCE",
        nargs="+",
        help="a file, folder or archive of exports; or the address of files (s3://…, gs://…)",
    )
    parser.add_argument(
        "--to",
        metavar="DIR|STORE",
        required=True,
        help="where to: a folder that is empty, or that an earlier backfill has filled; or a store "
        "(sqlite:///PATH, a file PATH.db, postgresql://…)",
    )
    parser.add_argument(
        "--workers",
        metavar="N",
        type=int,
        default=0,
        help="how many processes work (default: one for each core)",
    )
    parser.add_argument(
        "--partitions",
        metavar="N",
        type=int,
        default=0,
        help="in how many parts it is made (default: by the size of what is read)",
    )
    parser.add_argument(
        "--memory",
        metavar="MB",
        type=int,
        default=0,
        help="about how much memory all processes take together (default: 768, or 96 for each "
        "process and one more, where that is more)",
    )
    parser.add_argument(
        "--spark",
        metavar="MASTER",
        default="",
        help="work on a cluster of Apache Spark, as spark://host:7077; its workers have to have "
        "Threadwell, and reach SOURCE and DIR under the same paths",
    )
    add_project(parser)
    add_format(parser)
    add_who(parser)
    parser.add_argument(
        "--channel",
        metavar="NAME",
        help=f"read everything as this channel: {', '.join(CHANNEL_NAMES)} (default: by content)",
    )
    add_columns(parser)
    add_sessions(parser)


def run(arguments: Namespace) -> int:
    """Make it, and print the counts."""
    import asyncio
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        raise Mistake(_NO_ARROW)
    if arguments.spark and not (find_spec("pyspark") and find_spec("pandas")):
        raise Mistake(_NO_SPARK)
    from threadwell.backfill.folder import Taken
    from threadwell.backfill.remote import Unreachable, is_remote
    from threadwell.facade.backfilling import (
        BackfillJob,
        begin_backfill,
        run_backfill,
        run_on_spark,
    )
    from threadwell.facade.importing import ImportJob, Who
    from threadwell.intake.choices import Asked

    for name in ("workers", "partitions", "memory"):
        if getattr(arguments, name) < 0:
            raise Mistake(f"--{name} is a number of at least 1")
    folder_of, store = _where(arguments.to)
    job = BackfillJob(
        ImportJob(
            paths=tuple(Path(one) for one in arguments.paths if not is_remote(one)),
            channel=arguments.channel,
            who=Who.of(**who(arguments)),
            asked=Asked(**sessions(arguments)),
            **columns(arguments),
        ),
        folder_of,
        arguments.workers,
        arguments.partitions,
        arguments.memory * 1024 * 1024,
        store,
        arguments.project,
        tuple(filter(is_remote, arguments.paths)),
    )
    if store and is_new(store):
        _check(job.what)
    try:
        basis, folder, plan, choices = asyncio.run(begin_backfill(job))
        print_choices(choices)
        if arguments.spark:
            filled = run_on_spark(basis, folder, plan, arguments.spark)
        else:
            filled = run_backfill(basis, folder, plan, job.workers, _Progress())
    except (Taken, Unreachable) as error:
        raise Mistake(str(error)) from None
    if arguments.format == "json":
        told = {"parts": filled.parts, "made": filled.made, "resources": filled.resources}
        print_json({**as_json(filled.report), **told})
    else:
        _print(filled, arguments.to, store, arguments.project)
    return 0


def _check(what: ImportJob) -> None:
    """A mistake must not leave an empty store behind. People may be many: they are read once."""
    from threadwell.facade.importing import check_import

    if what.who.people:
        what.who.people.open("rb").close()
    check_import(replace(what, who=replace(what.who, people=None)))


def _where(to: str) -> tuple[Path, str]:
    """The folder that is worked in, and the store that is filled, ``""`` for none."""
    from hashlib import sha256

    if "://" not in to and not to.endswith(".db") and not Path(to).is_file():
        return Path(to), ""
    if not is_shared(to):
        raise Mistake("--to :memory: would keep nothing")
    if (path := store_path(to)) is not None:
        return path.with_name(f"{path.name}-backfill"), to
    return Path(f"threadwell-backfill-{sha256(to.encode()).hexdigest()[:12]}"), to


class _Progress:
    """Tells on standard error how far it is, now and then."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, what: str, done: int, of: int) -> None:
        now = time.monotonic()
        if now - self._last >= _PAUSE:
            self._last = now
            print(f"{what}: {done:,} of {of:,} parts", file=sys.stderr)


def _print(filled: Filled, folder: str, store: str, project: str) -> None:
    report = filled.report
    if store:
        print_report(report, store=store, project=project)
        return
    counts = report.counts
    print(
        f"{plural(counts.read, 'message')} read = {counts.new:,} new + {counts.known:,} known"
        f" + {counts.quarantined:,} quarantined"
    )
    print_shared(report)
    print(made(report))
    print(
        f"{plural(filled.resources, 'resource')} in {folder}, {plural(filled.parts, 'part')}, "
        f"of which {filled.made:,} made now"
    )
    if counts.quarantined:
        print(paint("Quarantined:", "yellow"))
        print_reasons(report.reasons)


COMMAND = Command(
    name="backfill",
    summary="Turn millions of messages into NDJSON or a store, on all cores",
    about="Reads what `threadwell import` reads, and makes the same resources: FHIR NDJSON by type "
    "with manifest.json, as Bulk Data lays it out, or in a store, with a process for each core. "
    "Killed, it goes on where it was when it is started again; a folder that is filled again, from "
    "more or changed files, is made anew only as far as that changes it. `threadwell load` puts a "
    "folder into a store.",
    examples=(
        "threadwell backfill messages.csv --people people.csv --zone America/New_York --to made/",
        "threadwell load made/ --trusted --store practice.db",
    ),
    add_arguments=add_arguments,
    run=run,
)
