"""``threadwell same``: whether held messages are some that are there already, said by a person."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_format, add_store, there
from threadwell.cli.errors import Mistake
from threadwell.cli.output import plural, print_json


def add_arguments(parser: ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "tasks",
        metavar="TASK",
        nargs="*",
        help="held messages, as `threadwell quarantine` has them: Task/… or the id",
    )
    parser.add_argument(
        "--another",
        action="store_true",
        help="they are other messages than those that they are suspected to be",
    )
    parser.add_argument(
        "--all", action="store_true", help="all that are held as suspected duplicates"
    )
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Say it of each, and print how many wait no longer."""
    import threadwell

    if bool(arguments.tasks) == arguments.all:
        raise Mistake("say which, or --all")
    with threadwell.open(arguments.store, create=False) as tw:
        tasks = arguments.tasks or [
            one.task for one in tw.quarantine() if one.reason == "suspected-duplicate"
        ]
        same = not arguments.another
        placed = sum(tw.say_whether_same(task, same=same).replayed for task in tasks)
    waiting = len(tasks) - placed
    if arguments.format == "json":
        print_json({"placed": placed, "waiting": waiting})
        return 0
    print(f"{plural(placed, 'message')} {'placed' if arguments.another else 'joined'}")
    if waiting:
        where = f"threadwell quarantine{there(arguments)}"
        print(f"{plural(waiting, 'message')} may be a third one: {where}")
    return 0


COMMAND = Command(
    name="same",
    summary="Say that held messages are there already, come by another way",
    about="Where two channels bring the same words of the same sender at the same time, each under "
    "its own id, the second is held. If it is the same message, that one gets its id and what it "
    "lacked; with --another it has its place as a message of its own. Either holds for good.",
    examples=(
        "threadwell same 1b4e28ba-2fa1-51d2-883f-0016d3cca427",
        "threadwell same --all",
        "threadwell same --another Task/1b4e28ba-2fa1-51d2-883f-0016d3cca427",
    ),
    add_arguments=add_arguments,
    run=run,
)
