"""The pages as an ASGI application: routes, who may see them, and the headers of every answer."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from threadwell.access.view import Whole
from threadwell.audit.record import Who
from threadwell.audit.trail import Trail
from threadwell.channels.channel import Channel
from threadwell.fhir.outcome import FhirError
from threadwell.fhir.stamp import now_ms
from threadwell.inbox import (
    account_page,
    account_passkeys,
    deliveries,
    held_acts,
    message_page,
    pages,
    patient_acts,
    person_page,
    review_page,
    seeking,
    session_acts,
    split_page,
    stream,
    thread_page,
    typists,
)
from threadwell.inbox.doors import (
    is_from_here,
    keep_wanted,
    sign_in_page,
    signing_in,
    signing_out,
)
from threadwell.inbox.entering import address
from threadwell.inbox.entrance import entrance
from threadwell.inbox.entrance_forms import sign_in_form
from threadwell.inbox.news import News
from threadwell.inbox.people import person_of
from threadwell.inbox.render import STATIC, static_file
from threadwell.inbox.scripted import is_of_another, onward, read_typed, typed_in
from threadwell.inbox.site import Doors, Site, door
from threadwell.inbox.viewing import Viewing
from threadwell.inbox.words import Badges
from threadwell.intake.chat.typing import Typing
from threadwell.projects.within import within
from threadwell.stores.contract import DEFAULT_PROJECT, Store, StoreError
from threadwell.users.browsers import signed_in
from threadwell.users.keeping import any_user
from threadwell.users.provider_calls import ProviderCalls
from threadwell.users.providers import providers

Page: TypeAlias = Callable[[Site, Request], Awaitable[Response]]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

_log = logging.getLogger(__name__)

_AS_ANOTHER = "What you have written stays here until you load the page again: it would be theirs."

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    # With no referrer at all browsers would not say either that a form is from here.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def create_pages(
    store: Store,
    *,
    base_url: str,
    channels: Sequence[Channel],
    project: str = DEFAULT_PROJECT,
    news: News | None = None,
    typing: Typing | None = None,
    trail: Trail | None = None,
    doors: Doors | None = None,
) -> Starlette:
    """The pages of one project of ``store``, to be served at ``/`` beside the API.

    ``base_url`` is where browsers reach them: with https they are signed in over https alone.
    ``channels`` are those that messages may have come by. Once ``news`` is closed, no page is told
    any more of what changes. ``typing`` is where apps and pages tell who types. ``trail`` is that
    of the store, where it is recorded who is shown what. ``doors`` are those of the server, where
    it may have several projects.
    """
    trail = trail or Trail(store)
    store = within(trail.store, project)
    parts = urlsplit(base_url)
    labels = {one.name: one.label for one in channels}
    site = Site(
        *(
            Whole(store),
            store,
            project,
            f"{parts.scheme}://{parts.netloc}",
            Badges(channels),
            labels,
        ),
        news or News(store, project),
        {one.name: one for one in channels},
        (typing or Typing()).of(project),
        Viewing(store, project),
        trail,
        ProviderCalls(now_ms),
        doors=doors,
    )
    inside = {
        "/": pages.sessions,
        "/sessions/{id}": session_acts.show,
        "/sessions/{id}/about": pages.about,
        "/sessions/{id}/split": split_page.show,
        "/sessions/{id}/messages/{message}": message_page.show,
        "/sessions/{id}/threads/{thread}": thread_page.show,
        "/patients/{id}": patient_acts.show,
        "/attachments/{id}": pages.attachment,
        "/reviews": pages.reviews,
        "/reviews/{id}": pages.review,
        "/reviews/{id}/session": review_page.session,
        "/quarantine": held_acts.show,
        "/quarantine/{id}": pages.held,
        "/quarantine/{id}/person": person_page.show,
        "/deliveries": deliveries.show,
        "/news": stream.show,
    }
    pages_ = Starlette(
        routes=[
            *(Route(path, _guarded(site, page)) for path, page in inside.items()),
            Route("/find", _guarded(site, pages.found)),
            Route("/find/{name}", _guarded(site, seeking.show)),
            Route("/find", _guarded(site, pages.find), methods=["POST"]),
            Route("/sessions/{id}", _guarded(site, session_acts.act), methods=["POST"]),
            Route("/sessions/{id}/about", _guarded(site, pages.say_about), methods=["POST"]),
            Route("/sessions/{id}/split", _guarded(site, split_page.split), methods=["POST"]),
            Route(
                "/sessions/{id}/messages/{message}",
                _guarded(site, message_page.act),
                methods=["POST"],
            ),
            Route(
                "/sessions/{id}/threads/{thread}",
                _guarded(site, thread_page.act),
                methods=["POST"],
            ),
            Route("/patients/{id}", _guarded(site, patient_acts.open_one), methods=["POST"]),
            Route("/quarantine", _guarded(site, held_acts.act), methods=["POST"]),
            Route("/typing", _guarded(site, typists.tell), methods=["POST"]),
            Route("/deliveries", _guarded(site, deliveries.act), methods=["POST"]),
            Route("/quarantine/{id}/person", _guarded(site, person_page.add), methods=["POST"]),
            Route("/reviews/{id}", _guarded(site, pages.say_in_review), methods=["POST"]),
            *entrance(site, _outside),
            Route("/account", _guarded(site, account_page.show)),
            Route("/account", _guarded(site, account_page.act), methods=["POST"]),
            Route(
                "/account/passkey/begin",
                _guarded(site, account_passkeys.begin),
                methods=["POST"],
            ),
            Route("/sign-in/{token}", _outside(partial(sign_in_page, site))),
            Route("/sign-in/{token}", _outside(partial(signing_in, site)), methods=["POST"]),
            Route("/sign-out", _outside(partial(signing_out, site)), methods=["POST"]),
            Route("/static/{name}", _static),
        ],
        exception_handlers={HTTPException: _refused},
    )
    pages_.state.site = site
    return pages_


def _guarded(site: Site, page: Page) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        cookie = request.cookies.get(site.cookie)
        found = await signed_in(site.whole, site.project, cookie)
        by = await person_of(site.whole, site.project, found.who) if found else None
        if found is None or by is None:
            return await _not_signed_in(site, request)
        if is_of_another(request, by):
            return door(409, "You are signed in as somebody else now", _AS_ANOTHER, back=True)
        request.state.sign_in = found
        request.state.by = by
        theirs = await site.seen_by(by.reference)
        who = Who(who=by.reference, name=by.name, way="pages", address=address(request))
        path = request.url.path
        wide = theirs.policy is None
        with site.trail.watching(site.project, who, "page", asked=path, wide=wide, quiet=True):
            return await page(theirs, request)

    return _outside(endpoint)


def _outside(endpoint: Endpoint) -> Endpoint:
    """Give the answer its headers; a page's own stay. A failure becomes a page too."""

    async def with_headers(request: Request) -> Response:
        try:
            response = await endpoint(request)
        except HTTPException:
            raise
        except FhirError as error:
            response = _not_theirs(request, error)
        except Exception as error:  # noqa: BLE001 - the last line: what fails must be answered
            response = _failed(request, error)
        response = onward(request, response)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return with_headers


def _not_theirs(request: Request, error: FhirError) -> Response:
    """What a policy hides is as if it were not there, and what it forbids is told in two words."""
    typed = typed_in(request)
    if error.status == 403:
        told = "That is not yours to do"
        return door(403, told, "Ask whoever runs Threadwell.", back=True, typed=typed)
    return door(404, "There is no such page", back=True, typed=typed)


async def _not_signed_in(site: Site, request: Request) -> Response:
    # What was written before the sign-in had its end is not lost; nobody else's words are shown.
    typed, cut = await read_typed(request) if is_from_here(site, request) else ([], False)
    if await any_user(site.whole) or await providers(site.whole, site.project):
        response = await sign_in_form(site, 401, typed=typed, cut=cut)
    else:
        response = door(
            401,
            "Sign in to see the inbox",
            "These pages open with a one-time link. `threadwell serve` prints one when it starts, "
            "and this command prints another:",
            command="threadwell sign-in",
            typed=typed,
            cut=cut,
        )
    keep_wanted(site, request, response)
    response.headers["WWW-Authenticate"] = 'Link realm="Threadwell"'
    return response


def _failed(request: Request, error: Exception) -> Response:
    typed = typed_in(request)
    if isinstance(error, StoreError):
        # Its message has nothing of what it was asked to keep.
        _log.error("the store failed: %s", error)
        title = "The store does not answer"
        response = door(503, title, "Please try again in a moment.", back=True, typed=typed)
        response.headers["Retry-After"] = "5"
        return response
    # Where it failed, but not its message: that may hold what only the page should.
    frame = traceback.extract_tb(error.__traceback__)[-1]
    _log.error("%s at %s:%s", type(error).__name__, frame.filename, frame.lineno)
    told = "The server's log tells where."
    return door(500, "Something went wrong", told, back=True, typed=typed)


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        raise HTTPException(404)
    # The URL changes with the content, so a browser may keep it.
    return Response(
        static_file(name),
        media_type=STATIC[name],
        headers={"Cache-Control": "public, max-age=31536000, immutable", **_SNIFF},
    )


_SNIFF = {"X-Content-Type-Options": "nosniff"}


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    title = "There is no such page" if status == 404 else "That is not possible here"
    response = door(status, title, back=True, typed=typed_in(request))
    response.headers.update(_HEADERS)
    return response
