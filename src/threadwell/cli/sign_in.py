"""``threadwell sign-in``: a new one-time link to the pages."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from threadwell.app import BASE_URL_VARIABLE, DEFAULT_BASE_URL
from threadwell.cli.command import Command, add_store


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "--url",
        default=os.environ.get(BASE_URL_VARIABLE) or DEFAULT_BASE_URL,
        help="where the server is reached "
        f"(default: ${BASE_URL_VARIABLE}, else {DEFAULT_BASE_URL})",
    )
    add_store(parser)


def run(arguments: Namespace) -> int:
    """Print the link, alone on its line."""
    import threadwell

    with threadwell.open(arguments.store, create=False) as tw:
        print(tw.sign_in_link(arguments.url))
    return 0


COMMAND = Command(
    name="sign-in",
    summary="Print a link that signs one browser in to the pages",
    about="The link works once and within 15 minutes; the browser then stays signed in for 12 "
    "hours. A server that is running on the store takes it at once.",
    examples=("threadwell sign-in --url https://threadwell.example.org",),
    add_arguments=add_arguments,
    run=run,
)
