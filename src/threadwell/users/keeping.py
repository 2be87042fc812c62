"""Accounts in the store: found, made once an address, and changed by compare-and-set."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from threadwell.projects.within import EMAIL_OF
from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    ChangeSet,
    Conflict,
    Kept,
    Store,
    StoreBusy,
    Write,
)
from threadwell.users.user import User

_USER = "user"
_EMAIL = "user-email"
#: How often a change is tried that others come before.
_TRIES = 20
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
        Kept(_USER, user.id, msgspec.json.encode(user), before=None),
        *led(project, user.email),
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
        changed = None if value is None else change(_read(value))
        if changed is None:
            return None
        mine = Kept(_USER, id_, msgspec.json.encode(changed), before=value)
        try:
            await store.commit(project, ChangeSet(tuple(writes), kept=(mine, *kept)))
        except Conflict as error:
            if error.key is None or error.key.type != _USER:
                raise
            continue
        return changed
    raise StoreBusy("an account is changed by many at once")


def led(project: str, email: str) -> tuple[Kept, ...]:
    """What leads whoever signs in with an address to their account in a further project."""
    if project == DEFAULT_PROJECT:
        return ()
    return (Kept(EMAIL_OF, f"{email}/{project}", b""),)


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
    return msgspec.json.decode(value, type=User)
