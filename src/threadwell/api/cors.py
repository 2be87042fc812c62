"""CORS (Fetch standard §3.2): any page may call the API, where no cookie is read.

Medplum's client fetches with ``credentials: "include"``, so the origin must be named and
credentials allowed; the token in ``Authorization`` is all that ever opens anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from threadwell.api.exchange import Answer, Header

#: Where the cookie of the pages tells who is signed in: pages of other sites see nothing of it.
_BY_COOKIE = frozenset({"oauth2/authorize", "oauth2/consent"})

_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_EXPOSED = b"Content-Location, ETag, Last-Modified, Location, RateLimit, Retry-After"


def is_shared(path: str) -> bool:
    """May pages of other origins read what is answered at ``path`` (no slash at its start)?"""
    return path not in _BY_COOKIE


def is_preflight(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Does a browser ask whether it may send a request?"""
    return (
        method == "OPTIONS" and b"access-control-request-method" in headers and b"origin" in headers
    )


def preflight(headers: Mapping[bytes, bytes]) -> Answer:
    """Yes, it may, with the headers that it names; ``shared`` adds the rest."""
    return Answer(
        204,
        [
            (b"access-control-allow-methods", _METHODS),
            (
                b"access-control-allow-headers",
                headers.get(b"access-control-request-headers", b"Authorization, Content-Type"),
            ),
            (b"access-control-max-age", b"86400"),
        ],
        b"",
    )


def shared(answer: Answer, headers: Mapping[bytes, bytes]) -> Answer:
    """The answer as a page of the request's ``Origin`` may see it."""
    allowed: list[Header] = [
        (b"access-control-allow-origin", headers[b"origin"]),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", _EXPOSED),
        (b"vary", b"Origin"),
    ]
    return answer._replace(headers=[*answer.headers, *allowed])
