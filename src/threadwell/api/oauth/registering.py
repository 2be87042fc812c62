"""What a registration may say: where people are led back to, what may be asked for at most."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from threadwell.access.scopes import is_known

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
