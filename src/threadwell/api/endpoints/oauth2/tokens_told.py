"""``oauth2/introspect``, ``revoke`` and ``userinfo``: what a token is, its end, and whose it is.

RFC 7662, RFC 7009, OpenID Connect §5.3.
"""

from __future__ import annotations

from typing import Any

from threadwell.api.context import Context
from threadwell.api.endpoints.oauth2.forms import OAuthError, form_of, unsupported
from threadwell.api.endpoints.oauth2.proving import prove, prove_if_any
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.api.oauth.clients import Client
from threadwell.api.oauth.tokens import verify
from threadwell.api.signing import client_proved, login_known
from threadwell.logins import marks
from threadwell.logins.login import Login
from threadwell.logins.people import Standing

_GONE: dict[str, Any] = {"active": False}


async def introspect(context: Context, request: Request) -> Answer:
    """200: what a token is good for, told to a client that has proven who it is.

    An app from outside is told of its own alone; of what is no token of ours nobody is told more
    than that it is not active.
    """
    try:
        form = form_of(request)
        if form is None:
            return unsupported()
        client = await prove(context, request, form)
        client_proved(context, request, client)
        text = form.get("token")
        if not text:
            raise OAuthError("invalid_request", "Missing token")
    except OAuthError as error:
        return error.answer()
    told = await _of_access_token(context, text) or await _of_refresh_token(context, text)
    if told is None or (client.outside and told.get("client_id") != client.id):
        told = _GONE
    return json_answer(200, told)


async def revoke(context: Context, request: Request) -> Answer:
    """200, whatever it was: a token of the client's opens nothing any more, nor its login."""
    try:
        form = form_of(request)
        if form is None:
            return unsupported()
        client = await prove_if_any(context, request, form)
        text = form.get("token")
        if not text:
            raise OAuthError("invalid_request", "Missing token")
    except OAuthError as error:
        return error.answer()
    await _end(context, request, text, client)
    return json_answer(200, {})


async def userinfo(context: Context, request: Request) -> Answer:
    """200 with who has signed in; 401 without a token, 403 for one without ``openid``."""
    caller = request.caller = await context.access.caller(request.headers)
    claims = caller.claims
    if claims is None or not claims.login_id or "openid" not in claims.scopes:
        answer = json_answer(403, {"error": "insufficient_scope", "scope": "openid"})
        told = b'Bearer error="insufficient_scope", scope="openid"'
        answer.headers.append((b"www-authenticate", told))
        return answer
    login = await context.logins.find(claims.login_id) if claims.person else None
    member = login.member if login is not None else None
    return json_answer(
        200,
        {
            "sub": member.who if member is not None else claims.client_id,
            "name": caller.name,
            "profile": caller.reference,
            "fhirUser": f"{context.fhir}/{caller.reference}",
        },
    )


async def _of_access_token(context: Context, text: str) -> dict[str, Any] | None:
    issuer = f"{context.base}/"
    claims = verify(context.keys, issuer, text, context.clock() // 1000)
    caller = await context.access.of(claims) if claims is not None else None
    if claims is None or caller is None:
        return None
    login = await context.logins.find(claims.login_id) if claims.person else None
    told: dict[str, Any] = {
        "active": True,
        "scope": " ".join(claims.scopes),
        "client_id": claims.client_id,
        "token_type": "Bearer",
        "exp": claims.expires,
        "iss": issuer,
        "aud": claims.client_id,
        "sub": login.member.who if login and login.member else claims.client_id,
        "username": caller.name,
        "login_id": claims.login_id,
        "profile": caller.reference,
        "fhirUser": f"{context.fhir}/{caller.reference}",
    }
    if claims.patient:
        told["patient"] = claims.patient.partition("/")[2]
    return told


async def _of_refresh_token(context: Context, text: str) -> dict[str, Any] | None:
    login = await context.logins.by_refresh_token(text)
    standing = await _standing(context, login)
    if login is None or login.member is None or standing is None:
        return None
    return {
        "active": True,
        "scope": " ".join(login.scopes),
        "client_id": login.asked.client,
        "token_type": "refresh_token",
        "exp": login.until // 1000,
        "iss": f"{context.base}/",
        "sub": login.member.who,
        "username": standing.name,
    }


async def _standing(context: Context, login: Login | None) -> Standing | None:
    return await context.people.standing(login.member) if login and login.member else None


async def _end(context: Context, request: Request, text: str, client: Client | None) -> None:
    client_id = client.id if client is not None else ""
    login = await context.logins.by_refresh_token(text)
    if login is not None:
        if login.asked.client == client_id:
            login_known(context, request, login)
            await context.logins.end(login.id, "revoked")
        return
    now = context.clock() // 1000
    claims = verify(context.keys, f"{context.base}/", text, now)
    if claims is None or claims.client_id != client_id:
        return
    if claims.person:
        if found := await context.logins.find(claims.login_id):
            login_known(context, request, found)
        await context.logins.end(claims.login_id, "revoked")
    elif await context.access.of(claims) is not None:
        await marks.end(context.whole, claims.login_id, now)
