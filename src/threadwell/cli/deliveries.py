"""``threadwell deliveries``: what was delivered and cannot be taken in, for a person to decide."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.errors import Mistake
from threadwell.cli.output import on_a_clock, print_json, table


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--replay", metavar="ID", help="take one in after all; `all` for each")
    which.add_argument("--drop", metavar="ID", help="let one be gone for good, unread")
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Show the deliveries that are stuck, or decide about one."""
    import threadwell
    from threadwell.intake.arrivals.stuck import shown

    with threadwell.open(arguments.store, create=False) as tw:
        try:
            if arguments.replay == "all":
                for each in tw.stuck_deliveries():
                    tw.replay_delivery(each.id)
            elif arguments.replay:
                tw.replay_delivery(arguments.replay)
            elif arguments.drop:
                tw.drop_delivery(arguments.drop)
        except LookupError as error:
            raise Mistake(str(error)) from None
        stuck, journal = shown(tw.stuck_deliveries()), tw.journal_depth()
        dates = tw.dates
    if arguments.format == "json":
        print_json(stuck)
        return 0
    if journal.count:
        number = f"{journal.count:,}{' or more' if journal.more else ''}"
        oldest = f"{dates.text(on_a_clock(journal.oldest))} ({dates.zone.key})"
        print(f"To be taken in: {number}, the oldest of {oldest}.")
    if not stuck:
        print("No delivery is stuck.")
        return 0
    print("Could not be taken in; --replay tries one again, --drop lets it be gone:")
    names = ("id", "account", "received", "tries", "bytes", "reason")
    told = [{**one, "received": dates.text(one["received"])} for one in stuck]
    rows = [[str(one[name]) or "-" for name in names] for one in told]
    print(table([name.capitalize() for name in names], rows))
    print(f"\nTimes are in {dates.zone.key}.")
    return 0


COMMAND = Command(
    name="deliveries",
    summary="What providers have delivered and cannot be taken in",
    about="A delivery that fails again and again is put aside, whole, and those behind it go on. "
    "Replay it once the reason is gone: `threadwell serve` or `threadwell duties` takes it in. "
    "What is dropped was acknowledged, and nobody will deliver it again.",
    examples=(
        "threadwell deliveries",
        "threadwell deliveries --replay all",
    ),
    add_arguments=add_arguments,
    run=run,
)
