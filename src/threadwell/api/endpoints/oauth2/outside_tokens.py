"""``oauth2/token`` with what an outside provider has given to an app: a token (RFC 8693), or a code
that it sent to ``auth/external``.

Either opens the account that a sign-in by that provider opens, with the roles that this gives. Only
apps of the practice's own come so: people are shown no page on which they could agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import msgspec

from threadwell.access.scopes import granted
from threadwell.api.context import Context
from threadwell.api.endpoints.oauth2.forms import OAuthError, listed
from threadwell.api.endpoints.oauth2.proving import prove_if_any
from threadwell.api.exchange import Request
from threadwell.api.oauth.clients import Client
from threadwell.api.signing import account_known
from threadwell.api.whence import where_from
from threadwell.logins.login import OFFLINE, Asked, Granted, Presented
from threadwell.logins.pkce import answers
from threadwell.users.accounts import acts_as, as_login_member
from threadwell.users.exchanging import Came
from threadwell.users.once import keep_once, take_once
from threadwell.users.pauses import Paused
from threadwell.users.provider_calls import ProviderDown
from threadwell.users.providers import find_provider
from threadwell.users.signing_in import Wrong
from threadwell.users.user import Member, User

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a kind of tokens
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - likewise
_TYPES = (ACCESS_TOKEN, ID_TOKEN, "urn:ietf:params:oauth:token-type:jwt")
#: Where a provider sends the browser of an app back to, as Medplum's clients name it.
BACK = "auth/external"
#: By what a code of ``auth/external`` is known from one of ours.
_PREFIX = "outside-"
_KIND = "outside-code"
_LIFE = 60_000

Form = Mapping[str, str]


class Code(msgspec.Struct, frozen=True):
    """A provider's code that waits for the app which has its verifier.

    ``client`` is the app's id here, ``challenge`` that of its verifier, and ``back`` the URL to
    which the provider has sent the code.
    """

    provider: str
    code: str
    client: str
    challenge: str
    back: str
    scopes: tuple[str, ...]
    nonce: str = ""


async def exchanged(context: Context, request: Request, form: Form) -> Granted:
    """The login that a provider's token opens; raises ``OAuthError`` and ``Refused``."""
    client = await _own(context, request, form)
    type_ = form.get("subject_token_type", "")
    if type_ not in _TYPES:
        raise OAuthError("invalid_request", f"subject_token_type must be {' or '.join(_TYPES)}")
    if form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        raise OAuthError("invalid_request", f"requested_token_type must be {ACCESS_TOKEN}")
    if "actor_token" in form:
        raise OAuthError("invalid_request", "actor_token is not supported")
    here = {name for url in context.served for name in (url, f"{url}/", f"{url}/fhir/R4")}
    for name in ("audience", "resource"):
        if form.get(name, context.base) not in here:
            raise OAuthError("invalid_target", f"{name} is another server")
    token = form.get("subject_token")
    if not token:
        raise OAuthError("invalid_request", "Missing subject_token")
    scopes = scopes_of(client, listed(form, "scope"))
    try:
        came = await context.exchanging.by_token(
            token, form.get("subject_issuer", ""), where_from(request), is_id=type_ == ID_TOKEN
        )
    except (Wrong, ProviderDown, Paused) as error:
        _refuse(error, "invalid_request")
    asked = Asked(client.id, scopes, nonce=form.get("nonce", ""))
    return await _let_in(context, request, client, asked, came, form.get("membership_id", ""))


async def kept_code(context: Context, code: Code) -> str:
    """The code that an app gets for one of a provider's: good once, and for a minute."""
    value = msgspec.json.encode(code)
    now = context.clock()
    cookie = await keep_once(context.whole, context.project, _KIND, value, now=now, life=_LIFE)
    return f"{_PREFIX}{cookie}"


def is_outside(code: str) -> bool:
    """Is it one of those that ``kept_code`` gives?"""
    return code.startswith(_PREFIX)


async def of_code(context: Context, request: Request, form: Form) -> Granted:
    """The login that such a code opens; raises ``OAuthError`` and ``Refused``."""
    client = await _own(context, request, form)
    cookie = form.get("code", "").removeprefix(_PREFIX)
    value = await take_once(context.whole, context.project, _KIND, cookie, context.clock())
    kept = None if value is None else msgspec.json.decode(value, type=Code)
    if kept is None or kept.client != client.id:
        raise OAuthError("invalid_grant", "Invalid code")
    verifier = form.get("code_verifier", "")
    if not answers(kept.challenge, verifier):
        raise OAuthError("invalid_grant", "Invalid code_verifier")
    provider = await find_provider(context.whole, context.project, kept.provider)
    if provider is None:
        raise OAuthError("invalid_grant", "Invalid code")
    where = where_from(request)
    try:
        came = await context.exchanging.by_code(provider, kept.code, verifier, kept.back, where)
    except (Wrong, ProviderDown, Paused) as error:
        _refuse(error, "invalid_grant")
    asked = Asked(client.id, kept.scopes, nonce=kept.nonce)
    return await _let_in(context, request, client, asked, came, "")


def scopes_of(client: Client, asked: list[str]) -> tuple[str, ...]:
    """What an app of the practice's own gets that asks for these scopes, or for none.

    Without any it can come again without the provider, as Medplum's apps expect. Raises
    ``OAuthError`` where nothing is left.
    """
    words = [OFFLINE if one == "offline" else one for one in asked]
    words = words or [*client.scopes] or ["openid", OFFLINE]
    scopes = granted(words, client.scopes, ("patient", "user"))
    if not scopes:
        raise OAuthError("invalid_scope", "None of the scopes can be granted")
    return tuple(dict.fromkeys(scopes))


async def _own(context: Context, request: Request, form: Form) -> Client:
    client = await prove_if_any(context, request, form)
    if client is None:
        raise OAuthError("invalid_request", "Missing client_id")
    if client.outside:
        # People agree to what such an app may do on a page of ours: ``oauth2/authorize``.
        raise OAuthError("unauthorized_client", "The client is not the practice's own")
    return client


async def _let_in(
    context: Context, request: Request, client: Client, asked: Asked, came: Came, membership: str
) -> Granted:
    account_known(context, request, came.user)
    member = _member(context, came.user, membership)
    agent = request.headers.get(b"user-agent", b"").decode("latin-1")
    login = await context.logins.begin(asked, agent=agent, generation=client.generation)
    who = as_login_member(came.user, member)
    await context.logins.authenticated(login.id, who, came.methods)
    code = await context.logins.code(login.id)
    return await context.logins.exchange(code, Presented(client.id))


def _member(context: Context, user: User, membership: str) -> Member:
    if not membership:
        found = acts_as(user, context.project)
    else:
        id_ = membership.removeprefix("ProjectMembership/")
        mine = [one for one in user.members if one.project == context.project]
        found = next((one for one in mine if one.id == id_), None)
    if found is None:
        raise OAuthError("invalid_request", "There is no such membership")
    return found


def _refuse(error: Exception, code: str) -> NoReturn:
    text = f"{str(error)[:1].upper()}{str(error)[1:]}"
    if isinstance(error, ProviderDown):
        raise OAuthError("temporarily_unavailable", f"The provider: {error}", 503) from None
    if isinstance(error, Paused):
        raise OAuthError("slow_down", text, 429, error.seconds) from None
    raise OAuthError(code, text) from None
