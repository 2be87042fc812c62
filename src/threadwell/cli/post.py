"""``threadwell post``: create a resource, or send a Bundle."""

from __future__ import annotations

from threadwell.cli.fhir_request import request_command

COMMAND = request_command(
    "post",
    "Create a resource, or send a batch or transaction Bundle",
    "the resource's type; '' for a batch or transaction Bundle",
    """threadwell post Patient '{"resourceType": "Patient", "name": [{"family": "Prado"}]}'""",
    "threadwell post '' @bundle.json",
    body=True,
    create=True,
)
