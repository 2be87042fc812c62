"""``threadwell preview``: what another policy would make of what is stored."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.import_options import add_sessions, sessions
from threadwell.cli.names import patient_names
from threadwell.cli.output import paint, plural, print_json, table
from threadwell.cli.trial import in_zone
from threadwell.shown import on_a_line

if TYPE_CHECKING:
    from threadwell.inbox.dates import Dates
    from threadwell.intake import Preview

_ROWS = {
    "sessions": "Sessions",
    "open": "of which open",
    "finished": "of which finished",
    "billed": "of which billed",
    "to_review": "of which to review",
    "encounters": "Encounters",
    "messages": "Messages in sessions",
    "outside": "Messages outside",
    "largest": "Messages of the largest",
}
#: Lines of the table of sessions: the whole of it is in the JSON.
_MOST = 100


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_store(parser)
    add_format(parser)
    add_sessions(parser)


def run(arguments: Namespace) -> int:
    """Look, and print it."""
    import threadwell

    with threadwell.open(arguments.store, read_only=True) as tw:
        found = tw.preview(**sessions(arguments))
        dates = tw.dates
        names = patient_names(tw, (one.subject for one in found.sessions[:_MOST]))
    if arguments.zone:
        dates = in_zone(arguments.zone, dates.country)
    if arguments.format == "json":
        print_json(asdict(found))
    else:
        _print(found, names, dates, arguments.policy or "as asked")
    return 0


def _print(found: Preview, names: Mapping[str, str], dates: Dates, policy: str) -> None:
    rows = [
        [
            _ROWS[one.name],
            str(getattr(found.today, one.name)),
            str(getattr(found.then, one.name)),
        ]
        for one in fields(found.today)
    ]
    print(table(["", "Today", policy], rows))
    print()
    lines = [
        [
            on_a_line(names.get(one.subject) or one.subject or "(nobody yet)"),
            dates.text(one.start) or "-",
            dates.text(one.end) or "(open)",
            str(one.messages),
            one.status,
            _beside(one.id, one.today),
        ]
        for one in found.sessions[:_MOST]
    ]
    head = ["About", "First message", "Last message", "Messages", "Status", "Today"]
    print(table(head, lines))
    if more := len(found.sessions) - len(lines):
        print(f"… and {more:,} more: --format json has all of them")
    print(paint(f"Nothing was written; times are in {dates.zone.key}.", "yellow"))


def _beside(id_: str, today: tuple[str, ...]) -> str:
    if today == (id_,):
        return "the same"
    if not today:
        return "no session"
    return f"Encounter/{today[0]}" if len(today) == 1 else plural(len(today), "session")


COMMAND = Command(
    name="preview",
    summary="Show which sessions another policy, scope, gap or zone would make, beside today's",
    about="Nothing is written: the sessions are found anew by what is given, from the messages "
    "that are stored and what people have done to sessions. `threadwell recut` does it.",
    examples=(
        "threadwell preview --policy inactivity-gap --gap 12h",
        "threadwell preview --policy per-day --scope patient",
    ),
    add_arguments=add_arguments,
    run=run,
)
