"""``threadwell subscriptions``: who is told of changes, how far, and which hosts may be called."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.errors import Mistake, Misuse
from threadwell.cli.output import print_json, table


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    which = parser.add_mutually_exclusive_group()
    host = "HOST or HOST:PORT"
    which.add_argument(
        "--allow-host",
        metavar="HOST",
        help=f"let rest-hooks call {host} though it is here or in a private network",
    )
    which.add_argument("--forbid-host", metavar="HOST", help="do so no more")
    which.add_argument(
        "--set-back",
        nargs=2,
        metavar=("ID", "NUMBER"),
        help="have a rest-hook told again, from the event with that number on; `now` for NUMBER "
        "leaves out what it was not told so far",
    )
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Show the Subscriptions that are served or were given up, or let a host be called."""
    import threadwell

    with threadwell.open(arguments.store, create=False) as tw:
        if host := arguments.allow_host or arguments.forbid_host:
            tw.allow_hook_host(host, allowed=bool(arguments.allow_host))
        if arguments.set_back:
            id_, number = arguments.set_back
            if number != "now" and not (number.isascii() and number.isdigit()):
                raise Misuse(f"{number} is no number of an event")
            after = None if number == "now" else int(number)
            try:
                tw.set_hook_back(id_.removeprefix("Subscription/"), after)
            except (LookupError, ValueError) as error:
                raise Mistake(str(error.args[0])) from None
        served = [one._asdict() for one in tw.subscriptions()]
        hosts = tw.hook_hosts()
    if arguments.format == "json":
        print_json({"subscriptions": served, "hosts": hosts})
        return 0
    if hosts:
        print(f"In private networks may be called: {', '.join(hosts)}")
    if not served:
        print("There is no Subscription.")
        return 0
    names = ("id", "channel", "status", "criteria", "number", "behind", "tries", "due", "why")
    rows = [
        ["-" if one[name] in ("", None) else str(one[name]) for name in names] for one in served
    ]
    print(table([name.capitalize() for name in names], rows))
    return 0


COMMAND = Command(
    name="subscriptions",
    summary="Who is told of changes: Subscriptions, and how far each has been told",
    about="`behind` counts the changes that a rest-hook has not gone past yet, and `number` is "
    "that of the last event that it has: set it back, and it is told again. `due` is when what was "
    "tried in vain is tried again. One that was "
    "never reached for 72 hours is given up (`error`). Make one that was given up or turned `off` "
    "`active` again, and it goes on where it was.",
    examples=(
        "threadwell subscriptions",
        "threadwell subscriptions --allow-host billing.internal:8443",
        "threadwell subscriptions --set-back 00000000-0000-4000-8000-000000000000 4711",
    ),
    add_arguments=add_arguments,
    run=run,
)
