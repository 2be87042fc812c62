"""Accounts as logins ask for them: how somebody stands who has one (``logins.people.People``)."""

from __future__ import annotations

from threadwell.logins import endings
from threadwell.logins.login import Member as LoginMember
from threadwell.logins.logins import Logins
from threadwell.logins.people import Profiles, Standing
from threadwell.fhir.stamp import Clock
from threadwell.stores.contract import Store
from threadwell.users.keeping import find_user
from threadwell.users.user import Member, User

_USER = "User/"


class Accounts:
    """``People`` by their accounts; who has none comes in as the resource that they are."""

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self._project = project
        self._profiles = Profiles(store, project)

    async def standing(self, member: LoginMember) -> Standing | None:
        """As the account says, for as long as it is not disabled and their profile is active."""
        found = await self._profiles.standing(member)
        if found is None or not member.user.startswith(_USER):
            return found
        user = await find_user(self._store, member.user.removeprefix(_USER))
        if user is None or user.disabled:
            return None
        mine = user.member(self._project, member.profile)
        return None if mine is None else found._replace(name=user.name, admin=mine.admin)


def as_login_member(user: User, member: Member) -> LoginMember:
    """Whom a login lets in."""
    return LoginMember(member.profile, f"{_USER}{user.id}", member.id, user.name)


def user_id(login_user: str) -> str:
    """The id of the account that a login names, ``""`` where it names none."""
    return login_user.removeprefix(_USER) if login_user.startswith(_USER) else ""


async def end_logins(
    store: Store, project: str, user: User, why: str, clock: Clock, *, but: str = ""
) -> None:
    """End the logins of somebody's apps; running servers know of it within ``access.LOOK``."""
    # Refresh tokens are signed by a secret that only those need who hand them out.
    await Logins(store, project, b"", clock).end_all(f"{_USER}{user.id}", why, but=but)
    await endings.tell(store)
