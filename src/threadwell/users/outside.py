"""Signing in by an outside provider: sent there with a question, and back with an answer to it.

::

    begin    where the browser is sent (authorization code with PKCE), and the cookie that it keeps
    finish   what it comes back with: whose account it is, by an ID token that is for this question
    ended    the provider itself tells that somebody has signed out there

Nothing of an answer is looked at that does not come with the cookie and the state of its question.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from threadwell.fhir.stamp import Clock
from threadwell.stores.contract import Store
from threadwell.users.accounts import end_logins
from threadwell.users.believing import believed, completed, means_of
from threadwell.users.browsers import end_of_provider
from threadwell.users.keeping import find_user
from threadwell.users.linking import account_of, known, told_of
from threadwell.users.once import keep_once, take_once
from threadwell.users.password_links import Link
from threadwell.users.pauses import OUTSIDE, Counted, Pauses, source_of
from threadwell.users.provider_calls import Described, ProviderCalls
from threadwell.users.providers import Provider
from threadwell.users.signing_in import From, Wrong
from threadwell.users.user import User

#: How long somebody may take at the provider, in milliseconds.
LIFE = 15 * 60_000
_KIND = "outside-question"
#: What a logout token has to say that happened.
_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
_LONGEST_SID = 300


class Question(msgspec.Struct, frozen=True):
    """What a browser was sent away with. ``owner`` is the id of the account that it links, at its
    ``epoch``; ``link`` the id and secret of an invitation.
    """

    provider: str
    state: str
    nonce: str
    verifier: str
    back: str
    owner: str = ""
    epoch: int = 0
    link: tuple[str, str] | None = None


class Away(NamedTuple):
    """Where a browser is sent, and the cookie that it keeps until it is back."""

    url: str
    cookie: str


class Back(NamedTuple):
    """Who has come back, by which means (RFC 8176), and whether it was to link their account.

    ``sid`` is the provider's name for that sign-in, ``""`` where it has none.
    """

    user: User
    methods: tuple[str, ...]
    linked: bool
    sid: str


class Outside:
    """The way by outside providers to the accounts of a project."""

    def __init__(self, store: Store, project: str, calls: ProviderCalls, clock: Clock) -> None:
        self._store = store
        self._project = project
        self._calls = calls
        self._clock = clock
        self._pauses = Pauses(store, project, clock)

    async def begin(
        self,
        provider: Provider,
        back: str,
        where: From,
        *,
        owner: User | None = None,
        link: Link | None = None,
    ) -> Away:
        """Send a browser away, to come ``back`` (a URL of ours).

        ``owner`` is who links their account, ``link`` an invitation that they have opened. Raises
        ``ProviderDown`` and ``Paused``.
        """
        await self._pauses.enter([counted(where)])
        described = await self._calls.described(provider)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        question = Question(
            *(provider.name, state, nonce, verifier, back),
            owner=owner.id if owner else "",
            epoch=owner.epoch if owner else 0,
            link=(link.id, link.secret) if link else None,
        )
        value = msgspec.json.encode(question)
        cookie = await keep_once(
            self._store, self._project, _KIND, value, now=self._clock(), life=LIFE
        )
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        asked = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": back,
            "scope": " ".join(provider.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        mark = "&" if "?" in described.authorize else "?"
        return Away(f"{described.authorize}{mark}{urlencode(asked)}", cookie)

    async def finish(
        self, provider: Provider, cookie: str, answer: Mapping[str, str], where: From
    ) -> Back:
        """Whom the answer of a provider lets in. Raises ``Wrong`` and ``ProviderDown``."""
        value = await take_once(self._store, self._project, _KIND, cookie, self._clock())
        question = None if value is None else msgspec.json.decode(value, type=Question)
        state = answer.get("state", "").encode()
        if (
            question is None
            or question.provider != provider.name
            or not hmac.compare_digest(question.state.encode(), state)
        ):
            raise Wrong("the sign-in took too long, or was begun in another window: begin again")
        described = await self._calls.described(provider)
        issuer = answer.get("iss")
        if issuer != provider.issuer and (issuer is not None or described.names_itself):
            # RFC 9207: an answer of one provider must not be taken for that of another.
            raise Wrong(f"the answer is not that of {provider.label}: begin again")
        if "error" in answer:
            raise Wrong(f"{provider.label} did not let you in")
        claims = await self._claims(provider, described, question, answer.get("code", ""))
        told = told_of(provider, claims)
        owner = await self._owner(question)
        user = await account_of(
            *(self._store, self._project, provider, told, self._clock),
            owner=owner,
            link=Link(*question.link) if question.link else None,
        )
        await self._pauses.right((), [counted(where)])
        return Back(user, means_of(claims), owner is not None, _sid(claims))

    async def ended(self, provider: Provider, token: str) -> User | None:
        """Sign out whom a logout token names (OpenID Connect Back-Channel Logout §2.6).

        ``None`` where they have no account. Raises ``Wrong`` and ``ProviderDown``.
        """
        described = await self._calls.described(provider)
        claims = await self._believed(provider, described, token)
        events = claims.get("events")
        if not isinstance(events, Mapping) or _LOGOUT not in events or "nonce" in claims:
            raise Wrong("that is no logout token")
        user = await known(self._store, provider, claims["sub"])
        if user is not None:
            sid = _sid(claims)
            await end_of_provider(self._store, self._project, user, provider.name, sid)
            why = "the provider has signed them out"
            await end_logins(self._store, self._project, user, why, self._clock)
        return user

    async def sign_out_url(self, provider: Provider, back: str) -> str:
        """Where somebody signs out of a provider (OpenID Connect RP-Initiated Logout §2).

        ``""`` where it has no such page. Raises ``ProviderDown``.
        """
        described = await self._calls.described(provider)
        if not described.end_session:
            return ""
        asked = {"client_id": provider.client_id, "post_logout_redirect_uri": back}
        mark = "&" if "?" in described.end_session else "?"
        return f"{described.end_session}{mark}{urlencode(asked)}"

    async def _claims(
        self, provider: Provider, described: Described, question: Question, code: str
    ) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": question.back,
            "code_verifier": question.verifier,
        }
        given = await self._calls.exchanged(provider, described, form)
        claims = await self._believed(provider, described, given["id_token"])
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(
            nonce.encode(errors="replace"), question.nonce.encode()
        ):
            raise Wrong(f"what {provider.label} says is of another sign-in: begin again")
        access = given.get("access_token")
        return await completed(self._calls, provider, described, claims, access)

    async def _believed(
        self, provider: Provider, described: Described, token: str
    ) -> dict[str, Any]:
        return await believed(self._calls, provider, described, token, self._clock())

    async def _owner(self, question: Question) -> User | None:
        if not question.owner:
            return None
        owner = await find_user(self._store, question.owner)
        if owner is None or owner.disabled or owner.epoch != question.epoch:
            raise Wrong("your account has changed meanwhile: sign in, and begin again")
        return owner


def _sid(claims: Mapping[str, Any]) -> str:
    sid = claims.get("sid")
    return sid[:_LONGEST_SID] if isinstance(sid, str) else ""


def counted(where: From) -> Counted:
    """As which a request counts among those that go wrong."""
    return Counted(OUTSIDE, source_of(where.address))
