"""``threadwell recut``: all sessions of a store, cut anew in another way."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.import_options import add_sessions, sessions
from threadwell.cli.output import print_json
from threadwell.cli.progress import Progress
from threadwell.cli.report import as_json, made, print_choices
from threadwell.cli.trial import in_zone, print_outcome


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_store(parser)
    add_format(parser)
    add_sessions(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would change, and write nothing"
    )


def run(arguments: Namespace) -> int:
    """Cut anew, and print what came of it."""
    import threadwell
    from threadwell.intake.choices import Asked

    asked = Asked(**sessions(arguments))
    with threadwell.open(arguments.store, create=False) as tw, Progress() as progress:
        dry_run = arguments.dry_run
        report = tw.recut_plan(asked, progress, print_choices, dry_run=dry_run)
        dates = tw.dates
    if arguments.format == "json":
        print_json(as_json(report, dryRun=dry_run))
    elif report.outcome is not None:
        if arguments.zone:
            dates = in_zone(arguments.zone, dates.country)
        print_outcome(report.outcome, dates)
    else:
        print(made(report))
    return 0


COMMAND = Command(
    name="recut",
    summary="Cut all sessions anew, by another policy, scope, gap, zone or other keywords",
    about="What no longer holds becomes entered-in-error, with a Provenance. Sessions that were "
    "billed stay as they were billed. What is not given stays as it was chosen.",
    examples=(
        "threadwell recut --policy inactivity-gap --gap 12h --dry-run",
        "threadwell recut --policy inactivity-gap --gap 12h",
    ),
    add_arguments=add_arguments,
    run=run,
)
