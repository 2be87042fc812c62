"""No client says otherwise of a session that was billed, alone or in a Bundle."""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.intake.billed import WHY, billed_element
from threadwell.stores.contract import Write
from threadwell.stores.resting import Resting


def rested_on_bills(context: Context) -> Resting:
    """What ``refuse_billed`` reads: all that there is, for also who does not see an Encounter
    leaves its session as it was billed.
    """
    return Resting(context.whole)


async def refuse_billed(bills: Resting, project: str, write: Write) -> None:
    """Raise 422 for another subject, or another session of a thread, in a session that was billed.

    It holds when it is committed if what ``bills`` rests on is still so.
    """
    if element := await billed_element(bills, project, write):
        raise FhirError(422, [Issue("business-rule", WHY, f"{write.type}.{element}")])
