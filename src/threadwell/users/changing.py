"""What is changed of an account: its password, its second factor, whether it may come in.

A new password, a reset and a disabled account end all that was signed in before (``epoch``).
"""

from __future__ import annotations

import msgspec

from threadwell.fhir.stamp import Clock, now_ms
from threadwell.stores.contract import Conflict, Store
from threadwell.users import codes, devices
from threadwell.users.accounts import end_logins, end_logins_as
from threadwell.users.browsers import end_browsers, end_named
from threadwell.users.codes import Enrolled
from threadwell.users.keeping import change_user, find_user
from threadwell.users.passkeys import drop_passkey
from threadwell.users.password_links import RESET, Link, new_link, read_link
from threadwell.users.passwords import BadPassword, Hashing, check_password
from threadwell.users.providers import required_for
from threadwell.users.shut_out import shut_out
from threadwell.users.user import Member, User

_REPLACE = msgspec.structs.replace


class LinkSpent(Exception):
    """The link is unknown, has been used, or has ended."""


async def link_user(store: Store, link: Link, now: int) -> User | None:
    """Whose password a link would set now; to ask does not use it."""
    found = await read_link(store, link, now)
    user = None if found is None else await find_user(store, found[0].user)
    if found is None or user is None or user.disabled or user.epoch != found[0].epoch:
        return None
    return user


async def set_by_link(
    store: Store, project: str, link: Link, password: str, hashing: Hashing, clock: Clock
) -> User:
    """Set the password of whom a link is for. Raises ``LinkSpent`` and ``BadPassword``.

    Of many at once one succeeds; they are signed out everywhere.
    """
    found = await read_link(store, link, clock())
    user = await link_user(store, link, clock())
    if found is None or user is None:
        raise LinkSpent
    required = await required_for(store, project, user.email)
    if required is not None:
        raise BadPassword(f"your practice signs in with {required.label}, and takes no passwords")
    check_password(password, _own(user), with_factor=user.factor is not None)
    new = await hashing.hash(password)

    def changed(one: User) -> User | None:
        if one.epoch != user.epoch or one.disabled:
            return None
        return _with_password(one, new, clock())

    try:
        done = await change_user(store, project, user.id, changed, kept=(found[1],))
    except Conflict:
        done = None
    if done is None:
        raise LinkSpent
    await _end_all(store, project, done, clock)
    return done


async def set_password(
    store: Store,
    project: str,
    user: User,
    password: str,
    hashing: Hashing,
    clock: Clock,
    *,
    but: str = "",
) -> User | None:
    """Set a password by the word of its owner, or of who runs the server. Raises ``BadPassword``.

    ``None`` where another was set meanwhile. They are signed out everywhere ``but`` in the app
    that has the login of that id.
    """
    check_password(password, _own(user), with_factor=user.factor is not None)
    new = await hashing.hash(password)

    def changed(one: User) -> User | None:
        return _with_password(one, new, clock()) if one.epoch == user.epoch else None

    done = await change_user(store, project, user.id, changed)
    if done is not None:
        await _end_all(store, project, done, clock, but=but)
    return done


async def reset(store: Store, project: str, user: User, clock: Clock) -> Link:
    """A link to set another password by; the one that there is holds until then."""
    return await new_link(store, project, user, RESET, clock())


async def set_disabled(
    store: Store, project: str, user: User, disabled: bool, clock: Clock = now_ms
) -> User | None:
    """Let somebody in no more, or again; what was signed in ends. ``None`` if it is so already."""

    def changed(one: User) -> User | None:
        if one.disabled == disabled:
            return None
        return _REPLACE(one, disabled=disabled, epoch=one.epoch + 1)

    done = await change_user(store, project, user.id, changed)
    if done is not None:
        await _end_all(store, project, done, clock)
        if disabled:
            for who in await shut_out(store, project, done):
                await end_named(store, project, who)
                await end_logins_as(store, project, who, "the account was disabled", clock)
            await devices.forget_devices(store, done)
    return done


async def leave(store: Store, project: str, user: User, member: Member, clock: Clock) -> None:
    """End a membership; what was signed in by the account ends, and may be begun again."""

    def changed(one: User) -> User | None:
        left = tuple(mine for mine in one.members if mine.id != member.id)
        if left == one.members:
            return None
        return _REPLACE(one, members=left, epoch=one.epoch + 1)

    done = await change_user(store, project, user.id, changed)
    if done is not None:
        await _end_all(store, project, done, clock)


async def add_factor(
    store: Store, project: str, user: User, secret: str, code: str, now: int
) -> Enrolled | None:
    """Have sign-ins ask for a code from now on; ``None`` where ``code`` is not one of ``secret``.

    So it is, too, where there is an authenticator already. Its recovery codes take the place of
    those that there were.
    """
    made = codes.enroll(secret, code, now)
    if made is None:
        return None

    def changed(one: User) -> User | None:
        return None if one.has_authenticator else _REPLACE(one, factor=made.factor)

    return made if await change_user(store, project, user.id, changed) else None


async def drop_authenticator(store: Store, project: str, user: User) -> bool:
    """Ask for no code of an authenticator any more; ``False`` where none was asked for.

    Whoever has passkeys is asked for one of these still, or for a recovery code.
    """

    def changed(one: User) -> User | None:
        if one.factor is None or not one.has_authenticator:
            return None
        return _REPLACE(one, factor=_REPLACE(one.factor, secret="") if one.passkeys else None)

    return await change_user(store, project, user.id, changed) is not None


async def drop_factor(store: Store, project: str, user: User) -> bool:
    """Ask for nothing beside the password, and take all passkeys from an account.

    For whoever has lost them. ``False`` where there was nothing to drop.
    """
    for one in user.passkeys:
        await drop_passkey(store, project, user.id, one.id)

    def changed(one: User) -> User | None:
        return _REPLACE(one, factor=None) if one.factor is not None else None

    dropped = await change_user(store, project, user.id, changed) is not None
    return dropped or bool(user.passkeys)


async def _end_all(store: Store, project: str, user: User, clock: Clock, *, but: str = "") -> None:
    await end_browsers(store, project, user)
    await end_logins(store, project, user, "the password was changed", clock, but=but)


def _own(user: User) -> tuple[str, ...]:
    return user.email, user.first, user.last


def _with_password(user: User, new: str, now: int) -> User:
    return _REPLACE(user, password=new, password_set=now, epoch=user.epoch + 1)
