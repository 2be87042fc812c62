"""An authorization request, as it is read and judged (RFC 6749 §4.1.1, OpenID Connect §3.1.2.1).

What is wrong with it is told to the client by a redirect, but only once it is certain that the
redirect URI is the client's: else it is told to the person alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from threadwell.access.scopes import granted
from threadwell.api.context import Context
from threadwell.api.endpoints.oauth2.forms import OAuthError, listed
from threadwell.api.exchange import Answer
from threadwell.api.oauth.clients import Client
from threadwell.logins.login import Asked
from threadwell.logins.pkce import is_challenge

#: What may be asked for by a person's app.
CONTEXTS = ("patient", "user")
RESPONSE_TYPES = ("code",)
RESPONSE_MODES = ("query",)
CHALLENGE_METHODS = ("S256",)
PROMPTS = ("none", "login", "consent")
#: Seconds for which somebody counts as having just signed in.
_JUST = 60


class Asking(NamedTuple):
    """A request that can be answered. ``max_age`` is in seconds, ``None`` for any."""

    client: Client
    asked: Asked
    prompts: frozenset[str]
    max_age: int | None


def wants_patient(asked: Asked) -> bool:
    """Is it about a patient whom something or somebody has to name?"""
    return any(one == "launch/patient" or one.startswith("patient/") for one in asked.scopes)


async def known_client(context: Context, form: Mapping[str, str]) -> Client | None:
    """The client, if the redirect URI is one of those that it has registered, to the letter."""
    client = await context.access.client(form.get("client_id", ""))
    if client is None or form.get("redirect_uri") not in client.redirect_uris:
        return None
    return client


def judged(context: Context, client: Client, form: Mapping[str, str]) -> Asking:
    """What the request asks for; raises ``OAuthError`` with what the client is told."""
    for name in ("request", "request_uri"):
        if name in form:
            raise OAuthError(f"{name}_not_supported", f"{name} is not supported")
    if form.get("response_type") not in RESPONSE_TYPES:
        raise OAuthError("unsupported_response_type", "response_type must be code")
    if form.get("response_mode", "query") not in RESPONSE_MODES:
        raise OAuthError("invalid_request", "response_mode must be query")
    if form.get("code_challenge_method") not in CHALLENGE_METHODS:
        raise OAuthError("invalid_request", "code_challenge_method must be S256")
    challenge = form.get("code_challenge", "")
    if not is_challenge(challenge):
        raise OAuthError("invalid_request", "code_challenge must be a SHA-256 in base64url")
    audience = form.get("aud", "").rstrip("/")
    if audience and audience not in {f"{base}/fhir/R4" for base in context.served}:
        raise OAuthError("invalid_request", "aud is another server")
    if "launch" in form:
        raise OAuthError("invalid_request", "launch names nothing that was launched here")
    asked_scopes = listed(form, "scope") or list(client.scopes) or ["openid"]
    scopes = granted(asked_scopes, client.scopes, CONTEXTS)
    if not scopes:
        raise OAuthError("invalid_scope", "None of the scopes can be granted")
    prompts = frozenset(listed(form, "prompt"))
    if not prompts <= set(PROMPTS) or ("none" in prompts and len(prompts) > 1):
        raise OAuthError("invalid_request", "prompt is none, login or consent")
    asked = Asked(
        client.id,
        tuple(scopes),
        form["redirect_uri"],
        challenge,
        form.get("nonce", ""),
        form.get("state", ""),
    )
    return Asking(client, asked, prompts, _max_age(form, prompts))


def led_back(context: Context, asked: Asked, **told: str) -> Answer:
    """The redirect to the client, with the answer, its state and who has answered (RFC 9207)."""
    return redirect(context, asked.redirect_uri, asked.state, **told)


def redirect(context: Context, uri: str, state: str, **told: str) -> Answer:
    """The same, where it is known no more of the request than that."""
    answer = {**told, **({"state": state} if state else {}), "iss": f"{context.base}/"}
    url = f"{uri}{'&' if '?' in uri else '?'}{urlencode(answer)}"
    return moved(url)


def moved(url: str) -> Answer:
    """A redirect that the browser follows by GET."""
    headers = [
        (b"location", url.encode("ascii", "ignore")),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
    ]
    return Answer(303, headers, b"")


def _max_age(form: Mapping[str, str], prompts: frozenset[str]) -> int | None:
    text = form.get("max_age", "")
    if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise OAuthError("invalid_request", "max_age is a number of seconds")
    given = [int(text)] if text else []
    return min([*given, *([_JUST] if "login" in prompts else [])], default=None)
