"""``POST oauth2/token``: a code, a refresh token, a client's own proof or a token of an outside
provider becomes an access token.

RFC 6749 §4.1.3, §6 and §4.4, RFC 8693. Credentials come in the form, as ``Authorization: Basic``,
or both.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from threadwell.access.scopes import granted
from threadwell.api.context import Context
from threadwell.api.endpoints.oauth2.forms import OAuthError, form_of, listed, unsupported
from threadwell.api.endpoints.oauth2.handing import for_client, for_person
from threadwell.api.endpoints.oauth2.outside_tokens import (
    ACCESS_TOKEN,
    GRANT,
    exchanged,
    is_outside,
    of_code,
)
from threadwell.api.endpoints.oauth2.proving import prove, prove_if_any
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.api.signing import client_proved, login_known
from threadwell.logins.login import Granted, Presented, Refused

Form = Mapping[str, str]
Grant = Callable[[Context, Request, Form], Awaitable[Answer]]


async def token(context: Context, request: Request) -> Answer:
    """200 with tokens, 400 or 401 with ``error`` and ``error_description``."""
    try:
        form = form_of(request)
        if form is None:
            return unsupported()
        grant = form.get("grant_type")
        if not grant:
            raise OAuthError("invalid_request", "Missing grant_type")
        if grant not in GRANTS:
            raise OAuthError("unsupported_grant_type", "Unsupported grant_type")
        return await GRANTS[grant](context, request, form)
    except OAuthError as error:
        return error.answer()
    except Refused as refused:
        return OAuthError(refused.error, str(refused)).answer()


async def _client_credentials(context: Context, request: Request, form: Form) -> Answer:
    client = await prove(context, request, form)
    client_proved(context, request, client)
    asked = listed(form, "scope") or list(client.scopes)
    scopes = granted(asked, client.scopes, ["system"])
    if asked and not scopes:
        raise OAuthError("invalid_scope", "None of the scopes can be granted")
    return json_answer(200, await for_client(context, client, tuple(scopes)))


async def _authorization_code(context: Context, request: Request, form: Form) -> Answer:
    if is_outside(form.get("code", "")):
        return await _handed(context, request, await of_code(context, request, form))
    client = await prove_if_any(context, request, form)
    code = form.get("code")
    if not code:
        raise OAuthError("invalid_request", "Missing code")
    presented = Presented(
        client.id if client else "", form.get("redirect_uri", ""), form.get("code_verifier", "")
    )
    return await _handed(context, request, await context.logins.exchange(code, presented))


async def _refresh_token(context: Context, request: Request, form: Form) -> Answer:
    client = await prove_if_any(context, request, form)
    given = form.get("refresh_token")
    if not given:
        raise OAuthError("invalid_request", "Missing refresh_token")
    scopes = listed(form, "scope")
    client_id = client.id if client else ""
    return await _handed(context, request, await context.logins.refresh(given, client_id, scopes))


async def _token_exchange(context: Context, request: Request, form: Form) -> Answer:
    granted = await exchanged(context, request, form)
    return await _handed(context, request, granted, issued_token_type=ACCESS_TOKEN)


async def _handed(context: Context, request: Request, granted: Granted, **more: str) -> Answer:
    login = granted.login
    login_known(context, request, login)
    assert login.member is not None
    standing = await context.people.standing(login.member)
    if standing is None:
        await context.logins.end(login.id, "no longer a member")
        raise OAuthError("invalid_grant", "The login is over")
    return json_answer(200, {**await for_person(context, granted, standing), **more})


#: The grants that there are; discovery tells them.
GRANTS: Mapping[str, Grant] = {
    "authorization_code": _authorization_code,
    "refresh_token": _refresh_token,
    "client_credentials": _client_credentials,
    GRANT: _token_exchange,
}
