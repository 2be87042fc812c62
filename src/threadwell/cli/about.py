"""``threadwell about``: whom messages are about, said by a person."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.errors import Mistake
from threadwell.cli.output import plural, print_json
from threadwell.cli.report import as_json


def add_arguments(parser: ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "subject",
        metavar="RESOURCE",
        help="a session (Encounter/…), a thread header or a message (Communication/…)",
    )
    parser.add_argument(
        "patients", metavar="PATIENT", nargs="*", help="whom it is about: Patient/… or the id"
    )
    parser.add_argument(
        "--nobody", action="store_true", help="it is about nobody of whom it is known: ask again"
    )
    parser.add_argument(
        "--message",
        metavar="ID",
        action="append",
        default=[],
        help="only this message of the session or thread (Communication/… or the id); repeatable",
    )
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Correct, and print what came of it."""
    import threadwell

    if bool(arguments.patients) == arguments.nobody:
        raise Mistake("say whom it is about, or --nobody")
    with threadwell.open(arguments.store, create=False) as tw:
        report = tw.about(arguments.subject, arguments.patients, messages=arguments.message)
    if arguments.format == "json":
        print_json(as_json(report))
    else:
        print(f"{plural(report.corrected, 'message')} corrected")
    return 0


COMMAND = Command(
    name="about",
    summary="Say whom a session, a thread or a message is about",
    about="It holds at once and for good, whatever the messages name, also where nothing was "
    "asked: later messages, other imports and a recut leave it. A Provenance records it.",
    examples=(
        "threadwell about Encounter/607e4aea-9c17-5861-a4f6-d0655e9e2f3a "
        "Patient/3f0b1c52-6a35-5d0c-9a53-2f4b8a6b7c11",
        "threadwell about Communication/86e2b29e-b27d-58ef-aeb5-26699f202df7 --nobody",
    ),
    add_arguments=add_arguments,
    run=run,
)
