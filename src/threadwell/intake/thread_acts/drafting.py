"""Drafts: kept beside a thread, seen by their writers, and a message only once they are sent."""

from __future__ import annotations

from collections.abc import Mapping

from threadwell.channels.channel import Channel
from threadwell.encounters.drafts import draft, is_draft
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, ReferenceFilter, TokenFilter
from threadwell.fhir.search.sought import ReferenceMatch, TokenMatch
from threadwell.fhir.stamp import new_id
from threadwell.intake.commits.batch import Batch
from threadwell.intake.links import as_key, target
from threadwell.intake.paging import search_all
from threadwell.intake.patience import Contended, Patience
from threadwell.intake.replies.asked import BadReply, Replied, Stale, parent_of
from threadwell.intake.replies.words import words_of
from threadwell.intake.replies.writing import check_author, write_reply
from threadwell.intake.seat import Seat, Standing
from threadwell.intake.thread_names import NoThread, thread_named
from threadwell.stores.contract import ChangeSet, Conflict, Key, Reading, Store, Stored, Write


async def save_draft(
    seat: Standing, thread: str, text: str, *, sender: str, answers: str = "", id_: str = ""
) -> str:
    """Keep what ``sender`` is writing in a thread; the draft (``Communication/…``).

    ``thread`` is its header, a message of it, that it answers then, a session of one thread, or the
    Task of a thread that waits. With an ``id_`` it is that draft, which says this from now on.
    Raises ``BadReply``, and ``Contended`` if others keep writing to it.
    """
    store, project = seat.store, seat.project
    name = await _thread(store, project, thread)
    await check_author(store, project, sender)
    header = await _read(store, project, as_key(name))
    if header is None:
        raise BadReply(f"there is no {name}")
    if parent := parent_of(decode(header.body)):
        name, answers = parent, answers or name
    patience = Patience()
    while await patience.turn():
        now = seat.clock()
        key = Key("Communication", id_ or new_id(now))
        before = await _own_draft(store, project, key, sender) if id_ else None
        body = draft(name, text, sender, answers)
        if before is not None:
            body = {**decode(before.body), **body}
        batch = Batch(updated=now, author=seat.by.author or sender)
        batch.write(key, body, before)
        try:
            await store.commit(project, ChangeSet(tuple(batch.writes.values())))
        except Conflict:
            continue
        return f"Communication/{key.id}"
    raise Contended("others keep writing to the same draft; try again when they are done")


async def drafts(store: Reading, project: str, sender: str, thread: str = "") -> list[Resource]:
    """The drafts of a person, the one that was changed last first; of one thread if it is given.

    That is named as in ``save_draft``.
    """
    if thread:
        thread = await _thread(store, project, thread)
        there = await _read(store, project, as_key(thread))
        thread = parent_of(decode(there.body)) or thread if there else thread
    mine = ReferenceFilter("sender", (ReferenceMatch(*as_key(sender), ""),))
    status = TokenFilter("status", (TokenMatch(None, "preparation"),))
    of = (ReferenceFilter("part-of", (ReferenceMatch(*as_key(thread), ""),)),) if thread else ()
    query = Query("Communication", (mine, status, *of))
    found = [decode(one.body) async for one in search_all(store, project, query)]
    return sorted(found, key=lambda one: str(one["meta"]["lastUpdated"]), reverse=True)


async def send_draft(
    seat: Seat,
    name: str,
    channels: Mapping[str, Channel],
    *,
    changed: Resource | None = None,
    version: str = "",
) -> Replied:
    """Send a draft (``Communication/…``): it becomes a message of its thread, under its own id.

    It is sent as it is, or as it is ``changed``. Where a ``version`` is given, ``Stale`` is raised
    if it has another one by now. Raises ``BadReply`` where it is no draft, or nothing can be sent
    in its thread; it stays a draft then.
    """
    key = as_key(name if "/" in name else f"Communication/{name}")
    there = await _read(seat.store, seat.project, key)
    if there is None:
        raise BadReply(f"there is no {name}")
    if version and there.version_id != version:
        raise Stale(name)
    body: Resource = decode(there.body)
    if not is_draft(body):
        raise BadReply(f"{name} is no draft")
    written = body if changed is None else changed
    words = await words_of(seat.store, seat.project, written, there)
    return await write_reply(seat, parent_of(written), words, channels)


async def discard_draft(seat: Standing, name: str) -> None:
    """Throw a draft (``Communication/…``) away; raises ``BadReply`` where it is none."""
    key = as_key(name if "/" in name else f"Communication/{name}")
    there = await _read(seat.store, seat.project, key)
    if there is None or not is_draft(decode(there.body)):
        raise BadReply(f"there is no draft {name}")
    now = max(seat.clock(), there.updated)
    gone = Write(key.type, key.id, new_id(now), now, None, b"", there, seat.by.author)
    try:
        await seat.store.commit(seat.project, ChangeSet((gone,)))
    except Conflict:
        raise BadReply(f"{name} has just been changed: look at it again") from None


async def _thread(store: Reading, project: str, name: str) -> str:
    try:
        return await thread_named(store, project, name if "/" in name else f"Communication/{name}")
    except NoThread as error:
        raise BadReply(str(error)) from None


async def _own_draft(store: Store, project: str, key: Key, sender: str) -> Stored:
    there = await _read(store, project, key)
    body: Resource = decode(there.body) if there else {}
    if there is None or not is_draft(body) or target(body, "sender") != sender:
        raise BadReply(f"there is no draft Communication/{key.id} of {sender}")
    return there


async def _read(store: Reading, project: str, key: Key) -> Stored | None:
    stored = await store.read(project, *key) if key.type == "Communication" else None
    return None if stored is None or stored.deleted else stored
