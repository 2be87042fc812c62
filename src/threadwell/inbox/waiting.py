"""Whether a session waits for the practice or for those who wrote to it."""

from __future__ import annotations

from threadwell.encounters.codes import TASK_CODE
from threadwell.fhir.resource import Resource
from threadwell.inbox.names import OURS
from threadwell.inbox.reader import Reader, id_in, key_of
from threadwell.intake.reports.threads import neighbours

#: For whom a session may wait, and what a list of those is called.
WAITING = {"us": "Waiting for us", "them": "Waiting for them"}
#: For how many days of silence it does.
WAITS = 30

_ACTS = ",".join(f"{TASK_CODE}|{act}-session" for act in ("open", "close", "reopen"))


def waits_for_us(last: Resource) -> bool:
    """Whether the last message of a session came to the practice, and not from it."""
    sender = key_of(last.get("sender"))
    return sender is None or sender.type not in OURS


async def is_done(reader: Reader, encounter: Resource, last: Resource) -> bool:
    """Whether nobody is waited for: its thread goes on in a later one, or a person closed it."""
    header = await reader.read("Communication", _header_of(last))
    if header is not None and (await neighbours(reader.view, reader.project, header)).after:
        return True
    acts = await reader.search(
        f"Task?focus=Encounter/{encounter['id']}", code=_ACTS, _sort="-authored-on", _count=1
    )
    codings = (one for act in acts.resources for one in act["code"].get("coding") or ())
    return any(one.get("code") == "close-session" for one in codings)


def _header_of(message: Resource) -> str:
    return id_in(next(iter(message.get("partOf") or ()), None), "Communication")
