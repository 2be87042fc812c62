"""What an app tells of the practice's messages: that they have arrived, and that they were read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from threadwell.channels.chat.names import NAME, Patient
from threadwell.channels.live import State, Status
from threadwell.intake.arrivals.statuses import keep_statuses
from threadwell.intake.chat.history import find
from threadwell.intake.chat.refused import ChatRefused
from threadwell.stores.contract import Store

#: Messages of which something is told at once.
MOST = 200


async def tell(
    store: Store, project: str, patient: Patient, ids: Sequence[str], state: State, now: int
) -> int:
    """Keep that messages have arrived or were read; how many that was news of.

    What the patient has written themselves is left out, as is what was told before. Raises
    ``ChatRefused`` for a message that is not theirs, and ``StoreError``.
    """
    if len(ids) > MOST:
        raise ChatRefused("too-many", f"at most {MOST} messages at once", "ids")
    found = await find(store, project, patient, list(dict.fromkeys(ids)))
    for at, id_ in enumerate(ids):
        if id_ not in found:
            raise ChatRefused("not-found", "there is no such message of yours", f"ids[{at}]")
    when = datetime.fromtimestamp(now / 1000, UTC)
    news = [
        Status(NAME, one.external_id, state, when)
        for one in found.values()
        if one.ours and one.external_id and not _is_old(one.state, state)
    ]
    if news:
        await keep_statuses(store, project, news, now)
    return len(news)


def _is_old(there: str, now: State) -> bool:
    return there == State.READ or there == now
