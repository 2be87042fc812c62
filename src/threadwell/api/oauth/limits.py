"""Which scopes limit what a client may do: those it is registered for, and those it asked for."""

from __future__ import annotations

import hashlib

from threadwell.access.scopes import about_resources, within
from threadwell.api.claims import Claims
from threadwell.api.oauth.clients import Client


def limits_of(
    client: Client | None, claims: Claims, *, is_limited: bool = False
) -> tuple[str, ...] | None:
    """The scopes; ``None`` where there is no limit beside the policy.

    A client of the practice's own that neither has nor asked for scopes may do all that the policy
    allows, one from outside nothing. Without a ``client`` it is the practice's own sign-in. What is
    limited stays so, whether any scope is left or not.
    """
    most = client.scopes if client is not None else ()
    scopes = tuple(about_resources(claims.scopes))
    is_outside = client is not None and client.outside
    if not (scopes or most or is_outside or is_limited):
        return None
    if most:
        scopes = tuple(within(scopes, most) if scopes or is_limited else about_resources(most))
    return scopes


def marked(policies: str, limits: tuple[str, ...] | None, claims: Claims) -> str:
    """What changes with the policies of somebody (``Policies.mark``) or with their limits."""
    if limits is None:
        return policies
    told = "\n".join([policies, claims.patient, *limits])
    return hashlib.sha256(told.encode()).hexdigest()
