"""A message that arrives, or is written here, is read by nobody yet: that is told with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from threadwell.encounters.child_ids import own_of
from threadwell.encounters.drafts import is_draft
from threadwell.encounters.receipts import is_of_two, readers, receipt, receipt_identity
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.commits.batch import Batch
from threadwell.intake.receipts.model import Model
from threadwell.stores.contract import Key, Stored

_READ, _UNREAD = "completed", "in-progress"
Current = Callable[[Sequence[Key]], Awaitable[Mapping[Key, Stored]]]


async def tell_unread(batch: Batch, model: Model, current: Current) -> None:
    """Add to a batch what tells that its new messages are not read, in that way.

    Where a person reads them, ``mark_read`` tells so. What is imported from files has been read.
    """
    if model not in (Model.STATUS, Model.TASK):
        return
    new = [
        (key, write.resource)
        for key, write in batch.writes.items()
        if key.type == "Communication"
        and (write.before is None or is_draft(decode(write.before.body)))
        and write.resource is not None
        and write.resource.get("partOf")
        and own_of(write.resource) is not None
    ]
    if not new:
        return
    names = {str(body["partOf"][0]["reference"]).rpartition("/")[2] for _, body in new}
    headers = await _headers(batch, names, current)
    for key, body in new:
        id_ = str(body["partOf"][0]["reference"]).rpartition("/")[2]
        header = headers.get(id_)
        if header is None:
            continue
        if model is Model.TASK:
            message = {**body, "id": key.id}
            for who in readers(header, message):
                task = Key("Task", receipt_identity(who, key.id).id)
                batch.write(task, receipt(who, message, id_))
        elif is_of_two(header) and body["status"] == _READ:
            batch.write(key, {**body, "status": _UNREAD})


async def _headers(batch: Batch, ids: set[str], current: Current) -> dict[str, Resource]:
    out: dict[str, Resource] = {}
    rest: list[Key] = []
    for key in (Key("Communication", id_) for id_ in ids):
        write = batch.writes.get(key)
        if write is not None and write.resource is not None:
            out[key.id] = write.resource
        else:
            rest.append(key)
    for key, stored in (await current(rest)).items() if rest else ():
        if not stored.deleted:
            out[key.id] = decode(stored.body)
    return out
