"""Where somebody is signed in by apps: ``security`` of ``auth/me``, and ``auth/revoke``."""

from __future__ import annotations

from typing import Any

from threadwell.api.context import Context
from threadwell.api.endpoints.auth.bodies import body_of, text_of, whole_login
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import OK, forbidden, outcome_answer
from threadwell.api.signing import changes_account
from threadwell.fhir.outcome import not_found
from threadwell.fhir.stamp import instant
from threadwell.logins.login import Login, Member
from threadwell.users.accounts import logins_of, user_id
from threadwell.users.keeping import find_user


async def security_of(context: Context, member: Member) -> dict[str, Any] | None:
    """Their second factor and their logins; ``None`` for whom a link has let in."""
    user = await find_user(context.whole, user_id(member.user))
    if user is None:
        return None
    found = await logins_of(context.whole, context.project, user, context.clock)
    return {"mfaEnrolled": user.factor is not None, "sessions": [_session(one) for one in found]}


async def revoke(context: Context, request: Request) -> Answer:
    """``POST auth/revoke``: end one of one's own logins, by its id."""
    changes_account(request, "end")
    caller = request.caller = await context.access.caller(request.headers)
    login = await whole_login(context, caller)
    if login is None or login.member is None:
        raise forbidden()
    request.account = user_id(login.member.user)
    other = await context.logins.find(text_of(body_of(request), "loginId", needed=True))
    if other is None or other.member is None or other.member.who != login.member.who:
        raise not_found()
    await context.logins.end(other.id)
    return outcome_answer(200, OK, request.headers)


def _session(login: Login) -> dict[str, Any]:
    return {
        "id": login.id,
        "lastUpdated": instant(login.authenticated),
        "authMethod": "password" if "pwd" in login.methods else "external",
        "browser": login.agent,
    }
