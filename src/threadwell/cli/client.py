"""``threadwell client add``: register a program that may use the API."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_store
from threadwell.cli.output import print_json


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("action", choices=["add"], help="add: register a client")
    parser.add_argument("name", metavar="NAME", help="what to call it, for people")
    add_store(parser)


def run(arguments: Namespace) -> int:
    """Register the client and print its credentials."""
    import threadwell

    with threadwell.open(arguments.store) as tw:
        client = tw.add_client(arguments.name)
    print_json({"client_id": client.client_id, "client_secret": client.client_secret})
    return 0


COMMAND = Command(
    name="client",
    summary="Register a program that may use the API",
    about="Prints its id and secret as JSON. The secret is shown this once: the store keeps only "
    "a hash of it.",
    examples=("threadwell client add billing",),
    add_arguments=add_arguments,
    run=run,
)
