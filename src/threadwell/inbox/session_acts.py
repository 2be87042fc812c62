"""The page of a session, and what a person does there: reply, close it, open it again."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.fhir.resource import Resource
from threadwell.inbox import caring
from threadwell.inbox.composing import DISCARD, KEEP, SAVED, keep, with_saved
from threadwell.inbox.dates import Dates
from threadwell.inbox.doors import from_elsewhere, is_from_here
from threadwell.inbox.fresh import first_unread
from threadwell.inbox.page import Form, Live, by_whom, first, page_of, sentence
from threadwell.inbox.posted import Posted, read_posted
from threadwell.inbox.read_state import mark_read
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.replying import DROP, RESEND, decide, load_replying, send
from threadwell.inbox.scripted import by_script
from threadwell.inbox.session_page import (
    CLOSE,
    REOPEN,
    SessionView,
    last_shown,
    load_session,
    shown_on,
)
from threadwell.inbox.site import Site
from threadwell.inbox.typists import typing_in
from threadwell.intake.acts import BadAct, close_session, reopen_session
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.patience import Contended
from threadwell.intake.replies.outbox import NotInOutbox
from threadwell.intake.replies.writing import BadReply
from threadwell.intake.todos.acting import BadTodo

#: What becomes of the session by each button.
_ACTS = {CLOSE: close_session, REOPEN: reopen_session}
#: What the button of a reply says.
_REPLY = "reply"
#: Letters of a reason that are kept.
_MOST_WHY = 500


async def show(site: Site, request: Request) -> Response:
    """One session; the page of a medical encounter is that of its session."""
    return await _page(site, request)


async def act(site: Site, request: Request) -> Response:
    """Do what the button says, or show the session again, with the reason why not."""
    if not is_from_here(site, request):
        return from_elsewhere()
    posted = await read_posted(request)
    form = posted.form
    if first(form, "act") == _REPLY:
        return await _reply(site, request, posted)
    if first(form, "act") in (KEEP, DISCARD, SAVED):
        return await _compose(site, request, form)
    if first(form, "act") in (RESEND, DROP):
        return await _decide(site, request, form)
    if first(form, "act") in caring.ACTS:
        return await _care(site, request, form)
    do = _ACTS.get(first(form, "act"))
    if do is None:
        return await _page(site, request, "Press one of the buttons.", 400)
    session = f"Encounter/{request.path_params['id']}"
    try:
        seat = await site.seat(await site.acting(session), by_whom(request))
        acted = await do(seat, session, why=why_in(first(form, "why")))
    except (BadAct, BadSetting) as error:
        told = sentence(error).replace(session, "This session")
        return await _page(site, request, told, 422)
    except Contended:
        return await _page(site, request, "Others change it just now: try again.", 409)
    return RedirectResponse(f"/sessions/{acted.session.removeprefix('Encounter/')}", 303)


async def _reply(site: Site, request: Request, posted: Posted) -> Response:
    try:
        return await send(site, request, posted)
    except (BadReply, BadSetting) as error:
        told, status = sentence(error), 422
    except Contended:
        told, status = "Others write to it just now: try again.", 409
    if (posted.files or posted.too_large) and not by_script(request):
        told += " Choose the files again."
    return await _page(site, request, told, status, posted.form)


async def _compose(site: Site, request: Request, form: Form) -> Response:
    try:
        if first(form, "act") != SAVED:
            return await keep(site, request, form)
        return await _page(site, request, form=await with_saved(site, request, form))
    except BadReply as error:
        return await _page(site, request, sentence(error), 422, form)
    except Contended:
        return await _page(site, request, "Others write to it just now: try again.", 409, form)


async def _decide(site: Site, request: Request, form: Form) -> Response:
    if not by_whom(request).reference:
        return await _page(site, request, "Sign in with a link that names you.", 403)
    try:
        return await decide(site, request, form)
    except NotInOutbox:
        return await _page(site, request, "Somebody has decided about it meanwhile.", 409)


async def _care(site: Site, request: Request, form: Form) -> Response:
    try:
        await caring.do(site, request, form)
    except BadTodo as error:
        return await _page(site, request, sentence(error), 409, form)
    except Contended:
        return await _page(site, request, "Others change it just now: try again.", 409, form)
    return RedirectResponse(f"/sessions/{request.path_params['id']}", 303)


def why_in(text: str) -> str:
    """A reason as it is kept: one line, and not too long."""
    return " ".join(text.split())[:_MOST_WHY]


async def whole(reader: Reader, encounter: Resource, request: Request, dates: Dates) -> SessionView:
    """The session of an encounter, at the page of a thread that a query leads to."""
    asked = request.query_params
    thread, cursor = asked.get("thread", ""), asked.get("cursor", "")
    return await load_session(reader, encounter, thread=thread, cursor=cursor, dates=dates)


async def _page(
    site: Site,
    request: Request,
    mistake: str = "",
    status: int = 200,
    form: Form | None = None,
) -> Response:
    after = await site.news.position()
    reader = site.reader()
    encounter = await reader.read("Encounter", request.path_params["id"])
    if encounter is None:
        raise HTTPException(404)
    if parent := await _session_of(reader, encounter):
        return RedirectResponse(f"/sessions/{parent}", 303)
    dates = await site.dates()
    view = await whole(reader, encounter, request, dates)
    me = by_whom(request).reference
    fresh = await first_unread(reader, view, me) if me else {}
    if me:
        await mark_read(reader, last_shown(view), me)
    back, label = came_from(site, request)
    headers = [one.id for one in view.threads]
    cared = await caring.load_caring(reader, headers, me, form or {}, dates)
    replying = await load_replying(site, reader, view, by_whom(request), form or {}, mistake, dates)
    return await page_of(
        *(site, request, reader, "session.html", "sessions", status),
        live=Live(
            after, (*shown_on(view), *(f"Task/{one.task}" for one in cared.threads.values()))
        ),
        session=view,
        fresh=fresh,
        here=f"?{request.url.query}" if request.query_params.get("cursor") else "",
        replying=replying,
        caring=cared,
        typing=typing_in(site, view),
        back=back,
        label=label,
        # What is wrong with a reply is told where it is written.
        mistake="" if replying.thread in replying.limits else mistake,
    )


def came_from(site: Site, request: Request) -> tuple[str, str]:
    """Where a link back leads, and what it is called: to the list as it was left, if that is told.

    Browsers tell it of our own pages alone (``Referrer-Policy``).
    """
    parts = urlsplit(request.headers.get("referer", ""))
    ours = parts.netloc in (urlsplit(site.origin).netloc, request.headers.get("host"))
    if ours and parts.path == "/" and parts.query:
        return f"/?{parts.query}", "Sessions"
    if ours and parts.path == "/reviews":
        return f"/reviews?{parts.query}".rstrip("?"), "To review"
    if ours and parts.path.startswith("/patients/"):
        return parts.path, "Patient"
    return "/", "Sessions"


async def _session_of(reader: Reader, encounter: Resource) -> str:
    """The id of the session that an encounter is part of, ``""`` where it is none's.

    Anybody may have written ``partOf``: what leads back here, or on to a third, is not followed.
    """
    parent = id_in(encounter.get("partOf"), "Encounter")
    found = await reader.read("Encounter", parent) if parent else None
    return parent if found and not id_in(found.get("partOf"), "Encounter") else ""
