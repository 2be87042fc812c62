"""Who is asking: the ``Authorization`` header of a request → ``Caller``.

A token's signature and a client's secret are checked once; after that what was sent is itself the
key to the answer. What can change meanwhile, a client removed or a login ended, is looked up again
whenever such a thing has happened in any process, which is asked every ``LOOK``; and every
``RECHECK`` in any case.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from typing import NamedTuple
from weakref import WeakValueDictionary

from threadwell.access.memberships import Policies
from threadwell.access.policy import Policy
from threadwell.access.scopes import about_resources, narrowed
from threadwell.api.claims import Claims
from threadwell.api.exchange import Caller
from threadwell.api.oauth.clients import Client, find_client, refuse_unknown
from threadwell.api.oauth.keys import Keyring
from threadwell.api.oauth.limits import limits_of, marked
from threadwell.api.oauth.tokens import verify
from threadwell.api.outcomes import forbidden, unauthorized
from threadwell.fhir.stamp import Clock
from threadwell.logins import endings, marks
from threadwell.logins.login import Member
from threadwell.logins.logins import Logins
from threadwell.logins.people import People
from threadwell.projects.hints import hint_of
from threadwell.stores.contract import Store

#: For whom an administrator's request is made: ``ProjectMembership/…``, or a profile.
BEHALF = b"x-medplum-on-behalf-of"
#: Milliseconds until a token or secret that was good is looked at again.
RECHECK = 5_000
#: Milliseconds that something ended elsewhere may go unnoticed.
LOOK = 200
#: Milliseconds for which all sockets of a token share what was found out of it.
SHARED = 1_000
#: Policies that are remembered as scopes leave them.
_MOST_NARROWED = 1_000
#: Tokens and secrets remembered at once; more than this many begin anew.
MAX_KNOWN = 10_000


class Access:
    """The one door to everything but metadata and health."""

    def __init__(
        self,
        store: Store,
        project: str,
        keys: Keyring,
        issuer: str,
        clock: Clock,
        policies: Policies,
        logins: Logins,
        people: People,
    ) -> None:
        self._store = store
        self._project = project
        self._keys = keys
        self._issuer = issuer
        self._clock = clock
        self._policies = policies
        self._logins = logins
        self._people = people
        self._narrowed: dict[tuple[Policy | None, tuple[str, ...], str, str], Policy] = {}
        self._known: dict[bytes, _Known] = {}
        self._having: dict[Claims, _Known] = {}
        self._turns: WeakValueDictionary[Claims, asyncio.Lock] = WeakValueDictionary()
        self._look = 0
        self._reload = 0
        self._last: bytes | None = None

    def known(self, headers: Mapping[bytes, bytes]) -> Caller | None:
        """Who asks, where that is known by now and nothing is to be looked up."""
        now = self._clock()
        if now >= self._look:
            return None
        header = headers.get(b"authorization", b"")
        if BEHALF in headers:
            header = _for_another(header, headers[BEHALF])
        known = self._known.get(header)
        if known is None or now >= known.recheck or known.last != self._last:
            return None
        return known.caller

    async def caller(self, headers: Mapping[bytes, bytes]) -> Caller:
        """Whoever is asked for: who asks, or whom they act for by ``BEHALF``.

        Raises ``FhirError`` 401 where it cannot be told who asks or they may not, and 403 where
        they do not act for others, or there is nobody of that name whom they could act for.
        """
        asking = await self.asking(headers)
        if BEHALF not in headers:
            return asking
        if not asking.admin or asking.policy is not None:
            raise forbidden()
        header, named = headers.get(b"authorization", b""), headers[BEHALF]
        both = _for_another(header, named)
        now, known = self._clock(), self._known.get(both)
        if known and now < known.recheck and known.last == self._last:
            return known.caller
        last = self._last
        caller = await self._acting(asking, named.decode("latin-1"))
        if caller is None:
            raise forbidden()
        own = self._known.get(header)
        recheck = min(_recheck(caller, now), own.recheck if own else now)
        self._remember(both, _Known(caller, None, recheck, last))
        return caller

    async def asking(self, headers: Mapping[bytes, bytes]) -> Caller:
        """Who asks, whomever they act for; raises ``FhirError`` 401."""
        header = headers.get(b"authorization", b"")
        now = self._clock()
        await self.look()
        known = self._known.get(header)
        if known and now < known.recheck and known.last == self._last:
            return known.caller
        scheme, _, credentials = header.partition(b" ")
        caller = None
        if scheme.lower() == b"bearer":
            caller = await self._by_token(header, credentials.strip(), now)
        elif scheme.lower() == b"basic":
            caller = await self._by_secret(header, credentials, now)
        if caller is None:
            raise unauthorized()
        return caller

    async def client(self, client_id: str) -> Client | None:
        """The client if it may log in here."""
        client = await find_client(self._store, client_id)
        is_ours = client is not None and client.project == self._project and client.active
        return client if is_ours else None

    async def of(self, claims: Claims) -> Caller | None:
        """Who has these claims, if they may still ask."""
        client: Client | None = None
        if claims.client_id or not claims.person:
            client = await self.client(claims.client_id)
            if client is None or client.generation != claims.generation:
                return None
        if claims.person:
            return await self._person(claims, client)
        if claims.login_id and await marks.ended(self._store, claims.login_id):
            return None
        assert client is not None
        return await self._client(client, claims)

    def still(self, claims: Claims) -> Caller | None:
        """Who has these claims, where that was found a moment ago and nothing has ended since."""
        known, now = self._having.get(claims), self._clock()
        if known is None or now >= min(known.recheck, self._look) or known.last != self._last:
            return None
        return known.caller

    async def having(self, claims: Claims) -> Caller | None:
        """As ``of``, once a ``SHARED`` for all who ask with the same claims.

        What has ended since is seen as soon as it is for requests.
        """
        await self.look()
        # Of those who ask together one looks it up.
        async with self._turns.setdefault(claims, asyncio.Lock()):
            caller = self.still(claims)
            if caller is None:
                last, now = self._last, self._clock()
                caller = await self.of(claims)
                if caller is None:
                    self._having.pop(claims, None)
                    return None
                if len(self._having) >= MAX_KNOWN:
                    self._having.clear()
                recheck = min(now + SHARED, _recheck(caller, now))
                self._having[claims] = _Known(caller, claims, recheck, last)
            return caller

    async def look(self) -> None:
        """Look whether anything has ended since, unless that was a moment ago."""
        now = self._clock()
        if now >= self._look:
            self._look = now + LOOK
            before, self._last = self._last, await endings.last(self._store)
            if self._last != before:
                await self._keys.load()

    async def policy_of(self, who: str) -> Policy | None:
        """The policy of somebody, by the reference that has it; ``None`` without one."""
        return await self._policies.of(who, self._clock())

    async def mark(self, who: str, claims: Claims) -> str:
        """What changes with all that says what a client may do, by its reference."""
        client = await self.client(who.partition("/")[2])
        limits = limits_of(client, claims) if client is not None else ()
        return marked(await self._policies.mark(who, self._clock()), limits, claims)

    def look_again(self) -> None:
        """Something has changed here: look before anybody else is let in by what was known."""
        self._look = 0

    def forget(self, headers: Mapping[bytes, bytes]) -> None:
        """Look the caller up anew when they next ask."""
        header = headers.get(b"authorization", b"")
        begins = _for_another(header, b"")
        for known in [one for one in self._known if one == header or one.startswith(begins)]:
            del self._known[known]

    async def _by_token(self, header: bytes, token: bytes, now: int) -> Caller | None:
        known, last = self._known.pop(header, None), self._last
        seconds = now // 1000
        claims = (
            known.claims
            if known and known.claims and seconds < known.claims.expires
            else verify(self._keys, self._issuer, token.decode("latin-1"), seconds)
        )
        if claims is None and self._keys.find(token.decode("latin-1"), seconds) is None:
            # Another process may have signed it with a key that is new.
            if now < self._reload:
                return None
            self._reload = now + LOOK
            await self._keys.load()
            claims = verify(self._keys, self._issuer, token.decode("latin-1"), seconds)
        caller = await self.of(claims) if claims is not None else None
        if claims is None or caller is None:
            return None
        recheck = min(_recheck(caller, now), claims.expires * 1000)
        self._remember(header, _Known(caller, claims, recheck, last))
        return caller

    async def _by_secret(self, header: bytes, credentials: bytes, now: int) -> Caller | None:
        last = self._last
        pair = basic(credentials)
        if pair is None:
            return None
        client = await self.client(pair[0])
        if client is None:
            refuse_unknown(pair[1])
            return None
        if not client.accepts(pair[1]):
            return None
        claims = Claims(client.id, generation=client.generation, project=hint_of(self._project))
        caller = await self._client(client, claims)
        self._remember(header, _Known(caller, None, _recheck(caller, now), last))
        return caller

    def _remember(self, header: bytes, known: _Known) -> None:
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[header] = known

    async def _client(self, client: Client, claims: Claims) -> Caller:
        reference = f"ClientApplication/{client.id}"
        policy = await self._policies.of(reference, self._clock())
        acts_as = policy.profile if policy is not None else reference
        limit = self._limited(policy, client, claims, acts_as)
        return Caller(acts_as, client.id, client.name, client.admin, claims.login_id, limit, claims)

    async def member(self, member: Member) -> Caller | None:
        """Somebody with all that is theirs, whatever app they use; ``None`` if they may not ask."""
        standing = await self._people.standing(member)
        if standing is None:
            return None
        policy = await self._policies.of(standing.policy_of, self._clock())
        return Caller(member.profile, "", standing.name, standing.admin, "", policy)

    async def _acting(self, asking: Caller, named: str) -> Caller | None:
        """A member as somebody acts for them: with what is theirs, and without what only they may
        do themselves.
        """
        member = await self._people.member(named)
        caller = await self.member(member) if member is not None else None
        if member is None or caller is None:
            return None
        return caller._replace(
            client_id=asking.client_id,
            admin=False,
            through=asking.reference,
            membership=member.membership,
        )

    async def _person(self, claims: Claims, client: Client | None) -> Caller | None:
        login = await self._logins.find(claims.login_id)
        if login is None or login.member is None or login.asked.client != claims.client_id:
            return None
        caller = await self.member(login.member)
        if caller is None:
            return None
        # What was asked for with limits stays limited, however little of it a token has.
        is_limited = bool(about_resources(login.asked.scopes))
        policy = self._limited(
            caller.policy, client, claims, caller.reference, is_limited=is_limited
        )
        return caller._replace(
            client_id=claims.client_id, login_id=claims.login_id, policy=policy, claims=claims
        )

    def _limited(
        self,
        policy: Policy | None,
        client: Client | None,
        claims: Claims,
        profile: str,
        *,
        is_limited: bool = False,
    ) -> Policy | None:
        """The policy as the scopes leave it, compiled once and then remembered."""
        scopes = limits_of(client, claims, is_limited=is_limited)
        if scopes is None:
            return policy
        key = (policy, scopes, profile, claims.patient)
        known = self._narrowed.get(key)
        if known is None:
            known = narrowed(policy, scopes, profile, claims.patient)
            if len(self._narrowed) >= _MOST_NARROWED:
                self._narrowed.clear()
            self._narrowed[key] = known
        return known


class _Known(NamedTuple):
    """``last`` is what had ended last when the rest was looked up; ``claims`` are those of a
    token.
    """

    caller: Caller
    claims: Claims | None
    recheck: int
    last: bytes | None


def _recheck(caller: Caller, now: int) -> int:
    """When who was let in is looked up again: no later than what they may see may change."""
    lasts = caller.policy.lasts if caller.policy is not None else None
    return now + RECHECK if lasts is None else min(now + RECHECK, lasts)


def _for_another(header: bytes, named: bytes) -> bytes:
    """By what it is remembered: no header has a line break."""
    return b"%s\n%s" % (header, named)


def basic(credentials: bytes) -> tuple[str, str] | None:
    """Name and password of ``Authorization: Basic`` (RFC 7617); ``None`` if they are garbled."""
    try:
        name, colon, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, secret) if colon else None
