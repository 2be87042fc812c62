"""``threadwell allow``: what R4 leaves to each server, and this one does only when told to."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.errors import Misuse
from threadwell.cli.output import print_json, table

_WHAT = {
    "update-create": "PUT of an id that never was makes the resource",
    "delete-several": "DELETE of Type?query deletes all that it selects, up to 1,000",
}


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    told = "; ".join(f"{name}: {does}" for name, does in _WHAT.items())
    parser.add_argument("what", metavar="WHAT", nargs="?", choices=_WHAT, help=told)
    parser.add_argument("to", metavar="on|off", nargs="?", choices=["on", "off"], help="allow it")
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Show what is allowed, or change it."""
    import msgspec

    import threadwell

    if bool(arguments.what) != bool(arguments.to):
        raise Misuse("it is written: threadwell allow WHAT on|off")
    with threadwell.open(arguments.store, create=False, read_only=not arguments.what) as tw:
        if arguments.what:
            tw.allow(arguments.what.replace("-", "_"), on=arguments.to == "on")
        found = {
            name.replace("_", "-"): on for name, on in msgspec.structs.asdict(tw.allowed()).items()
        }
    if arguments.format == "json":
        print_json(found)
        return 0
    rows = [[name, "on" if found[name] else "off", does] for name, does in _WHAT.items()]
    print(table(["What", "", "What it does"], rows))
    return 0


COMMAND = Command(
    name="allow",
    summary="Let clients choose ids, or delete several at once",
    about="Neither is allowed until it is told. A client with an access policy never chooses ids.",
    examples=("threadwell allow", "threadwell allow update-create on"),
    add_arguments=add_arguments,
    run=run,
)
