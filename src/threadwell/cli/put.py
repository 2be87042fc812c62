"""``threadwell put``: replace a resource."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command
from threadwell.cli.fhir_request import add_body, add_path, send


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_path(parser, "Type/id")
    add_body(parser)


def run(arguments: Namespace) -> int:
    """Send it and print the answer."""
    return send("PUT", arguments)


COMMAND = Command(
    name="put",
    summary="Replace a resource by a new version",
    examples=("threadwell put Patient/{id} @patient.json",),
    add_arguments=add_arguments,
    run=run,
)
