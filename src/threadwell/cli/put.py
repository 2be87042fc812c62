"""``threadwell put``: replace a resource."""

from __future__ import annotations

from threadwell.cli.fhir_request import request_command

COMMAND = request_command(
    "put",
    "Replace a resource by a new version",
    "Type/id",
    "threadwell put Patient/{id} @patient.json",
    body=True,
)
