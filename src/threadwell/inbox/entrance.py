"""Signing in with an e-mail address and a password, and setting a password by a link.

Every form works without a script. What is wrong is told alike for all, so that nobody learns here
who has an account.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from threadwell.fhir.stamp import now_ms
from threadwell.inbox import choosing, outside_doors, passkey_doors
from threadwell.inbox.coming_in import come_in, where_from
from threadwell.inbox.doors import (
    asked_client,
    drop_cookie,
    from_elsewhere,
    give_cookie,
    is_from_here,
    keep_app,
    wanted_client,
)
from threadwell.inbox.entering import entered, refused, reset_asked
from threadwell.inbox.entrance_forms import code_form, form_page, sign_in_form, step_token
from threadwell.inbox.page import first, read_form, sentence
from threadwell.inbox.site import Site, door
from threadwell.projects.within import project_of_client
from threadwell.users.accounts import acts_as
from threadwell.users.changing import LinkSpent, link_user, set_by_link
from threadwell.users.password_links import Link
from threadwell.users.passwords import SHORTEST, SHORTEST_WITH_FACTOR, BadPassword, shared
from threadwell.users.pauses import Paused
from threadwell.users.providers import BACK, OUT, providers, required_for
from threadwell.users.resetting import ask_for_reset
from threadwell.users.signing_in import PASSWORD, PASSWORD_AND_CODE, Proved, Wrong
from threadwell.users.steps import LIFE as STEP_LIFE
from threadwell.users.steps import end_step, new_step, step_of
from threadwell.users.user import User

_MAILED = (
    "If there is an account with that e-mail address, a link is on its way to it. It works once, "
    "within an hour."
)
_NO_MAIL = (
    "No mails are sent here. Whoever runs Threadwell can make a link for you: "
    "threadwell user reset."
)

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
Page: TypeAlias = Callable[[Site, Request], Awaitable[Response]]


def entrance(site: Site, outside: Callable[[Endpoint], Endpoint]) -> list[Route]:
    """The pages of those who are not signed in yet."""

    def route(path: str, page: Page, method: str) -> Route:
        return Route(path, outside(partial(page, site)), methods=[method])

    def form(path: str, page: Page, method: str = "POST") -> Route:
        name = path.partition("/{")[0]

        async def watched(request: Request) -> Response:
            return refused(site, request, await page(site, request), name)

        return Route(path, outside(watched), methods=[method])

    return [
        route("/sign-in", show, "GET"),
        form("/sign-in", sign_in),
        route(choosing.PATH, choosing.show, "GET"),
        form(choosing.PATH, choose),
        route("/sign-in/code", show_code, "GET"),
        form("/sign-in/code", check_code),
        form("/sign-in/with/{provider}", outside_doors.begin, "GET"),
        form(f"{BACK}/{{provider}}", outside_doors.come_back, "GET"),
        form(f"{OUT}/{{provider}}", outside_doors.told_out),
        form("/setpassword/{id}/{secret}/with/{provider}", outside_doors.begin_by_link),
        form("/sign-in/passkey/begin", passkey_doors.begin),
        form("/sign-in/passkey", passkey_doors.sign_in),
        form("/sign-in/code/passkey/begin", passkey_doors.begin_second),
        form("/sign-in/code/passkey", passkey_doors.second),
        route("/resetpassword", show_reset, "GET"),
        form("/resetpassword", ask_reset),
        route("/setpassword/{id}/{secret}", show_password, "GET"),
        form("/setpassword/{id}/{secret}", set_password),
    ]


async def show(site: Site, request: Request) -> Response:
    """The form."""
    app = await project_of_client(site.whole, asked_client(request))
    there = await site.doors.site(app) if site.doors and app else None
    response = await sign_in_form(there or site, 200)
    keep_app(site, request, response)
    return response


async def sign_in(site: Site, request: Request) -> Response:
    """What the form says: in, or to the second step, or what is wrong."""
    if not is_from_here(site, request):
        return from_elsewhere()
    form = await read_form(request)
    email, password = first(form, "email"), first(form, "password")
    proved: list[tuple[Site, Proved]] = []
    wrong: list[Wrong | Paused] = []
    for one in await _homes(site, request, email):
        where = where_from(one, request)
        try:
            proved.append((one, await one.signing_in.by_password(email, password, where)))
        except (Wrong, Paused) as error:
            wrong.append(error)
    if len(proved) > 1:
        return await choosing.asks(site, proved)
    if proved:
        return await _goes_on(*proved[0], request)
    paused = next((one for one in wrong if isinstance(one, Paused)), None)
    if paused is None:
        return await sign_in_form(site, 401, email=email, mistake=sentence(wrong[0]))
    response = await sign_in_form(site, 429, email=email, mistake=sentence(paused))
    response.headers["Retry-After"] = str(paused.seconds)
    return response


async def choose(site: Site, request: Request) -> Response:
    """What somebody says who has accounts in several projects."""
    found = await choosing.chosen(site, request)
    if isinstance(found, Response):
        return found
    response = await _goes_on(*found, request)
    choosing.forget(site, response)
    return response


async def _homes(site: Site, request: Request, email: str) -> list[Site]:
    """Where somebody may have an account who signs in; where there is none, that is told here."""
    app = await project_of_client(site.whole, wanted_client(site, request))
    there = [await site.doors.site(app)] if site.doors and app else []
    homes = [one for one in there if one is not None]
    if site.doors and not homes:
        homes = await site.doors.homes(email)
    return homes or [site]


async def _goes_on(site: Site, proved: Proved, request: Request) -> Response:
    """To the second step, or in."""
    if proved.needs_code:
        token = await new_step(site.whole, site.project, proved.user, now_ms())
        onward: Response = RedirectResponse("/sign-in/code", 303)
        give_cookie(site, onward, site.step_cookie, token, STEP_LIFE)
        return onward
    return await come_in(site, request, proved.user, PASSWORD, "/sign-in")


async def show_code(site: Site, request: Request) -> Response:
    """The form that asks for a code."""
    step = await step_of(site.whole, step_token(site, request), now_ms())
    if step is None:
        return RedirectResponse("/sign-in", 303)
    return await code_form(site, step.user, 200)


async def check_code(site: Site, request: Request) -> Response:
    """The second step."""
    if not is_from_here(site, request):
        return from_elsewhere()
    token = step_token(site, request)
    step = await step_of(site.whole, token, now_ms())
    if step is None:
        return await sign_in_form(site, 401, mistake="The sign-in took too long: begin again.")
    code = first(await read_form(request), "code")
    try:
        user = await site.signing_in.by_code(step.user, step.epoch, code, where_from(site, request))
    except Wrong as error:
        return await code_form(site, step.user, 401, sentence(error))
    except Paused as error:
        response = await code_form(site, step.user, 429, sentence(error))
        response.headers["Retry-After"] = str(error.seconds)
        return response
    await end_step(site.whole, token)
    onward = await come_in(site, request, user, PASSWORD_AND_CODE, "/sign-in/code")
    drop_cookie(site, onward, site.step_cookie)
    return onward


async def show_reset(_site: Site, _request: Request) -> Response:
    """The form by which somebody asks for another password."""
    return form_page("reset.html", 200, mistake="")


async def ask_reset(site: Site, request: Request) -> Response:
    """What the form says; the answer is the same whether there is such an account or not."""
    if not is_from_here(site, request):
        return from_elsewhere()
    email = first(await read_form(request), "email")
    mailed = False
    try:
        for one in await _homes(site, request, email):
            mailed |= await ask_for_reset(
                one.whole,
                one.project,
                one.channels,
                email=email,
                address=where_from(one, request).address,
                base=one.origin,
                clock=now_ms,
                made=partial(reset_asked, one, request),
            )
    except Paused as error:
        response = form_page("reset.html", 429, mistake=sentence(error))
        response.headers["Retry-After"] = str(error.seconds)
        return response
    told = _MAILED if mailed else _NO_MAIL
    return form_page("reset.html", 200, mistake="", told=told)


async def show_password(site: Site, request: Request) -> Response:
    """The form of a link that sets a password. To open it uses nothing up."""
    user = await link_user(site.whole, _link(request), now_ms())
    return _spent() if user is None else await _password_form(site, _link(request), user, 200)


async def set_password(site: Site, request: Request) -> Response:
    """What the form says."""
    if not is_from_here(site, request):
        return from_elsewhere()
    link = _link(request)
    user = await link_user(site.whole, link, now_ms())
    if user is None:
        return _spent()
    form = await read_form(request)
    password = first(form, "password")
    if password != first(form, "again"):
        return await _password_form(site, link, user, 400, "The two are not the same.")
    try:
        await set_by_link(site.whole, site.project, link, password, shared(), now_ms)
        member = acts_as(user, site.project)
        who = member.profile if member else ""
        await entered(site, request, who, "/setpassword", "account password", account=user.id)
    except BadPassword as error:
        return await _password_form(site, link, user, 400, sentence(error))
    except LinkSpent:
        return _spent()
    return await sign_in_form(site, 200, email=user.email, told="password set")


def _link(request: Request) -> Link:
    return Link(request.path_params["id"], request.path_params["secret"])


async def _password_form(
    site: Site, link: Link, user: User, status: int, mistake: str = ""
) -> HTMLResponse:
    shortest = SHORTEST_WITH_FACTOR if user.factor else SHORTEST
    there = await providers(site.whole, site.project)
    values = {
        "link": link,
        "user": user,
        "mistake": mistake,
        "shortest": shortest,
        "providers": [(site.marked(one.name), one.label) for one in there if one.lets(user.email)],
        "asks": await required_for(site.whole, site.project, user.email) is None,
    }
    return form_page("set_password.html", status, **values)


def _spent() -> Response:
    return door(
        403,
        "This link does not work any more",
        "A link that sets a password works once, and not for long. Ask for another one, or have "
        "whoever runs Threadwell make one: `threadwell user reset`.",
    )
