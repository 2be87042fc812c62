"""``threadwell answer``: whom a session is about, said by a person."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.output import print_json
from threadwell.cli.report import as_json, made


def add_arguments(parser: ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("task", metavar="TASK", help="the question, as `threadwell reviews` has it")
    parser.add_argument(
        "patients",
        metavar="PATIENT",
        nargs="+",
        help="whom it is about, among those that the question names: Patient/… or the id",
    )
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Answer, and print what came of it."""
    import threadwell

    with threadwell.open(arguments.store, create=False) as tw:
        report = tw.answer_review(arguments.task, arguments.patients)
    if arguments.format == "json":
        print_json(as_json(report))
    else:
        print(made(report))
    return 0


COMMAND = Command(
    name="answer",
    summary="Answer which patients a session is about",
    about="It holds at once, as if the messages that named nobody had named these patients. "
    "Several get a medical encounter each. A wrong answer is corrected by another one.",
    examples=(
        "threadwell answer 607e4aea-9c17-5861-a4f6-d0655e9e2f3a "
        "Patient/3f0b1c52-6a35-5d0c-9a53-2f4b8a6b7c11",
    ),
    add_arguments=add_arguments,
    run=run,
)
