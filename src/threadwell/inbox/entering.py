"""Who signs in and out by the pages, and what came of it, goes into the trail."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from threadwell.audit.record import Who, of_account
from threadwell.inbox.people import person_of
from threadwell.inbox.site import Site
from threadwell.users.sources import address_of, proxies
from threadwell.users.user import User


def address(request: Request) -> str:
    """Where a request comes from."""
    peer = request.client.host if request.client else ""
    return address_of(peer, request.headers.get("x-forwarded-for", ""), proxies())


async def entered(
    site: Site, request: Request, who: str, page: str, act: str = "login", *, account: str = ""
) -> None:
    """Record that somebody (``Practitioner/…``) has signed in, or out, or changed their account.

    ``page`` is that of the form: a path may have a secret in it. ``account`` is the id of one that
    was changed. Raises ``StoreError`` where it cannot be recorded.
    """
    person = await person_of(site.whole, site.project, who)
    name = person.name if person else ""
    by = Who(who=who, name=name, way="pages", address=address(request))
    asked = of_account(page, account) if account else page
    site.trail.event(site.project, act, by, asked=asked)


def reset_asked(site: Site, request: Request, user: User) -> None:
    """Record that a link was made by which an account gets another password; nobody has shown yet
    who they are.
    """
    by = Who(way="pages", address=address(request))
    site.trail.event(site.project, "account reset", by, asked=of_account("/resetpassword", user.id))


def refused(site: Site, request: Request, response: Response, page: str) -> Response:
    """The answer to a form of those who are not signed in; that it lets nobody in is recorded."""
    if response.status_code >= 400:
        by = Who(way="pages", address=address(request))
        status = response.status_code
        site.trail.refused(site.project, "login", by, status=status, asked=page)
    return response
