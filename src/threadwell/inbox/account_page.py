"""*Your account*: where somebody is signed in, their password, their second factor."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from threadwell.fhir.stamp import now_ms
from threadwell.inbox import account_passkeys
from threadwell.inbox.account_passkeys import check_owner
from threadwell.inbox.coming_in import where_from
from threadwell.inbox.doors import from_elsewhere, give_cookie, is_from_here
from threadwell.inbox.entering import entered
from threadwell.inbox.outside_doors import begin_linking
from threadwell.inbox.page import Form, first, page_of, read_form, sentence
from threadwell.inbox.site import Site
from threadwell.users.browsers import (
    COOKIE_LIFE,
    SignIn,
    begin,
    browsers_of,
    end_browser,
    end_browsers,
)
from threadwell.users.changing import add_factor, drop_authenticator, set_password
from threadwell.users.codes import new_secret, secret_uri
from threadwell.users.keeping import find_user
from threadwell.users.linking import unlink
from threadwell.users.passwords import SHORTEST, SHORTEST_WITH_FACTOR, BadPassword, shared
from threadwell.users.pauses import Paused
from threadwell.users.providers import providers
from threadwell.users.signing_in import Wrong
from threadwell.users.user import BadUser, User

_SECRET = re.compile(r"[A-Z2-7]{32}")


class Shown(NamedTuple):
    """What the page says beside the account: what was done, or what is wrong."""

    done: str = ""
    mistake: str = ""
    codes: tuple[str, ...] = ()
    secret: str = ""


async def show(site: Site, request: Request) -> Response:
    """The page."""
    return await _page(site, request, Shown(), 200)


async def act(site: Site, request: Request) -> Response:
    """What a button of it says."""
    if not is_from_here(site, request):
        return from_elsewhere()
    user = await _user(site, request)
    if user is None:
        return RedirectResponse("/account", 303)
    form = await read_form(request)
    name = first(form, "act")
    try:
        match name:
            case "end":
                await end_browser(site.whole, site.project, user, first(form, "browser"))
                shown = Shown("That browser is signed out.")
            case "end-others":
                await end_browsers(site.whole, site.project, user, but=_sign_in(request).id)
                shown = Shown("You are signed out everywhere else.")
            case "password":
                return await _new_password(site, request, user, form)
            case "add-factor":
                shown = await _add_factor(site, request, user, form)
            case "drop-factor":
                shown = await _drop_factor(site, request, user, form)
            case "add-passkey":
                codes = await account_passkeys.add(site, request, user, form)
                shown = Shown("Your passkey is added.", codes=codes)
            case "name-passkey":
                await account_passkeys.rename(site, user, form)
                shown = Shown("Your passkey is renamed.")
            case "link":
                await check_owner(site, request, user, form)
                return await begin_linking(site, request, user, first(form, "provider"))
            case "unlink":
                await check_owner(site, request, user, form)
                await unlink(site.whole, site.project, user, first(form, "provider"))
                shown = Shown("It opens your account no more.")
            case "drop-passkey":
                await account_passkeys.drop(site, request, user, form)
                shown = Shown("Your passkey is removed. You are signed out everywhere else.")
            case _:
                shown = Shown(mistake="That is none of the buttons of this page.")
    except Paused as error:
        response = await _page(site, request, Shown(mistake=sentence(error)), 429)
        response.headers["Retry-After"] = str(error.seconds)
        return response
    except (Wrong, BadPassword, BadUser) as error:
        shown = Shown(mistake=sentence(error), secret=first(form, "secret"))
    if not shown.mistake:
        await _changed(site, request, name)
    return await _page(site, request, shown, 400 if shown.mistake else 200)


async def _new_password(site: Site, request: Request, user: User, form: Form) -> Response:
    password = first(form, "password")
    if password != first(form, "again"):
        raise BadPassword("the new password and its repetition are not the same")
    await check_owner(site, request, user, form)
    changed = await set_password(site.whole, site.project, user, password, shared(), now_ms)
    if changed is None:
        raise Wrong("the password was changed elsewhere meanwhile")
    had = _sign_in(request)
    await _changed(site, request, "password")
    cookie = await begin(
        site.whole, site.project, who=had.who, user=changed, methods=had.methods, agent=had.agent
    )
    shown = Shown("Your password is changed. You are signed out everywhere else.")
    response = await _page(site, request, shown, 200, user=changed, cookie=cookie)
    give_cookie(site, response, site.cookie, cookie, COOKIE_LIFE)
    return response


async def _changed(site: Site, request: Request, name: str) -> None:
    """Record what was done to the account."""
    had = _sign_in(request)
    await entered(site, request, had.who, "/account", f"account {name}", account=had.user)


async def _add_factor(site: Site, request: Request, user: User, form: Form) -> Shown:
    secret = first(form, "secret")
    if not _SECRET.fullmatch(secret):
        raise Wrong("the key is not one of this page")
    await check_owner(site, request, user, form)
    made = await add_factor(site.whole, site.project, user, secret, first(form, "code"), now_ms())
    if made is None:
        raise Wrong("that is not the code that the authenticator shows now")
    return Shown("Signing in asks for a code from now on.", codes=made.codes)


async def _drop_factor(site: Site, request: Request, user: User, form: Form) -> Shown:
    where = where_from(site, request)
    await check_owner(site, request, user, form)
    await site.signing_in.by_code(user.id, user.epoch, first(form, "code"), where)
    await drop_authenticator(site.whole, site.project, user)
    return Shown("Signing in asks for no code any more.")


async def _page(
    site: Site,
    request: Request,
    shown: Shown,
    status: int,
    *,
    user: User | None = None,
    cookie: str = "",
) -> Response:
    user = user or await _user(site, request)
    dates = await site.dates()
    here = "" if cookie else _sign_in(request).id
    values: dict[str, Any] = {"user": user, "browsers": [], "picture": "", "secret": ""}
    values.update(
        shortest=SHORTEST, passkeys=[], providers=[], can_have_passkeys=site.passkeys is not None
    )
    if user is not None:
        found = await browsers_of(site.whole, site.project, user)
        if cookie:
            here = found[0].id  # The newest: the one that has just begun.
        values["browsers"] = [
            {
                "id": one.id,
                "agent": one.agent,
                "provider": one.provider,
                "since": dates.text(datetime.fromtimestamp(one.begun / 1000, UTC).isoformat()),
                "here": one.id == here,
            }
            for one in found
        ]
        values["providers"] = await _providers(site, user)
        values["passkeys"] = account_passkeys.shown(user, dates)
        if not user.has_authenticator:
            good = _SECRET.fullmatch(shown.secret)
            secret = values["secret"] = shown.secret if good else new_secret()
            values["picture"] = _picture(secret_uri(secret, user.email))
        if user.factor is not None:
            values["shortest"] = SHORTEST_WITH_FACTOR
    values.update(done=shown.done, mistake=shown.mistake, codes=shown.codes)
    reader = site.reader()
    return await page_of(site, request, reader, "account.html", "account", status, **values)


async def _providers(site: Site, user: User) -> list[dict[str, str]]:
    """The outside providers, and as whom somebody is known there, if they are."""
    mine = {one.provider: one for one in user.identities}
    there = await providers(site.whole, site.project)
    labels = {one.name: one.label for one in there}
    return [
        {
            "name": name,
            "label": labels.get(name, name),
            "linked": "yes" if name in mine else "",
            "email": mine[name].email if name in mine else "",
        }
        for name in dict.fromkeys([*labels, *mine])
    ]


def _picture(uri: str) -> Markup:
    """The QR code of a text, as SVG within the page; all of it is made here."""
    import segno

    svg = segno.make(uri, error="m").svg_inline(
        scale=4, border=4, light="#ffffff", title="QR code for your authenticator"
    )
    return Markup(svg)  # noqa: S704 - made of squares, and our own words


async def _user(site: Site, request: Request) -> User | None:
    id_ = _sign_in(request).user
    return await find_user(site.whole, id_) if id_ else None


def _sign_in(request: Request) -> SignIn:
    return cast(SignIn, request.state.sign_in)
