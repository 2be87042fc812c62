"""The page on which a person says whom messages of a session are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from threadwell.inbox.dates import Dates
from threadwell.inbox.finding import PatientFound, find_patients, patients_of
from threadwell.inbox.message_view import MessageView, message_view
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.reasons import named_in
from threadwell.inbox.session_page import SessionView

#: What the buttons of the form are for.
FIND, ALL, SOME, THREAD = "find", "all", "some", "thread"
_ACTS = (FIND, ALL, SOME, THREAD)
#: How far it reaches where one message is meant: it alone, it and what follows in its thread, or
#: all that the session has of its thread.
MESSAGE, REST = "message", "rest"
_REACHES = (MESSAGE, REST, THREAD)


@dataclass(frozen=True, slots=True)
class Said:
    """What the form says: ids of Patients, or that it is about nobody, and ids of messages.

    ``act`` is the button, and ``name`` that of a patient to find. ``thread`` is the id of the
    header of which it is said, and ``reach`` how far it goes from the one message.
    """

    patients: tuple[str, ...] = ()
    nobody: bool = False
    messages: tuple[str, ...] = ()
    name: str = ""
    act: str = ""
    thread: str = ""
    reach: str = MESSAGE

    @classmethod
    def of(cls, form: Mapping[str, Sequence[str]]) -> Said:
        """What was filled in, by the names of the fields."""
        (act, name) = ((*form.get(field, ()), "")[0] for field in ("act", "name"))
        patients = tuple(dict.fromkeys(form.get("patient", ())))
        messages = tuple(dict.fromkeys(form.get("message", ())))
        act, _, thread = act.partition(":")
        (reach,) = (*form.get("reach", ()), MESSAGE)[:1]
        return cls(
            *(patients, "nobody" in form, messages, name, act if act in _ACTS else "", thread),
            reach if reach in _REACHES else MESSAGE,
        )

    @property
    def mistake(self) -> str:
        """What is wrong with it, ``""`` if nothing is."""
        if self.nobody and self.patients:
            return "Choose patients, or that it is about none of them, and not both."
        if not self.nobody and not self.patients:
            return "Choose whom it is about first."
        if self.act == SOME and not self.messages:
            return "Tick the messages that are meant, or press the button for all of them."
        return "" if self.act else "Press one of the buttons."


@dataclass(frozen=True, slots=True)
class AboutView:
    """What the page shows: the session, the patients to choose from, and what was chosen so far.

    ``only`` is there where the page is about one message. ``nameless`` is a name that nobody has.
    """

    session: SessionView
    choices: list[PatientFound]
    said: Said
    only: MessageView | None
    nameless: str
    mistake: str


async def load_about(
    reader: Reader,
    session: SessionView,
    possible: Iterable[str],
    said: Said,
    *,
    message: str,
    mistake: str,
    dates: Dates,
) -> AboutView | None:
    """The page; ``possible`` are the patients (``Patient/…``) that it may be about by addresses.

    ``message`` is the id of the one that it is about, or ``""``; ``None`` where the session has
    no such message.
    """
    only = await _only(reader, session, message, dates) if message else None
    if message and only is None:
        return None
    found = await find_patients(reader, said.name, dates) if said.act == FIND else []
    ids = [
        *(one.removeprefix("Patient/") for one in possible),
        *(id_ for id_, _ in session.patients),
        *said.patients,
        *(one.id for one in found),
    ]
    nameless = said.name if said.act == FIND and not found else ""
    choices = await patients_of(reader, ids, dates)
    return AboutView(session, choices, said, only, nameless, mistake)


async def meant(reader: Reader, session: str, said: Said) -> tuple[str, tuple[str, ...]]:
    """What the form is about: a reference, and the ids of some of its messages, none for all."""
    if said.act == THREAD:
        return f"Communication/{said.thread}", ()
    if said.act != SOME or said.reach == MESSAGE or len(said.messages) != 1:
        return f"Encounter/{session}", said.messages if said.act == SOME else ()
    (first,) = said.messages
    found = await reader.read("Communication", first)
    parents = (found or {}).get("partOf") or ()
    header = next((id_ for one in parents if (id_ := id_in(one, "Communication"))), "")
    if not header:
        return f"Encounter/{session}", said.messages
    if said.reach == THREAD:
        return f"Communication/{header}", ()
    children = await reader.search_all(
        f"Communication?part-of=Communication/{header}&status:not=preparation", _sort="sent"
    )
    ids = [one["id"] for one in children]
    return f"Encounter/{session}", tuple(ids[ids.index(first) :] if first in ids else (first,))


async def _only(reader: Reader, session: SessionView, id_: str, dates: Dates) -> MessageView | None:
    found = await reader.read("Communication", id_)
    parents = (found or {}).get("partOf") or ()
    headers = {id_in(parent, "Communication") for parent in parents}
    if found is None or headers.isdisjoint(thread.id for thread in session.threads):
        return None
    await reader.learn([found.get("sender"), *named_in([found])])
    return message_view(reader, found, dates)
