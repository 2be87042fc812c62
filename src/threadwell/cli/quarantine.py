"""``threadwell quarantine``: what is held back, and why."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from threadwell.channels.called import called
from threadwell.cli.command import Command, add_format, add_store, there
from threadwell.cli.errors import Mistake
from threadwell.cli.output import lines, plural, print_json, table
from threadwell.cli.report import hints

if TYPE_CHECKING:
    from threadwell.inbox.dates import Dates
    from threadwell.inbox.quarantine import HeldItem, HeldRow
    from threadwell.intake import Quarantined


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("id", metavar="ID", nargs="?", help="show this held message whole")
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """List every held message with its reason, or show one."""
    import threadwell

    with threadwell.open(arguments.store, read_only=True) as tw:
        if arguments.id:
            item = tw.held(arguments.id)
            if item is None:
                raise Mistake("nothing is held under that id")
            if arguments.format == "json":
                print_json(_one_as_json(item))
            else:
                _print_one(item)
            return 0
        held = tw.quarantine()
        if arguments.format == "json":
            print_json([_as_json(one) for one in held])
        else:
            _print_list(held, tw.held_rows(), tw.dates, there(arguments))
    return 0


def _print_list(
    held: Sequence[Quarantined], rows: Sequence[HeldRow], dates: Dates, where: str
) -> None:
    if not held:
        print("Nothing is held back.")
        return
    from threadwell.encounters import codes
    from threadwell.inbox.names import concept_text
    from threadwell.inbox.quarantine import one_for_each_address

    shown = [
        [
            f"{row.number:,}",
            row.when or "-",
            called(row.way),
            row.id,
            concept_text(codes.reason(row.code)) if row.code else "-",
            row.source or row.title,
        ]
        for row in one_for_each_address(rows)
    ]
    print(table(["Messages", "Sent", "Channel", "ID", "Why", "Who or where"], shown))
    print(f"\n{plural(len(held), 'message')} held; times are in {dates.zone.key}.")
    for line in hints((one.reason for one in held), where):
        print(line)
    print(f"Look at one, and at the others of its address: threadwell quarantine ID{where}")


def _print_one(item: HeldItem) -> None:
    pairs = [("Why", item.reason), ("Channel", called(item.way)), *item.pairs]
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        print(f"{name.ljust(width)}  {' '.join(lines(value))}")
    print(f"{'Kept as'.ljust(width)}  Task/{item.id}")
    for number, step in enumerate(item.steps, start=1):
        print(f"{'To do'.ljust(width) if number == 1 else ' ' * width}  {number}. {step}")
    print()
    print("\n".join(lines(item.text)) if item.text else "It has no text to show.")
    if item.cut:
        print("… (its Binary has the whole of it)")
    if item.others:
        print("\nFor the same address wait:")
        print(table(["Sent", "ID"], [[one.when or "-", one.id] for one in item.others]))


def _as_json(item: Quarantined) -> dict[str, object]:
    return {
        "task": item.task,
        "content": item.content,
        "channel": item.channel,
        "sent": item.sent,
        "reason": item.reason,
        "text": item.text,
        "unknown": [address.value for address in item.unknown],
        "shared": [address.value for address in item.shared],
    }


def _one_as_json(item: HeldItem) -> dict[str, object]:
    return {
        "task": f"Task/{item.id}",
        "channel": item.channel,
        "reason": item.reason,
        **{name.lower(): value for name, value in item.pairs},
        "text": item.text,
        "whole": not item.cut,
    }


COMMAND = Command(
    name="quarantine",
    summary="List the messages that are held back, and why, or show one",
    about="Each is kept whole, as a Task whose input refers to its content. The next import, or "
    "`threadwell replay`, gives it its place once it can have one.",
    examples=(
        "threadwell quarantine",
        "threadwell quarantine 1b4e28ba-2fa1-51d2-883f-0016d3cca427",
        "threadwell quarantine --format json --store sqlite:///practice.db",
    ),
    add_arguments=add_arguments,
    run=run,
)
