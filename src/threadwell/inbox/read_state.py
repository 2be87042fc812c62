"""What each person has read: a read receipt (a Task) for each of them and thread.

Its ``executionPeriod.end`` is when the last message was sent that they have seen. One of a person
without a thread tells since when they look at all: what is older is unread to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.encounters.people import reference
from threadwell.encounters.times import fhir_time, parse_fhir_time
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import (
    DateFilter,
    DateMatch,
    Prefix,
    Query,
    ReferenceFilter,
    ReferenceMatch,
    TokenFilter,
    TokenMatch,
)
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.inbox.names import OURS
from threadwell.inbox.reader import Reader, key_of
from threadwell.intake.commits.batch import Batch
from threadwell.stores.contract import ChangeSet, Conflict, Key, Stored, StoreError

#: More unread messages of a thread than these are not counted one by one.
MOST = 100

_LIVE = TokenFilter(
    "status",
    (TokenMatch(None, "entered-in-error"), TokenMatch(None, "preparation")),
    negate=True,
)


async def unread_in(
    reader: Reader, sessions: Sequence[Sequence[Resource]], me: str, clock: Clock = now_ms
) -> list[int]:
    """How many messages of each session, given as its thread headers, came since ``me`` read it.

    What the practice wrote is unread to nobody. Who looks for the first time has read everything.
    """
    first = _task(me)
    ids = [one["id"] for headers in sessions for one in headers]
    tasks = {id_: _task(me, id_) for id_ in ids}
    there = await reader.store.read_many(
        reader.project, [Key("Task", one.id) for one in (first, *tasks.values())]
    )
    since = _until(there.get(Key("Task", first.id)))
    if since is None:
        now = clock() * 1000
        await _keep(reader, {first: (_receipt(first, me, "", now), None)}, me, clock)
        return [0] * len(sessions)
    out: list[int] = []
    for headers in sessions:
        number = 0
        for one in headers:
            read = _until(there.get(Key("Task", tasks[one["id"]].id))) or since
            number += await _after(reader, one["id"], max(read, since))
        out.append(number)
    return out


async def mark_read(
    reader: Reader, read: Mapping[str, str], me: str, clock: Clock = now_ms
) -> None:
    """Note that ``me`` has read threads, by the ids of their headers, up to those FHIR dateTimes.

    It is no harm if that cannot be noted: they are unread then.
    """
    tasks = {id_: _task(me, id_) for id_, sent in read.items() if sent}
    keys = [Key("Task", one.id) for one in tasks.values()]
    there = await reader.store.read_many(reader.project, keys) if keys else {}
    wanted: dict[Identity, tuple[Resource, Stored | None]] = {}
    for id_, identity in tasks.items():
        before = there.get(Key("Task", identity.id))
        at = parse_fhir_time(read[id_])
        if (_until(before) or 0) < at:
            wanted[identity] = (_receipt(identity, me, id_, at), before)
    await _keep(reader, wanted, me, clock)


async def _after(reader: Reader, header: str, since: int) -> int:
    """How many messages that others wrote came to a thread after that."""
    later = DateMatch(Prefix.SA, since + 1, since + 1)
    of = ReferenceFilter("part-of", (ReferenceMatch("Communication", header, ""),))
    query = Query("Communication", (of, _LIVE, DateFilter("sent", (later,))), count=MOST)
    page = await reader.store.search(reader.project, query)
    senders = (key_of(decode(one.body).get("sender")) for one in page.matches)
    return sum(one is None or one.type not in OURS for one in senders)


async def _keep(
    reader: Reader,
    wanted: Mapping[Identity, tuple[Resource, Stored | None]],
    me: str,
    clock: Clock,
) -> None:
    batch = Batch(updated=clock(), author=me)
    for identity, (task, before) in wanted.items():
        batch.write(Key("Task", identity.id), task, before)
    if not batch.writes:
        return
    try:
        await reader.store.commit(reader.project, ChangeSet(tuple(batch.writes.values())))
    except (Conflict, StoreError):
        return


def _task(me: str, header: str = "") -> Identity:
    return Identity(codes.READ, f"{me}|Communication/{header}" if header else me)


def _receipt(identity: Identity, me: str, header: str, until: int) -> Resource:
    out: Resource = {
        "resourceType": "Task",
        "identifier": [identity.as_json()],
        "status": "completed",
        "intent": "order",
        "code": {"coding": [codes.READ_RECEIPT]},
    }
    if header:
        out["focus"] = reference(f"Communication/{header}")
    out["executionPeriod"] = {"end": fhir_time(until)}
    out["owner"] = reference(me)
    return out


def _until(task: Stored | None) -> int | None:
    if task is None or task.deleted:
        return None
    end = (decode(task.body).get("executionPeriod") or {}).get("end", "")
    try:
        return parse_fhir_time(str(end))
    except ValueError:
        return None
