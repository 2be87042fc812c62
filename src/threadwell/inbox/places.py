"""The pages of a server's projects: each request goes to those of the project that its cookie is
of, or its link. Who signs in is led to theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any, cast

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from threadwell.inbox.site import Site, cookie_name
from threadwell.projects.hints import of_secret
from threadwell.projects.registry import find_project
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.users.keeping import homes
from threadwell.users.user import BadUser, parse_account_email

#: What comes before the secret of a link, by which it is known whose it is.
_LINKS = ("/sign-in/", "/setpassword/")
_CODE = "/sign-in/code"


class Places:
    """An ASGI application; ``pages_of`` makes those of a project, told where others are.

    ``store`` is that of the server, which is reached at ``base_url``.
    """

    def __init__(
        self, store: Store, base_url: str, pages_of: Callable[[str, Places], Starlette]
    ) -> None:
        self._store = store
        self._cookie = cookie_name(base_url)
        self._pages_of = pages_of
        self._known = {DEFAULT_PROJECT: pages_of(DEFAULT_PROJECT, self)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        project = self._project(scope) if scope["type"] == "http" else ""
        pages = await self._pages(project) or self._known[DEFAULT_PROJECT]
        await pages(scope, receive, send)

    async def homes(self, email: str) -> list[Site]:
        """Where there are accounts of an address, written in whatever way."""
        try:
            found = await homes(self._store, parse_account_email(email))
        except BadUser:
            return []
        sites = [await self.site(one) for one in found]
        return [one for one in sites if one is not None]

    async def site(self, project: str) -> Site | None:
        """Where a project is; ``None`` where there is none of that id."""
        pages = await self._pages(project)
        return None if pages is None else cast(Site, pages.state.site)

    async def _pages(self, project: str) -> Starlette | None:
        known = self._known.get(project or DEFAULT_PROJECT)
        if known is None and await find_project(self._store, project) is not None:
            known = self._known[project] = self._pages_of(project, self)
        return known

    def _project(self, scope: Scope) -> str:
        path: str = scope["path"]
        cookies = _cookies(scope)
        if path == _CODE or path.startswith(f"{_CODE}/"):
            return of_secret(cookies.get(f"{self._cookie}-step", ""))
        if path.startswith(_LINKS):
            return of_secret(path)
        return of_secret(cookies.get(self._cookie, ""))


def _cookies(scope: Scope) -> dict[str, str]:
    found: SimpleCookie = SimpleCookie()
    given: list[tuple[bytes, Any]] = scope["headers"]
    try:
        for name, value in given:
            if name == b"cookie":
                found.load(value.decode("latin-1"))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in found.items()}
