"""``threadwell post``: create a resource, or send a Bundle."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command
from threadwell.cli.fhir_request import add_body, add_path, send


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_path(parser, "the resource's type; '' for a batch or transaction Bundle")
    add_body(parser)


def run(arguments: Namespace) -> int:
    """Send it and print the answer."""
    return send("POST", arguments, create=True)


COMMAND = Command(
    name="post",
    summary="Create a resource, or send a batch or transaction Bundle",
    examples=(
        """threadwell post Patient '{"resourceType": "Patient", "name": [{"family": "Prado"}]}'""",
        "threadwell post '' @bundle.json",
    ),
    add_arguments=add_arguments,
    run=run,
)
