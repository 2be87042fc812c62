"""What may be done with a login, in the order in which it happens.

::

    begin          what an authorization request asks for
    identified     a password was right: one step of several
    authenticated  nothing more has to be shown: whom it lets in, and by which means
    code           an authorization code for its client, good once and for a minute
    exchange       the code becomes tokens
    refresh        a refresh token becomes the next one
    end            nothing of it opens anything from now on

Each is one step for all processes on a store: of two who exchange one code, one succeeds. A code or
a refresh token that comes a second time is in strange hands, so all of the login ends.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from uuid import uuid4

from msgspec.structs import replace

from threadwell.fhir.stamp import Clock
from threadwell.logins import endings, kept
from threadwell.logins.login import (
    CODE_LIFE,
    IDLE,
    LONGEST,
    OFFLINE,
    PATIENCE,
    Asked,
    Granted,
    Login,
    Member,
    Presented,
    Refused,
)
from threadwell.logins.pkce import answers
from threadwell.projects.hints import login_id
from threadwell.stores.contract import Store

_GONE = "The login is over"
_BAD_CODE = "Invalid code"
_BAD_REFRESH = "Invalid refresh token"
#: Milliseconds that its access tokens may outlive a login without a refresh token by nothing.
_TOKEN = 3_600_000


class Logins:
    """The logins of a project. ``secret`` is the server's own, for refresh tokens."""

    def __init__(self, store: Store, project: str, secret: bytes, clock: Clock) -> None:
        self._store = store
        self._project = project
        self._secret = secret
        self._clock = clock

    async def begin(self, asked: Asked, *, agent: str = "", generation: int = 0) -> Login:
        """A login for what is asked; somebody has ``PATIENCE`` to say who they are.

        Its id is told to the browser that signs in and to nobody else until it is authenticated.
        """
        now = self._clock()
        login = Login(
            login_id(str(uuid4()), self._project),
            self._project,
            asked,
            begun=now,
            until=now + PATIENCE,
            agent=agent[:200],
            generation=generation,
            scopes=asked.scopes,
        )
        await kept.keep_new(self._store, login, now)
        return login

    async def identified(self, id_: str, user: str, methods: Sequence[str]) -> Login:
        """Note that somebody has shown a part of what they must; raises ``Refused``."""
        return await self._step(id_, lambda login: _identified(login, user, methods))

    async def authenticated(self, id_: str, member: Member, methods: Sequence[str]) -> Login:
        """Note whom it lets in, by all the means that were shown; raises ``Refused``."""
        now = self._clock()

        def change(login: Login) -> Login:
            login = _identified(login, member.user, methods)
            return replace(login, member=member, authenticated=now)

        return await self._step(id_, change)

    async def code(
        self,
        id_: str,
        scopes: Iterable[str] | None = None,
        launch: Mapping[str, str] | None = None,
    ) -> str:
        """An authorization code for its client, the one that there is; raises ``Refused``.

        ``scopes`` are those of the asked ones that the person agreed to, all where it is ``None``.
        ``launch`` is what the app is opened on, where that was chosen meanwhile.
        """
        now = self._clock()
        secret = secrets.token_urlsafe(32)
        agreed = None if scopes is None else frozenset(scopes)

        def change(login: Login) -> Login:
            if login.member is None or login.code_sha256:
                raise Refused(_GONE)
            granted = [s for s in login.asked.scopes if agreed is None or s in agreed]
            return replace(
                login,
                scopes=tuple(granted),
                asked=login.asked if launch is None else replace(login.asked, launch=dict(launch)),
                code_sha256=_digest(secret),
                code_until=now + CODE_LIFE,
                until=now + CODE_LIFE,
            )

        await self._step(id_, change)
        return f"{id_}.{secret}"

    async def exchange(self, code: str, by: Presented) -> Granted:
        """The login of a code, whose tokens are handed out now; raises ``Refused``.

        A code is good once. Shown again, or by a client, from an address or with a verifier that
        it is not for, it is known to others than it should be: all of its login ends.
        """
        now = self._clock()
        id_, _, secret = code.partition(".")
        why = ""

        def change(login: Login) -> Login:
            nonlocal why
            why = ""
            if not login.code_sha256 or not hmac.compare_digest(_digest(secret), login.code_sha256):
                raise Refused(_BAD_CODE)
            if login.ended:
                raise Refused(_GONE)
            why = _misused(login, by, now)
            if why:
                return replace(login, ended=now, why=why)
            has_refresh = OFFLINE in login.scopes
            return replace(
                login,
                code_used=now,
                refreshed=1 if has_refresh else 0,
                until=now + (IDLE if has_refresh else _TOKEN),
            )

        login = await self._changed(id_, change, _BAD_CODE)
        if why:
            await endings.tell(self._store)
            raise Refused(why)
        return self._granted(login)

    async def refresh(self, token: str, client: str, scopes: Iterable[str] = ()) -> Granted:
        """The login of a refresh token, with the next one; raises ``Refused``.

        ``scopes`` narrow what this access token may do (RFC 6749 §6): the login in the answer has
        these alone, the one that is kept has all of them still.
        """
        now = self._clock()
        id_, number = self._read(token)
        asked = tuple(scopes)
        reused = False

        def change(login: Login) -> Login:
            nonlocal reused
            reused = False
            if login.asked.client != client or login.ended or login.until <= now:
                raise Refused(_BAD_REFRESH)
            if not set(asked) <= set(login.scopes):
                raise Refused("More is asked for than was granted", "invalid_scope")
            if number != login.refreshed:
                reused = True
                return replace(login, ended=now, why="a refresh token was used twice")
            until = min(now + IDLE, login.authenticated + LONGEST)
            return replace(login, refreshed=number + 1, until=until)

        login = await self._changed(id_, change, _BAD_REFRESH)
        if reused:
            await endings.tell(self._store)
            raise Refused(_BAD_REFRESH)
        return self._granted(replace(login, scopes=asked or login.scopes))

    async def find(self, id_: str) -> Login | None:
        """The login, unless it is over."""
        login = await kept.find(self._store, id_)
        return login if login is not None and self.is_on(login) else None

    async def by_refresh_token(self, token: str) -> Login | None:
        """The login whose last refresh token that is, unless it is over."""
        try:
            id_, number = self._read(token)
        except Refused:
            return None
        login = await self.find(id_)
        return login if login is not None and login.refreshed == number else None

    def is_on(self, login: Login) -> bool:
        """Whether it is of this project and not over."""
        return login.project == self._project and not login.ended and login.until > self._clock()

    async def end(self, id_: str, why: str = "signed out") -> None:
        """End it; running servers refuse its tokens within ``access.LOOK``."""
        now = self._clock()
        changed = await kept.change(
            self._store,
            id_,
            lambda login: login if login.ended else replace(login, ended=now, why=why),
        )
        if changed is not None and changed.before.authenticated:
            await endings.tell(self._store)

    async def of(self, who: str) -> list[Login]:
        """The logins of somebody (``Member.who``) that are not over, the oldest first."""
        found = await kept.of(self._store, self._project, who)
        return [login for login in found if self.is_on(login)]

    async def end_all(self, who: str, why: str, *, but: str = "") -> int:
        """End the logins of somebody, all but one; how many these were."""
        ended = [login.id for login in await self.of(who) if login.id != but]
        for id_ in ended:
            await self.end(id_, why)
        return len(ended)

    async def _step(self, id_: str, how: kept.Change) -> Login:
        def change(login: Login) -> Login:
            if not self.is_on(login) or login.code_used:
                raise Refused(_GONE)
            return how(login)

        return await self._changed(id_, change, _GONE)

    async def _changed(self, id_: str, how: kept.Change, unknown: str) -> Login:
        def change(login: Login) -> Login:
            if login.project != self._project:
                raise Refused(unknown)
            return how(login)

        changed = await kept.change(self._store, id_, change)
        if changed is None:
            raise Refused(unknown)
        return changed.after

    def _granted(self, login: Login) -> Granted:
        number = login.refreshed
        return Granted(login, self._token(login.id, number) if number else "")

    def _token(self, id_: str, number: int) -> str:
        return f"{id_}.{number}.{self._signature(id_, number)}"

    def _read(self, token: str) -> tuple[str, int]:
        """Of which login it is, and the how-manieth; raises ``Refused`` for none of ours."""
        id_, _, rest = token.partition(".")
        counted, _, signature = rest.partition(".")
        if not (counted.isascii() and counted.isdecimal() and len(counted) < 12):
            raise Refused(_BAD_REFRESH)
        expected = self._signature(id_, int(counted)).encode()
        if not hmac.compare_digest(expected, signature.encode()):
            raise Refused(_BAD_REFRESH)
        return id_, int(counted)

    def _signature(self, id_: str, number: int) -> str:
        told = f"{self._project}\n{id_}\n{number}".encode()
        return hmac.new(self._secret, told, hashlib.sha256).hexdigest()


def _identified(login: Login, user: str, methods: Sequence[str]) -> Login:
    if login.member is not None or (login.user and login.user != user):
        # One login is of one person: who begins as one cannot end as another.
        raise Refused(_GONE)
    return replace(login, user=user, methods=tuple(dict.fromkeys((*login.methods, *methods))))


def _misused(login: Login, by: Presented, now: int) -> str:
    """Why a code that is the login's cannot be exchanged so; ``""`` if it can."""
    asked = login.asked
    if login.code_used:
        return "The code was used before"
    if login.code_until <= now:
        return "The code has expired"
    if asked.client != by.client:
        return "The code is for another client"
    if asked.redirect_uri and asked.redirect_uri != by.redirect_uri:
        return "The redirect_uri is another than the code was sent to"
    if not answers(asked.challenge, by.verifier):
        return "Invalid code_verifier"
    return ""


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
