"""Signing in and out. Opening a link changes nothing: a preview of it must not use it up."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.inbox.entering import entered, refused
from threadwell.inbox.people import person_of
from threadwell.inbox.sign_in import LINK_LIFE, good_link, redeem
from threadwell.inbox.signing_off import signed_out_at
from threadwell.inbox.site import Site, door
from threadwell.users.browsers import COOKIE_LIFE, sign_out, signed_in
from threadwell.users.shut_out import is_shut_out

#: What may be gone to after signing in: a page with its query, as browsers write it.
_PAGE = re.compile(
    r"/(?:|find|reviews|quarantine|deliveries|account|"
    r"(?:sessions|patients|quarantine|reviews)/[A-Za-z0-9.-]{1,64}(?:/about|/person|/split)?|"
    r"sessions/[A-Za-z0-9.-]{1,64}/(?:messages|threads)/[A-Za-z0-9.-]{1,64})"
    r"(?:\?[A-Za-z0-9=&%_.~+-]{0,2500})?"
)
#: An app's request to be let in (``api.endpoints.oauth2``), likewise.
_APP = re.compile(r"/oauth2/authorize\?[A-Za-z0-9=&%_.~+-]{1,3500}")


async def sign_in_page(site: Site, request: Request) -> Response:
    """A page with the button that signs in, while the link is good."""
    found = await good_link(site.whole, request.path_params["token"])
    person = await person_of(site.whole, site.project, found.who) if found else None
    if person is None or await is_shut_out(site.whole, site.project, person.reference):
        return _spent()
    told = ["This browser then sees the sessions of the practice for 12 hours."]
    if person.reference:
        told.append(f"What is done in it is recorded as done by {person.name}.")
    return door(200, "Sign in to Threadwell", *told, button="Sign in")


async def signing_in(site: Site, request: Request) -> Response:
    """What the button does: the link is exchanged for a cookie, once."""
    return refused(site, request, await _signing_in(site, request), "/sign-in")


async def _signing_in(site: Site, request: Request) -> Response:
    if not is_from_here(site, request):
        return from_elsewhere()
    agent = request.headers.get("user-agent", "")
    token = request.path_params["token"]
    cookie = await redeem(site.whole, token, project=site.project, agent=agent)
    found = await signed_in(site.whole, site.project, cookie)
    if cookie is None or found is None:
        return _spent()
    await entered(site, request, found.who, "/sign-in")
    return let_in(site, request, cookie)


def let_in(site: Site, request: Request, cookie: str) -> Response:
    """Lead a browser that is signed in from now on to the page that it wanted."""
    page = _wanted(site, request)
    if _APP.fullmatch(page):
        # It leads on to the app, and browsers do not let a form of ours lead there.
        response: Response = door(200, "You are signed in", "The app opens now.", onward=page)
    else:
        response = RedirectResponse(page, 303)
    if site.wanted_cookie in request.cookies:
        drop_cookie(site, response, site.wanted_cookie)
    give_cookie(site, response, site.cookie, cookie, COOKIE_LIFE)
    return response


def give_cookie(site: Site, response: Response, name: str, value: str, life: int) -> None:
    """Have the browser keep a cookie for ``life`` milliseconds, for the server's eyes alone."""
    response.set_cookie(
        name,
        value,
        max_age=life // 1000,
        httponly=True,
        samesite="lax",
        secure=site.secure,
    )


def drop_cookie(site: Site, response: Response, name: str) -> None:
    """Have the browser forget a cookie."""
    response.delete_cookie(name, httponly=True, samesite="lax", secure=site.secure)


async def signing_out(site: Site, request: Request) -> Response:
    """The cookie is worthless from now on."""
    if not is_from_here(site, request):
        return from_elsewhere()
    cookie = request.cookies.get(site.cookie)
    found = await signed_in(site.whole, site.project, cookie)
    await sign_out(site.whole, site.project, cookie)
    if found is not None:
        await entered(site, request, found.who, "/sign-out")
    link = await signed_out_at(site, found.provider) if found and found.provider else None
    response = door(200, "Signed out", "This browser sees the pages no longer.", link=link)
    drop_cookie(site, response, site.cookie)
    return response


def keep_wanted(site: Site, request: Request, response: Response) -> None:
    """Have the browser remember the page that it asked for, to be led there once it signs in.

    A link to a session may be given to somebody who is not signed in. A form leads back to the page
    that it is on, as browsers tell of our own pages.
    """
    shown = request.headers.get("sec-fetch-dest", "document") == "document"
    at = urlsplit(request.headers.get("referer", "")) if request.method == "POST" else request.url
    page = at.path + (f"?{at.query}" if at.query else "")
    if request.method not in ("GET", "POST") or not shown or page == "/" or not _is_page(page):
        return
    give_cookie(site, response, site.wanted_cookie, page, LINK_LIFE)


def keep_app(site: Site, request: Request, response: Response) -> None:
    """Have the browser remember which app somebody signs in for, by ``?next=`` of the page."""
    page = request.query_params.get("next", "")
    if _APP.fullmatch(page):
        give_cookie(site, response, site.wanted_cookie, page, LINK_LIFE)


def wanted_client(site: Site, request: Request) -> str:
    """The id of the app that somebody signs in for, ``""`` for none."""
    return _client_of(request.cookies.get(site.wanted_cookie, ""))


def asked_client(request: Request) -> str:
    """The same, by ``?next=`` of the page."""
    return _client_of(request.query_params.get("next", ""))


def _client_of(page: str) -> str:
    asked = parse_qs(urlsplit(page).query) if _APP.fullmatch(page) else {}
    return asked.get("client_id", [""])[0]


def _wanted(site: Site, request: Request) -> str:
    page = request.cookies.get(site.wanted_cookie, "")
    return page if _is_page(page) or _APP.fullmatch(page) else "/"


def _is_page(page: str) -> bool:
    """Whether a text is the path of one of our pages, and nothing that leads elsewhere."""
    return _PAGE.fullmatch(page) is not None


def is_from_here(site: Site, request: Request) -> bool:
    """Whether a form was sent by one of our own pages, and not by another site's.

    Browsers say so with every form, by ``Origin``; older ones and what is no browser may say
    nothing. A proxy may have changed ``Host``, and an address may be written in two ways, so our
    own origin is the one that was configured or the one that was asked.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    return origin == site.origin or (
        urlsplit(origin).scheme in ("http", "https")
        and urlsplit(origin).netloc == request.headers.get("host")
    )


def _spent() -> Response:
    return door(
        403,
        "This link does not work any more",
        "A sign-in link signs one browser in, once, within 15 minutes. Whoever runs Threadwell "
        "gets a new one with this command:",
        command="threadwell sign-in",
    )


def from_elsewhere() -> Response:
    """The page for a form that another site has sent."""
    return door(
        403, "That came from another site", "Open the page here, and press its button.", back=True
    )
