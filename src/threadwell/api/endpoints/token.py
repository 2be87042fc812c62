"""``POST oauth2/token``: the client credentials grant (RFC 6749 §4.4)."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote_plus

from threadwell.api.context import Context
from threadwell.api.endpoints.me import PROJECT_NAME
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.api.negotiation import is_form
from threadwell.api.oauth.access import basic
from threadwell.api.oauth.clients import refuse_unknown
from threadwell.api.oauth.tokens import LIFE, SCOPE, issue


async def token(context: Context, request: Request) -> Answer:
    """200 with an access token, 400 with ``error`` and ``error_description``.

    Credentials come in the form, as ``Authorization: Basic``, or both.
    """
    if not is_form(request.headers):
        return Answer(400, [(b"content-type", b"text/plain")], b"Unsupported content type")
    form = {name: values[0] for name, values in parse_qs(request.body.decode("latin-1")).items()}
    grant = form.get("grant_type")
    if not grant:
        return _error("invalid_request", "Missing grant_type")
    if grant != "client_credentials":
        return _error("unsupported_grant_type", "Unsupported grant_type")
    return await _client_credentials(context, request, form)


async def _client_credentials(context: Context, request: Request, form: dict[str, str]) -> Answer:
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    header = request.headers.get(b"authorization", b"")
    if header[:6].lower() == b"basic ":
        pair = basic(header[6:])
        if pair is None:
            return _error("invalid_request", "Invalid authorization header")
        # RFC 6749 §2.3.1: both are form-encoded within the header.
        named, given = unquote_plus(pair[0]), unquote_plus(pair[1])
        if (client_id and client_id != named) or (secret and secret != given):
            return _error("invalid_request", "The credentials of header and body differ")
        client_id, secret = named, given
    if not client_id:
        return _error("invalid_request", "Missing client_id")
    if not secret:
        return _error("invalid_request", "Missing client_secret")
    client = await context.access.client(client_id)
    if client is None:
        refuse_unknown(secret)
        return _error("invalid_request", "Invalid client")
    if not client.accepts(secret):
        return _error("invalid_request", "Invalid secret")
    tokens = issue(context.signing, f"{context.base}/", client, context.clock() // 1000)
    return json_answer(
        200,
        {
            "token_type": "Bearer",
            "expires_in": LIFE,
            "scope": SCOPE,
            "id_token": tokens.id,
            "access_token": tokens.access,
            "project": {"reference": f"Project/{context.project}", "display": PROJECT_NAME},
            "profile": {"reference": f"ClientApplication/{client.id}", "display": client.name},
        },
    )


def _error(error: str, description: str) -> Answer:
    return json_answer(400, {"error": error, "error_description": description})
