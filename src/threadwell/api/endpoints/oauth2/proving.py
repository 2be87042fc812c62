"""Who a client is that comes to an endpoint of OAuth: by its secret, in one way or two, by a
signature, or by nothing where it is public (RFC 6749 §2.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote_plus

from threadwell.api.context import Context
from threadwell.api.endpoints.oauth2.forms import OAuthError
from threadwell.api.exchange import Request
from threadwell.api.oauth.access import basic
from threadwell.api.oauth.assertions import LONGEST, TYPE, BadAssertion, malformed
from threadwell.api.oauth.clients import Client, refuse_unknown
from threadwell.api.signing import client_named

#: How clients prove who they are; discovery tells them.
METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")

Form = Mapping[str, str]


async def prove(context: Context, request: Request, form: Form) -> Client:
    """The client, which has proven who it is; raises ``OAuthError``."""
    if "client_assertion" in form or "client_assertion_type" in form:
        return await _asserted(context, request, form)
    client_id, secret = _credentials(request, form)
    if not client_id:
        raise OAuthError("invalid_request", "Missing client_id")
    if not secret:
        raise OAuthError("invalid_request", "Missing client_secret")
    client = await context.access.client(client_id)
    if client is None:
        refuse_unknown(secret)
        raise OAuthError("invalid_request", "Invalid client")
    client_named(context, request, client)
    if not client.accepts(secret):
        raise OAuthError("invalid_request", "Invalid secret")
    return client


async def prove_if_any(context: Context, request: Request, form: Form) -> Client | None:
    """The client that a code or a refresh token is for; ``None`` for the practice's own sign-in.

    A public one may say its name alone; where it shows a secret, that must be right.
    """
    if "client_assertion" in form or "client_assertion_type" in form:
        return await _asserted(context, request, form)
    client_id, secret = _credentials(request, form)
    if not client_id:
        return None
    if secret:
        return await prove(context, request, form)
    client = await context.access.client(client_id)
    if client is not None:
        client_named(context, request, client)
    if client is None or not client.public:
        raise OAuthError("invalid_client", "The client has to prove who it is", 401)
    return client


async def _asserted(context: Context, request: Request, form: Form) -> Client:
    """The client that has signed the assertion of the form (RFC 7523 §2.2)."""
    if form.get("client_assertion_type") != TYPE:
        raise OAuthError("invalid_request", f"client_assertion_type must be {TYPE}")
    if "client_secret" in form or b"authorization" in request.headers:
        # RFC 6749 §2.3: one way to prove it, and not two.
        raise OAuthError("invalid_request", "The client proves in two ways who it is")
    text = form.get("client_assertion", "")
    client_id = _issuer(text)
    if form.get("client_id", client_id) != client_id:
        raise OAuthError("invalid_client", "client_id is another than the assertion's", 401)
    client = await context.access.client(client_id)
    if client is None:
        raise OAuthError("invalid_client", "The client is not known", 401)
    client_named(context, request, client)
    try:
        await context.assertions.check(client, text)
    except BadAssertion as error:
        raise OAuthError("invalid_client", str(error), 401) from None
    return client


def _issuer(text: str) -> str:
    """Whose assertion it says that it is; that is checked later."""
    import jwt

    try:
        if len(text) > LONGEST:
            raise jwt.DecodeError
        told = jwt.decode(text, options={"verify_signature": False})
    except malformed():
        raise OAuthError("invalid_client", "The assertion is no JWT", 401) from None
    issuer = told.get("iss")
    return issuer if isinstance(issuer, str) else ""


def _credentials(request: Request, form: Form) -> tuple[str, str]:
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    header = request.headers.get(b"authorization", b"")
    if header[:6].lower() == b"basic ":
        pair = basic(header[6:])
        if pair is None:
            raise OAuthError("invalid_request", "Invalid authorization header")
        # RFC 6749 §2.3.1: both are form-encoded within the header.
        named, given = unquote_plus(pair[0]), unquote_plus(pair[1])
        if (client_id and client_id != named) or (secret and secret != given):
            raise OAuthError("invalid_request", "The credentials of header and body differ")
        client_id, secret = named, given
    return client_id, secret
