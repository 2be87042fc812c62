"""How many Tasks are open, kept as the private value ``tally/open`` whenever it changes."""

from __future__ import annotations

from threadwell.duties.duty import Duty, Workplace
from threadwell.duties.lease import still_held
from threadwell.fhir.search.query import Query, TokenFilter, Total
from threadwell.fhir.search.sought import TokenMatch
from threadwell.stores.contract import ChangeSet, Kept

_OPEN = TokenFilter("status", (TokenMatch(None, "requested"),))
_NUMBER = Query("Task", (_OPEN,), count=0, total=Total.ACCURATE)


def duty(at: Workplace) -> Duty:
    """The duty, for ``threadwell.app``."""

    async def round_() -> float | None:
        number = str((await at.store.search(at.project, _NUMBER)).total).encode()
        before = await at.store.get_private("tally", "open")
        if number != before:
            # Nothing is written unless this process still has the duty.
            kept = (Kept("tally", "open", number, before=before), *still_held())
            await at.store.commit(at.project, ChangeSet((), kept=kept))
        return None  # another turn when the store stirs

    return Duty("tally", round_)
