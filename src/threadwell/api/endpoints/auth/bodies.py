"""What a request of ``auth/`` says, and how it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from threadwell.access.scopes import about_resources
from threadwell.api.context import Context
from threadwell.api.exchange import Caller, Request
from threadwell.api.oauth.limits import limits_of
from threadwell.api.outcomes import Headed, forbidden
from threadwell.fhir.json import BadJson, decode
from threadwell.fhir.outcome import Issue, invalid
from threadwell.logins.login import Login
from threadwell.users.accounts import user_id
from threadwell.users.keeping import find_user
from threadwell.users.pauses import Paused
from threadwell.users.user import User

_LONGEST = 2_000


class Waiting(Headed):
    """429, with the seconds to wait."""

    def __init__(self, paused: Paused) -> None:
        text = f"{str(paused)[:1].upper()}{str(paused)[1:]}"
        super().__init__(429, [Issue("throttled", text)], "too-many-requests")
        self.headers = [(b"retry-after", str(paused.seconds).encode())]


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of a request; raises ``FhirError``."""
    try:
        body = decode(request.body)
    except BadJson as error:
        raise invalid(f"Content could not be parsed: {error}") from None
    if not isinstance(body, dict):
        raise invalid("Content must be a JSON object")
    return body


def text_of(body: Mapping[str, Any], name: str, *, needed: bool = False) -> str:
    """A text of it, ``""`` where it is not there; raises ``FhirError``."""
    value = body.get(name)
    if value is None or value == "":
        if needed:
            raise invalid(f"{name} is needed", name)
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise invalid(f"{name} must be a text of at most {_LONGEST} characters", name)
    return value


def refuse(error: Exception, where: str = "") -> NoReturn:
    """Raise what the client is told, in place of an error of ``users``."""
    if isinstance(error, Paused):
        raise Waiting(error) from None
    text = str(error)
    raise invalid(f"{text[:1].upper()}{text[1:]}", where) from None


async def person_of(context: Context, request: Request) -> tuple[Caller, User]:
    """Who asks, and their account; 403 for those who have none, as clients, and for apps that may
    do less than their person.
    """
    caller = request.caller = await context.access.caller(request.headers)
    login = await whole_login(context, caller)
    member = login.member if login is not None else None
    user = await find_user(context.whole, user_id(member.user)) if member is not None else None
    if user is None:
        raise forbidden()
    request.account = user.id
    return caller, user


async def whole_login(context: Context, caller: Caller) -> Login | None:
    """The login of a person by which they may do all that they may; ``None`` for any other.

    What scopes limit, and whatever app comes from outside, has no business with the account.
    """
    claims = caller.claims
    if claims is None or not claims.person:
        return None
    login = await context.logins.find(claims.login_id)
    if login is None or login.member is None:
        return None
    client = await context.access.client(claims.client_id) if claims.client_id else None
    is_gone = bool(claims.client_id) and client is None
    is_limited = bool(about_resources(login.asked.scopes))
    if is_gone or limits_of(client, claims, is_limited=is_limited) is not None:
        return None
    return login
