"""The pages of those who are signed in: from a request to HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.inbox import kept, review_page, seeking, writers_page
from threadwell.inbox.about_page import FIND, Said, load_about, meant
from threadwell.inbox.caring import OWNERS, waiting_by_owner
from threadwell.inbox.dates import EXAMPLE, Dates, bad_day
from threadwell.inbox.doors import from_elsewhere, is_from_here
from threadwell.inbox.finding import MOST, find_patients, patients_of
from threadwell.inbox.listing import Listing, list_sessions
from threadwell.inbox.message_view import PICTURES
from threadwell.inbox.page import Live, by_whom, first, page_of, read_form, sentence
from threadwell.inbox.quarantine import load_held
from threadwell.inbox.reviews import asks_whom, list_reviews
from threadwell.inbox.session_acts import whole
from threadwell.inbox.site import Site
from threadwell.inbox.waiting import WAITING
from threadwell.inbox.words import STATUSES
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.correcting import BadCorrection, correct_attribution
from threadwell.intake.patience import Contended
from threadwell.intake.reports.wanted import Wanted
from threadwell.intake.settling import BadAnswer, answer_writers

#: What narrows the list of sessions, as its URL says it.
_FILTERS = ("status", "waiting", "patient", "channel", "from", "to", "review")
#: A logical id (§2.11.0.2 ``id``).
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def _tabs(waits: Mapping[str, int]) -> list[tuple[str, dict[str, str]]]:
    """The tabs of the list of sessions: what each is called, and what of the query it is.

    ``waits`` is how many threads wait, by those of ``OWNERS`` that have a tab.
    """
    owners = [(label, name) for name, label in OWNERS.items() if name in waits]
    waiting = [(label, name) for name, label in WAITING.items()]
    statuses = [(label, status) for status, label in STATUSES.items() if status != "all"]
    return [
        ("All", {"status": "all", "waiting": ""}),
        *((label, {"status": "all", "waiting": name}) for label, name in [*owners, *waiting]),
        *((label, {"status": status, "waiting": ""}) for label, status in statuses),
    ]


async def sessions(site: Site, request: Request) -> Response:
    """The list of sessions: those that the query wants, and ``?cursor=`` where a page begins."""
    asked = request.query_params
    dates = await site.dates()
    days, mistake = _days(asked, dates)
    wanted = _wanted(asked, days)
    waiting = asked.get("waiting", "")
    if waiting not in ("", *WAITING, *OWNERS):
        raise HTTPException(404)
    after = await site.news.position()
    reader = site.reader()
    listing = await list_sessions(
        reader,
        wanted,
        waiting=waiting,
        cursor=asked.get("cursor", ""),
        dates=dates,
        me=by_whom(request).reference,
    )

    waits = await waiting_by_owner(reader, by_whom(request).reference)

    def link(**changed: str) -> str:
        query = {name: asked.get(name, "") for name in _FILTERS} | changed
        query = {name: value for name, value in query.items() if value and value != "all"}
        return f"/?{urlencode(query)}" if query else "/"

    narrowed = any(asked.get(name) for name in ("channel", "from", "to", "review"))
    return await page_of(
        site,
        request,
        reader,
        "sessions.html",
        "sessions",
        400 if mistake else 200,
        live=Live(after, ("Communication/", "Encounter/", *_tasks(listing))),
        listing=listing,
        link=link,
        asked={name: asked.get(name, "") for name in (*_FILTERS, "cursor")},
        narrowed=narrowed,
        limited=reader.policy is not None,
        mistake=mistake,
        days=[_written(asked.get(name, ""), dates) for name in ("from", "to")],
        example=dates.day(EXAMPLE),
        tabs=_tabs(waits),
        waits=waits,
        channels=site.badges.choices,
    )


def _tasks(listing: Listing) -> list[str]:
    """The Tasks of the threads that wait in those sessions."""
    return [f"Task/{row.care.task}" for row in listing.rows if row.care]


async def find(site: Site, request: Request) -> Response:
    """To the patients of a name or address; to the sessions of the one, if there is one.

    What was typed is in no URL, and the page that lists them can be gone back to.
    """
    form = await read_form(request)
    text = first(form, "name")
    reader = site.reader()
    if first(form, "in") == "messages":
        return await seeking.seek(site, request, form)
    patients = await find_patients(reader, text, await site.dates(), most=MOST + 1)
    if len(patients) == 1:
        return RedirectResponse(f"/?patient={patients[0].id}", 303)
    ids = urlencode([("id", patient.id) for patient in patients])
    return RedirectResponse(f"/find?{ids}" if ids else "/find", 303)


async def found(site: Site, request: Request) -> Response:
    """The patients that a search has found, as its URL names them."""
    if request.query_params.get("in") == "messages":
        return await seeking.empty(site, request)
    ids = [id_ for id_ in request.query_params.getlist("id") if _ID.fullmatch(id_)]
    reader = site.reader()
    patients = await patients_of(reader, ids[:MOST], await site.dates())
    more = len(ids) > MOST
    return await page_of(
        site, request, reader, "found.html", "sessions", patients=patients, more=more
    )


async def about(site: Site, request: Request) -> Response:
    """Whom a session is about, to be said by a person; ``?message=`` asks of one message."""
    return await _about(site, request, Said())


async def say_about(site: Site, request: Request) -> Response:
    """What the form of that page says is so from now on; or it is shown again, with the mistake."""
    if not is_from_here(site, request):
        return from_elsewhere()
    said = Said.of(await read_form(request))
    if said.act == FIND:
        return await _about(site, request, said)
    if said.mistake:
        return await _about(site, request, said, said.mistake, 400)
    session = request.path_params["id"]
    subject, messages = await meant(site.reader(), session, said)
    try:
        store = await site.acting(
            subject,
            naming=[
                *(f"Patient/{one}" for one in said.patients),
                *(f"Communication/{one}" for one in messages),
            ],
        )
        seat = await site.seat(store, by_whom(request))
        await correct_attribution(seat, subject, said.patients, messages=messages)
    except (BadCorrection, BadSetting) as error:
        return await _about(site, request, said, sentence(error), 422)
    except Contended:
        return await _about(site, request, said, "Others change it just now: try again.", 409)
    return RedirectResponse(f"/sessions/{session}", 303)


async def _about(
    site: Site, request: Request, said: Said, mistake: str = "", status: int = 200
) -> Response:
    reader = site.reader()
    encounter = await reader.read("Encounter", request.path_params["id"])
    if encounter is None:
        raise HTTPException(404)
    dates = await site.dates()
    session = await whole(reader, encounter, request, dates)
    if not session.correctable:
        # The page of the session says why, or where its messages are now.
        return RedirectResponse(f"/sessions/{session.id}", 303)
    settings = await site.settings()
    possible = await kept.may_be_about(reader, f"Encounter/{session.id}", settings)
    message = request.query_params.get("message", "")
    view = await load_about(
        reader, session, possible, said, message=message, mistake=mistake, dates=dates
    )
    if view is None:
        raise HTTPException(404)
    return await page_of(
        site, request, reader, "about.html", "sessions", status, about=view, session=session
    )


async def attachment(site: Site, request: Request) -> Response:
    """The bytes of a Binary; what a browser might run is only ever downloaded."""
    binary = await site.reader().read_binary(request.path_params["id"])
    if binary is None:
        raise HTTPException(404)
    kind, content = binary
    shown = kind in PICTURES
    return Response(
        content,
        headers={
            "Content-Type": kind if shown else "application/octet-stream",
            "Content-Disposition": "inline" if shown else "attachment",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


async def held(site: Site, request: Request) -> Response:
    """One held message, why it is held and what to do."""
    reader = site.reader()
    dates = await site.dates()
    item = await load_held(reader, request.path_params["id"], dates, or_dismissed=True)
    if item is None:
        raise HTTPException(404)
    return await page_of(site, request, reader, "held.html", "quarantine", item=item)


async def reviews(site: Site, request: Request) -> Response:
    """The open questions, the newest first."""
    after = await site.news.position()
    reader = site.reader()
    cursor = request.query_params.get("cursor", "")
    found = await list_reviews(reader, cursor=cursor, dates=await site.dates())
    return await page_of(
        *(site, request, reader, "reviews.html", "reviews"),
        live=Live(after, ("Task/",)),
        items=found.items,
        turns=found.turns,
    )


async def review(site: Site, request: Request) -> Response:
    """A question, to be answered: whom a session is about, or who writes at a shared address."""
    task = await site.reader().read("Task", request.path_params["id"])
    if task is not None and asks_whom(task):
        return await review_page.show(site, request)
    return await _writers(site, request, writers_page.Said())


async def say_in_review(site: Site, request: Request) -> Response:
    """What the form of that page says is so from now on; or it is shown again, with the mistake."""
    task = await site.reader().read("Task", request.path_params["id"])
    if task is not None and asks_whom(task):
        return await review_page.answer(site, request)
    if not is_from_here(site, request):
        return from_elsewhere()
    said = writers_page.Said.of(await read_form(request))
    if said.mistake:
        return await _writers(site, request, said, said.mistake, 400)
    asked = f"Task/{request.path_params['id']}"
    try:
        store = await site.acting(asked, naming=said.persons)
        seat = await site.seat(store, by_whom(request))
        await answer_writers(seat, asked, said.persons, holds_for=said.holds_for)
    except (BadAnswer, BadSetting) as error:
        return await _writers(site, request, said, sentence(error), 422)
    except Contended:
        return await _writers(site, request, said, "Others change it just now: try again.", 409)
    return RedirectResponse("/reviews", 303)


async def _writers(
    site: Site, request: Request, said: writers_page.Said, mistake: str = "", status: int = 200
) -> Response:
    reader = site.reader()
    view = await writers_page.load_writers(
        reader,
        request.path_params["id"],
        said,
        mistake=mistake,
        dates=await site.dates(),
    )
    if view is None:
        raise HTTPException(404)
    return await page_of(site, request, reader, "writers.html", "reviews", status, writers=view)


def _wanted(asked: Mapping[str, str], days: Sequence[date | None]) -> Wanted:
    """What the query of a list asks for; 404 for what nothing can be."""
    patient = asked.get("patient", "")
    if patient and not _ID.fullmatch(patient):
        raise HTTPException(404)
    try:
        return Wanted(
            status=asked.get("status") or "all",
            patient=patient,
            channel=asked.get("channel", ""),
            since=days[0],
            until=days[1],
            to_review=bool(asked.get("review")),
        )
    except ValueError:
        raise HTTPException(404) from None


def _written(text: str, dates: Dates) -> str:
    """A day as the practice writes it; what is none stays as it was typed."""
    try:
        return dates.day(dates.read(text))
    except ValueError:
        return text


def _days(asked: Mapping[str, str], dates: Dates) -> tuple[list[date | None], str]:
    """The days from which and until which, in their order, and what is wrong with them."""
    days: list[date | None] = []
    for name in ("from", "to"):
        text = asked.get(name, "").strip()
        try:
            days.append(dates.read(text) if text else None)
        except ValueError:
            return [None, None], bad_day(text, dates)
    since, until = days
    return ([until, since] if since and until and since > until else days), ""
