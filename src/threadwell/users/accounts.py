"""Accounts and the logins of their owners' apps (``logins``)."""

from __future__ import annotations

from msgspec.structs import replace

from threadwell.fhir.stamp import Clock
from threadwell.logins import endings, kept
from threadwell.logins.login import Login
from threadwell.logins.login import Member as LoginMember
from threadwell.logins.logins import Logins
from threadwell.stores.contract import Store
from threadwell.users.user import Member, User

_USER = "User/"


def as_login_member(user: User, member: Member) -> LoginMember:
    """Whom a login lets in."""
    return LoginMember(member.profile, f"{_USER}{user.id}", member.id, user.name, user.epoch)


def acts_as(user: User, project: str) -> Member | None:
    """As whom they come in: of the practice, if they are both that and a patient."""
    mine = [one for one in user.members if one.project == project]
    return next((one for one in mine if one.profile.startswith("Practitioner/")), (*mine, None)[0])


def user_id(login_user: str) -> str:
    """The id of the account that a login names, ``""`` where it names none."""
    return login_user.removeprefix(_USER) if login_user.startswith(_USER) else ""


async def logins_of(store: Store, project: str, user: User, clock: Clock) -> list[Login]:
    """The logins of somebody's apps that are not over, the oldest first."""
    return await _logins(store, project, clock).of(f"{_USER}{user.id}")


async def end_logins(
    store: Store, project: str, user: User, why: str, clock: Clock, *, but: str = ""
) -> None:
    """End the logins of somebody's apps, ``but`` the one of that id.

    Running servers know of it within ``access.LOOK``.
    """
    if but:
        await kept.change(store, but, lambda login: _at_epoch(login, user.epoch))
    await _logins(store, project, clock).end_all(f"{_USER}{user.id}", why, but=but)
    await endings.tell(store)


async def end_logins_as(store: Store, project: str, who: str, why: str, clock: Clock) -> None:
    """End the logins of whom a link has let in as ``who``."""
    await _logins(store, project, clock).end_all(who, why)
    await endings.tell(store)


def _logins(store: Store, project: str, clock: Clock) -> Logins:
    # Refresh tokens are signed by a secret that only those need who hand them out.
    return Logins(store, project, b"", clock)


def _at_epoch(login: Login, epoch: int) -> Login:
    if login.member is None:
        return login
    return replace(login, member=replace(login.member, epoch=epoch))
