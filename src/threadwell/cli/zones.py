"""``threadwell zones``: by which zone data days are cut, and what newer data would move."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.output import paint, plural, print_json, table

if TYPE_CHECKING:
    from threadwell.inbox.dates import Dates
    from threadwell.intake import ZoneReport


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Show the zone data and the sessions that wait; 1 if there are any."""
    import threadwell

    with threadwell.open(arguments.store, read_only=True) as tw:
        report, dates = tw.zones(), tw.dates
    if arguments.format == "json":
        print_json(_as_json(report))
    else:
        _print(report, dates)
    return 1 if report.days and report.days.waiting else 0


def _print(report: ZoneReport, dates: Dates) -> None:
    used, days = report.used, report.days
    print(f"Zone data     {used.data.release}, from {used.where}")
    if report.machine and report.machine.where != used.where:
        print(f"              the machine's is {report.machine.data.release}: not used")
    if days is None:
        print("Care zone     none was ever told: days are those of UTC")
        return
    cut = days.kept.release if days.kept else "data that was not noted; the next import notes it"
    print(f"Care zone     {days.here.name}, its days cut by {cut}")
    if not days.moved:
        print(f"{paint('✓', 'green')} No session has other days by {used.data.release}.")
        return
    rows = [
        [
            one.encounter,
            dates.day(one.old),
            dates.day(one.new),
            str(one.messages),
            "stays" if one.locked else "",
        ]
        for one in days.moved
    ]
    print()
    print(table(["Encounter", "Day", "Becomes", "Messages", "Billed"], rows))
    if days.waiting:
        count = plural(len({one.encounter for one in days.waiting}), "session")
        print(f"\n{count} would move: nothing does until `threadwell recut`.")


def _as_json(report: ZoneReport) -> dict[str, Any]:
    days = report.days
    return {
        "release": str(report.used.data.release),
        "from": report.used.where,
        "machine": str(report.machine.data.release) if report.machine else None,
        "zone": days.here.name if days else None,
        "cutBy": str(days.kept.release) if days and days.kept else None,
        "moved": [
            {
                "encounter": one.encounter,
                "day": str(one.old),
                "becomes": str(one.new),
                "messages": one.messages,
                "billed": one.locked,
            }
            for one in (days.moved if days else ())
        ],
    }


COMMAND = Command(
    name="zones",
    summary="Tell by which time zone data days are cut, and which sessions newer data would move",
    about="Governments change the rules of time zones. Where newer data has another day for a "
    "message, its session stays as it is until `threadwell recut`. Ends with exit code 1 if any "
    "waits for that.",
    examples=("threadwell zones",),
    add_arguments=add_arguments,
    run=run,
)
