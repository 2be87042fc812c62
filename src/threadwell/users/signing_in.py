"""Proving who one is: a password, then a code where the account has a second factor.

Whatever is wrong is told alike, and takes as long: nobody learns here who has an account.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from threadwell.fhir.stamp import Clock
from threadwell.stores.contract import Store
from threadwell.users import codes, devices
from threadwell.users.keeping import change_user, find_user, user_of
from threadwell.users.passwords import Hashing
from threadwell.users.pauses import BROWSER, CODE, PAIR, SOURCE, Counted, Pauses, source_of
from threadwell.users.providers import required_for
from threadwell.users.user import BadUser, User, parse_account_email

#: The means by which somebody has proved who they are (RFC 8176).
PASSWORD = ("pwd",)
PASSWORD_AND_CODE = ("pwd", "otp", "mfa")


class Wrong(Exception):
    """Not proved; the message may be shown to anybody."""


class From(NamedTuple):
    """Where somebody comes from: an address, and the cookie by which their browser is known."""

    address: str = ""
    device: str = ""


class Proved(NamedTuple):
    """Whose password it was; ``needs_code`` where that is only the first of two steps."""

    user: User
    needs_code: bool


class SigningIn:
    """The door of a project."""

    def __init__(self, store: Store, project: str, hashing: Hashing, clock: Clock) -> None:
        self._store = store
        self._project = project
        self._hashing = hashing
        self._clock = clock
        self._pauses = Pauses(store, project, clock)

    async def by_password(self, email: str, password: str, where: From) -> Proved:
        """Whose e-mail address and password these are.

        Raises ``Wrong``, ``Paused`` after many that were wrong, and ``StoreBusy``.
        """
        source = source_of(where.address)
        named = _named(email)
        if (required := await required_for(self._store, self._project, named)) is not None:
            raise Wrong(f"your practice signs in with {required.label}, and takes no passwords")
        user = await user_of(self._store, named)
        counters = await self._counters(user, named, source, where)
        await self._pauses.enter(counters)
        kept = user.password if user is not None else ""
        right = await self._hashing.verify(kept, password, source)
        if user is None or not right or user.disabled or user.member(self._project) is None:
            raise Wrong("the e-mail address or the password is wrong")
        await self._pauses.right(counters[:1], counters[1:])
        await self._renewed(user, password, source)
        return Proved(user, user.factor is not None)

    async def by_code(self, user_id: str, epoch: int, code: str, where: From) -> User:
        """The second step: a code of their authenticator, or a recovery code, once each.

        Raises ``Wrong`` and ``Paused``. Whoever comes so far knows the password.
        """
        user = await find_user(self._store, user_id)
        if user is None or user.disabled or user.epoch != epoch or user.factor is None:
            raise Wrong("the sign-in has ended: begin again")
        known = await devices.is_known(self._store, user, where.device, self._clock())
        counter = Counted(CODE, f"{user.id} {where.device if known else ''}")
        await self._pauses.enter([counter])

        def spent(one: User) -> User | None:
            left = None
            if one.factor is not None and one.epoch == epoch and not one.disabled:
                left = codes.spend(one.factor, code, self._clock())
            return None if left is None else msgspec.structs.replace(one, factor=left)

        done = await change_user(self._store, self._project, user.id, spent)
        if done is None:
            raise Wrong("the code is wrong, or was used before")
        await self._pauses.right([counter])
        return done

    async def check(self, user: User, password: str, where: From) -> None:
        """Somebody who is signed in says their password again; as ``by_password``."""
        counters = await self._counters(user, user.email, source_of(where.address), where)
        await self._pauses.enter(counters)
        if not await self._hashing.verify(user.password, password, counters[0].of):
            raise Wrong("the password is wrong")
        await self._pauses.right(counters[:1], counters[1:])

    async def _counters(
        self, user: User | None, named: str, source: str, where: From
    ) -> list[Counted]:
        if user is not None and await devices.is_known(
            self._store, user, where.device, self._clock()
        ):
            return [Counted(BROWSER, f"{user.id} {where.device}")]
        return [Counted(PAIR, f"{source} {named}"), Counted(SOURCE, source)]

    async def _renewed(self, user: User, password: str, source: str) -> None:
        """Hash it anew where the cost has been changed since."""
        if not self._hashing.is_old(user.password):
            return
        new = await self._hashing.hash(password, source)

        def renewed(one: User) -> User | None:
            same = one.password == user.password
            return msgspec.structs.replace(one, password=new) if same else None

        await change_user(self._store, self._project, user.id, renewed)


def _named(email: str) -> str:
    """The address in normal form; what is none is nobody's, and is counted as it is."""
    try:
        return parse_account_email(email)
    except BadUser:
        return email.strip().casefold()[:320]
