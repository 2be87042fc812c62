"""The forms of those who are not signed in yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from threadwell.inbox.render import render
from threadwell.inbox.site import Site
from threadwell.users.keeping import find_user
from threadwell.users.providers import providers


async def sign_in_form(
    site: Site,
    status: int,
    *,
    email: str = "",
    mistake: str = "",
    told: str = "",
    typed: Sequence[str] = (),
    cut: bool = False,
) -> HTMLResponse:
    """The form that asks for an e-mail address and a password, or for a passkey, or a provider.

    Where everybody comes in by a provider it asks for nothing else. ``typed`` is what somebody has
    written who was signed out meanwhile, ``cut`` where that is not all of it.
    """
    there = await providers(site.whole, site.project)
    asks = not any(one.required and not one.domains for one in there)
    values = {
        "email": email,
        "mistake": mistake,
        "told": told,
        "typed": typed,
        "cut": cut,
        "asks": asks,
        "providers": [(site.marked(one.name), one.label) for one in there],
        "passkeys": asks and site.passkeys is not None,
    }
    return form_page("sign_in.html", status, **values)


async def code_form(site: Site, user_id: str, status: int, mistake: str = "") -> HTMLResponse:
    """The form of the second step, for whoever has shown the right password."""
    user = await find_user(site.whole, user_id)
    has_passkeys = user is not None and bool(user.passkeys) and site.passkeys is not None
    has_codes = user is None or user.has_authenticator
    values = {"has_passkeys": has_passkeys, "has_codes": has_codes, "mistake": mistake}
    return form_page("sign_in_code.html", status, **values)


def step_token(site: Site, request: Request) -> str:
    """What the browser keeps between the password and the second step."""
    return request.cookies.get(site.step_cookie, "")


def form_page(template: str, status: int, **values: Any) -> HTMLResponse:
    """One of them."""
    return HTMLResponse(render(template, **{"told": "", **values}), status)
