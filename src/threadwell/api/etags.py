"""Versions in headers (FHIR R4 §3.1.0.4–5): ``ETag``, ``If-Match``, ``If-None-Match``, dates."""

from __future__ import annotations

import re
from email.utils import formatdate
from functools import lru_cache

from threadwell.api.exchange import Request
from threadwell.fhir.outcome import precondition_failed
from threadwell.stores.contract import Stored

_TAG = re.compile(rb'(?:W/)?"([^"]*)"|([^\s,"]+)')


def etag(version_id: str) -> bytes:
    """``W/"version"``."""
    return b'W/"%s"' % version_id.encode()


def not_modified(request: Request, version_id: str) -> bool:
    """Does ``If-None-Match`` name the version?"""
    header = request.headers.get(b"if-none-match")
    return header is not None and _names(header, version_id)


def check_if_match(request: Request, current: Stored | None) -> None:
    """Raise 412 if ``If-Match`` names another version than the current one, or there is none.

    ``*`` is any version that there is to see: a deletion is none (RFC 9110 §13.1.1).
    """
    header = request.headers.get(b"if-match")
    if header is None:
        return
    if current is None or not _names(header, current.version_id):
        raise precondition_failed()
    if current.deleted and header.strip() == b"*":
        raise precondition_failed()


@lru_cache(maxsize=4096)
def http_date(seconds: int) -> bytes:
    """A time as HTTP writes it (RFC 9110 §5.6.7)."""
    return formatdate(seconds, usegmt=True).encode()


def _names(header: bytes, version_id: str) -> bool:
    if header.strip() == b"*":
        return True
    version = version_id.encode()
    return any(version in (match[1], match[2]) for match in _TAG.finditer(header))
