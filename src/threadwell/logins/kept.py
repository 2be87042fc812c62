"""Logins among the store's private values: found by id, listed by whose they are, forgotten."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from threadwell.logins.login import PATIENCE, Login
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

_LOGIN = "login"
#: Of whom: ``project/who/begun/id``.
_OF = "login-of"
#: When it may be forgotten: ``time/id``, the earliest first. What lives on is put further back.
_OVER = "login-over"
#: Those that are looked at whenever a login begins.
_SWEPT = 20
#: Milliseconds that one is remembered after it is over: tokens are told apart from those of others.
_REMEMBERED = 2 * 3_600_000
#: How often one is decided anew when others have changed it meanwhile.
_TRIES = 20

#: What becomes of a login; it may raise ``Refused``.
Change = Callable[[Login], Login]


class Changed(msgspec.Struct, frozen=True):
    """A login before and after a change."""

    before: Login
    after: Login


async def keep_new(store: Store, login: Login, now: int) -> None:
    """Keep a login that has just begun, and forget some that are over."""
    await _sweep(store, login.project, now)
    kept = (
        Kept(_LOGIN, login.id, _written(login), None),
        Kept(_OVER, f"{now + PATIENCE + _REMEMBERED:015d}/{login.id}", b""),
    )
    await store.commit(login.project, ChangeSet((), kept=kept))


async def find(store: Store, id_: str) -> Login | None:
    """The login of that id, over or not; ``None`` where there is none."""
    value = await store.get_private(_LOGIN, id_)
    return None if value is None else msgspec.json.decode(value, type=Login)


async def change(store: Store, id_: str, how: Change) -> Changed | None:
    """Change a login as one step, whoever else does; ``None`` where there is none.

    ``how`` may be asked several times, each time about the login as it is by then.
    """
    for _ in range(_TRIES):
        value = await store.get_private(_LOGIN, id_)
        if value is None:
            return None
        before = msgspec.json.decode(value, type=Login)
        after = how(before)
        if after == before:
            return Changed(before, after)
        kept = [Kept(_LOGIN, id_, _written(after), value)]
        if after.member is not None and before.member is None:
            kept.append(Kept(_OF, _name_of(after), b""))
        try:
            await store.commit(after.project, ChangeSet((), kept=tuple(kept)))
        except Conflict:
            continue
        return Changed(before, after)
    raise Conflict(None)


async def of(store: Store, project: str, who: str) -> list[Login]:
    """The logins of somebody (``Member.who``), the oldest first, those that are over among them."""
    prefix = f"{project}/{who}/"
    found: list[Login] = []
    after = prefix
    while True:
        names = list(await store.list_private(_OF, after=after, count=100))
        mine = [name.rpartition("/")[2] for name in names if name.startswith(prefix)]
        values = await store.get_private_many(_LOGIN, mine)
        found += [msgspec.json.decode(values[id_], type=Login) for id_ in mine if id_ in values]
        if len(mine) < 100:
            return found
        after = names[-1]


async def _sweep(store: Store, project: str, now: int) -> None:
    for name in await store.list_private(_OVER, count=_SWEPT):
        when, _, id_ = name.partition("/")
        if int(when) > now:
            return
        login = await find(store, id_)
        kept = [Kept(_OVER, name, None)]
        if login is not None:
            over = (login.ended or login.until) + _REMEMBERED
            if over > now:
                kept.append(Kept(_OVER, f"{over:015d}/{id_}", b""))
            else:
                kept.append(Kept(_LOGIN, id_, None))
                if login.member is not None:
                    kept.append(Kept(_OF, _name_of(login), None))
        await store.commit(project, ChangeSet((), kept=tuple(kept)))


def _name_of(login: Login) -> str:
    assert login.member is not None
    return f"{login.project}/{login.member.who}/{login.begun:015d}/{login.id}"


def _written(login: Login) -> bytes:
    return msgspec.json.encode(login)
