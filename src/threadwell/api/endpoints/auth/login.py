"""``auth/login`` and the steps that follow it, as ``@medplum/core`` and ``@medplum/react`` go them.

::

    auth/login        e-mail address and password
    auth/mfa/verify   a code, where the account has a second factor
    auth/profile      which membership, where there are several

Each answers ``{login}`` with what is asked next, or with the ``code`` that ``oauth2/token`` takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from threadwell.access.scopes import granted
from threadwell.api.context import Context
from threadwell.api.endpoints.auth.bodies import body_of, refuse, text_of
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.api.signing import account_known, client_named, login_known
from threadwell.api.whence import where_from
from threadwell.fhir.outcome import invalid
from threadwell.logins.login import OFFLINE, Asked, Login, Refused
from threadwell.logins.pkce import is_challenge
from threadwell.users.accounts import as_login_member, user_id
from threadwell.users.keeping import find_user
from threadwell.users.passwords import shared
from threadwell.users.pauses import Paused
from threadwell.users.signing_in import (
    PASSWORD,
    PASSWORD_AND_CODE,
    Proved,
    SigningIn,
    Wrong,
)
from threadwell.users.user import BadUser, Member, User, parse_account_email

_OVER = "The login is over: begin again"
_CONTEXTS = ("patient", "user")


async def login(context: Context, request: Request) -> Answer:
    """The first step; 400 for what is wrong, 429 after many that were."""
    body = body_of(request)
    email, password = text_of(body, "email", needed=True), text_of(body, "password", needed=True)
    await named(context, request, body)
    await _asked(context, body)
    if text_of(body, "projectId") not in ("", context.project):
        raise invalid("There is no such project", "projectId")
    try:
        proved = await signing_in(context).by_password(email, password, where_from(request))
    except (Wrong, Paused) as error:
        refuse(error)
    return await goes_on(context, proved, request)


async def goes_on(context: Context, proved: Proved, request: Request) -> Answer:
    """The answer to the first step, where the password was right."""
    user, type_ = proved.user, text_of(body_of(request), "resourceType")
    login = await begun(context, proved, request)
    if type_ and not any(one.profile.startswith(f"{type_}/") for one in _members(context, user)):
        raise invalid(f"The account is of no {type_}", "resourceType")
    return await _next(context, login, user, type_)


async def named(context: Context, request: Request, body: Mapping[str, Any]) -> None:
    """Note for the trail which client is named, if there is such a one."""
    client = await context.access.client(text_of(body, "clientId"))
    if client is not None:
        client_named(context, request, client)


async def begun(context: Context, proved: Proved, request: Request) -> Login:
    """A login for what the app asks, of somebody whose password was right."""
    await named(context, request, body_of(request))
    account_known(context, request, proved.user)
    asked, generation = await _asked(context, body_of(request))
    agent = request.headers.get(b"user-agent", b"").decode("latin-1")
    login = await context.logins.begin(asked, agent=agent, generation=generation)
    return await context.logins.identified(login.id, f"User/{proved.user.id}", PASSWORD)


async def memberships(context: Context, user: User, type_: str = "") -> list[dict[str, Any]]:
    """Those of an account as they are shown, as a resource of ``type_`` if one is named."""
    name = await context.name()
    mine = [one for one in _members(context, user) if one.profile.startswith(type_)]
    return [_shown(context, name, user, one) for one in mine]


async def is_members(context: Context, login: str, membership: str) -> bool:
    """Whether a login is of somebody who has that membership."""
    found = await context.logins.find(login)
    user = await find_user(context.whole, user_id(found.user)) if found is not None else None
    return user is not None and any(one.id == membership for one in _members(context, user))


async def state(context: Context, request: Request) -> Answer:
    """``GET auth/login/{id}``: what is asked next."""
    begun, user = await _begun(context, request, request.path.rpartition("/")[2])
    return await _next(context, begun, user)


async def verify(context: Context, request: Request) -> Answer:
    """``POST auth/mfa/verify``: a code of the second factor."""
    body = body_of(request)
    begun, user = await _begun(context, request, text_of(body, "login", needed=True))
    token = text_of(body, "token", needed=True)
    door = signing_in(context)
    try:
        user = await door.by_code(user.id, user.epoch, token, where_from(request))
        begun = await context.logins.identified(begun.id, f"User/{user.id}", PASSWORD_AND_CODE)
    except (Wrong, Paused, Refused) as error:
        refuse(error)
    return await _next(context, begun, user)


async def profile(context: Context, request: Request) -> Answer:
    """``POST auth/profile``: which of the memberships, by its id."""
    body = body_of(request)
    begun, user = await _begun(context, request, text_of(body, "login", needed=True))
    wanted = text_of(body, "profile", needed=True)
    found = [one for one in _members(context, user) if one.id == wanted]
    if not found:
        raise invalid("There is no such membership", "profile")
    if _needs_code(begun, user):
        return await _next(context, begun, user)
    login_known(context, request, replace(begun, member=as_login_member(user, found[0])))
    return await _let_in(context, begun, user, found[0])


async def method(_context: Context, request: Request) -> Answer:
    """``POST auth/method``: by what somebody signs in. All do so by a password, known or not."""
    email = text_of(body_of(request), "email", needed=True)
    try:
        parse_account_email(email)
    except BadUser as error:
        refuse(error, "email")
    return json_answer(200, {})


def signing_in(context: Context) -> SigningIn:
    """Where people prove who they are."""
    return SigningIn(context.whole, context.project, shared(), context.clock)


async def _asked(context: Context, body: Mapping[str, Any]) -> tuple[Asked, int]:
    """What the app asks for, and the generation of its secret; raises ``FhirError``."""
    client_id = text_of(body, "clientId")
    client = await context.access.client(client_id) if client_id else None
    if client_id and (client is None or client.outside):
        # One from outside is told no password: it sends people to ``oauth2/authorize``.
        raise invalid("There is no such client of the practice's own", "clientId")
    challenge = text_of(body, "codeChallenge")
    if text_of(body, "codeChallengeMethod") not in ("", "S256"):
        raise invalid("codeChallengeMethod must be S256", "codeChallengeMethod")
    if challenge and not is_challenge(challenge):
        raise invalid("codeChallenge must be a SHA-256 in base64url", "codeChallenge")
    if not challenge and (client is None or client.public):
        # Else whoever sees the code on its way has the login.
        raise invalid("codeChallenge is needed", "codeChallenge")
    most = client.scopes if client is not None else ()
    words = text_of(body, "scope").split() or list(most) or ["openid"]
    words = [OFFLINE if word == "offline" else word for word in words]
    if body.get("remember") is True:
        words.append(OFFLINE)
    scopes = granted(words, most, _CONTEXTS)
    if not scopes:
        raise invalid("None of the scopes can be granted", "scope")
    asked = Asked(client_id, tuple(dict.fromkeys(scopes)), "", challenge, text_of(body, "nonce"))
    return asked, client.generation if client is not None else 0


async def _begun(context: Context, request: Request, id_: str) -> tuple[Login, User]:
    """A login whose password was right, and whose; raises ``FhirError``."""
    begun = await context.logins.find(id_)
    if begun is not None:
        login_known(context, request, begun)
    user = await find_user(context.whole, user_id(begun.user)) if begun is not None else None
    if begun is None or user is None or begun.member is not None or not _holds(begun, user):
        raise invalid(_OVER, "login")
    account_known(context, request, user, begun.id)
    return begun, user


async def _next(context: Context, begun: Login, user: User, type_: str = "") -> Answer:
    if _needs_code(begun, user):
        told = {"login": begun.id, "mfaRequired": True, "mfaMethods": ["totp"]}
        return json_answer(200, told)
    members = [one for one in _members(context, user) if one.profile.startswith(type_)]
    if len(members) == 1:
        return await _let_in(context, begun, user, members[0])
    shown = await memberships(context, user, type_)
    return json_answer(200, {"login": begun.id, "memberships": shown})


async def _let_in(context: Context, begun: Login, user: User, member: Member) -> Answer:
    who = as_login_member(user, member)
    if await context.people.standing(who) is None:
        raise invalid("The account acts as nobody who is active")
    try:
        begun = await context.logins.authenticated(begun.id, who, begun.methods)
    except Refused as error:
        refuse(error, "login")
    now = await find_user(context.whole, user.id)
    if now is None or not _holds(begun, now):
        # The password was changed while it was looked at.
        await context.logins.end(begun.id, "the password was changed")
        raise invalid(_OVER, "login")
    try:
        code = await context.logins.code(begun.id)
    except Refused as error:
        refuse(error, "login")
    return json_answer(200, {"login": begun.id, "code": code})


def _members(context: Context, user: User) -> list[Member]:
    return [one for one in user.members if one.project == context.project]


def _needs_code(begun: Login, user: User) -> bool:
    return user.factor is not None and "mfa" not in begun.methods


def _holds(begun: Login, user: User) -> bool:
    """Whether what was shown in a login still proves who somebody is."""
    return not user.disabled and user.password_set <= begun.begun


def _shown(context: Context, name: str, user: User, member: Member) -> dict[str, Any]:
    return {
        "id": member.id,
        "project": {"reference": f"Project/{context.project}", "display": name},
        "profile": {"reference": member.profile, "display": user.name},
    }
