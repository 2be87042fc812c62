"""Somebody has proved who they are: their browser is signed in, and that is recorded."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from threadwell.fhir.stamp import now_ms
from threadwell.inbox.doors import give_cookie, let_in
from threadwell.inbox.entering import address, entered
from threadwell.inbox.site import Site, door
from threadwell.users import devices
from threadwell.users.accounts import acts_as
from threadwell.users.browsers import begin
from threadwell.users.signing_in import From
from threadwell.users.user import User


def where_from(site: Site, request: Request) -> From:
    """Where a request comes from, and by which cookie its browser is known."""
    return From(address(request), request.cookies.get(site.known_cookie, ""))


async def come_in(
    site: Site,
    request: Request,
    user: User,
    methods: tuple[str, ...],
    page: str,
    *,
    provider: str = "",
    sid: str = "",
) -> Response:
    """Sign the browser in, by the form of ``page``, and lead it on.

    ``provider`` is the outside provider by which they came, if they did, ``sid`` its name for that.
    """
    member = acts_as(user, site.project)
    if member is None:
        return door(401, "The account has no place here any more")
    cookie = await begin(
        site.whole,
        site.project,
        who=member.profile,
        user=user,
        methods=methods,
        agent=request.headers.get("user-agent", ""),
        provider=provider,
        sid=sid,
    )
    await entered(site, request, member.profile, page)
    device = await devices.know(
        site.whole, user, request.cookies.get(site.known_cookie, ""), now_ms()
    )
    response = let_in(site, request, cookie)
    give_cookie(site, response, site.known_cookie, device, devices.LIFE)
    return response
