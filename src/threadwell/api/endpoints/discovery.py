"""What a client may learn before it logs in: SMART, OpenID and JWKS documents.

They name what works and nothing else, so that no client sets out on a way that ends in an error.
"""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request

_CACHE = b"public, max-age=300"


async def smart_configuration(context: Context, _: Request) -> Answer:
    """``.well-known/smart-configuration`` (SMART App Launch §3.3)."""
    return json_answer(
        200,
        {
            **_endpoints(context),
            # SMART 1 demands it of every server; it says how to log in instead.
            "authorization_endpoint": f"{context.base}/oauth2/authorize",
            "capabilities": ["client-confidential-symmetric"],
        },
        cache=_CACHE,
    )


async def openid_configuration(context: Context, _: Request) -> Answer:
    """``.well-known/openid-configuration`` (OpenID Connect Discovery §4.2)."""
    return json_answer(
        200,
        {
            **_endpoints(context),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        },
        cache=_CACHE,
    )


async def jwks(context: Context, _: Request) -> Answer:
    """``.well-known/jwks.json``: the key that our tokens are signed with (RFC 7517)."""
    return json_answer(200, {"keys": [context.signing.jwk]}, cache=_CACHE)


async def authorize(_: Context, __: Request) -> Answer:
    """``oauth2/authorize``: people cannot log in here, so the flow is refused by name."""
    error = {
        "error": "unsupported_response_type",
        "error_description": "Log in with client credentials at oauth2/token",
    }
    return json_answer(400, error)


def _endpoints(context: Context) -> dict[str, object]:
    return {
        "issuer": f"{context.base}/",
        "jwks_uri": f"{context.base}/.well-known/jwks.json",
        "token_endpoint": f"{context.base}/oauth2/token",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": ["openid"],
    }
