"""What a registration may say: where people are led back to, what may be asked for at most."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from threadwell.access.scopes import is_known
from threadwell.api.oauth.assertions import checked_jwks

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
#: A scheme of an app's own is a domain turned around (RFC 8252 §7.1): nobody else's by accident.
_OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+", re.IGNORECASE)
_PLAIN = re.compile(r"[!-~]{1,2000}")


class BadRegistration(ValueError):
    """A registration that cannot be; the message says why."""


def checked_redirects(uris: Iterable[str]) -> tuple[str, ...]:
    """The URIs, each once; raises ``BadRegistration`` for one that nobody may be led to."""
    found = tuple(dict.fromkeys(uris))
    for uri in found:
        if why := _refused(uri):
            raise BadRegistration(f"{uri[:100]!r} cannot be where people are led back to: {why}")
    return found


def checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """The scopes, each once; raises ``BadRegistration`` for one that is not known."""
    found = tuple(dict.fromkeys(scopes))
    for scope in found:
        if not is_known(scope):
            raise BadRegistration(f"{scope[:100]!r} is no scope that is known here")
    return found


def checked_keys(jwks: Any, jwks_uri: str) -> dict[str, Any]:
    """The members of ``Client`` that say where its keys are; raises ``BadRegistration``."""
    if jwks is not None and jwks_uri:
        raise BadRegistration("the keys are either given, or fetched")
    if not jwks_uri:
        try:
            return {"jwks": checked_jwks(jwks)}
        except ValueError as error:
            raise BadRegistration(str(error)) from None
    why = _refused(jwks_uri)
    if why or urlsplit(jwks_uri).scheme.lower() not in ("https", "http"):
        raise BadRegistration(f"{jwks_uri[:100]!r} is no place of keys: give a URL with https")
    return {"jwks_uri": jwks_uri}


def _refused(uri: str) -> str:
    if not _PLAIN.fullmatch(uri) or "\\" in uri:
        return "it is no URI"
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        return "it is no URI"
    if "#" in uri:
        return "it has a fragment (RFC 6749 §3.1.2)"
    if parts.username is not None or parts.password is not None:
        return "it has a user name"
    match parts.scheme.lower():
        case "https":
            return "" if host else "it has no host"
        case "http":
            return "" if host in _LOOPBACK else "a code must not go over http"
        case scheme:
            is_own = _OWN_SCHEME.fullmatch(scheme) is not None
            return (
                "" if is_own else "its scheme is neither https nor an app's own (com.example.app)"
            )
