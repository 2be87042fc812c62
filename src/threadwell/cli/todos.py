"""``threadwell todos``: the threads that wait for an answer, and who takes care of them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from threadwell.cli.command import Command, add_action, add_format, add_store
from threadwell.cli.errors import Misuse
from threadwell.cli.names import patient_names
from threadwell.cli.output import plural, print_json, table
from threadwell.shown import on_a_line

if TYPE_CHECKING:
    from threadwell.facade import Threadwell
    from threadwell.inbox.dates import Dates
    from threadwell.intake.todos.acting import Todo
    from threadwell.intake.todos.listing import Waiting

_ACTIONS = {
    "list": "what waits, that which is due first at the beginning",
    "claim": "--as takes care of TASK",
    "release": "TASK is for its pool again",
    "reroute": "TASK is for --to, another person or pool; say --why",
    "dismiss": "TASK needs no answer; say --why",
}


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_action(parser, _ACTIONS)
    parser.add_argument("task", metavar="TASK", nargs="?", help="Task/… or the id")
    parser.add_argument(
        "--as", dest="sender", metavar="WHO", default="", help="who does it: Practitioner/…"
    )
    parser.add_argument(
        "--to",
        metavar="WHOM",
        default="",
        help="reroute: Practitioner/…, or a pool: SYSTEM|CODE[|DISPLAY]",
    )
    parser.add_argument("--why", metavar="TEXT", default="", help="the reason")
    parser.add_argument("--owner", metavar="WHO", default="", help="list: those of that person")
    parser.add_argument(
        "--pool", metavar="SYSTEM|CODE", default="", help="list: those of that pool"
    )
    parser.add_argument("--unowned", action="store_true", help="list: those that nobody has")
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """List what waits, or do what is asked with one of it."""
    import threadwell

    if arguments.action == "list":
        if arguments.task:
            raise Misuse("todos list takes no Task")
        with threadwell.open(arguments.store, read_only=True) as tw:
            found = tw.waiting_threads(
                owner=arguments.owner, pool=arguments.pool, unowned=arguments.unowned
            )
            if arguments.format == "json":
                print_json([asdict(one) for one in found])
            else:
                names = patient_names(tw, (one.subject for one in found))
                _print_list(found, names, tw.dates)
        return 0
    if not arguments.task:
        raise Misuse(f"say which: threadwell todos {arguments.action} TASK")
    with threadwell.open(arguments.store, create=False) as tw:
        done = _act(tw, arguments)
    if arguments.format == "json":
        print_json(asdict(done))
    else:
        of = f" by {done.owner}" if done.owner else ""
        print(f"{done.task} is {done.status}{of}" if done.changed else f"{done.task} is so already")
    return 0


def _act(tw: Threadwell, arguments: Namespace) -> Todo:
    task, who, why = arguments.task, arguments.sender, arguments.why
    match arguments.action:
        case "claim":
            if not who:
                raise Misuse("say who: --as Practitioner/…")
            return tw.claim(task, who)
        case "release":
            return tw.release(task, why=why, by=who)
        case "reroute":
            if "|" in arguments.to:
                return tw.reroute(task, pool=arguments.to, why=why, by=who)
            return tw.reroute(task, owner=arguments.to, why=why, by=who)
        case _:
            return tw.dismiss(task, why=why, by=who)


def _print_list(found: Sequence[Waiting], names: Mapping[str, str], dates: Dates) -> None:
    if found:
        rows = [
            [
                dates.text(one.since),
                dates.text(one.due),
                on_a_line(one.owner_name or one.owner or "-"),
                on_a_line(one.pool.display or one.pool.code),
                on_a_line(names.get(one.subject) or one.subject or "-"),
                one.task,
            ]
            for one in found
        ]
        print(table(["Since", "Due", "Owner", "Pool", "Who", "Task"], rows))
        print(f"\n{plural(len(found), 'thread')}; times are in {dates.zone.key}.")
    else:
        print("No thread waits for an answer.")


COMMAND = Command(
    name="todos",
    summary="List the threads that wait for an answer, claim them, and give them to others",
    about="Each is a Task, which the reply completes. Of two who claim one at once one has it, and "
    "the other is told who.",
    examples=(
        "threadwell todos",
        "threadwell todos claim Task/12 --as Practitioner/ana",
        "threadwell todos reroute Task/12 --to Practitioner/nils --why 'A question about a bill'",
    ),
    add_arguments=add_arguments,
    run=run,
)
