"""Signing in by an outside provider: away to it, and back.

To begin is a link, as it changes nothing but what this browser is expected to come back with. What
it comes back with is a link, too, made by the provider: it counts with the cookie of the one who
was sent there, and for nobody else.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from threadwell.fhir.stamp import now_ms
from threadwell.inbox.coming_in import come_in, where_from
from threadwell.inbox.doors import drop_cookie, from_elsewhere, give_cookie, is_from_here, keep_app
from threadwell.inbox.entering import entered
from threadwell.inbox.entrance_forms import sign_in_form
from threadwell.inbox.page import first, read_form, sentence
from threadwell.inbox.site import Site, door
from threadwell.users.accounts import acts_as
from threadwell.users.browsers import SignIn, signed_in
from threadwell.users.changing import link_user
from threadwell.users.outside import LIFE
from threadwell.users.password_links import Link
from threadwell.users.pauses import Paused
from threadwell.users.provider_calls import ProviderDown
from threadwell.users.providers import BACK, OUT, Provider, find_provider
from threadwell.users.signing_in import Wrong
from threadwell.users.user import User


async def begin(site: Site, request: Request) -> Response:
    """To the provider; whoever comes by a link of another site presses one of ours first."""
    if not is_from_here(site, request):
        provider = await _provider(site, request)
        link = (f"Sign in with {provider.label}", request.url.path)
        return door(200, "Sign in to Threadwell", link=link)
    response = await _away(site, request)
    keep_app(site, request, response)
    return response


async def begin_by_link(site: Site, request: Request) -> Response:
    """To the provider, with an invitation in hand: in place of a password."""
    if not is_from_here(site, request):
        return from_elsewhere()
    link = Link(request.path_params["id"], request.path_params["secret"])
    if await link_user(site.whole, link, now_ms()) is None:
        return door(403, "This link does not work any more", "Ask for another invitation.")
    return await _away(site, request, link=link, by_form=True)


async def begin_linking(site: Site, request: Request, user: User, name: str) -> Response:
    """To the provider, to link what somebody has there with the account they are signed in to."""
    request.path_params["provider"] = name
    return await _away(site, request, owner=user, by_form=True)


async def come_back(site: Site, request: Request) -> Response:
    """From the provider: in, or what is wrong."""
    provider = await _provider(site, request)
    cookie = request.cookies.get(site.outside_cookie, "")
    answer = dict(request.query_params)
    page = f"{BACK}/{provider.name}"
    try:
        back = await site.outside.finish(provider, cookie, answer, where_from(site, request))
    except (Wrong, ProviderDown) as error:
        return await _not_in(site, request, provider, error)
    if back.linked:
        had = await _signed_in(site, request)
        who, account = (had.who, had.user) if had else ("", "")
        await entered(site, request, who, page, "account link", account=account)
        response: Response = RedirectResponse("/account", 303)
    else:
        response = await come_in(
            *(site, request, back.user, back.methods, page),
            provider=provider.name,
            sid=back.sid,
        )
    drop_cookie(site, response, site.outside_cookie)
    return response


async def told_out(site: Site, request: Request) -> Response:
    """The provider itself says that somebody has signed out there (Back-Channel Logout §2.5)."""
    provider = await _provider(site, request)
    token = first(await read_form(request), "logout_token")
    try:
        user = await site.outside.ended(provider, token)
    except Wrong as error:
        told = {"error": "invalid_request", "error_description": str(error)}
        return JSONResponse(told, 400)
    except ProviderDown as error:
        return JSONResponse({"error": "invalid_request", "error_description": str(error)}, 503)
    member = acts_as(user, site.project) if user is not None else None
    if member is not None:
        await entered(site, request, member.profile, f"{OUT}/{provider.name}")
    return Response(status_code=200)


async def _away(
    site: Site,
    request: Request,
    *,
    owner: User | None = None,
    link: Link | None = None,
    by_form: bool = False,
) -> Response:
    provider = await _provider(site, request)
    where = where_from(site, request)
    back = site.back_url(provider.name)
    try:
        away = await site.outside.begin(provider, back, where, owner=owner, link=link)
    except (Paused, ProviderDown) as error:
        return await _not_in(site, request, provider, error)
    if by_form:
        # Browsers do not let a form of ours lead elsewhere.
        response: Response = door(
            200, f"On to {provider.label}", "You come back here from there.", onward=away.url
        )
    else:
        response = RedirectResponse(away.url, 303)
    give_cookie(site, response, site.outside_cookie, away.cookie, LIFE)
    return response


async def _not_in(
    site: Site, request: Request, provider: Provider, error: Wrong | Paused | ProviderDown
) -> Response:
    status, said = 401, sentence(error)
    if isinstance(error, ProviderDown):
        status = 503
        said = f"{provider.label} cannot be asked: {error}. Try again in a moment."
    if isinstance(error, Paused):
        status = 429
    if await _signed_in(site, request):
        response: Response = door(status, "That did not work", said, back=True)
    else:
        response = await sign_in_form(site, status, mistake=said)
    if isinstance(error, Paused):
        response.headers["Retry-After"] = str(error.seconds)
    return response


async def _signed_in(site: Site, request: Request) -> SignIn | None:
    return await signed_in(site.whole, site.project, request.cookies.get(site.cookie))


async def _provider(site: Site, request: Request) -> Provider:
    # In a further project the name is followed by its id, by which the request came here.
    name = request.path_params["provider"].partition(".")[0]
    found = await find_provider(site.whole, site.project, name)
    if found is None:
        raise HTTPException(404)
    return found
