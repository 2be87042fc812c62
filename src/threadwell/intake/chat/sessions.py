"""A patient opens and closes a session from their app: the same acts as those of the practice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from threadwell.channels.chat.names import Patient
from threadwell.encounters.corrected import Agent
from threadwell.encounters.merge import is_live
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.acts import BadAct, close_session, open_session
from threadwell.intake.chat.history import headers
from threadwell.intake.chat.refused import ChatRefused
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.seat import Seat
from threadwell.stores.contract import Key, Store, Stored

#: The session that an app has opened last: it may have no message, and so no thread, yet.
_KIND = "chat-session"
_OPEN = ("planned", "arrived", "triaged", "in-progress", "onleave")


@dataclass(frozen=True, slots=True)
class SessionNow:
    """The session of a patient's thread; ``id`` is that of its Encounter, ``""`` where none is.

    It is ``open`` until somebody closes it, or its policy does.
    """

    id: str
    open: bool


async def current(store: Store, project: str, patient: Patient) -> SessionNow:
    """The session that is open, or else the last one."""
    last = SessionNow("", False)
    for id_, body in await _sessions(store, project, patient):
        if body.get("status") in _OPEN:
            return SessionNow(id_, True)
        last = last if last.id else SessionNow(id_, False)
    return last


async def open_(seat: Seat, patient: Patient, why: str) -> SessionNow:
    """Open a session, if none is open; the patient's next message joins it.

    It is done by the word of whoever has the app. Raises ``ChatRefused`` where nobody knows whose
    app it is, and ``Contended``.
    """
    patients, seat = await _whose(seat, patient)
    threads = await headers(seat.store, seat.project, patient)
    try:
        acted = await open_session(
            seat,
            [] if threads else patients,
            thread=f"Communication/{threads[-1]}" if threads else "",
            why=why,
        )
    except BadAct as error:
        raise ChatRefused("conflict", str(error), "open") from None
    id_ = acted.session.removeprefix("Encounter/")
    await seat.store.put_private(_KIND, _name(seat.project, patient), id_.encode())
    return SessionNow(id_, True)


async def close(seat: Seat, patient: Patient, why: str) -> SessionNow:
    """Close the session that is open, if one is; raises as ``open_`` does."""
    now = await current(seat.store, seat.project, patient)
    if not now.open:
        return now
    _, seat = await _whose(seat, patient)
    try:
        await close_session(seat, f"Encounter/{now.id}", why=why)
    except BadAct as error:
        raise ChatRefused("conflict", str(error), "open") from None
    return await current(seat.store, seat.project, patient)


async def _whose(seat: Seat, patient: Patient) -> tuple[list[str], Seat]:
    """The patients whom the app may be about, and the seat of who says what is said in it."""
    book = AddressBook(seat.store, seat.project, seat.settings)
    await book.start()
    await book.resolve([patient.address])
    party = book.party(patient.address)
    if party.shared or not party.circle:
        text = "the practice has to say first whose app this is"
        raise ChatRefused("conflict", text, "Authorization")
    voice = party.voice(party.circle, party.circle)
    return sorted(party.circle), replace(seat, by=Agent("the patient's app", reference=voice))


async def _sessions(store: Store, project: str, patient: Patient) -> list[tuple[str, Resource]]:
    """The sessions of the patient's thread that count, the latest first."""
    opened = await store.get_private(_KIND, _name(project, patient))
    ids = [opened.decode()] if opened else []
    keys = [Key("Communication", id_) for id_ in await headers(store, project, patient)]
    threads = await store.read_many(project, keys) if keys else {}
    for key in reversed(keys):
        body = decode(threads[key].body) if key in threads and not threads[key].deleted else {}
        if is_live(body):
            of = str((body.get("encounter") or {}).get("reference", ""))
            ids += [of.removeprefix("Encounter/")] if of else []
    wanted = [Key("Encounter", id_) for id_ in dict.fromkeys(ids)]
    found = await store.read_many(project, wanted) if wanted else {}
    out = [(one.id, decode(found[one].body)) for one in wanted if _is_there(found, one)]
    return [(id_, body) for id_, body in out if is_live(body)]


def _is_there(found: Mapping[Key, Stored], key: Key) -> bool:
    return key in found and not found[key].deleted


def _name(project: str, patient: Patient) -> str:
    return f"{project}/{patient.account}/{patient.who}"
