"""``threadwell quarantine``: what is held back, and why."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.app import shown_store
from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.output import plural, print_json, table


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """List every held message with its reason."""
    import threadwell

    with threadwell.open(arguments.store, create=False) as tw:
        held = tw.quarantine()
    if arguments.format == "json":
        print_json(
            [
                {
                    "task": item.task,
                    "content": item.content,
                    "channel": item.channel,
                    "sent": item.sent,
                    "reason": item.reason,
                    "text": item.text,
                    "unknown": [address.value for address in item.unknown],
                }
                for item in held
            ]
        )
    elif held:
        rows = [
            [
                item.channel,
                item.sent or "-",
                ", ".join(address.value for address in item.unknown) or "-",
                item.text,
                item.task,
            ]
            for item in held
        ]
        print(table(["Channel", "Sent", "Unknown", "Why", "Kept as"], rows))
        print(f"\n{plural(len(held), 'message')} held. Once its people are known, import again.")
        print(f"Look at one: threadwell get {held[0].task} --store {shown_store(arguments.store)}")
    else:
        print("Nothing is held back.")
    return 0


COMMAND = Command(
    name="quarantine",
    summary="List the messages that are held back, and why",
    about="Each is kept whole, as a Task whose input refers to its content. The next import that "
    "knows the people of a held message gives it its place.",
    examples=(
        "threadwell quarantine",
        "threadwell quarantine --format json --store sqlite:///practice.db",
    ),
    add_arguments=add_arguments,
    run=run,
)
