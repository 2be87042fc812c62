"""``GET auth/external``: a provider sends the browser of an app back to us, by a URL that the app
itself has made (``signInWithExternalAuth`` of ``@medplum/core``).

What comes back is bound to nobody's browser by us. So the code is not looked at here: it is handed
on to the app, which gets tokens for it by the verifier that it alone has. Where the app has sent
its challenge to the provider, too, that verifier is what the provider wants to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from threadwell.api.context import Context
from threadwell.api.endpoints.auth.bodies import text_of
from threadwell.api.endpoints.oauth2.asking import moved
from threadwell.api.endpoints.oauth2.forms import OAuthError, once
from threadwell.api.endpoints.oauth2.outside_tokens import BACK, Code, kept_code, scopes_of
from threadwell.api.exchange import Answer, Request
from threadwell.fhir.json import BadJson, decode
from threadwell.fhir.outcome import invalid
from threadwell.logins.pkce import is_challenge
from threadwell.users.providers import Provider, providers


async def external(context: Context, request: Request) -> Answer:
    """A redirect to the app, with a code for ``oauth2/token``; 400 for what is wrong."""
    try:
        query = once(request.query)
    except OAuthError as error:
        raise invalid(str(error)) from None
    state = _state(query.get("state", ""))
    client = await context.access.client(text_of(state, "clientId", needed=True))
    if client is None or client.outside:
        raise invalid("There is no such client of the practice's own", "clientId")
    uri = text_of(state, "redirectUri", needed=True)
    if uri not in client.redirect_uris:
        raise invalid("redirectUri is not one of those of the client", "redirectUri")
    if text_of(state, "projectId") not in ("", context.project):
        raise invalid("There is no such project", "projectId")
    challenge = text_of(state, "codeChallenge", needed=True)
    if text_of(state, "codeChallengeMethod") != "S256" or not is_challenge(challenge):
        raise invalid("codeChallenge must be a SHA-256 in base64url (S256)", "codeChallenge")
    provider = _provider(await providers(context.whole, context.project), state)
    if query.get("iss", provider.issuer) != provider.issuer:
        # RFC 9207: an answer of one provider must not be taken for that of another.
        raise invalid(f"The answer is not that of {provider.label}", "iss")
    if "error" in query:
        return moved(_with(uri, error="access_denied"))
    given = query.get("code")
    if not given:
        raise invalid("code is needed", "code")
    try:
        scopes = scopes_of(client, text_of(state, "scope").split())
    except OAuthError as error:
        raise invalid(str(error), "scope") from None
    back = f"{context.served[0]}/{BACK}"
    code = Code(provider.name, given, client.id, challenge, back, scopes, text_of(state, "nonce"))
    return moved(_with(uri, code=await kept_code(context, code)))


def _state(text: str) -> dict[str, Any]:
    try:
        told = decode(text.encode("utf-8", "replace"))
    except BadJson:
        told = None
    if not isinstance(told, dict):
        raise invalid("state must be a JSON object, as the app wrote it", "state")
    return told


def _provider(there: list[Provider], state: Mapping[str, Any]) -> Provider:
    issuer, domain = text_of(state, "issuer"), text_of(state, "domain").lower()
    found = [
        one for one in there if issuer in ("", one.issuer) and (not domain or domain in one.domains)
    ]
    if len(found) != 1:
        told = "There is no such provider" if not found else "There are several providers"
        raise invalid(f"{told}: state may name its issuer, or a domain", "state")
    return found[0]


def _with(uri: str, **told: str) -> str:
    return f"{uri}{'&' if urlsplit(uri).query else '?'}{urlencode(told)}"
