"""``threadwell sessions``: the sessions of a store, the one that was written in last first."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from threadwell.app import CHANNEL_NAMES
from threadwell.cli.channels import named_channel, shown_channel
from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.meant import patient_meant
from threadwell.cli.numbers import positive
from threadwell.cli.output import plural, print_json, table
from threadwell.cli.whys import why_text

if TYPE_CHECKING:
    from threadwell.inbox.dates import Dates
    from threadwell.intake import SessionSummary, Why

#: Those of ``intake``, which is loaded only when it is needed.
_STATUSES = ("all", "open", "finished", "superseded")


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_store(parser)
    add_format(parser)
    group = parser.add_argument_group("which sessions")
    group.add_argument(
        "--status",
        choices=_STATUSES,
        default="all",
        help="all (the default) leaves out those that are superseded",
    )
    group.add_argument(
        "--patient", metavar="WHO", default="", help="a patient's name, id or reference"
    )
    group.add_argument(
        "--channel", metavar="NAME", default="", help=f"one of {', '.join(CHANNEL_NAMES)}"
    )
    group.add_argument(
        "--from", dest="since", metavar="DAY", type=_day, help="that began on this day or later"
    )
    group.add_argument(
        "--to", dest="until", metavar="DAY", type=_day, help="that began on this day or earlier"
    )
    group.add_argument("--to-review", action="store_true", help="about which a question is open")
    parser.add_argument(
        "--why", action="store_true", help="tell why each is about whom it is about"
    )
    group.add_argument(
        "--limit", metavar="N", type=positive, help="the first N of them (default: all)"
    )


def run(arguments: Namespace) -> int:
    """List the sessions that are asked for."""
    import threadwell

    with threadwell.open(arguments.store, read_only=True) as tw:
        dates, limit = tw.dates, arguments.limit
        sessions = tw.sessions(
            status=arguments.status,
            patient=patient_meant(tw, arguments.patient),
            channel=named_channel(arguments.channel),
            since=arguments.since,
            until=arguments.until,
            to_review=arguments.to_review,
            limit=None if limit is None else limit + 1,
        )
        none = not sessions and not _is_narrowed(arguments)
        held = len(tw.quarantine()) if none else 0
        more = limit is not None and len(sessions) > limit
        sessions = sessions[:limit]
        whys = {one.id: tw.why(one.id) for one in sessions} if arguments.why else None
    if arguments.format == "json":
        print_json([_as_json(session, whys) for session in sessions])
    elif sessions or not _is_narrowed(arguments):
        print_sessions(sessions, dates, more=more, held=held, whys=whys)
    else:
        print("No session is like that.")
    return 0


def _is_narrowed(arguments: Namespace) -> bool:
    asked = ("patient", "channel", "since", "until", "to_review", "limit")
    return arguments.status != "all" or any(getattr(arguments, name) for name in asked)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("write a day as 2026-11-28") from None


def print_sessions(
    sessions: Sequence[SessionSummary],
    dates: Dates,
    *,
    more: bool = False,
    held: int = 0,
    whys: Mapping[str, tuple[Why, ...]] | None = None,
) -> None:
    """The sessions for people, times in the care time zone; ``more`` says that there are others.

    Where there are none, ``held`` is how many messages wait in quarantine. ``whys`` tell, by their
    ids, why they are about whom they are about.
    """
    if not sessions and held:
        hold = "is" if held == 1 else "are"
        print(
            f"There are no sessions; {plural(held, 'message')} {hold} held: "
            "`threadwell quarantine` says why."
        )
        return
    if not sessions:
        print("There are no sessions; `threadwell import` makes them.")
        return

    rows = [
        [
            _called(session),
            ", ".join(shown_channel(one) for one in session.channels) or "-",
            dates.text(session.start) or "-",
            dates.text(session.end) or "-",
            str(session.messages),
            "superseded" if session.status == "entered-in-error" else session.status,
            session.id,
            *([why_text(whys[session.id])] if whys else []),
        ]
        for session in sessions
    ]
    head = ["Patient", "Channel", "First message", "Last message", "Messages", "Status"]
    print(table([*head, "Encounter", *(["Why"] if whys else [])], rows))
    others = ", and there are more" if more else ""
    print(f"\n{plural(len(sessions), 'session')}{others}; times are in {dates.zone.key}.")


def _as_json(session: SessionSummary, whys: Mapping[str, tuple[Why, ...]] | None) -> dict[str, Any]:
    told = {"why": [asdict(one) for one in whys[session.id]]} if whys else {}
    return asdict(session) | told


def _called(session: SessionSummary) -> str:
    if session.names:
        return " & ".join(session.names)
    return "(to review)" if session.to_review else f"(no patient) {session.topic}".rstrip()


COMMAND = Command(
    name="sessions",
    summary="List the sessions, as the pages do",
    about="A session is what the pages and `threadwell verify` call one: an Encounter of class VR "
    "that is part of no other, also one that was made by hand. The one that was written in last "
    "stands first; one patient's, those with an open question and the superseded by when they "
    "began. Days are those of the care time zone.",
    examples=(
        "threadwell sessions",
        "threadwell sessions --patient 'Mia Castellano' --from 2026-11-01 --to 2026-11-30",
        "threadwell sessions --to-review --limit 20",
        "threadwell sessions --why --limit 20",
        "threadwell sessions --format json --store sqlite:///practice.db",
    ),
    add_arguments=add_arguments,
    run=run,
)
