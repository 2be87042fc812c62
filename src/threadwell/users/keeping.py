"""Accounts in the store: found, made once an address, and changed by compare-and-set."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from threadwell.projects.within import EMAIL_OF, USER_OF
from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    ChangeSet,
    Conflict,
    Kept,
    Store,
    StoreBusy,
    Write,
)
from threadwell.stores.sealing import is_sealed, sealed, unsealed
from threadwell.users.user import Member, User

_USER = "user"
_EMAIL = "user-email"
#: How often a change is tried that others come before.
_TRIES = 20
#: Whose a membership is, by its id; whose accounts act as somebody: ``Practitioner/…/user``.
_MEMBER, _ACTS_AS = "user-member", "user-acts-as"
#: That the accounts from before can be found so, too.
_WHOLE, _YES = "users-indexed", "yes"
_AT_ONCE = 500


class Taken(ValueError):
    """Another account has that e-mail address."""


async def find_user(store: Store, id_: str) -> User | None:
    """The account of that id."""
    value = await store.get_private(_USER, id_)
    return None if value is None else _read(value)


async def user_of(store: Store, email: str) -> User | None:
    """The account with that e-mail address (in normal form)."""
    id_ = await store.get_private(_EMAIL, email)
    return None if id_ is None else await find_user(store, id_.decode())


async def users(store: Store, project: str) -> list[User]:
    """Every account that is a member of a project, by e-mail address."""
    found: list[User] = []
    after = ""
    while part := await store.list_private(_USER, after=after, count=_AT_ONCE):
        found += map(_read, part.values())
        after = max(part)
    mine = [one for one in found if one.member(project)]
    return sorted(mine, key=lambda one: one.email)


async def any_user(store: Store) -> bool:
    """Is there any account, of whichever project?"""
    if await store.list_private(_USER, count=1):
        return True
    return bool(await store.list_private(EMAIL_OF, count=1))


async def add_user(
    store: Store,
    project: str,
    user: User,
    *,
    writes: Sequence[Write] = (),
    kept: Sequence[Kept] = (),
) -> None:
    """Keep a new account, in one commit with what belongs to it; raises ``Taken``.

    Of several who ask for the same address at once, one gets it. Raises ``Conflict`` where
    something else has changed.
    """
    mine = (
        Kept(_EMAIL, user.email, user.id.encode(), before=None),
        Kept(_USER, user.id, _written(user), before=None),
        *led(project, user),
        *_found_by(None, user),
    )
    try:
        await store.commit(project, ChangeSet(tuple(writes), kept=(*mine, *kept)))
    except Conflict as error:
        if error.key is not None and error.key.type in (_EMAIL, _USER):
            raise Taken("an account has that e-mail address already") from None
        raise


async def change_user(
    store: Store,
    project: str,
    id_: str,
    change: Callable[[User], User | None],
    *,
    writes: Sequence[Write] = (),
    kept: Sequence[Kept] = (),
) -> User | None:
    """Change an account as it is then, together with ``writes`` and ``kept``.

    ``change`` may be called again where others were first; where it says ``None``, or the account
    is not there, nothing is written, and the answer is ``None``. Raises ``Conflict`` where one of
    ``kept`` is not as expected.
    """
    for _ in range(_TRIES):
        value = await store.get_private(_USER, id_)
        had = None if value is None else _read(value)
        changed = None if had is None else change(had)
        if had is None or changed is None:
            return None
        mine = (Kept(_USER, id_, _written(changed), before=value), *_found_by(had, changed))
        try:
            await store.commit(project, ChangeSet(tuple(writes), kept=(*mine, *kept)))
        except Conflict as error:
            if error.key is None or error.key.type != _USER:
                raise
            continue
        return changed
    raise StoreBusy("an account is changed by many at once")


async def user_of_member(store: Store, project: str, id_: str) -> tuple[User, Member] | None:
    """Whose a membership of the project is, by its id, and the membership."""
    await _indexed(store, project)
    named = await store.get_private(_MEMBER, id_) if id_.isprintable() else None
    user = None if named is None else await find_user(store, named.decode())
    mine = [one for one in user.members if one.id == id_] if user is not None else []
    found = next((one for one in mine if one.project == project), None)
    return None if user is None or found is None else (user, found)


async def users_as(store: Store, project: str, profile: str) -> list[User]:
    """The accounts whose owners act as somebody (``Practitioner/…``) in the project."""
    await _indexed(store, project)
    if not profile.isprintable():
        return []
    begins = f"{profile}/"
    names = await store.list_private(_ACTS_AS, after=begins, count=_AT_ONCE)
    found = [
        await find_user(store, name.removeprefix(begins))
        for name in names
        if name.startswith(begins)
    ]
    mine = [one for one in found if one is not None and one.member(project, profile) is not None]
    return sorted(mine, key=lambda one: one.email)


async def _indexed(store: Store, project: str) -> None:
    """Have accounts found that were there before they were kept so: once a store."""
    if await store.get_private(_WHOLE, _YES) is not None:
        return
    for user in await users(store, project):
        value = await store.get_private(_USER, user.id)
        now = None if value is None else _read(value)
        if now is None:
            continue
        same = Kept(_USER, user.id, value, before=value)
        try:
            await store.commit(project, ChangeSet((), kept=(same, *_found_by(None, now))))
        except Conflict:
            continue  # Whoever has changed it meanwhile has kept it so.
    await store.put_private(_WHOLE, _YES, b"1")


def _found_by(before: User | None, after: User) -> list[Kept]:
    """What finds an account by its memberships, as these have changed."""
    had = {(one.id, one.profile) for one in (before.members if before else ())}
    has = {(one.id, one.profile) for one in after.members}
    acts = {profile for _, profile in has}
    kept: list[Kept] = []
    for id_, profile in had - has:
        kept.append(Kept(_MEMBER, id_, None))
        if profile not in acts:
            kept.append(Kept(_ACTS_AS, f"{profile}/{after.id}", None))
    for id_, _ in has - had:
        kept.append(Kept(_MEMBER, id_, after.id.encode()))
    had_acts = {profile for _, profile in had}
    kept += [Kept(_ACTS_AS, f"{one}/{after.id}", b"") for one in sorted(acts - had_acts)]
    return kept


def led(project: str, user: User) -> tuple[Kept, ...]:
    """What leads whoever signs in to their account in a further project."""
    if project == DEFAULT_PROJECT:
        return ()
    mine = project.encode()
    return Kept(EMAIL_OF, f"{user.email}/{project}", b""), Kept(USER_OF, user.id, mine)


async def home_of(store: Store, user_id: str) -> str:
    """The project of an account, ``""`` of one that is of the first, or is none."""
    value = await store.get_private(USER_OF, user_id) if user_id.isprintable() else None
    return "" if value is None else value.decode()


async def homes(store: Store, email: str) -> list[str]:
    """The projects, by their ids, in which there is an account of that address (in normal form).

    ``store`` is that of the server.
    """
    found = [DEFAULT_PROJECT] if await store.get_private(_EMAIL, email) is not None else []
    after = f"{email}/"
    while names := list(await store.list_private(EMAIL_OF, after=after, count=_AT_ONCE)):
        mine = [name for name in names if name.startswith(f"{email}/")]
        found += [name.rpartition("/")[2] for name in mine]
        if len(mine) < _AT_ONCE:
            break
        after = names[-1]
    return found


def _read(value: bytes) -> User:
    user = msgspec.json.decode(value, type=User)
    if user.factor is None or not is_sealed(secret := user.factor.secret.encode()):
        return user
    plain = unsealed(secret, "the secret of an authenticator").decode()
    return replace(user, factor=replace(user.factor, secret=plain))


def _written(user: User) -> bytes:
    """As it is kept: by the secret of an authenticator somebody else could make its codes."""
    if user.factor is not None:
        secret = sealed(user.factor.secret.encode()).decode()
        user = replace(user, factor=replace(user.factor, secret=secret))
    return msgspec.json.encode(user)
