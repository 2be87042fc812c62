"""``threadwell get``: read or search."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command
from threadwell.cli.fhir_request import add_path, send


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_path(parser, "Type/id, Type?search, Type/id/_history …")


def run(arguments: Namespace) -> int:
    """Send it and print the answer."""
    return send("GET", arguments)


COMMAND = Command(
    name="get",
    summary="Read a resource or search, and print the answer as JSON",
    examples=(
        "threadwell get 'Encounter?class=http://terminology.hl7.org/CodeSystem/v3-ActCode|VR'",
        "threadwell get 'Communication?encounter=Encounter/{id}&part-of:missing=true'",
    ),
    add_arguments=add_arguments,
    run=run,
)
