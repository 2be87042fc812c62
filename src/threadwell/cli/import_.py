"""``threadwell import``: exports of messages into a store, as sessions."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from threadwell.app import CHANNEL_NAMES
from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.import_options import add_columns, add_sessions, add_who, columns, sessions, who
from threadwell.cli.output import print_json
from threadwell.cli.progress import Progress
from threadwell.cli.report import as_json, print_choices, print_report
from threadwell.cli.trial import in_zone, print_outcome
from threadwell.stores.urls import is_new

if TYPE_CHECKING:
    from threadwell.facade.importing import ImportJob
    from threadwell.intake.choices import Choices


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "paths", metavar="PATH", nargs="+", type=Path, help="a file, folder or archive of exports"
    )
    add_store(parser)
    add_format(parser)
    add_who(parser)
    parser.add_argument(
        "--channel",
        metavar="NAME",
        help=f"read everything as this channel: {', '.join(CHANNEL_NAMES)} (default: by content)",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="show the sessions that would be made, and what would be held; write nothing",
    )
    parser.add_argument(
        "--correct-times",
        action="store_true",
        help="put right the times of these files that an earlier import read in a wrong --zone, "
        "and cut all days anew",
    )
    parser.add_argument(
        "--workers",
        metavar="N",
        type=int,
        help="decide in N processes while this one writes, where there is much to do; 0 for none "
        "(default: as many as there are cores)",
    )
    add_columns(parser)
    add_sessions(parser)
    encounters = parser.add_argument_group("what new Encounters say (the store keeps it)")
    encounters.add_argument(
        "--clinical-type",
        metavar="TYPE",
        action="append",
        default=[],
        help="[CHANNEL=]SYSTEM|CODE[|DISPLAY]: the clinical type, of all or of a channel's; may be "
        "repeated (default: SNOMED CT 185320006, Encounter by computer link)",
    )
    encounters.add_argument(
        "--organization",
        metavar="NAME",
        default="",
        help="who provides the care: the name of an Organization in the store, or its reference; "
        "in a store without any it is made",
    )


def run(arguments: Namespace) -> int:
    """Import, and print the counts."""
    import threadwell

    job = _job(arguments)
    store = arguments.store
    if is_new(store):
        from threadwell.facade.importing import check_import

        # A mistake, or a dry run, must not leave an empty store behind.
        check_import(job)
        store = ":memory:" if job.dry_run else store
    chosen: list[Choices] = []

    def told(choices: Choices) -> None:
        chosen.append(choices)
        print_choices(choices)

    with _crew_ahead(job), threadwell.open(store) as tw, Progress() as progress:
        report = tw.import_plan(job, progress, told)
    if arguments.format == "json":
        print_json(as_json(report, dryRun=job.dry_run))
    else:
        print_report(report, store=arguments.store, project=arguments.project, dry_run=job.dry_run)
        if report.outcome is not None:
            print()
            print_outcome(report.outcome, in_zone(chosen[0].zone, chosen[0].country))
    return 0


def _job(arguments: Namespace) -> ImportJob:
    from threadwell.facade.importing import ImportJob, Who
    from threadwell.intake.choices import Asked

    return ImportJob(
        paths=tuple(arguments.paths),
        channel=arguments.channel,
        who=Who.of(**who(arguments)),
        asked=Asked(
            **sessions(arguments),
            clinical_types=tuple(arguments.clinical_type),
            organization=arguments.organization,
        ),
        dry_run=arguments.dry_run,
        correct_times=arguments.correct_times,
        workers=arguments.workers,
        **columns(arguments),
    )


def _crew_ahead(job: ImportJob) -> AbstractContextManager[None]:
    """Meanwhile processes that decide for the import begin at once, should there be any."""
    if job.dry_run or job.workers == 0:
        return nullcontext()
    from threadwell.intake.gathered.starting import ahead
    from threadwell.intake.hand import main

    return ahead(main)


COMMAND = Command(
    name="import",
    summary="Import exports of messages as sessions: Encounters with their threads",
    about="Reads exports of phones, mail, chats and phone systems (the channels below), and tables "
    "(CSV, JSON Lines, Parquet), by what is in them, whatever their names are. "
    "May be run again, on the same files or on more: nothing "
    "is imported twice, and what was quarantined is placed once its people are known. How sessions "
    "are cut is chosen with the first import and kept; `threadwell recut` changes it.",
    examples=(
        "threadwell import exports/ --people people.csv --owner +12125550100 "
        "--zone America/New_York",
        "threadwell import inbox.mbox --policy inactivity-gap --gap 12h --dry-run",
    ),
    add_arguments=add_arguments,
    run=run,
)
