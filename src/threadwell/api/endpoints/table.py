"""Which endpoint is at a path: login, discovery, storage, health, metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping

from threadwell.api.admin import answering
from threadwell.api.context import Handler
from threadwell.api.endpoints import (
    admin,
    discovery,
    health,
    hooks,
    invite,
    logout,
    me,
    metrics,
    projects,
    storage,
)
from threadwell.api.endpoints.auth import external, login, mfa, own, passwords
from threadwell.api.endpoints.oauth2 import authorize, token, tokens_told

JWKS = ".well-known/jwks.json"
_PATHS: dict[str, Mapping[str, Handler]] = {
    "healthcheck": {"GET": health.live},
    "health/live": {"GET": health.live},
    "health/ready": {"GET": health.ready},
    "metrics": {"GET": metrics.metrics},
    "oauth2/token": {"POST": token.token},
    "oauth2/authorize": {"GET": authorize.authorize, "POST": authorize.authorize},
    "oauth2/introspect": {"POST": tokens_told.introspect},
    "oauth2/revoke": {"POST": tokens_told.revoke},
    "oauth2/userinfo": {"GET": tokens_told.userinfo, "POST": tokens_told.userinfo},
    "oauth2/consent": {"POST": authorize.consent},
    "oauth2/logout": {"GET": logout.logout, "POST": logout.logout},
    "auth/me": {"GET": me.me},
    "auth/login": {"POST": login.login},
    "auth/external": {"GET": external.external},
    "auth/method": {"POST": login.method},
    "auth/profile": {"POST": login.profile},
    "auth/mfa/verify": {"POST": login.verify},
    "auth/mfa/status": {"GET": mfa.status},
    "auth/mfa/enroll": {"POST": mfa.enroll},
    "auth/mfa/disable": {"POST": mfa.disable},
    "auth/changepassword": {"POST": passwords.change},
    "auth/resetpassword": {"POST": passwords.ask_reset},
    "auth/setpassword": {"POST": passwords.set_},
    "auth/revoke": {"POST": own.revoke},
    **{
        f"fhir/R4/{name}": {"GET": answering.search, "POST": answering.create}
        for name in answering.KINDS
    },
    **{f"fhir/R4/{name}/_search": {"POST": answering.search} for name in answering.KINDS},
    JWKS: {"GET": discovery.jwks},
    ".well-known/openid-configuration": {"GET": discovery.openid_configuration},
    ".well-known/smart-configuration": {"GET": discovery.smart_configuration},
    # SMART App Launch looks below the FHIR base.
    "fhir/R4/.well-known/smart-configuration": {"GET": discovery.smart_configuration},
}
#: A login or a registration is no larger.
MAX_FORM = 64 * 1024
#: Endpoints with something of the resource in their path, by the first part of it.
_PATTERNS: dict[str, tuple[re.Pattern[str], Mapping[str, Handler]]] = {
    "storage": (re.compile(r"storage/[^/]+/[^/]+"), {"GET": storage.storage}),
    "hooks": (re.compile(r"hooks/[^/]+"), {"POST": hooks.deliver, "GET": hooks.greet}),
}
#: Those below which there are several.
_SEVERAL: tuple[tuple[re.Pattern[str], Mapping[str, Handler]], ...] = (
    (re.compile(r"admin/projects/[^/]+/client"), {"POST": admin.new_client}),
    (re.compile(r"admin/projects/[^/]+/invite"), {"POST": invite.new_member}),
    (re.compile(r"auth/login/[0-9a-f-]{1,80}"), {"GET": login.state}),
    (re.compile(r"admin/projects/[^/]+"), {"GET": projects.project}),
    (
        re.compile(r"admin/projects/[^/]+/members/[^/]+"),
        {"GET": projects.read, "POST": projects.update, "DELETE": projects.delete},
    ),
    (re.compile(r"admin/projects/[^/]+/bot"), {"POST": projects.no_bots}),
    (re.compile(r"admin/projects/[^/]+/secrets"), {"POST": projects.keep}),
    (re.compile(r"admin/projects/[^/]+/settings"), {"POST": projects.keep}),
    (re.compile(r"admin/projects/[^/]+/sites"), {"POST": projects.keep}),
    (
        re.compile(rf"fhir/R4/(?:{'|'.join(answering.KINDS)})/[A-Za-z0-9.-]{{1,64}}"),
        {
            "GET": answering.read,
            "PUT": answering.update,
            "PATCH": answering.patch,
            "DELETE": answering.delete,
        },
    ),
    (
        re.compile(r"fhir/R4/ClientApplication/[A-Za-z0-9.-]{1,64}/\$rotate-secret"),
        {"POST": answering.rotate_secret},
    ),
)
_OF_SEVERAL = ("admin/", "auth/login/", *(f"fhir/R4/{name}/" for name in answering.KINDS))

_VARIES = re.compile(r"\[[^\[\]]*\](?:\+|\{[0-9,]*\})|\(\?:[^()]*\)")

_INTERACTIONS = {
    "health": "health",
    "healthcheck": "health",
    "metrics": "health",
    "oauth2": "login",
    "auth": "login",
    "storage": "storage",
    "hooks": "delivery",
}


def paths() -> tuple[str, ...]:
    """Every path that an endpoint is at, with ``*`` for each part that varies."""
    patterns = [one.pattern for one, _ in (*_PATTERNS.values(), *_SEVERAL)]
    varying = [_VARIES.sub("*", one).replace("\\", "") for one in patterns]
    return tuple(f"/{one}" for one in (*_PATHS, *varying))


def interaction_of(path: str) -> str:
    """What the endpoint at ``path`` counts as, among the interactions of ``load.families``."""
    return _INTERACTIONS.get(path.partition("/")[0], "other")


def is_administration(path: str) -> bool:
    """Whether the endpoint at ``path`` is for accounts, clients, policies and the like, and each
    request of it is recorded (``watched.administered``).
    """
    return path.startswith(("admin/", "fhir/R4/")) and "/.well-known/" not in path


def largest_body(path: str, most: int) -> int:
    """The bytes that a body sent to the endpoint at ``path`` may have; ``most`` for any request."""
    return most if path.startswith("hooks/") else MAX_FORM


def methods_of(path: str) -> Mapping[str, Handler] | None:
    """The methods of the endpoint at ``path`` (no slash at its start); ``None`` if none is there.

    Each handler asks for a token by itself where it needs one.
    """
    known = _PATHS.get(path)
    if known is not None:
        return known
    if path.startswith(_OF_SEVERAL):
        return next((methods for one, methods in _SEVERAL if one.fullmatch(path)), None)
    pattern, methods = _PATTERNS.get(path.partition("/")[0], (None, None))
    return methods if pattern and pattern.fullmatch(path) else None
