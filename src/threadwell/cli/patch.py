"""``threadwell patch``: change a resource by JSON Patch."""

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
    return send("PATCH", arguments)


COMMAND = Command(
    name="patch",
    summary="Change a resource by JSON Patch (RFC 6902)",
    examples=(
        "threadwell patch Communication/{id} "
        """'[{"op": "replace", "path": "/status", "value": "completed"}]'""",
    ),
    add_arguments=add_arguments,
    run=run,
)
