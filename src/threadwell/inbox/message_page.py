"""The page of one message: what has become of it, and what a person does: correct it, take it
back, send it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.encounters.corrected import said_by
from threadwell.encounters.delivery import delivery_of
from threadwell.encounters.drafts import is_draft
from threadwell.encounters.times import fhir_time
from threadwell.fhir.resource import Resource
from threadwell.inbox.composing import written, written_by
from threadwell.inbox.dates import Dates
from threadwell.inbox.doors import from_elsewhere, is_from_here
from threadwell.inbox.message_view import MessageView, message_view
from threadwell.inbox.names import name_of
from threadwell.inbox.page import Form, by_whom, first, page_of, read_form, sentence
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.reasons import named_in
from threadwell.inbox.replying import Unsent, live_ways, place_of, sending_in, unsent_of
from threadwell.inbox.session_acts import why_in
from threadwell.inbox.site import Site
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.links import circle_of
from threadwell.intake.patience import Contended
from threadwell.intake.replies.again import send_again
from threadwell.intake.replies.writing import BadReply
from threadwell.intake.reports.sessions import channel_of, way_of_header
from threadwell.intake.thread_acts.replacing import correct_message
from threadwell.intake.thread_acts.retracting import BadRetraction, retract

#: What the buttons are for.
CORRECT, RETRACT, AGAIN = "correct", "retract", "again"
_ACTS = (CORRECT, RETRACT, AGAIN)
_MANY = 100


@dataclass(frozen=True, slots=True)
class Fate:
    """What has become of a message that was sent: ``since`` when, for people."""

    word: str
    since: str
    why: str


@dataclass(frozen=True, slots=True)
class MessagePage:
    """One message, by itself.

    ``session`` is the id of its session. ``said`` are lines of who has done what to it.
    ``earlier`` is the message that it corrects, and ``later`` the one that corrects it. It is
    ``correctable`` whom it is about where an import has made its thread. It is
    ``sendable`` where the practice wrote it, and its thread sends; then it may have ``limit``
    characters, 0 for any number. ``text`` and ``why`` are what was typed.
    """

    session: str
    thread: str
    view: MessageView
    channel: str
    way: str
    sent: str
    to: str
    fate: Fate | None
    unsent: Unsent | None
    said: list[str]
    earlier: MessageView | None
    later: MessageView | None
    correctable: bool
    sendable: bool
    limit: int
    text: str
    why: str


async def show(site: Site, request: Request) -> Response:
    """The message."""
    return await _page(site, request, {})


async def act(site: Site, request: Request) -> Response:
    """Do what the form says with it, and lead to it in its session; or say why not."""
    if not is_from_here(site, request):
        return from_elsewhere()
    form = await read_form(request)
    asked = first(form, "act")
    if asked not in _ACTS:
        return await _page(site, request, form, "Press one of the buttons.", 400)
    if asked != RETRACT and not by_whom(request).reference:
        return await _page(site, request, form, "Sign in with a link that names you.", 403)
    message = f"Communication/{request.path_params['message']}"
    try:
        done = await _do(site, request, form, message)
    except (BadReply, BadRetraction, BadSetting) as error:
        told = sentence(error).replace(message, "this message")
        return await _page(site, request, form, told, 422)
    except Contended:
        return await _page(site, request, form, "Others change it just now: try again.", 409)
    if asked == RETRACT:
        return RedirectResponse(_back(request), 303)
    return RedirectResponse(await place_of(site.reader(), done), 303)


async def _do(site: Site, request: Request, form: Form, message: str) -> str:
    """What the button says; the message (``Communication/…``) to look at afterwards."""
    by, why = by_whom(request), why_in(first(form, "why"))
    thread = f"Communication/{await _thread(site, message)}"
    if first(form, "act") == RETRACT:
        store = await site.acting(message)
    else:
        store = await site.acting(message, writes=written_by(by.reference, thread))
    seat = await site.seat(store, by)
    if first(form, "act") == RETRACT:
        await retract(seat, message, why=why)
        return message
    if first(form, "act") == AGAIN:
        sent = await send_again(seat, message, live_ways(site), sender=by.reference)
        return sent.message
    corrected = await correct_message(
        seat,
        message,
        written(form),
        live_ways(site),
        sender=by.reference,
        key=first(form, "key"),
        why=why,
    )
    return corrected.message


async def _thread(site: Site, message: str) -> str:
    """The id of the header of a message that is seen; 404 for any other."""
    body = await site.reader().read(*message.split("/", 1))
    if body is None:
        raise HTTPException(404)
    return id_in(next(iter(body.get("partOf") or ()), None), "Communication")


async def _page(
    site: Site, request: Request, form: Form, mistake: str = "", status: int = 200
) -> Response:
    reader = site.reader()
    body = await reader.read("Communication", request.path_params["message"])
    header = await _header(reader, body)
    session = request.path_params["id"]
    if body is None or header is None or is_draft(body):
        raise HTTPException(404)
    if id_in(header.get("encounter"), "Encounter") != session:
        raise HTTPException(404)
    page = await _load(site, reader, request, body, header, form)
    return await page_of(
        *(site, request, reader, "message.html", "sessions", status),
        page=page,
        back=_back(request),
        mistake=mistake,
        may=bool(by_whom(request).reference),
        key=f"{body['id']} {body['meta']['versionId']}",
    )


async def _load(
    site: Site,
    reader: Reader,
    request: Request,
    body: Resource,
    header: Resource,
    form: Form,
) -> MessagePage:
    dates = await site.dates()
    earlier, later = await _beside(reader, body, header)
    shown = [one for one in (body, earlier, later) if one]
    people = [body.get("sender"), *(body.get("recipient") or ()), *(o.get("sender") for o in shown)]
    await reader.learn([*people, *named_in(shown)])
    view = message_view(reader, body, dates)
    channel = channel_of(header)
    sends, limit = await sending_in(site, reader, header)
    typed = first(form, "act") == CORRECT
    return MessagePage(
        session=request.path_params["id"],
        thread=header["id"],
        view=view,
        channel=channel,
        way=way_of_header(header),
        sent=dates.text(body.get("sent")),
        to=", ".join(name_of(one, reader) for one in body.get("recipient") or ()),
        fate=_fate(body, view, dates),
        unsent=(await unsent_of(reader, [view])).get(view.id),
        said=await _said(reader, body, dates),
        earlier=message_view(reader, earlier, dates) if earlier else None,
        later=message_view(reader, later, dates) if later else None,
        correctable=bool(circle_of(header)),
        sendable=bool(circle_of(header)) and view.ours and sends,
        limit=limit,
        text=written(form) if typed else view.text,
        why=first(form, "why"),
    )


async def _header(reader: Reader, body: Resource | None) -> Resource | None:
    parent = next(iter((body or {}).get("partOf") or ()), None)
    return await reader.read("Communication", id_in(parent, "Communication"))


async def _beside(
    reader: Reader, body: Resource, header: Resource
) -> tuple[Resource | None, Resource | None]:
    """The message that one corrects, and the one that corrects it."""
    earlier = None
    answered = next(iter(body.get("inResponseTo") or ()), None)
    found = await reader.search(
        f"Communication?part-of=Communication/{header['id']}&category=correction", _count=_MANY
    )
    if any(one["id"] == body["id"] for one in found.resources):
        earlier = await reader.read("Communication", id_in(answered, "Communication"))
    own = {"reference": f"Communication/{body['id']}"}
    for one in found.resources:
        if own in [{"reference": r.get("reference")} for r in one.get("inResponseTo") or ()]:
            return earlier, one
    return earlier, None


async def _said(reader: Reader, body: Resource, dates: Dates) -> list[str]:
    """Who has taken it back, when and why."""
    found = await reader.search(
        f"Provenance?target=Communication/{body['id']}", _sort="recorded", _count=_MANY
    )
    return [
        f"{_capital(said_by(one))} took it back: {dates.text(one.get('recorded'))}."
        for one in found.resources
        if _code(one.get("activity")) == "NULLIFY"
    ]


def _code(concept: Any) -> str:
    return str(next((one.get("code") for one in (concept or {}).get("coding") or ()), ""))


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _fate(body: Resource, view: MessageView, dates: Dates) -> Fate | None:
    try:
        found = delivery_of(body)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if found is None:
        return None
    return Fate(view.mark, dates.text(fhir_time(found.since)), view.why)


def _back(request: Request) -> str:
    """The page of the session that one came from."""
    asked: Mapping[str, str] = request.query_params
    kept = {name: asked[name] for name in ("thread", "cursor") if asked.get(name)}
    query = f"?{urlencode(kept)}" if kept else ""
    path = request.path_params
    return f"/sessions/{path['id']}{query}#m-{path['message']}"
