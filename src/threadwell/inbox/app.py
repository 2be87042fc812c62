"""The pages as an ASGI application: routes, who may see them, and the headers of every answer."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from threadwell.inbox import pages
from threadwell.inbox.render import STATIC, static_file
from threadwell.inbox.sign_in import COOKIE_LIFE, is_signed_in, redeem, sign_out
from threadwell.inbox.site import Site, door
from threadwell.stores.contract import DEFAULT_PROJECT, Store, StoreError

Page: TypeAlias = Callable[[Site, Request], Awaitable[Response]]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

_log = logging.getLogger(__name__)

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def create_pages(store: Store, *, base_url: str, project: str = DEFAULT_PROJECT) -> Starlette:
    """The pages of one project of ``store``, to be served at ``/`` beside the API.

    ``base_url`` is where browsers reach them: with https they are signed in over https alone.
    """
    site = Site(store, project, secure=base_url.startswith("https:"))
    inside = {
        "/": pages.sessions,
        "/sessions/{id}": pages.session,
        "/attachments/{id}": pages.attachment,
        "/reviews": pages.reviews,
        "/quarantine": pages.quarantine,
        "/quarantine/{id}": pages.held,
    }
    return Starlette(
        routes=[
            *(Route(path, _guarded(site, page)) for path, page in inside.items()),
            Route("/find", _guarded(site, pages.find), methods=["POST"]),
            Route("/sign-in/{token}", _outside(_sign_in(site))),
            Route("/sign-out", _outside(_sign_out(site)), methods=["POST"]),
            Route("/static/{name}", _static),
        ],
        exception_handlers={HTTPException: _refused},
    )


def _guarded(site: Site, page: Page) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        if not await is_signed_in(site.store, request.cookies.get(site.cookie)):
            return _not_signed_in()
        return await page(site, request)

    return _outside(endpoint)


def _outside(endpoint: Endpoint) -> Endpoint:
    """Give the answer its headers; a page's own stay. A failure becomes a page too."""

    async def with_headers(request: Request) -> Response:
        try:
            response = await endpoint(request)
        except HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - the last line: what fails must be answered
            response = _failed(error)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return with_headers


def _sign_in(site: Site) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        # A preview of the link (HEAD) must not use it up.
        token = request.path_params["token"] if request.method == "GET" else ""
        cookie = await redeem(site.store, token)
        if cookie is None:
            return door(
                403,
                "This link does not work any more",
                "A sign-in link opens once, within 15 minutes. Whoever runs Threadwell gets a "
                "new one with this command:",
                command="threadwell sign-in",
            )
        response = RedirectResponse("/", 303)
        response.set_cookie(
            site.cookie,
            cookie,
            max_age=COOKIE_LIFE // 1000,
            httponly=True,
            samesite="lax",
            secure=site.secure,
        )
        return response

    return endpoint


def _sign_out(site: Site) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        await sign_out(site.store, request.cookies.get(site.cookie))
        response = door(200, "Signed out", "This browser sees the pages no longer.")
        response.delete_cookie(site.cookie, httponly=True, samesite="lax", secure=site.secure)
        return response

    return endpoint


def _not_signed_in() -> Response:
    response = door(
        401,
        "Sign in to see the inbox",
        "These pages open with a one-time link. `threadwell serve` prints one when it starts, "
        "and this command prints another:",
        command="threadwell sign-in",
    )
    response.headers["WWW-Authenticate"] = 'Link realm="Threadwell"'
    return response


def _failed(error: Exception) -> Response:
    if isinstance(error, StoreError):
        # Its message has nothing of what it was asked to keep.
        _log.error("the store failed: %s", error)
        title = "The store does not answer"
        response = door(503, title, "Please try again in a moment.", back=True)
        response.headers["Retry-After"] = "5"
        return response
    # Where it failed, but not its message: that may hold what only the page should.
    frame = traceback.extract_tb(error.__traceback__)[-1]
    _log.error("%s at %s:%s", type(error).__name__, frame.filename, frame.lineno)
    return door(500, "Something went wrong", "The server's log tells where.", back=True)


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


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    title = "There is no such page" if status == 404 else "That is not possible here"
    response = door(status, title, back=True)
    response.headers.update(_HEADERS)
    return response
