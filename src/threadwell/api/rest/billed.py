"""No client says otherwise of a session that was billed, alone or in a Bundle."""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.intake.billed import WHY, billed_element
from threadwell.stores.contract import Write


async def refuse_billed(context: Context, write: Write) -> None:
    """Raise 422 for another subject, or another session of a thread, in a session that was billed.

    That holds also for whoever does not see its Encounter.
    """
    if element := await billed_element(context.whole, context.project, write):
        raise FhirError(422, [Issue("business-rule", WHY, f"{write.type}.{element}")])
