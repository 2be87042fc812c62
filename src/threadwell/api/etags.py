"""Versions and times in headers (RFC 9110 §13, FHIR R4 §3.1.0.4–5).

A precondition that does not hold is 412, on whichever interaction: a client that sends one would
rather have nothing happen than the wrong thing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

from threadwell.api.exchange import Request
from threadwell.fhir.outcome import precondition_failed
from threadwell.stores.contract import Stored

_TAG = re.compile(rb'(?:W/)?"([^"]*)"|([^\s,"]+)')
#: A time as the entries of a bundle write it: an ``instant``.
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def etag(version_id: str) -> bytes:
    """``W/"version"``."""
    return b'W/"%s"' % version_id.encode()


def not_modified(request: Request, version_id: str, updated: int | None = None) -> bool:
    """Does the client have this already (304)? ``If-None-Match`` tells, or where there is none
    ``If-Modified-Since``. ``updated`` in milliseconds since 1970, ``None`` if that is not known.
    """
    headers = request.headers
    if b"if-none-match" in headers:
        return _names(headers[b"if-none-match"], version_id)
    if b"if-modified-since" not in headers:
        return False
    since = _moment(headers[b"if-modified-since"])
    return updated is not None and since is not None and updated <= since


def check_read(request: Request, current: Stored) -> None:
    """Raise 412 where ``If-Match`` or ``If-Unmodified-Since`` forbids to read the version."""
    if b"if-match" in request.headers or b"if-unmodified-since" in request.headers:
        _check_same(request, current)


def check_write(request: Request, current: Stored | None) -> None:
    """Raise 412 where a precondition forbids to write over the version, or to make the first one
    where it is ``None``.

    ``*`` is any version that there is to see: a deletion is none (RFC 9110 §13.1.1–2).
    """
    _check_same(request, current)
    header = request.headers.get(b"if-none-match")
    if header is None or current is None:
        return
    if _names(header, current.version_id) and not (current.deleted and header.strip() == b"*"):
        raise precondition_failed()


@lru_cache(maxsize=4096)
def http_date(seconds: int) -> bytes:
    """A time as HTTP writes it (RFC 9110 §5.6.7)."""
    return formatdate(seconds, usegmt=True).encode()


@lru_cache(maxsize=4096)
def as_instant(date: bytes) -> bytes:
    """A time as ``http_date`` writes it as a FHIR ``instant``."""
    return parsedate_to_datetime(date.decode()).strftime("%Y-%m-%dT%H:%M:%SZ").encode()


def is_instant(text: str) -> bool:
    """Is it a FHIR ``instant`` of a day and time that there is?"""
    return bool(_INSTANT.fullmatch(text)) and _moment(text.encode()) is not None


def _check_same(request: Request, current: Stored | None) -> None:
    header = request.headers.get(b"if-match")
    if header is not None:
        if current is None or not _names(header, current.version_id):
            raise precondition_failed()
        if current.deleted and header.strip() == b"*":
            raise precondition_failed()
        return
    since = _moment(request.headers.get(b"if-unmodified-since"))
    if since is not None and current is not None and current.updated > since:
        raise precondition_failed()


def _moment(header: bytes | None) -> int | None:
    """The last millisecond since 1970 of the time in a header; ``None`` if it is none, and then
    the header counts for nothing (RFC 9110 §13.1.3–4).
    """
    if header is None:
        return None
    text = header.decode("latin-1").strip()
    try:
        if _INSTANT.fullmatch(text):
            return int(datetime.fromisoformat(text).timestamp() * 1000)
        when = parsedate_to_datetime(text)
        # HTTP's times are whole seconds, those of versions are not.
        return int(when.replace(tzinfo=when.tzinfo or UTC).timestamp()) * 1000 + 999
    except (ValueError, OverflowError):
        return None


def _names(header: bytes, version_id: str) -> bool:
    if header.strip() == b"*":
        return True
    version = version_id.encode()
    return any(version in (match[1], match[2]) for match in _TAG.finditer(header))
