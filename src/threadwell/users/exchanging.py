"""Tokens and codes that a provider has given to an app of ours: whose account they open.

::

    by_token   an ID token, or an access token (RFC 8693)
    by_code    a code, with the verifier of PKCE that the app alone has

An access token says nothing of for whom it was made unless it is signed, or the provider is asked
(RFC 7662): one that another app was given would let that app in as all of its users.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from threadwell.fhir.stamp import Clock
from threadwell.stores.contract import Store
from threadwell.users.believing import believed, completed, means_of, unbelievable
from threadwell.users.id_tokens import (
    FOR_OTHERS,
    LONGEST,
    NOT_OURS,
    PARTIES,
    BadToken,
    audience_of,
    checked_of_app,
    given_to,
    header_of,
    is_id_token,
    meant_for_us,
)
from threadwell.users.linking import account_of, told_of
from threadwell.users.outside import counted
from threadwell.users.pauses import Pauses
from threadwell.users.provider_calls import Described, ProviderCalls
from threadwell.users.providers import Provider, providers
from threadwell.users.signing_in import From, Wrong
from threadwell.users.user import User

_DOTS = 2


class Came(NamedTuple):
    """Whose account it is, and by which means they signed in there (RFC 8176)."""

    user: User
    methods: tuple[str, ...]


class Exchanging:
    """What opens accounts of a project that a provider has given to apps."""

    def __init__(self, store: Store, project: str, calls: ProviderCalls, clock: Clock) -> None:
        self._store = store
        self._project = project
        self._calls = calls
        self._clock = clock
        self._pauses = Pauses(store, project, clock)

    async def by_token(self, token: str, issuer: str, where: From, *, is_id: bool) -> Came:
        """Whom a token lets in, as a sign-in by that provider would.

        ``issuer`` is the one that the app says it is of, ``""`` where it says none. Raises
        ``Wrong``, ``ProviderDown`` and ``Paused``.
        """
        await self._pauses.enter([counted(where)])
        there = await providers(self._store, self._project)
        provider = _chosen(there, issuer, _read(token))
        described = await self._calls.described(provider)
        claims = await self._claims(provider, described, token, is_id=is_id)
        return await self._let_in(provider, claims, where)

    async def by_code(
        self, provider: Provider, code: str, verifier: str, back: str, where: From
    ) -> Came:
        """Whom a code lets in that the provider has sent to ``back`` (a URL of ours).

        ``verifier`` is that of the challenge that the app sent to it, ``""`` where it sent none.
        Raises ``Wrong``, ``ProviderDown`` and ``Paused``.
        """
        await self._pauses.enter([counted(where)])
        described = await self._calls.described(provider)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        if verifier:
            form["code_verifier"] = verifier
        given = await self._calls.exchanged(provider, described, form)
        claims = await believed(self._calls, provider, described, given["id_token"], self._clock())
        access = given.get("access_token")
        claims = await completed(self._calls, provider, described, claims, access)
        return await self._let_in(provider, claims, where)

    async def _let_in(self, provider: Provider, claims: dict[str, Any], where: From) -> Came:
        told = told_of(provider, claims)
        user = await account_of(self._store, self._project, provider, told, self._clock)
        await self._pauses.right((), [counted(where)])
        return Came(user, means_of(claims))

    async def _claims(
        self, provider: Provider, described: Described, token: str, *, is_id: bool
    ) -> dict[str, Any]:
        access = None if is_id else token
        if token.count(".") == _DOTS:
            try:
                _, kid = header_of(token)
                keys = await self._calls.keys(provider, described, kid)
                now, own = self._clock() // 1000, (described.userinfo,)
                claims = checked_of_app(token, provider, keys, now, own)
            except BadToken as error:
                raise unbelievable(provider, error) from None
            if access is not None and is_id_token(claims):
                # Clients send one by this name: nothing can be asked for with it.
                access = None
        elif is_id:
            raise Wrong("that is no ID token")
        else:
            claims = await self._opened(provider, described, token)
        return await completed(self._calls, provider, described, claims, access)

    async def _opened(self, provider: Provider, described: Described, token: str) -> dict[str, Any]:
        """What the provider itself says of a token that says nothing."""
        if not described.introspect:
            raise Wrong(
                f"{provider.label} tells nobody to whom it has given an access token: "
                "send its ID token, as urn:ietf:params:oauth:token-type:id_token"
            )
        told = await self._calls.introspected(provider, described, token)
        if told.get("active") is not True:
            raise unbelievable(provider, BadToken("it opens nothing any more, or never did"))
        parties = [told[name] for name in PARTIES if name in told]
        if not parties or not all(given_to(provider, one) for one in parties):
            raise unbelievable(provider, BadToken(NOT_OURS))
        if not meant_for_us(
            provider, audience_of(told) if "aud" in told else (), (described.userinfo,)
        ):
            raise unbelievable(provider, BadToken(FOR_OTHERS))
        if told.get("iss", provider.issuer) != provider.issuer:
            raise unbelievable(provider, BadToken("it is of another issuer"))
        more = await self._calls.userinfo(provider, described, token)
        sub = more.get("sub", told.get("sub"))
        if not isinstance(sub, str) or not sub or told.get("sub", sub) != sub:
            raise unbelievable(provider, BadToken("it names nobody"))
        return {**more, "sub": sub}


def _chosen(there: Sequence[Provider], issuer: str, read: Mapping[str, Any]) -> Provider:
    """The provider that a token is of: the app says so, or the token itself, or there is one."""
    if not there:
        raise Wrong("no outside provider is set up here")
    named = issuer or read.get("iss")
    found = [one for one in there if named in (None, one.issuer)]
    if not found:
        raise Wrong("it is of no provider by which people sign in here")
    if len({one.issuer for one in found}) > 1:
        raise Wrong("say of which provider it is: subject_issuer")
    # One provider may be here with several clients.
    parties = [read[name] for name in PARTIES if name in read] or audience_of(read)
    return next((one for one in found if any(given_to(one, to) for to in parties)), found[0])


def _read(token: str) -> Mapping[str, Any]:
    """What a signed token says, which is looked at later; nothing where it is none."""
    if len(token) > LONGEST or token.count(".") != _DOTS:
        return {}
    part = token.split(".")[1]
    try:
        told = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
