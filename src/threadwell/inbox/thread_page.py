"""The page of one thread: who takes part in it, and whether it is closed; a person changes both."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.fhir.resource import Resource
from threadwell.inbox.doors import from_elsewhere, is_from_here
from threadwell.inbox.finding import PersonFound, find_people
from threadwell.inbox.names import concept_text, name_of, role_of
from threadwell.inbox.page import Form, Live, by_whom, first, page_of, read_form, sentence
from threadwell.inbox.reader import Reader, id_in
from threadwell.inbox.session_acts import why_in
from threadwell.inbox.site import Site
from threadwell.intake.acts import BadAct
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.patience import Contended
from threadwell.intake.reports.sessions import way_of_header
from threadwell.intake.thread_acts.turning import (
    add_participant,
    close_thread,
    remove_participant,
    reopen_thread,
)

#: What the buttons are for.
FIND, ADD, REMOVE, CLOSE, REOPEN = "find", "add", "remove", "close", "reopen"
_TURNS = {CLOSE: close_thread, REOPEN: reopen_thread}
_MEMBERS = {ADD: add_participant, REMOVE: remove_participant}
#: Where the page is looked at after each act.
_PLACES = {ADD: "taking-part", REMOVE: "taking-part", CLOSE: "state", REOPEN: "state"}


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who takes part: ``who`` is a reference. Whom the thread is about is ``fixed``."""

    who: str
    name: str
    role: str
    fixed: bool


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """One thread. ``people`` are found by the ``name`` that was typed, and may join."""

    id: str
    session: str
    topic: str
    way: str
    closed: bool
    alone: bool
    members: list[Member]
    name: str
    people: list[PersonFound]
    why: str


async def show(site: Site, request: Request) -> Response:
    """Who takes part, and whether it is closed."""
    return await _page(site, request, {})


async def act(site: Site, request: Request) -> Response:
    """Do what the form says, and show the thread; or say why not."""
    if not is_from_here(site, request):
        return from_elsewhere()
    form = await read_form(request)
    # A person is named by the button that is theirs.
    asked, _, who = first(form, "act").partition(" ")
    if asked == FIND:
        return await _page(site, request, form)
    if asked not in _PLACES:
        return await _page(site, request, form, "Press one of the buttons.", 400)
    # It is a thread of this session.
    await _header(site.reader(), request)
    thread = f"Communication/{request.path_params['thread']}"
    why = why_in(first(form, "why"))
    store = await site.acting(thread, naming=[who] if asked in _MEMBERS else [])
    try:
        seat = await site.seat(store, by_whom(request))
        if asked in _TURNS:
            await _TURNS[asked](seat, thread, why=why)
        else:
            await _MEMBERS[asked](seat, thread, who, why=why)
    except (BadAct, BadSetting) as error:
        told = sentence(error).replace(thread, "this thread")
        return await _page(site, request, form, told, 422)
    except Contended:
        return await _page(site, request, form, "Others change it just now: try again.", 409)
    return RedirectResponse(f"{request.url.path}?done={asked}#{_PLACES[asked]}", 303)


async def _page(
    site: Site, request: Request, form: Form, mistake: str = "", status: int = 200
) -> Response:
    after = await site.news.position()
    reader = site.reader()
    header = await _header(reader, request)
    session = id_in(header["encounter"], "Encounter")
    threads = await reader.search(
        f"Communication?encounter=Encounter/{session}&part-of:missing=true&status=in-progress",
        _count=2,
    )
    await reader.learn(header.get("recipient") or ())
    members = [_member(reader, header, one) for one in header.get("recipient") or ()]
    name = first(form, "name").strip()
    there = {one.who for one in members}
    found = await find_people(reader, name, await site.dates()) if name else []
    page = ThreadPage(
        id=header["id"],
        session=session,
        topic=concept_text(header.get("topic")) or "Thread",
        way=way_of_header(header),
        closed=header.get("status") == "completed",
        alone=[one["id"] for one in threads.resources] == [header["id"]],
        members=members,
        name=name,
        people=[one for one in found if one.who not in there],
        why=first(form, "why"),
    )
    return await page_of(
        *(site, request, reader, "thread.html", "sessions", status),
        live=Live(after, (f"Communication/{page.id}",)),
        page=page,
        done="" if mistake else request.query_params.get("done", ""),
        mistake=mistake,
    )


async def _header(reader: Reader, request: Request) -> Resource:
    """The header that the path names, of the session that it names; 404 for any other."""
    header = await reader.read("Communication", request.path_params["thread"])
    if header is None or header.get("partOf"):
        raise HTTPException(404)
    if id_in(header.get("encounter"), "Encounter") != request.path_params["id"]:
        raise HTTPException(404)
    return header


def _member(reader: Reader, header: Resource, reference: object) -> Member:
    who = str(reference.get("reference", "")) if isinstance(reference, dict) else ""
    about = (header.get("subject") or {}).get("reference", "")
    fixed = not who or who == about
    return Member(who, name_of(reference, reader), role_of(reference, reader), fixed)
