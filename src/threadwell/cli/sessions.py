"""``threadwell sessions``: the sessions of a store, the newest first."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.output import plural, print_json, table

if TYPE_CHECKING:
    from threadwell.intake import SessionSummary


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """List every session."""
    import threadwell

    with threadwell.open(arguments.store, create=False) as tw:
        sessions, zone = tw.sessions(), tw.care_zone
    if arguments.format == "json":
        print_json([asdict(session) for session in sessions])
    else:
        print_sessions(sessions, zone)
    return 0


def print_sessions(sessions: Sequence[SessionSummary], zone: ZoneInfo) -> None:
    """The sessions for people, times in the care time zone."""
    if not sessions:
        print("There are no sessions; `threadwell import` makes them.")
        return
    rows = [
        [
            " & ".join(session.names) or "(to review)",
            ", ".join(session.channels) or "-",
            _time(session.start, zone),
            _time(session.end, zone),
            str(session.messages),
            session.status,
            session.id,
        ]
        for session in sessions
    ]
    head = ["Patient", "Channel", "First message", "Last message", "Messages", "Status"]
    print(table([*head, "Encounter"], rows))
    print(f"\n{plural(len(sessions), 'session')}; times are in {zone.key}.")


def _time(text: str, zone: ZoneInfo) -> str:
    from threadwell.inbox.words import moment

    when = moment(text, zone)
    if when is None:
        return "-"
    return f"{when:%Y-%m-%d %H:%M}" if isinstance(when, datetime) else when.isoformat()


COMMAND = Command(
    name="sessions",
    summary="List the sessions, the newest first",
    examples=(
        "threadwell sessions",
        "threadwell sessions --format json --store sqlite:///practice.db",
    ),
    add_arguments=add_arguments,
    run=run,
)
