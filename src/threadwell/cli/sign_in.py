"""``threadwell sign-in``: a new one-time link to the pages."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_store, add_url
from threadwell.cli.output import paint


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_url(parser)
    parser.add_argument(
        "--as",
        dest="who",
        default="",
        metavar="PERSON",
        help="who signs in (Practitioner/…, PractitionerRole/…): what is done on the pages is "
        "recorded as done by them",
    )
    add_store(parser)


def run(arguments: Namespace) -> int:
    """Print the link, alone on its line."""
    import threadwell

    with threadwell.open(arguments.store, create=False) as tw:
        if not arguments.url and not tw.server_url:
            note = "no server seems to run on this store; `threadwell serve` starts one"
            print(f"{paint('Note:', 'yellow', sys.stderr)} {note}", file=sys.stderr)
        link = tw.sign_in_link(arguments.url, who=arguments.who)
        if any(one.who == arguments.who for one in tw.memberships()):
            note = (
                f"{arguments.who} has an access policy, so they see on the pages what it shows; "
                f"`threadwell policy free {arguments.who}` shows them everything"
            )
            print(f"{paint('Note:', 'yellow', sys.stderr)} {note}", file=sys.stderr)
        print(link)
    return 0


COMMAND = Command(
    name="sign-in",
    summary="Print a link that signs one browser in to the pages",
    about="The link leads to a button that signs in, once and within 15 minutes; the browser then "
    "stays signed in for 12 hours. With --as it names the person: what they do on the pages is "
    "written with their name. A server that is running on the store takes it at once.",
    examples=(
        "threadwell sign-in --as Practitioner/…",
        "threadwell sign-in --url https://threadwell.example.org",
    ),
    add_arguments=add_arguments,
    run=run,
)
