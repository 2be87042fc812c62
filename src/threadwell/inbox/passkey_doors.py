"""Signing in with a passkey: by itself, or as the step after the password.

A script asks for what an authenticator is to sign (``…/begin``, JSON), and sends its answer as a
form like any other.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from threadwell.fhir.stamp import now_ms
from threadwell.inbox.coming_in import come_in, where_from
from threadwell.inbox.doors import drop_cookie, from_elsewhere, give_cookie, is_from_here
from threadwell.inbox.entrance_forms import code_form, sign_in_form, step_token
from threadwell.inbox.page import first, read_form, sentence
from threadwell.inbox.site import Site
from threadwell.users.browsers import SignIn
from threadwell.users.keeping import home_of
from threadwell.users.passkeys import Offer, Passkeys
from threadwell.users.pauses import Paused
from threadwell.users.signing_in import Wrong
from threadwell.users.steps import end_step, step_of
from threadwell.users.webauthn import TIMEOUT, BadAnswer, named


async def begin(site: Site, request: Request) -> Response:
    """What an authenticator is asked to sign by which anybody comes in."""
    if not is_from_here(site, request):
        return from_elsewhere()
    passkeys = passkeys_of(site)
    try:
        return offered(site, await passkeys.to_sign_in(where_from(site, request)))
    except Paused as error:
        return not_offered(error)


async def sign_in(site: Site, request: Request) -> Response:
    """What it has signed: in, or what is wrong."""
    if not is_from_here(site, request):
        return from_elsewhere()
    answer = first(await read_form(request), "passkey")
    site = await _home(site, answer)
    try:
        user, methods = await passkeys_of(site).sign_in(
            asked(site, request), answer, where_from(site, request)
        )
    except Wrong as error:
        return await sign_in_form(site, 401, mistake=sentence(error))
    response = await come_in(site, request, user, methods, "/sign-in/passkey")
    drop_cookie(site, response, site.passkey_cookie)
    return response


async def begin_second(site: Site, request: Request) -> Response:
    """What one of somebody's passkeys is asked to sign after their password."""
    if not is_from_here(site, request):
        return from_elsewhere()
    step = await _step(site, request)
    where = where_from(site, request)
    try:
        if step is None:
            raise Wrong("the sign-in took too long: begin again")
        return offered(site, await passkeys_of(site).to_prove(step.user, step.epoch, where))
    except (Paused, Wrong) as error:
        return not_offered(error)


async def second(site: Site, request: Request) -> Response:
    """The second step by a passkey."""
    if not is_from_here(site, request):
        return from_elsewhere()
    step = await _step(site, request)
    if step is None:
        return await sign_in_form(site, 401, mistake="The sign-in took too long: begin again.")
    answer = first(await read_form(request), "passkey")
    where, cookie = where_from(site, request), asked(site, request)
    try:
        entered = await passkeys_of(site).prove(step.user, step.epoch, cookie, answer, where)
    except Wrong as error:
        return await code_form(site, step.user, 401, sentence(error))
    await end_step(site.whole, step_token(site, request))
    response = await come_in(site, request, *entered, "/sign-in/code/passkey")
    drop_cookie(site, response, site.step_cookie)
    drop_cookie(site, response, site.passkey_cookie)
    return response


def passkeys_of(site: Site) -> Passkeys:
    """Those of a site; 404 where browsers know none at its address."""
    found = site.passkeys
    if found is None:
        raise HTTPException(404)
    return found


def offered(site: Site, offer: Offer) -> Response:
    """What a browser is asked for, for the script to pass on."""
    response = JSONResponse(offer.options)
    give_cookie(site, response, site.passkey_cookie, offer.cookie, TIMEOUT)
    return response


def not_offered(error: Paused | Wrong) -> Response:
    """Why there is nothing to pass on, as the script shows it."""
    status = 429 if isinstance(error, Paused) else 401
    response = JSONResponse({"mistake": sentence(error)}, status)
    if isinstance(error, Paused):
        response.headers["Retry-After"] = str(error.seconds)
    return response


def asked(site: Site, request: Request) -> str:
    """What the browser keeps of what it was asked for."""
    return request.cookies.get(site.passkey_cookie, "")


async def _home(site: Site, answer: str) -> Site:
    """The site of whose passkey it says it is."""
    try:
        user, _ = named(answer)
    except BadAnswer:
        return site
    project = await home_of(site.whole, user)
    there = await site.doors.site(project) if site.doors and project else None
    return there or site


async def _step(site: Site, request: Request) -> SignIn | None:
    return await step_of(site.whole, step_token(site, request), now_ms())
