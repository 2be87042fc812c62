"""What a client may learn before it logs in: SMART, OpenID and JWKS documents.

They name what works and nothing else, so that no client sets out on a way that ends in an error:
each list is the table that the endpoint itself goes by.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from threadwell.access.scopes import PLAIN
from threadwell.api.context import Context
from threadwell.api.endpoints.oauth2.asking import (
    CHALLENGE_METHODS,
    PROMPTS,
    RESPONSE_MODES,
    RESPONSE_TYPES,
)
from threadwell.api.endpoints.oauth2.proving import METHODS
from threadwell.api.endpoints.oauth2.token import GRANTS
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.api.oauth.assertions import ALGORITHMS

_CACHE = b"public, max-age=300"
#: What an app may ask for, by the patterns of SMART App Launch §3.1.
SCOPES = (
    *sorted(PLAIN),
    *("patient/*.cruds", "user/*.cruds", "system/*.cruds"),
)
#: SMART App Launch §3.3: those of its capabilities that there are.
CAPABILITIES = (
    *("launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric"),
    "client-confidential-asymmetric",
    *("sso-openid-connect", "context-standalone-patient", "permission-offline"),
    *("permission-patient", "permission-user", "permission-v1", "permission-v2"),
)


async def smart_configuration(context: Context, _: Request) -> Answer:
    """``.well-known/smart-configuration`` (SMART App Launch §3.3)."""
    return json_answer(
        200, {**endpoints(context), "capabilities": list(CAPABILITIES)}, cache=_CACHE
    )


async def openid_configuration(context: Context, _: Request) -> Answer:
    """``.well-known/openid-configuration`` (OpenID Connect Discovery §4.2)."""
    return json_answer(
        200,
        {
            **endpoints(context),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported": [
                *("iss", "sub", "aud", "exp", "iat", "nonce", "auth_time", "amr"),
                *("fhirUser", "profile"),
            ],
            "prompt_values_supported": list(PROMPTS),
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        },
        cache=_CACHE,
    )


async def jwks(context: Context, _: Request) -> Answer:
    """``.well-known/jwks.json``: the keys that our tokens are signed with (RFC 7517)."""
    await context.keys.load()
    return json_answer(200, {"keys": context.keys.jwks(context.clock())}, cache=_CACHE)


async def jwks_of(contexts: Sequence[Context]) -> Answer:
    """The same of all projects of a server: they have one address for it, and keys of their own."""
    keys: list[dict[str, Any]] = []
    for context in contexts:
        await context.keys.load()
        keys += context.keys.jwks(context.clock())
    return json_answer(200, {"keys": keys}, cache=_CACHE)


def endpoints(context: Context) -> dict[str, Any]:
    """What both documents say (RFC 8414 §2)."""
    base = context.base
    return {
        "issuer": f"{base}/",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "authorization_endpoint": f"{base}/oauth2/authorize",
        "token_endpoint": f"{base}/oauth2/token",
        "introspection_endpoint": f"{base}/oauth2/introspect",
        "revocation_endpoint": f"{base}/oauth2/revoke",
        "userinfo_endpoint": f"{base}/oauth2/userinfo",
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "grant_types_supported": list(GRANTS),
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": list(RESPONSE_MODES),
        "code_challenge_methods_supported": list(CHALLENGE_METHODS),
        "token_endpoint_auth_methods_supported": [*METHODS, "none"],
        "scopes_supported": list(SCOPES),
        "authorization_response_iss_parameter_supported": True,
    }
