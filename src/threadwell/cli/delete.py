"""``threadwell delete``: delete a resource."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command
from threadwell.cli.fhir_request import add_path, send


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_path(parser, "Type/id")


def run(arguments: Namespace) -> int:
    """Send it and print the answer."""
    return send("DELETE", arguments)


COMMAND = Command(
    name="delete",
    summary="Delete a resource; its history is kept",
    examples=("threadwell delete Patient/{id}",),
    add_arguments=add_arguments,
    run=run,
)
