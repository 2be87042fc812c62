"""A clinical detail on another patient's Encounter is refused, alone or in a Bundle."""

from __future__ import annotations

from collections.abc import Mapping

from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.resource import Resource
from threadwell.intake.details import foreign_details
from threadwell.stores.contract import Key, Reading, Write


async def refuse_foreign(
    view: Reading, project: str, write: Write, made: Mapping[Key, Resource] | None = None
) -> None:
    """Raise 422 for a detail of one patient on an Encounter of another, as far as both are seen.

    ``made`` is what the same transaction writes.
    """
    found = await foreign_details(view, project, write, made or {})
    if found:
        raise FhirError(422, [Issue("business-rule", one.why, one.path) for one in found])
