"""Signing in and out. Opening a link changes nothing: a preview of it must not use it up."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.inbox.sign_in import COOKIE_LIFE, is_good, redeem, sign_out
from threadwell.inbox.site import Site, door


async def sign_in_page(site: Site, request: Request) -> Response:
    """A page with the button that signs in, while the link is good."""
    if not await is_good(site.store, request.path_params["token"]):
        return _spent()
    return door(
        200,
        "Sign in to Threadwell",
        "This browser then sees the sessions of the practice for 12 hours.",
        button="Sign in",
    )


async def signing_in(site: Site, request: Request) -> Response:
    """What the button does: the link is exchanged for a cookie, once."""
    if not is_from_here(site, request):
        return _from_elsewhere()
    cookie = await redeem(site.store, request.path_params["token"])
    if cookie is None:
        return _spent()
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


async def signing_out(site: Site, request: Request) -> Response:
    """The cookie is worthless from now on."""
    if not is_from_here(site, request):
        return _from_elsewhere()
    await sign_out(site.store, request.cookies.get(site.cookie))
    response = door(200, "Signed out", "This browser sees the pages no longer.")
    response.delete_cookie(site.cookie, httponly=True, samesite="lax", secure=site.secure)
    return response


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


def _from_elsewhere() -> Response:
    return door(
        403, "That came from another site", "Open the page here, and press its button.", back=True
    )
