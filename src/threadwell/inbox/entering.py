"""Who signs in and out by the pages, and what came of it, goes into the trail."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from threadwell.audit.record import Who
from threadwell.inbox.people import person_of
from threadwell.inbox.site import Site
from threadwell.users.sources import address_of, proxies


def address(request: Request) -> str:
    """Where a request comes from."""
    peer = request.client.host if request.client else ""
    return address_of(peer, request.headers.get("x-forwarded-for", ""), proxies())


async def entered(site: Site, request: Request, who: str, page: str, act: str = "login") -> None:
    """Record that somebody (``Practitioner/…``) has signed in, or out, or changed their account.

    ``page`` is that of the form: a path may have a secret in it. Raises ``StoreError`` where it
    cannot be recorded.
    """
    person = await person_of(site.whole, site.project, who)
    name = person.name if person else ""
    by = Who(who=who, name=name, way="pages", address=address(request))
    site.trail.event(site.project, act, by, asked=page)


def refused(site: Site, request: Request, response: Response, page: str) -> Response:
    """The answer to a form of those who are not signed in; that it lets nobody in is recorded."""
    if response.status_code >= 400:
        by = Who(way="pages", address=address(request))
        status = response.status_code
        site.trail.refused(site.project, "login", by, status=status, asked=page)
    return response
