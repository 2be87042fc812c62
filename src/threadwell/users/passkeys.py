"""Passkeys: added to an account, used as its second factor or alone, renamed and removed.

One that asks for a finger, a face or a PIN opens the account by itself: it is something that one
has and something that one is or knows. Any does as the step after the password. From the first one
on a password alone opens the account no more, and recovery codes are there for when it is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec.structs import replace

from threadwell.fhir.stamp import Clock
from threadwell.stores.contract import Conflict, Kept, Store
from threadwell.users import challenges, devices, webauthn
from threadwell.users.challenges import ADD, SECOND, SIGN_IN
from threadwell.users.codes import recovery_alone
from threadwell.users.keeping import change_user, find_user
from threadwell.users.pauses import PASSKEY, Counted, Pauses, source_of
from threadwell.users.providers import required_for
from threadwell.users.signing_in import From, Wrong
from threadwell.users.user import Passkey, User, parse_name
from threadwell.users.webauthn import BadAnswer, Party, Signature

#: How many somebody may have.
MOST = 20
#: Which account a passkey is of, by its id: no two have the same.
_OF = "passkey"
_OVER = "that took too long: begin again"
_UNKNOWN = "that passkey opens no account here"


class Offer(NamedTuple):
    """What a browser is asked for, and the cookie that it keeps until it answers."""

    cookie: str
    options: dict[str, Any]


class Added(NamedTuple):
    """An account with a new passkey, and the recovery codes that are shown this once, if any."""

    user: User
    codes: tuple[str, ...]


class Entered(NamedTuple):
    """Who has come in, and by which means (RFC 8176)."""

    user: User
    methods: tuple[str, ...]


class Passkeys:
    """Those of the accounts of a project, for whoever reaches it as ``party``."""

    def __init__(self, store: Store, project: str, party: Party, clock: Clock) -> None:
        self._store = store
        self._project = project
        self._party = party
        self._clock = clock
        self._pauses = Pauses(store, project, clock)

    async def to_add(self, user: User) -> Offer:
        """What the browser of somebody who is signed in is asked for."""
        cookie, challenge = await self._new(ADD, user.id)
        return Offer(cookie, webauthn.creation(self._party, user, challenge))

    async def add(self, user: User, cookie: str, name: str, answer: str) -> Added:
        """Keep what an authenticator has made. Raises ``Wrong`` and ``BadUser``."""
        name = parse_name(name, "the name of a passkey")
        challenge = await self._taken(cookie, ADD, user.id)
        now = self._clock()
        try:
            passkey = webauthn.made(self._party, challenge, answer, name, now)
        except BadAnswer as error:
            raise Wrong(str(error)) from None
        codes: tuple[str, ...] = ()

        def changed(one: User) -> User | None:
            nonlocal codes
            codes = ()
            if one.disabled or one.epoch != user.epoch or len(one.passkeys) >= MOST:
                return None
            if one.factor is None:
                made = recovery_alone()
                one, codes = replace(one, factor=made.factor), made.codes
            return replace(one, passkeys=(*one.passkeys, passkey))

        mine = (Kept(_OF, passkey.id, user.id.encode(), before=None),)
        try:
            done = await change_user(self._store, self._project, user.id, changed, kept=mine)
        except Conflict:
            raise Wrong("that passkey is here already") from None
        if done is None:
            raise Wrong(f"an account has at most {MOST} passkeys")
        return Added(done, codes)

    async def to_sign_in(self, where: From) -> Offer:
        """What the browser of anybody is asked for. Raises ``Paused``."""
        await self._pauses.enter([_counted(where)])
        cookie, challenge = await self._new(SIGN_IN)
        return Offer(cookie, webauthn.request(self._party, challenge, alone=True))

    async def sign_in(self, cookie: str, answer: str, where: From) -> Entered:
        """Whom a passkey lets in, by itself. Raises ``Wrong``."""
        challenge = await self._taken(cookie, SIGN_IN)
        try:
            id_, _ = webauthn.named(answer)
        except BadAnswer:
            raise Wrong(_UNKNOWN) from None
        user = await find_user(self._store, id_)
        if user is None or user.disabled or user.member(self._project) is None:
            raise Wrong(_UNKNOWN)
        user, signature = await self._used(user, user.epoch, challenge, answer, alone=True)
        required = await required_for(self._store, self._project, user.email)
        if required is not None:
            raise Wrong(f"your practice signs in with {required.label}, and takes no passkeys")
        await self._pauses.right((), [_counted(where)])
        return Entered(user, (_kind(signature), "user", "mfa"))

    async def to_prove(self, user_id: str, epoch: int, where: From) -> Offer:
        """What is asked for after the right password. Raises ``Wrong`` and ``Paused``."""
        user = await self._expected(user_id, epoch)
        await self._pauses.enter([await self._of_second(user, where)])
        cookie, challenge = await self._new(SECOND, user.id)
        return Offer(cookie, webauthn.request(self._party, challenge, user.passkeys))

    async def prove(
        self, user_id: str, epoch: int, cookie: str, answer: str, where: From
    ) -> Entered:
        """The step after the right password. Raises ``Wrong``."""
        user = await self._expected(user_id, epoch)
        challenge = await self._taken(cookie, SECOND, user.id)
        user, signature = await self._used(user, epoch, challenge, answer)
        await self._pauses.right([await self._of_second(user, where)])
        return Entered(user, ("pwd", _kind(signature), "mfa"))

    async def _used(
        self, user: User, epoch: int, challenge: bytes, answer: str, *, alone: bool = False
    ) -> tuple[User, Signature]:
        try:
            _, id_ = webauthn.named(answer)
            passkey = next((one for one in user.passkeys if one.id == id_), None)
            if passkey is None:
                raise Wrong(_UNKNOWN)
            signature = webauthn.signed(self._party, challenge, answer, passkey, alone=alone)
        except BadAnswer:
            raise Wrong(_UNKNOWN) from None
        now = self._clock()

        def use(one: Passkey) -> Passkey | None:
            # Web Authentication §6.1.1: one that counts never counts backwards, but a copy may.
            if (signature.counter or one.counter) and signature.counter <= one.counter:
                return None
            verifies = one.verifies or signature.verified
            return replace(one, counter=signature.counter, used=now, verifies=verifies)

        done = await _change(self._store, self._project, user.id, id_, use, epoch)
        if done is None:
            raise Wrong(
                "that passkey may have been copied: come in another way, remove it, and add another"
            )
        return done, signature

    async def _expected(self, user_id: str, epoch: int) -> User:
        user = await find_user(self._store, user_id)
        if user is None or user.disabled or user.epoch != epoch or not user.passkeys:
            raise Wrong("the sign-in has ended: begin again")
        return user

    async def _new(self, purpose: str, user: str = "") -> challenges.New:
        now = self._clock()
        return await challenges.new_challenge(self._store, self._project, purpose, now, user)

    async def _taken(self, cookie: str, purpose: str, user: str = "") -> bytes:
        now = self._clock()
        found = await challenges.take(self._store, self._project, cookie, purpose, now, user)
        if found is None:
            raise Wrong(_OVER)
        return found

    async def _of_second(self, user: User, where: From) -> Counted:
        """Counted by itself in a browser that is known, so that no stranger makes it wait."""
        known = await devices.is_known(self._store, user, where.device, self._clock())
        return Counted(PASSKEY, f"{user.id} {where.device if known else source_of(where.address)}")


async def rename_passkey(store: Store, project: str, user_id: str, id_: str, name: str) -> bool:
    """Call a passkey otherwise; ``False`` where there is none of that id. Raises ``BadUser``."""
    name = parse_name(name, "the name of a passkey")
    return (
        await _change(store, project, user_id, id_, lambda one: replace(one, name=name)) is not None
    )


async def drop_passkey(store: Store, project: str, user_id: str, id_: str) -> User | None:
    """Take a passkey from an account; ``None`` where there is none of that id.

    With the last second factor nothing is asked for beside the password any more.
    """

    def changed(one: User) -> User | None:
        left = tuple(passkey for passkey in one.passkeys if passkey.id != id_)
        if len(left) == len(one.passkeys):
            return None
        factor = one.factor if left or one.has_authenticator else None
        return replace(one, passkeys=left, factor=factor)

    return await change_user(store, project, user_id, changed, kept=(Kept(_OF, id_, None),))


async def _change(
    store: Store,
    project: str,
    user_id: str,
    id_: str,
    change: Callable[[Passkey], Passkey | None],
    epoch: int | None = None,
) -> User | None:
    def changed(one: User) -> User | None:
        had = next((passkey for passkey in one.passkeys if passkey.id == id_), None)
        new = change(had) if had is not None else None
        if new is None or one.disabled or epoch not in (None, one.epoch):
            return None
        keys = tuple(new if passkey.id == id_ else passkey for passkey in one.passkeys)
        return replace(one, passkeys=keys)

    return await change_user(store, project, user_id, changed)


def _counted(where: From) -> Counted:
    return Counted(PASSKEY, source_of(where.address))


def _kind(signature: Signature) -> str:
    """RFC 8176: a key that never leaves its device, or one that is copied to others."""
    return "swk" if signature.synced else "hwk"
