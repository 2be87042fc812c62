"""``threadwell get``: read or search."""

from __future__ import annotations

from threadwell.cli.fhir_request import request_command

COMMAND = request_command(
    "get",
    "Read a resource or search, and print the answer as JSON",
    "Type/id, Type?search, Type/id/_history …",
    "threadwell get 'Encounter?class=http://terminology.hl7.org/CodeSystem/v3-ActCode|VR'",
    "threadwell get 'Communication?encounter=Encounter/{id}&part-of:missing=true'",
)
