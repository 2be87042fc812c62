"""The page on which a person splits a session by patient: message by message, and for what each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.fhir.resource import Resource
from threadwell.inbox import kept
from threadwell.inbox.dates import Dates
from threadwell.inbox.doors import from_elsewhere, is_from_here
from threadwell.inbox.finding import find_patients, patients_of
from threadwell.inbox.message_view import MessageView
from threadwell.inbox.names import concept_text
from threadwell.inbox.page import by_whom, page_of, read_form, sentence
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.session_acts import whole
from threadwell.inbox.session_page import SessionView
from threadwell.inbox.site import Site
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.correcting import BadCorrection
from threadwell.intake.patience import Contended
from threadwell.intake.splitting import Part, split_by_patient

#: What the buttons of the form are for.
FIND, SHOW, SPLIT = "find", "show", "split"

_MESSAGE, _REASON, _SERVICE = "about-", "reason-", "service-"
#: Letters of a reason that are kept.
_MOST = 500


@dataclass(frozen=True, slots=True)
class Said:
    """What the form says.

    ``about`` are the ids of the patients of each message, by its id; ``reasons`` and ``services``
    are texts, by the ids of patients. ``patients`` are those to choose from that were there.
    """

    about: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, str]
    services: Mapping[str, str]
    patients: tuple[str, ...] = ()
    name: str = ""
    act: str = ""

    @classmethod
    def of(cls, form: Mapping[str, Sequence[str]]) -> Said:
        """What was filled in, by the names of the fields."""
        about = {
            id_: tuple(dict.fromkeys(form.get(f"{_MESSAGE}{id_}", ())))
            for id_ in form.get("message", ())
        }
        return cls(
            about,
            _texts(form, _REASON),
            _texts(form, _SERVICE),
            tuple(dict.fromkeys(form.get("patient", ()))),
            (*form.get("name", ()), "")[0],
            (*form.get("act", ()), "")[0],
        )


@dataclass(frozen=True, slots=True)
class Share:
    """One patient to choose, by a number, and what becomes of them by what is chosen so far.

    ``outcome`` is ``none``, ``medical``, or ``own`` where the session encounter is theirs alone.
    """

    number: int
    id: str
    name: str
    born: str
    messages: int
    outcome: str
    period: str
    reason: str
    service: str


@dataclass(frozen=True, slots=True)
class SplitView:
    """What the page shows; ``about`` as in ``Said``, of every message that is there.

    ``nameless`` is a name that nobody has.
    """

    session: SessionView
    shares: list[Share]
    about: Mapping[str, tuple[str, ...]]
    nameless: str
    mistake: str


async def show(site: Site, request: Request) -> Response:
    """The messages of a session, each with whom it is about."""
    return await _page(site, request, None)


async def split(site: Site, request: Request) -> Response:
    """Do what the form says, or show it again, with the mistake and all that was chosen."""
    if not is_from_here(site, request):
        return from_elsewhere()
    said = Said.of(await read_form(request))
    if said.act != SPLIT:
        return await _page(site, request, said)
    reader = site.reader()
    id_ = request.path_params["id"]
    view = await _session(reader, request, await site.dates())
    there = {one.id: one for one in _messages(view)}
    if mistake := _mistake(there, view, said):
        return await _page(site, request, said, mistake, 400)
    parts = _parts(said, await _care(reader, id_))
    named = [name for part in parts for name in (part.patient, *part.messages)]
    try:
        store = await site.acting(f"Encounter/{id_}", naming=named)
        seat = await site.seat(store, by_whom(request))
        await split_by_patient(seat, f"Encounter/{id_}", parts)
    except (BadCorrection, BadSetting) as error:
        told = sentence(error).replace(f"Encounter/{id_}", "This session")
        return await _page(site, request, said, told, 422)
    except Contended:
        return await _page(site, request, said, "Others change it just now: try again.", 409)
    return RedirectResponse(f"/sessions/{id_}", 303)


def _mistake(there: Mapping[str, MessageView], view: SessionView, said: Said) -> str:
    """What is wrong with what was chosen, ``""`` if nothing is."""
    if not any(said.about.values()):
        return "Choose whom the messages are about first."
    for id_, whom in said.about.items():
        if id_ in there and not whom and _now(there[id_], view):
            one = there[id_]
            return f"Say whom the message of {one.sender}, {one.day}, {one.time}, is about."
    return ""


def _parts(said: Said, care: Mapping[str, Resource]) -> list[Part]:
    """What is said of each patient; ``care`` are their Encounters of before."""
    messages: dict[str, list[str]] = {}
    for id_, whom in said.about.items():
        for one in whom:
            messages.setdefault(one, []).append(f"Communication/{id_}")
    parts = []
    for patient, ids in messages.items():
        reason, service = _care_texts(care.get(patient, {}))
        now, kind = said.reasons.get(patient, ""), said.services.get(patient, "")
        parts.append(
            Part(
                f"Patient/{patient}",
                tuple(ids),
                # What is written as before keeps its codes.
                reasons=({"text": now},) if now and now != reason else (),
                service={"text": kind} if kind and kind != service else None,
            )
        )
    return parts


async def _page(
    site: Site, request: Request, said: Said | None, mistake: str = "", status: int = 200
) -> Response:
    reader = site.reader()
    dates = await site.dates()
    session = await _session(reader, request, dates)
    if not session.correctable:
        # The page of the session says why, or where its messages are now.
        return RedirectResponse(f"/sessions/{session.id}", 303)
    settings = await site.settings()
    possible = await kept.may_be_about(reader, f"Encounter/{session.id}", settings)
    about = {one.id: _now(one, session) for one in _messages(session)}
    if said is not None:
        about |= {id_: whom for id_, whom in said.about.items() if id_ in about}
    found = await find_patients(reader, said.name, dates) if said and said.act == FIND else []
    ids = [
        *(id_ for id_, _ in session.patients),
        *(one.removeprefix("Patient/") for one in possible),
        *(said.patients if said else ()),
        *(one.id for one in found),
    ]
    care = await _care(reader, session.id)
    view = SplitView(
        session,
        await _shares(reader, ids, session, about, care, said, dates),
        about,
        said.name if said and said.act == FIND and not found else "",
        mistake,
    )
    return await page_of(
        *(site, request, reader, "split.html", "sessions", status), split=view, session=session
    )


async def _shares(
    reader: Reader,
    ids: Iterable[str],
    session: SessionView,
    about: Mapping[str, Sequence[str]],
    care: Mapping[str, Resource],
    said: Said | None,
    dates: Dates,
) -> list[Share]:
    shares = []
    several = len({one for whom in about.values() for one in whom}) > 1
    for number, one in enumerate(await patients_of(reader, ids, dates), 1):
        mine = [m.sent for m in _messages(session) if one.id in about[m.id]]
        dated = sorted(filter(None, mine))
        reason, service = _care_texts(care.get(one.id, {}))
        if said is not None:
            reason = said.reasons.get(one.id, reason)
            service = said.services.get(one.id, service)
        shares.append(
            Share(
                *(number, one.id, one.name, one.born, len(mine)),
                ("medical" if several else "own") if mine else "none",
                dates.span(dated[0], dated[-1]) if dated else "",
                *(reason, service),
            )
        )
    return shares


async def _session(reader: Reader, request: Request, dates: Dates) -> SessionView:
    encounter = await reader.read("Encounter", request.path_params["id"])
    if encounter is None:
        raise HTTPException(404)
    return await whole(reader, encounter, request, dates)


def _messages(session: SessionView) -> list[MessageView]:
    return [one for thread in session.threads for day in thread.days for one in day.messages]


def _now(message: MessageView, session: SessionView) -> tuple[str, ...]:
    """Whom a message is about as it stands: by itself, else as the session of one patient."""
    if message.patients:
        return message.patients
    return tuple(id_ for id_, _ in session.patients) if len(session.patients) == 1 else ()


async def _care(reader: Reader, session: str) -> dict[str, Resource]:
    """The Encounters of the care of each patient of a session, by their ids."""
    parts = await reader.search(
        f"Encounter?part-of=Encounter/{session}&status:not=entered-in-error", _count=1000
    )
    own = await reader.read("Encounter", session)
    found = [*([own] if own else []), *parts.resources]
    return {id_: one for one in found if (id_ := id_in(one.get("subject"), "Patient"))}


def _care_texts(encounter: Resource) -> tuple[str, str]:
    """Its reasons and its kind of service, as people read them."""
    reasons = map(concept_text, encounter.get("reasonCode") or ())
    return ", ".join(filter(None, reasons)), concept_text(encounter.get("serviceType"))


def _texts(form: Mapping[str, Sequence[str]], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): " ".join(values[0].split())[:_MOST]
        for name, values in form.items()
        if name.startswith(prefix)
    }
