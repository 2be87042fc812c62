"""Who has accounts in several projects, with one password, says on a page where they want to go."""

from __future__ import annotations

import hashlib
import secrets

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.fhir.stamp import now_ms
from threadwell.inbox.doors import drop_cookie, from_elsewhere, give_cookie, is_from_here
from threadwell.inbox.page import first, read_form
from threadwell.inbox.render import render_page
from threadwell.inbox.site import Site
from threadwell.projects.registry import project_name
from threadwell.projects.within import PAGE_CHOICE
from threadwell.users.keeping import find_user
from threadwell.users.signing_in import Proved
from threadwell.users.steps import LIFE

#: Choices that are looked at whenever another is kept, whether they are over.
_SWEPT = 20
#: The page that asks.
PATH = "/sign-in/project"


class _Mine(msgspec.Struct, frozen=True):
    """An account whose password was right, at its epoch."""

    project: str
    user: str
    epoch: int


class _Choice(msgspec.Struct, frozen=True):
    """Of which accounts that was; ``until`` in milliseconds since 1970 UTC."""

    until: int
    mine: tuple[_Mine, ...]


async def asks(site: Site, proved: list[tuple[Site, Proved]]) -> Response:
    """Lead the browser to the page that asks."""
    await _sweep(site)
    token = secrets.token_urlsafe(32)
    mine = tuple(_Mine(one.project, was.user.id, was.user.epoch) for one, was in proved)
    kept = msgspec.json.encode(_Choice(now_ms() + LIFE, mine))
    await site.whole.put_private(PAGE_CHOICE, _digest(token), kept)
    onward = RedirectResponse(PATH, 303)
    give_cookie(site, onward, _cookie(site), token, LIFE)
    return onward


async def show(site: Site, request: Request) -> Response:
    """The page: a button for each project."""
    choice = await _choice(site, request)
    if choice is None:
        return RedirectResponse("/sign-in", 303)
    named = [(one.project, await project_name(site.whole, one.project)) for one in choice.mine]
    return render_page("sign_in_project.html", 200, projects=named)


async def chosen(site: Site, request: Request) -> tuple[Site, Proved] | Response:
    """Where they go, and as whom."""
    if not is_from_here(site, request):
        return from_elsewhere()
    choice = await _choice(site, request)
    wanted = first(await read_form(request), "project")
    mine = next((one for one in choice.mine if one.project == wanted), None) if choice else None
    there = await site.doors.site(mine.project) if mine is not None and site.doors else None
    user = await find_user(there.whole, mine.user) if mine is not None and there else None
    if mine is None or there is None or user is None:
        return RedirectResponse("/sign-in", 303)
    if user.disabled or user.epoch != mine.epoch:
        return RedirectResponse("/sign-in", 303)
    await site.whole.put_private(PAGE_CHOICE, _digest(_token(site, request)), None)
    return there, Proved(user, user.factor is not None)


def forget(site: Site, response: Response) -> None:
    """Have the browser forget that it was asked."""
    drop_cookie(site, response, _cookie(site))


async def _choice(site: Site, request: Request) -> _Choice | None:
    value = await site.whole.get_private(PAGE_CHOICE, _digest(_token(site, request)))
    choice = None if value is None else msgspec.json.decode(value, type=_Choice)
    return choice if choice is not None and choice.until > now_ms() else None


async def _sweep(site: Site) -> None:
    for name, value in (await site.whole.list_private(PAGE_CHOICE, count=_SWEPT)).items():
        if msgspec.json.decode(value, type=_Choice).until <= now_ms():
            await site.whole.put_private(PAGE_CHOICE, name, None)


def _cookie(site: Site) -> str:
    return f"{site.cookie}-choice"


def _token(site: Site, request: Request) -> str:
    return request.cookies.get(_cookie(site), "")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
