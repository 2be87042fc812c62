"""``threadwell saved``: texts that are ready to be sent."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from threadwell.cli.command import Command, add_action, add_format, add_store
from threadwell.cli.errors import Misuse
from threadwell.cli.output import plural, print_json, table
from threadwell.shown import on_a_line

_ACTIONS = {
    "list": "the saved replies there are",
    "set": "keep TEXT under NAME",
    "remove": "offer NAME no longer",
}


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_action(parser, _ACTIONS)
    parser.add_argument("name", metavar="NAME", nargs="?", help="what it is called")
    parser.add_argument(
        "text", metavar="TEXT", nargs="?", help="what it says; - reads standard input"
    )
    parser.add_argument("--title", metavar="TITLE", default="", help="what people see it called")
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Do what is asked, and print what came of it."""
    import threadwell

    action, name, text = arguments.action, arguments.name, arguments.text
    given = {"list": (False, False), "set": (True, True), "remove": (True, False)}[action]
    if given != (bool(name), bool(text)):
        wants = {"list": "", "set": " NAME TEXT", "remove": " NAME"}[action]
        raise Misuse(f"it is written: threadwell saved {action}{wants}")
    if text == "-":
        text = sys.stdin.read().rstrip("\n")
    reads = action == "list"
    with threadwell.open(arguments.store, create=not reads, read_only=reads) as tw:
        if action == "set":
            tw.save_reply(name, text, title=arguments.title)
        elif action == "remove":
            tw.remove_saved_reply(name)
        found = tw.saved_replies()
    if arguments.format == "json":
        print_json([asdict(one) for one in found])
    elif found:
        print(table(["Name", "Text"], [[one.name, on_a_line(one.text)] for one in found]))
        print(f"\n{plural(len(found), 'saved text')}.")
    else:
        print("There are no saved replies; `threadwell saved set NAME TEXT` keeps one.")
    return 0


COMMAND = Command(
    name="saved",
    summary="Keep texts under names, to be sent by `threadwell reply --saved` and by rules",
    about="Places such as {{patient.given|there}} are filled when one is sent. docs/rules.md tells "
    "which there are.",
    examples=(
        "threadwell saved",
        "threadwell saved set closed 'Hello {{patient.given|there}}, we are back at 8.'",
        "threadwell saved remove closed",
    ),
    add_arguments=add_arguments,
    run=run,
)
