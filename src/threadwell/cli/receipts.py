"""``threadwell read``: somebody has read a thread; and in which way that is told."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.errors import Misuse
from threadwell.cli.output import print_json


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "thread",
        metavar="THREAD",
        nargs="?",
        default="",
        help="the thread: its header, a message of it, or Encounter/… of its session",
    )
    parser.add_argument(
        "--as", dest="who", metavar="WHO", default="", help="who has read it: Practitioner/…"
    )
    parser.add_argument(
        "--up-to", metavar="MESSAGE", default="", help="the last message that they have read"
    )
    parser.add_argument(
        "--tell-by",
        metavar="WAY",
        default="",
        help="from now on tell it by pages, status, extension or task",
    )
    add_store(parser)
    add_format(parser)


def _run(arguments: Namespace) -> int:
    import threadwell

    if arguments.thread and not arguments.who:
        raise Misuse("say who has read it: --as Practitioner/…")
    with threadwell.open(arguments.store, create=False) as tw:
        way = tw.read_receipts(arguments.tell_by)
        if not arguments.thread:
            if arguments.format == "json":
                print_json({"way": way})
            else:
                print(f"It is told by {way}.")
            return 0
        done = tw.mark_read(arguments.thread, arguments.who, arguments.up_to)
    if arguments.format == "json":
        print_json({"thread": done.thread, "up_to": done.up_to, "news": done.news})
    else:
        print(f"{done.thread} is read" if done.news else f"{done.thread} was read before")
    return 0


COMMAND = Command(
    name="read",
    summary="Note that somebody has read a thread, or choose in which way that is told",
    about="Ways are `status` (of messages, in threads of two), `extension` (of the header), `task` "
    "(one for each message and person), or `pages`, which is none that clients know.",
    examples=(
        "threadwell read Communication/86e2b29e-b27d-58ef-aeb5-26699f202df7 --as Practitioner/ana",
        "threadwell read --tell-by task",
    ),
    add_arguments=_add_arguments,
    run=_run,
)
