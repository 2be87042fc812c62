"""Who is signed in in a browser, for the API: by a sign-in link that names somebody."""

from __future__ import annotations

from collections.abc import Mapping

from threadwell.fhir.stamp import Clock, now_ms
from threadwell.inbox.people import person_of
from threadwell.inbox.sign_in import COOKIE_LIFE, signed_in
from threadwell.inbox.site import cookie_name
from threadwell.logins.login import Member
from threadwell.logins.people import Signed
from threadwell.stores.contract import Store

#: A link is good once (RFC 8176 has no nearer word).
_METHODS = ("otp",)


class LinkBrowsers:
    """``logins.people.Browsers``, by today's links; ``base_url`` is where browsers reach us."""

    def __init__(self, store: Store, project: str, base_url: str, clock: Clock = now_ms) -> None:
        self._store = store
        self._project = project
        self._cookie = cookie_name(base_url)
        self._clock = clock

    async def signed_in(self, cookies: Mapping[str, str]) -> Signed | None:
        """Whom the link has named by which the browser came in."""
        found = await signed_in(self._store, cookies.get(self._cookie), self._clock)
        if found is None or not found.who:
            return None
        person = await person_of(self._store, self._project, found.who)
        if person is None:
            return None
        member = Member(found.who, name=person.name)
        return Signed(member, _METHODS, found.expires - COOKIE_LIFE)

    def sign_in_url(self, back: str) -> str:  # noqa: ARG002 - a link leads to the pages
        """No page: links are made on the machine."""
        return ""
