"""``threadwell patch``: change a resource by JSON Patch."""

from __future__ import annotations

from threadwell.cli.fhir_request import request_command

COMMAND = request_command(
    "patch",
    "Change a resource by JSON Patch (RFC 6902)",
    "Type/id",
    "threadwell patch Communication/{id} "
    """'[{"op": "replace", "path": "/status", "value": "completed"}]'""",
    body=True,
)
