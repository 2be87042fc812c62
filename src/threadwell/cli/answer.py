"""``threadwell answer``: whom a session is about, or who writes, said by a person."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.meant import answer_refused, person_meant
from threadwell.cli.output import print_json
from threadwell.cli.report import as_json, made


def add_arguments(parser: ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "task",
        metavar="TASK",
        help="the question, as `threadwell reviews` has it; or, to say who writes at an address "
        "that several share, a held message (Task/…) or any other (Communication/…)",
    )
    parser.add_argument(
        "patients",
        metavar="WHO",
        nargs="+",
        help="whom it is about, or who writes, among those that the question names: Patient/…, "
        "RelatedPerson/…, the id or the name; several where several write",
    )
    parser.add_argument(
        "--for",
        dest="holds_for",
        choices=("address", "thread", "message"),
        default="address",
        help="who writes: for all of the address (the default), or only for the thread of the "
        "message that is named, or for that message",
    )
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Answer, and print what came of it."""
    import threadwell
    from threadwell.intake import BadAnswer

    with threadwell.open(arguments.store, create=False) as tw:
        task = arguments.task
        try:
            persons = [person_meant(tw, task, one) for one in arguments.patients]
            report = tw.answer_review(task, persons, holds_for=arguments.holds_for)
        except BadAnswer as error:
            raise answer_refused(tw, error) from None
    if arguments.format == "json":
        print_json(as_json(report))
    else:
        print(made(report))
    return 0


COMMAND = Command(
    name="answer",
    summary="Answer which patients a session is about, or who writes at a shared address",
    about="It holds at once. Whom a session is about counts as if the messages that named nobody "
    "had named these patients; several get a medical encounter each. Who writes counts for what "
    "waits and for what is to come; of a thread or a message it may be said otherwise. A wrong "
    "answer is corrected by another one.",
    examples=(
        "threadwell answer 607e4aea-9c17-5861-a4f6-d0655e9e2f3a "
        "Patient/3f0b1c52-6a35-5d0c-9a53-2f4b8a6b7c11",
        "threadwell answer 86e2b29e-b27d-58ef-aeb5-26699f202df7 "
        "3f0b1c52-6a35-5d0c-9a53-2f4b8a6b7c11 --for thread",
    ),
    add_arguments=add_arguments,
    run=run,
)
