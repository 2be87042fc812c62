"""Who is signed in on the pages, and how they stand: what apps ask (``logins.people``)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from threadwell.fhir.stamp import Clock, now_ms
from threadwell.inbox.people import person_of
from threadwell.inbox.site import cookie_name
from threadwell.logins.login import Member
from threadwell.logins.people import Profiles, Signed, Standing
from threadwell.stores.contract import Store
from threadwell.users.accounts import as_login_member
from threadwell.users.browsers import COOKIE_LIFE, signed_in
from threadwell.users.keeping import find_user, user_of_member, users_as
from threadwell.users.shut_out import is_shut_out
from threadwell.users.user import User

_USER = "User/"
#: A sign-in link is good once (RFC 8176 has no nearer word).
_BY_LINK = ("otp",)


class PageBrowsers:
    """``logins.people.Browsers``: those of the pages, which are reached at ``base_url``."""

    def __init__(self, store: Store, project: str, base_url: str, clock: Clock = now_ms) -> None:
        self._store = store
        self._project = project
        self._cookie = cookie_name(base_url)
        self._clock = clock

    async def signed_in(self, cookies: Mapping[str, str]) -> Signed | None:
        """Whoever has signed in with a password, or by a link that names them."""
        cookie = cookies.get(self._cookie)
        found = await signed_in(self._store, self._project, cookie, self._clock)
        if found is None or not found.who:
            return None
        since = found.begun or found.expires - COOKIE_LIFE
        if not found.user:
            person = await person_of(self._store, self._project, found.who)
            if person is None:
                return None
            return Signed(Member(found.who, name=person.name), found.methods or _BY_LINK, since)
        user = await find_user(self._store, found.user)
        mine = user.member(self._project, found.who) if user is not None else None
        if user is None or mine is None:
            return None
        member = Member(mine.profile, f"{_USER}{user.id}", mine.id, user.name, user.epoch)
        return Signed(member, found.methods, since)

    def sign_in_url(self, back: str) -> str:
        """The page that asks for a password."""
        return f"/sign-in?{urlencode({'next': back})}"


class Accounts:
    """``logins.people.People``: those who have accounts, and those whom a link has named."""

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self._project = project
        self._profiles = Profiles(store, project)

    async def standing(self, member: Member) -> Standing | None:
        """As their account says, while its password is the one by which they came in."""
        if not member.user:
            if await is_shut_out(self._store, self._project, member.profile):
                return None
            return await self._profiles.standing(member)
        user = await find_user(self._store, member.user.removeprefix(_USER))
        if user is None or user.disabled or user.epoch != member.epoch:
            return None
        return await self._of(user, member)

    async def member(self, named: str) -> Member | None:
        """The first whose account is not disabled."""
        type_, _, id_ = named.partition("/")
        if type_ == "ProjectMembership":
            found = await user_of_member(self._store, self._project, id_)
            if found is None or found[0].disabled:
                return None
            return as_login_member(*found)
        for user in await users_as(self._store, self._project, named):
            mine = user.member(self._project, named)
            if mine is not None and not user.disabled:
                return as_login_member(user, mine)
        return None

    async def _of(self, user: User, member: Member) -> Standing | None:
        mine = user.member(self._project, member.profile)
        is_there = await self._profiles.standing(member)
        if mine is None or is_there is None:
            return None
        return Standing(user.name, mine.profile, mine.admin)
