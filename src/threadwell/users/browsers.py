"""The browsers in which people are signed in, each by the cookie that it has.

The value of a cookie is random, and the store keeps its SHA-256 alone, so that a copy of the
database lets nobody in.
"""

from __future__ import annotations

import hashlib
import secrets

import msgspec

from threadwell.fhir.stamp import Clock, now_ms
from threadwell.projects.hints import marked
from threadwell.stores.contract import ChangeSet, Kept, Store
from threadwell.users.keeping import find_user
from threadwell.users.shut_out import is_shut_out
from threadwell.users.user import User

#: How long a browser stays signed in, in milliseconds.
COOKIE_LIFE = 12 * 60 * 60_000
#: More than this many are not listed of one account.
_MOST = 500
_LONGEST_AGENT = 200

_COOKIE = "sign-in-cookie"
#: Whose it is: ``user/digest``.
_OF = "sign-in-of"


class SignIn(msgspec.Struct, frozen=True):
    """What a cookie or a sign-in link is good for: ``expires`` in milliseconds since 1970 UTC.

    ``who`` is the reference of the person that it names (``Practitioner/…``), ``""`` for nobody.
    ``user`` is the id of their account, if they came in by one, at its ``epoch``; ``methods`` are
    the means (RFC 8176), ``provider`` is the outside provider by which they came, if they did,
    and ``sid`` its name for that. ``agent`` is what the browser calls itself, ``id`` what names it
    in lists.
    """

    expires: int
    who: str = ""
    user: str = ""
    epoch: int = 0
    begun: int = 0
    methods: tuple[str, ...] = ()
    agent: str = ""
    id: str = ""
    provider: str = ""
    sid: str = ""


async def begin(
    store: Store,
    project: str,
    *,
    who: str = "",
    user: User | None = None,
    methods: tuple[str, ...] = (),
    agent: str = "",
    provider: str = "",
    sid: str = "",
    clock: Clock = now_ms,
) -> str:
    """Sign a browser in; its cookie."""
    cookie = marked(secrets.token_urlsafe(32), project)
    name, now = _digest(cookie), clock()
    one = SignIn(now + COOKIE_LIFE, who, begun=now, methods=methods, agent=agent[:_LONGEST_AGENT])
    kept = []
    if provider:
        one = msgspec.structs.replace(one, provider=provider, sid=sid)
    if user is not None:
        one = msgspec.structs.replace(one, user=user.id, epoch=user.epoch)
        kept.append(Kept(_OF, f"{user.id}/{name}", b""))
    kept.append(Kept(_COOKIE, name, written(one)))
    await store.commit(project, ChangeSet((), kept=tuple(kept)))
    return cookie


async def signed_in(
    store: Store, project: str, cookie: str | None, clock: Clock = now_ms
) -> SignIn | None:
    """What a cookie is good for; ``None`` unless it was given less than ``COOKIE_LIFE`` ago.

    One of an account ends with it: when it is disabled, loses its membership, or gets another
    password. So does one that a link has given to somebody whose only account is disabled.
    """
    if not cookie:
        return None
    name = _digest(cookie)
    value = await store.get_private(_COOKIE, name)
    one = None if value is None else read(value)
    if one is None or one.expires <= clock():
        return None
    if one.user:
        user = await find_user(store, one.user)
        if not _holds(one, user, project):
            return None
    elif await is_shut_out(store, project, one.who):
        return None
    return msgspec.structs.replace(one, id=_id(name))


async def sign_out(store: Store, project: str, cookie: str | None) -> None:
    """Make the cookie worthless, wherever a copy of it may be."""
    if cookie:
        await _end(store, project, _digest(cookie))


async def browsers_of(
    store: Store, project: str, user: User, clock: Clock = now_ms
) -> list[SignIn]:
    """Where somebody is signed in, the newest first."""
    found = await _named(store, user)
    now = clock()
    good = [
        msgspec.structs.replace(one, id=_id(name))
        for name, one in found.items()
        if one.expires > now and _holds(one, user, project)
    ]
    return sorted(good, key=lambda one: -one.begun)


async def end_browser(store: Store, project: str, user: User, id_: str) -> bool:
    """Sign one of somebody's browsers out, by its id; ``False`` where there is none."""
    names = [name for name in await _named(store, user) if _id(name) == id_]
    for name in names:
        await _end(store, project, name)
    return bool(names)


async def end_browsers(store: Store, project: str, user: User, *, but: str = "") -> int:
    """Sign somebody out everywhere, ``but`` in the browser of that id; how many these were."""
    names = [name for name in await _named(store, user) if _id(name) != but]
    for name in names:
        await _end(store, project, name)
    return len(names)


async def end_of_provider(store: Store, project: str, user: User, provider: str, sid: str) -> int:
    """Sign somebody out where they came by a provider, of all or of its ``sid`` alone."""
    names = [
        name
        for name, one in (await _named(store, user)).items()
        if one.provider == provider and sid in ("", one.sid)
    ]
    for name in names:
        await _end(store, project, name)
    return len(names)


async def end_named(store: Store, project: str, who: str) -> None:
    """Sign out whom links have let in as ``who``, in every browser."""
    for name, value in (await store.list_private(_COOKIE)).items():
        one = read(value)
        if one.who == who and not one.user:
            await _end(store, project, name)


async def forget_expired(store: Store, project: str, now: int) -> None:
    """Remove what has expired by ``now``."""
    for name, value in (await store.list_private(_COOKIE)).items():
        one = read(value)
        if one.expires <= now:
            kept = [Kept(_COOKIE, name, None)]
            if one.user:
                kept.append(Kept(_OF, f"{one.user}/{name}", None))
            await store.commit(project, ChangeSet((), kept=tuple(kept)))


def written(one: SignIn) -> bytes:
    """As the store keeps it."""
    return msgspec.json.encode(one)


def read(value: bytes) -> SignIn:
    """What the store keeps; earlier builds wrote ``expires who``."""
    if value.startswith(b"{"):
        return msgspec.json.decode(value, type=SignIn)
    expires, _, who = value.decode().partition(" ")
    return SignIn(int(expires), who)


def _holds(one: SignIn, user: User | None, project: str) -> bool:
    return (
        user is not None
        and not user.disabled
        and user.epoch == one.epoch
        and user.member(project, one.who) is not None
    )


async def _named(store: Store, user: User) -> dict[str, SignIn]:
    prefix = f"{user.id}/"
    names = [
        name.removeprefix(prefix)
        for name in await store.list_private(_OF, after=prefix, count=_MOST)
        if name.startswith(prefix)
    ]
    values = await store.get_private_many(_COOKIE, names)
    return {name: read(values[name]) for name in names if name in values}


async def _end(store: Store, project: str, name: str) -> None:
    value = await store.get_private(_COOKIE, name)
    kept = [Kept(_COOKIE, name, None)]
    if value is not None and (user := read(value).user):
        kept.append(Kept(_OF, f"{user}/{name}", None))
    await store.commit(project, ChangeSet((), kept=tuple(kept)))


def _id(name: str) -> str:
    """What names a sign-in in a list, and is no help to whoever would like to be it."""
    return name[:16]


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
