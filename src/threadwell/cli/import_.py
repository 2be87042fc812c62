"""``threadwell import``: exports of messages into a store, as sessions."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from threadwell.app import CHANNEL_NAMES, shown_store
from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.output import paint, plural
from threadwell.cli.progress import Progress

if TYPE_CHECKING:
    from threadwell.intake import Report


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "paths", metavar="PATH", nargs="+", type=Path, help="a file, folder or archive of exports"
    )
    add_store(parser)
    add_format(parser)
    parser.add_argument(
        "--people",
        metavar="FILE",
        type=Path,
        help="who has which address: a CSV file or a FHIR Bundle",
    )
    parser.add_argument(
        "--owner",
        metavar="ADDRESS",
        action="append",
        default=[],
        help="a phone number or mail address of the practice itself; may be repeated",
    )
    parser.add_argument(
        "--zone",
        metavar="IANA",
        help="care time zone, such as America/New_York (default: that of the last import, or UTC)",
    )
    parser.add_argument(
        "--country",
        metavar="CODE",
        default="US",
        help="country of phone numbers and dates that do not tell theirs (default: US)",
    )
    parser.add_argument(
        "--channel",
        metavar="NAME",
        help=f"read everything as this channel: {', '.join(CHANNEL_NAMES)} (default: by content)",
    )
    parser.add_argument(
        "--unknown",
        choices=["quarantine", "patient"],
        default="quarantine",
        help="messages of unknown senders wait in quarantine, or each sender becomes a Patient",
    )
    sessions = parser.add_argument_group("which messages make one session")
    sessions.add_argument(
        "--policy",
        metavar="NAME",
        default="per-day",
        help="per-thread, per-day, inactivity-gap or explicit (default: per-day)",
    )
    sessions.add_argument(
        "--scope",
        choices=["thread", "patient"],
        default="thread",
        help="a session spans one thread, or all threads of a patient (default: thread)",
    )
    sessions.add_argument(
        "--gap",
        metavar="TIME",
        default="24h",
        help="the silence that ends an inactivity-gap or explicit session (default: 24h)",
    )
    sessions.add_argument(
        "--open-keyword",
        metavar="WORD",
        action="append",
        default=[],
        help="a message that begins with it opens an explicit session; may be repeated",
    )
    sessions.add_argument(
        "--close-keyword",
        metavar="WORD",
        action="append",
        default=[],
        help="a message that begins with it closes an explicit session; may be repeated",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="read and count everything, and write nothing"
    )


def run(arguments: Namespace) -> int:
    """Import, and print the counts."""
    import threadwell

    with threadwell.open(arguments.store) as tw, Progress() as progress:
        report = tw.import_messages(
            arguments.paths,
            channel=arguments.channel,
            policy=arguments.policy,
            gap=arguments.gap,
            scope=arguments.scope,
            zone=arguments.zone,
            people=arguments.people,
            unknown=arguments.unknown,
            owner=arguments.owner,
            country=arguments.country,
            opening=arguments.open_keyword,
            closing=arguments.close_keyword,
            dry_run=arguments.dry_run,
            progress=progress,
        )
    if arguments.format == "json":
        print(json.dumps(_as_json(report, arguments.dry_run), indent=2))
    else:
        print_report(report, store=arguments.store, dry_run=arguments.dry_run)
    return 0


def print_report(report: Report, *, store: str, dry_run: bool = False) -> None:
    """The counts for people, and where the quarantined messages are to be seen."""
    from threadwell.encounters import codes
    from threadwell.inbox.names import concept_text

    counts = report.counts
    print(
        f"{plural(counts.read, 'message')} read = {counts.new:,} new + {counts.known:,} known"
        f" + {counts.quarantined:,} quarantined"
    )
    made = [plural(report.sessions, "new session")]
    if report.replayed:
        made.append(f"{plural(report.replayed, 'message')} placed that had been quarantined")
    if report.superseded:
        made.append(f"{plural(report.superseded, 'resource')} superseded")
    if report.reviews:
        made.append(f"{plural(report.reviews, 'question')} for a person to answer")
    print(", ".join(made))
    if dry_run:
        print(paint("Nothing was written: this was a dry run.", "yellow"))
    elif counts.quarantined:
        print(paint("Quarantined:", "yellow"))
        for reason, number in report.reasons.most_common():
            print(f"{number:>6,}  {concept_text(codes.reason(reason))}")
        print(f"See each, and why: threadwell quarantine --store {shown_store(store)}")


def _as_json(report: Report, dry_run: bool) -> dict[str, object]:
    counts = report.counts
    return {
        "read": counts.read,
        "new": counts.new,
        "known": counts.known,
        "quarantined": counts.quarantined,
        "replayed": report.replayed,
        "sessions": report.sessions,
        "superseded": report.superseded,
        "reviews": report.reviews,
        "reasons": dict(sorted(report.reasons.items())),
        "dryRun": dry_run,
    }


COMMAND = Command(
    name="import",
    summary="Import exports of messages as sessions: Encounters with their threads",
    about="Reads SMS Backup & Restore XML, WhatsApp chats, mail (mbox, .eml, Maildir) and tables "
    "(CSV, JSON Lines), whatever their names are. May be run again, on the same files or on more: "
    "nothing is imported twice, and what was quarantined is placed once its people are known.",
    examples=(
        "threadwell import exports/ --people people.csv --owner +12125550100 "
        "--zone America/New_York",
        "threadwell import inbox.mbox --policy inactivity-gap --gap 12h --dry-run",
    ),
    add_arguments=add_arguments,
    run=run,
)
