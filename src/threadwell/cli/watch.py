"""``threadwell watch``: a folder of which everything is imported that arrives there."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from threadwell.app import CHANNEL_NAMES
from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.errors import Mistake
from threadwell.cli.import_options import add_columns, add_sessions, add_who, columns, sessions, who
from threadwell.cli.numbers import seconds
from threadwell.cli.output import plural
from threadwell.cli.report import as_json, made, print_choices, print_shared

if TYPE_CHECKING:
    from threadwell.facade.watching import Round, Watching


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="the folder to watch")
    add_store(parser)
    add_format(parser)
    add_who(parser)
    parser.add_argument(
        "--channel",
        metavar="NAME",
        help=f"read everything as this channel: {', '.join(CHANNEL_NAMES)} (default: by content)",
    )
    parser.add_argument(
        "--settle",
        metavar="SECONDS",
        type=seconds,
        default=10.0,
        help="a file or folder is whole once it has not changed for so long (default: 10)",
    )
    parser.add_argument(
        "--every",
        metavar="SECONDS",
        type=seconds,
        default=2.0,
        help="how often to look at the folder (default: 2)",
    )
    parser.add_argument(
        "--leave",
        action="store_true",
        help="leave files where they are, instead of moving them to done/ or unread/ in the folder",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="end once all that is whole is imported; exit code 1 if something was in the way",
    )
    add_columns(parser)
    add_sessions(parser)


def run(arguments: Namespace) -> int:
    """Watch until SIGTERM or Ctrl-C, or once."""
    import threadwell

    if not arguments.folder.is_dir():
        raise Mistake(f"{arguments.folder}: there is no such folder to watch")
    last: list[str] = [""]

    def tell(outcome: Round) -> None:
        last[0] = outcome.trouble
        (_tell_program if arguments.format == "json" else _tell_person)(outcome)

    with threadwell.open(arguments.store) as tw, _stopped_by_signals() as stop:
        if arguments.format == "text" and not arguments.once:
            print(f"Watching {arguments.folder}; Ctrl-C stops it.", flush=True)
        tw.watch(_watching(arguments), tell, stop, print_choices)
    return 1 if arguments.once and last[0] else 0


def _watching(arguments: Namespace) -> Watching:
    from threadwell.facade.importing import ImportJob, Who
    from threadwell.facade.watching import Watching
    from threadwell.intake.choices import Asked

    job = ImportJob(
        paths=(),
        channel=arguments.channel,
        who=Who.of(**who(arguments)),
        asked=Asked(**sessions(arguments)),
        **columns(arguments),
    )
    return Watching(
        arguments.folder,
        job,
        settle=arguments.settle,
        pause=arguments.every,
        leave=arguments.leave,
        once=arguments.once,
    )


@contextmanager
def _stopped_by_signals() -> Iterator[Event]:
    """An event that SIGTERM and Ctrl-C set: what is under way ends with a whole commit."""
    stop = Event()

    def end(_number: int, _frame: object) -> None:
        stop.set()

    before = {one: signal.signal(one, end) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _tell_person(outcome: Round) -> None:
    """Without the names of files: they often have those of patients."""
    at = datetime.now(UTC).astimezone().strftime("%H:%M:%S")
    counts = outcome.report.counts
    if outcome.taken:
        print(
            f"{at} {plural(outcome.taken, 'file')} taken in: {plural(counts.read, 'message')} read"
            f" = {counts.new:,} new + {counts.known:,} known + {counts.quarantined:,} quarantined;"
            f" {made(outcome.report)}",
            flush=True,
        )
        print_shared(outcome.report)
    for number, what in (
        (outcome.unread, "could not be read (unread/ says why)"),
        (outcome.busy, "left: still being written"),
    ):
        if number:
            print(f"{at} {plural(number, 'file')} {what}", file=sys.stderr, flush=True)
    if outcome.trouble:
        print(f"{at} waiting: {outcome.trouble}", file=sys.stderr, flush=True)


def _tell_program(outcome: Round) -> None:
    from threadwell.fhir.json import encode

    line = as_json(
        outcome.report,
        files=outcome.taken,
        unread=outcome.unread,
        busy=outcome.busy,
        trouble=outcome.trouble,
    )
    print(encode(line).decode(), flush=True)


COMMAND = Command(
    name="watch",
    summary="Import whatever arrives in a folder, once it is whole",
    about="Reads what `threadwell import` reads. A file is taken once it stops changing, and again "
    "if it grows later; nothing is imported twice, also after a kill. Names that end in .part, "
    ".tmp and the like, or begin with a dot, are still being written.",
    examples=(
        "threadwell watch /srv/exports --people people.csv --zone America/New_York",
        "threadwell watch inbox/ --leave --once --settle 2",
    ),
    add_arguments=add_arguments,
    run=run,
)
