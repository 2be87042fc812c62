"""The headers of a request as one mapping, whatever comes twice (RFC 9110 §5.3), and ``Prefer``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from threadwell.fhir.outcome import FhirError, invalid

#: Headers that have one value; of two, nobody could say which was meant.
_SINGLE = frozenset(
    {b"authorization", b"content-type", b"content-length", b"content-encoding", b"origin", b"host"}
)


def as_mapping(given: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Each header by its name; the values of one that comes again are a list."""
    headers = dict(given)
    if len(headers) == len(given):
        return headers
    headers = {}
    for name, value in given:
        if name not in headers:
            headers[name] = value
        elif name not in _SINGLE:
            headers[name] = b"%s, %s" % (headers[name], value)
    return headers


def repeated(
    given: Sequence[tuple[bytes, bytes]], headers: Mapping[bytes, bytes]
) -> FhirError | None:
    """400, if one that may come once comes twice with different values."""
    if len(headers) == len(given):
        return None
    seen: dict[bytes, bytes] = {}
    for name, value in given:
        if name in _SINGLE and seen.setdefault(name, value) != value:
            return invalid(f"The header {name.decode()} must come once")
    return None


def preferred_return(headers: Mapping[bytes, bytes]) -> str:
    """What ``Prefer`` wants returned, in lower case; ``""`` where it says nothing of it.

    Of several, the first counts (RFC 7240 §2).
    """
    given = headers.get(b"prefer")
    return _preferred(given, "return") if given else ""


def is_lenient(headers: Mapping[bytes, bytes]) -> bool:
    """Does ``Prefer`` want what is not understood to be passed over (RFC 7240 §4.4)?"""
    given = headers.get(b"prefer")
    return bool(given) and _preferred(given, "handling") == "lenient"


#: One preference, of which a comma or semicolon within quotes is a part.
_PREFERENCE = re.compile(rb'(?:[^",;]|"(?:[^"\\]|\\.)*(?:"|\\?\Z))+', re.DOTALL)


@lru_cache(maxsize=64)
def _preferred(prefer: bytes, wanted: str) -> str:
    for preference in _PREFERENCE.finditer(prefer):
        name, _, value = preference[0].decode("latin-1").partition("=")
        if name.strip().lower() == wanted:
            return value.strip().strip('"').lower()
    return ""
