"""``threadwell delete``: delete a resource."""

from __future__ import annotations

from threadwell.cli.fhir_request import request_command

COMMAND = request_command(
    "delete",
    "Delete a resource; its history is kept",
    "Type/id",
    "threadwell delete Patient/{id}",
)
