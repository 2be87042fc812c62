"""``threadwell thread``: close a thread, open it again, let others join it or leave."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_by, add_format, add_store
from threadwell.cli.output import print_json

_THREAD = "Communication/86e2b29e-b27d-58ef-aeb5-26699f202df7"


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "thread",
        metavar="THREAD",
        help="its header, a message of it, or Encounter/… of its session",
    )
    acts = parser.add_mutually_exclusive_group(required=True)
    acts.add_argument("--close", action="store_true", help="close it")
    acts.add_argument("--reopen", action="store_true", help="open it again")
    acts.add_argument("--add", metavar="WHO", default="", help="let Practitioner/… join it")
    acts.add_argument("--remove", metavar="WHO", default="", help="take Practitioner/… out of it")
    add_by(parser)
    parser.add_argument("--why", metavar="TEXT", default="", help="the reason")
    add_store(parser)
    add_format(parser)


def _run(arguments: Namespace) -> int:
    import threadwell

    how = {"by": arguments.by, "why": arguments.why}
    with threadwell.open(arguments.store, create=False) as tw:
        if arguments.close:
            done = tw.close_thread(arguments.thread, **how)
        elif arguments.reopen:
            done = tw.reopen_thread(arguments.thread, **how)
        elif arguments.add:
            done = tw.add_participant(arguments.thread, arguments.add, **how)
        else:
            done = tw.remove_participant(arguments.thread, arguments.remove, **how)
    if arguments.format == "json":
        print_json(
            {
                "thread": done.thread,
                "status": done.status,
                "participants": list(done.participants),
                "act": done.act,
            }
        )
    else:
        who = ", ".join(done.participants) or "nobody"
        print(f"{done.thread} is {done.status}, with {who}")
    return 0


COMMAND = Command(
    name="thread",
    summary="Close a thread, open it again, let others join it or leave",
    about="A thread that is closed closes its session, unless another thread of that is open. "
    "Whoever was taken out gets no reply any more. A Task records who has done it.",
    examples=(
        f"threadwell thread {_THREAD} --close --by 'Nils Berg'",
        f"threadwell thread {_THREAD} --add Practitioner/ana",
    ),
    add_arguments=_add_arguments,
    run=_run,
)
