"""``threadwell retract`` and ``correct``: a message is taken back, and another one sent."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from threadwell.cli.command import Command, add_by, add_format, add_store
from threadwell.cli.output import print_json

_MESSAGE = "Communication/da0850cc-bbf6-5ec6-9d3c"


def _add_retracting(parser: ArgumentParser) -> None:
    parser.add_argument("message", metavar="MESSAGE", help="Communication/… or the id")
    add_by(parser)
    parser.add_argument("--why", metavar="TEXT", default="", help="the reason")
    add_store(parser)
    add_format(parser)


def _add_correcting(parser: ArgumentParser) -> None:
    parser.add_argument("message", metavar="MESSAGE", help="the message that is wrong")
    parser.add_argument("text", metavar="TEXT", help="what is right")
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
    parser.add_argument("--why", metavar="TEXT", default="", help="the reason")
    parser.add_argument(
        "--key", metavar="NAME", default="", help="given twice with one name, it is one correction"
    )
    add_store(parser)
    add_format(parser)


def _retract(arguments: Namespace) -> int:
    import threadwell

    with threadwell.open(arguments.store, create=False) as tw:
        done = tw.retract(arguments.message, by=arguments.by, why=arguments.why)
    if arguments.format == "json":
        print_json({"message": done.message, "thread": done.thread, "unsent": done.unsent})
    elif done.there:
        print(f"{done.message} is taken back already")
    else:
        print(f"{done.message} is taken back{', and was never sent' if done.unsent else ''}")
    return 0


def _correct(arguments: Namespace) -> int:
    import threadwell

    with threadwell.open(arguments.store, create=False) as tw:
        done = tw.correct(
            arguments.message,
            arguments.text,
            sender=arguments.sender,
            files=[Path(one) for one in arguments.files],
            key=arguments.key,
            why=arguments.why,
        )
    if arguments.format == "json":
        print_json({"message": done.message, "thread": done.thread, "there": done.there})
    else:
        print(f"{done.message} {'is there already' if done.there else 'takes its place'}")
    return 0


RETRACT = Command(
    name="retract",
    summary="Take a message back",
    about="It becomes entered-in-error, stays readable, and counts for nothing. No channel calls "
    "back what it has sent; what was not sent yet never is.",
    examples=(f"threadwell retract {_MESSAGE} --by 'Nils Berg' --why 'For somebody else'",),
    add_arguments=_add_retracting,
    run=_retract,
)
CORRECT = Command(
    name="correct",
    summary="Take back a message of the practice, and send another one in its place",
    about="Both happen at once or not at all. The new one goes to the same people.",
    examples=(f"threadwell correct {_MESSAGE} 'Four, not three.' --as Practitioner/ana",),
    add_arguments=_add_correcting,
    run=_correct,
)
