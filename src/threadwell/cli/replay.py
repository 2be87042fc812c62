"""``threadwell replay``: held messages whose people are known by now take their place."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_format, add_store, there
from threadwell.cli.import_options import add_who, who
from threadwell.cli.output import plural, print_json
from threadwell.cli.report import as_json, hints, made, print_shared


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_store(parser)
    add_format(parser)
    add_who(parser)


def run(arguments: Namespace) -> int:
    """Replay, and print what has its place now and what still waits."""
    import threadwell

    with threadwell.open(arguments.store, create=False) as tw:
        report = tw.replay(**who(arguments))
        held = tw.quarantine()
    if arguments.format == "json":
        print_json(as_json(report, held=len(held)))
        return 0
    print(made(report))
    print_shared(report)
    print(f"{plural(len(held), 'message')} still held" + (":" if held else ""))
    for line in hints((item.reason for item in held), there(arguments)):
        print(line)
    return 0


COMMAND = Command(
    name="replay",
    summary="Give their place to messages that were quarantined, as far as they can have it now",
    about="Every import does so too. Use it after people were added or corrected in the store, or "
    "with a file of them.",
    examples=("threadwell replay --people people.csv", "threadwell replay --unknown patient"),
    add_arguments=add_arguments,
    run=run,
)
