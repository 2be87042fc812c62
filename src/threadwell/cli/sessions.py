"""``threadwell sessions``: the sessions of a store, the one that was written in last first."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from threadwell.app import CHANNEL_NAMES
from threadwell.channels.called import called
from threadwell.cli.channels import named_channel
from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.errors import Mistake
from threadwell.cli.meant import patient_meant
from threadwell.cli.numbers import positive
from threadwell.cli.output import JsonList, Table, plural, print_json
from threadwell.cli.report import place
from threadwell.cli.whys import why_text

if TYPE_CHECKING:
    from threadwell.facade import Threadwell
    from threadwell.inbox.dates import Dates
    from threadwell.intake import SessionSummary, Why

#: Sessions that are read and printed at once.
_PAGE = 1000
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
    group.add_argument(
        "--after",
        metavar="PLACE",
        default="",
        help="go on behind PLACE, which a list that was cut by --limit prints below it",
    )


def run(arguments: Namespace) -> int:
    """List the sessions that are asked for."""
    import threadwell

    with threadwell.open(arguments.store, read_only=True) as tw:
        if _is_looked_for(arguments):
            if arguments.after:
                raise Mistake("--after goes with no filter but --status open or --status finished")
            return _found(tw, arguments)
        return _walked(tw, arguments)


def _walked(tw: Threadwell, arguments: Namespace) -> int:
    """Print page by page: what has been printed is not kept."""
    dates, limit = tw.dates, arguments.limit
    lines = SessionLines(dates, why=arguments.why)
    number, after = 0, ""
    in_json = JsonList() if arguments.format == "json" else None
    pages = tw.session_pages(status=arguments.status, after=arguments.after, size=limit or _PAGE)
    for page in pages:
        number, after = number + len(page.sessions), page.after
        whys = {one.id: tw.why(one.id) for one in page.sessions} if arguments.why else None
        if in_json is not None:
            in_json.add([_as_json(session, whys) for session in page.sessions])
        else:
            lines.print(page.sessions, whys)
        if limit is not None:
            break
    more = _onward(arguments, after) if after else ""
    if in_json is not None:
        in_json.end()
        if more:
            print(f"There are more: {more}", file=sys.stderr)
    elif number:
        print_number(number, dates, more=bool(after))
        if more:
            print(f"The next of them: {more}")
    elif arguments.status == "all" and not arguments.after:
        print_none(len(tw.quarantine()), [one.name for one in tw.accounts()])
    else:
        print("No session is like that.")
    return 0


def _onward(arguments: Namespace, after: str) -> str:
    """The command that prints what follows: as this one was asked, behind that place."""
    asked = f"threadwell sessions {place(arguments.store, arguments.project)}"
    if arguments.status != "all":
        asked += f" --status {arguments.status}"
    asked += " --why" if arguments.why else ""
    asked += " --format json" if arguments.format == "json" else ""
    return f"{asked} --limit {arguments.limit} --after {after}"


def _found(tw: Threadwell, arguments: Namespace) -> int:
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
    more = limit is not None and len(sessions) > limit
    sessions = sessions[:limit]
    whys = {one.id: tw.why(one.id) for one in sessions} if arguments.why else None
    if arguments.format == "json":
        print_json([_as_json(session, whys) for session in sessions])
    elif sessions:
        SessionLines(dates, why=arguments.why).print(sessions, whys)
        print_number(len(sessions), dates, more=more)
    else:
        print("No session is like that.")
    return 0


def _is_looked_for(arguments: Namespace) -> bool:
    asked = ("patient", "channel", "since", "until", "to_review")
    return arguments.status == "superseded" or any(getattr(arguments, name) for name in asked)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("write a day as 2026-11-28") from None


class SessionLines:
    """The sessions for people, times in the care time zone, page by page below one head.

    With ``why`` there stands why they are about whom they are about.
    """

    def __init__(self, dates: Dates, *, why: bool) -> None:
        self._dates = dates
        head = ["Patient", "Channel", "First message", "Last message", "Messages", "Status"]
        self._table = Table([*head, "Encounter", *(["Why"] if why else [])])

    def print(
        self,
        sessions: Sequence[SessionSummary],
        whys: Mapping[str, tuple[Why, ...]] | None = None,
    ) -> None:
        """A line for each, with the ``whys`` by their ids."""
        dates = self._dates
        rows = [
            [
                _called(session),
                ", ".join(called(one) for one in session.ways) or "-",
                dates.text(session.start) or "-",
                dates.text(session.end) or "-",
                str(session.messages),
                "superseded" if session.status == "entered-in-error" else session.status,
                session.id,
                *([why_text(whys[session.id])] if whys else []),
            ]
            for session in sessions
        ]
        print(self._table.lines(rows))


def print_number(number: int, dates: Dates, *, more: bool) -> None:
    """How many were listed; ``more`` says that there are others."""
    others = ", and there are more" if more else ""
    print(f"\n{plural(number, 'session')}{others}; times are in {dates.zone.key}.")


def print_none(held: int, accounts: Sequence[str] = ()) -> None:
    """That there are none; ``held`` is how many messages wait in quarantine.

    ``accounts`` are the names of those by which messages may come.
    """
    if held:
        hold = "is" if held == 1 else "are"
        print(
            f"There are no sessions; {plural(held, 'message')} {hold} held: "
            "`threadwell quarantine` says why."
        )
    else:
        come = f", and messages that come by {' or '.join(accounts)}" if accounts else ""
        print(f"There are no sessions; `threadwell import` makes them{come}.")
        if accounts:
            print("What is refused stands in the log of `threadwell serve`.")


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
    "that is part of no other, also one that was made by hand. The one with the newest message "
    "stands first; with --patient, --to-review or --status superseded, the one that began last. "
    "Days are those of the care time zone.",
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
