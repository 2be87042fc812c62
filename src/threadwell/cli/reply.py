"""``threadwell reply``: a person of the practice replies in a thread."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.errors import Misuse
from threadwell.cli.output import print_json


def add_arguments(parser: ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "thread",
        metavar="THREAD",
        help="the thread header, or the message to answer; or Task/… as `threadwell todos` has it, "
        "or Encounter/… of a session of one thread",
    )
    parser.add_argument(
        "text", metavar="TEXT", nargs="?", default="", help="what to write; - reads standard input"
    )
    parser.add_argument("--saved", metavar="NAME", default="", help="the saved reply of that name")
    parser.add_argument(
        "--as", dest="sender", metavar="WHO", required=True, help="who writes: Practitioner/…"
    )
    parser.add_argument(
        "--file",
        dest="files",
        metavar="FILE",
        action="append",
        default=[],
        help="a file to go along",
    )
    parser.add_argument(
        "--key", metavar="NAME", default="", help="given twice with one name, it is one reply"
    )
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Write the reply, and print where it is."""
    import threadwell

    if not (arguments.text or arguments.saved or arguments.files):
        raise Misuse("say what: TEXT, or --saved NAME")
    text = sys.stdin.read().rstrip("\n") if arguments.text == "-" else arguments.text
    with threadwell.open(arguments.store, create=False) as tw:
        done = tw.reply(
            arguments.thread,
            text,
            sender=arguments.sender,
            files=[Path(one) for one in arguments.files],
            key=arguments.key,
            saved=arguments.saved,
        )
    if arguments.format == "json":
        print_json(
            {
                "message": done.message,
                "thread": done.thread,
                "account": done.account,
                "there": done.there,
            }
        )
    elif done.there:
        print(f"{done.message} is there already")
    else:
        print(f"{done.message} is to be sent by {done.account}")
    return 0


COMMAND = Command(
    name="reply",
    summary="Reply in a thread, by its own channel and account",
    about="The reply is in the record at once, in its session. `threadwell serve` sends it; "
    "`threadwell outbox` shows what was not sent yet.",
    examples=(
        "threadwell reply Task/7d5ad8a1-52b7-4d0e-9b6e-5a7f6a0f9c11 'Three it is.' "
        "--as Practitioner/ana",
        "threadwell reply Communication/86e2b29e-b27d-58ef-aeb5-26699f202df7 "
        "'Three it is.' --as Practitioner/ana",
    ),
    add_arguments=add_arguments,
    run=run,
)
