"""What is handed out when a login has succeeded: tokens, and what Medplum's and SMART's clients
read beside them.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from threadwell.api.claims import Claims
from threadwell.api.context import Context
from threadwell.api.oauth.clients import Client
from threadwell.api.oauth.tokens import SCOPE, access_token, id_token
from threadwell.logins.login import LIFE, Granted
from threadwell.logins.people import Standing
from threadwell.projects.hints import hint_of


async def for_client(context: Context, client: Client, scopes: tuple[str, ...]) -> dict[str, Any]:
    """The answer to a client that asks for itself: it has no refresh token, and needs none."""
    now = context.clock() // 1000
    issuer = f"{context.base}/"
    scopes = scopes or (SCOPE,)
    claims = Claims(
        *(client.id, str(uuid4()), now + LIFE, client.generation, scopes),
        project=hint_of(context.project),
    )
    profile = f"ClientApplication/{client.id}"
    told = {"sub": client.id, "username": client.id, "profile": profile}
    signing = context.signing
    return {
        **await _opening(context, scopes, access_token(signing, issuer, claims, now, **told)),
        "id_token": id_token(signing, issuer, client.id, now, sub=client.id, fhirUser=profile),
        "profile": {"reference": profile, "display": client.name},
    }


async def for_person(context: Context, granted: Granted, standing: Standing) -> dict[str, Any]:
    """The answer to an app in which a person has signed in."""
    login = granted.login
    member, asked = login.member, login.asked
    assert member is not None
    now = context.clock() // 1000
    issuer = f"{context.base}/"
    patient = asked.launch.get("patient", "")
    claims = Claims(
        *(asked.client, login.id, now + LIFE, login.generation, login.scopes),
        patient=f"Patient/{patient}" if patient else "",
        person=True,
        project=hint_of(context.project),
    )
    signing = context.signing
    told = {"sub": member.who, "username": member.who, "profile": member.profile}
    answer = {
        **await _opening(context, login.scopes, access_token(signing, issuer, claims, now, **told)),
        "profile": {"reference": member.profile, "display": standing.name},
        "need_patient_banner": True,
    }
    if granted.refresh:
        answer["refresh_token"] = granted.refresh
    if patient:
        answer["patient"] = patient
    if "openid" in login.scopes:
        answer["id_token"] = id_token(
            signing,
            issuer,
            asked.client,
            now,
            sub=member.who,
            nonce=asked.nonce,
            auth_time=login.authenticated // 1000,
            amr=login.methods,
            fhirUser=f"{context.fhir}/{member.profile}",
            profile=member.profile,
        )
    return answer


async def _opening(context: Context, scopes: tuple[str, ...], token: str) -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        "expires_in": LIFE,
        "scope": " ".join(scopes),
        "access_token": token,
        "project": {"reference": f"Project/{context.project}", "display": await context.name()},
    }
