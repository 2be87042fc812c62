"""Which format is asked for, and which is sent (FHIR R4 §3.1.0.1.10–11, RFC 9110 §12.5.1).

There is one, JSON, of one version of FHIR. ``_format`` in the URL counts for more than ``Accept``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from threadwell.api.exchange import Request
from threadwell.api.params import formats
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.messages import MediaType, parse_media_range, parse_media_type

#: FHIR's own names of the one format, of today and of its first years.
FHIR_JSON = ("application/fhir+json", "application/json+fhir")
_PLAIN = ("application/json", "text/json")
_JSON = (*FHIR_JSON, *_PLAIN)
_FHIR_XML = ("application/fhir+xml", "application/xml+fhir")
_FORM = "application/x-www-form-urlencoded"
#: What ``_format`` may be short for (§3.1.0.1.11).
_SHORT = "json"
_VERSIONS = ("4.0", "4.0.1")

_ITEM = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*(?:"|\\?\Z))+', re.DOTALL)
_QUALITY = re.compile(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?")


def check_format(request: Request) -> None:
    """Raise 406 unless JSON is what the request wants for an answer."""
    asked = _formats(request)
    if asked:
        if not all(map(_is_json, asked)):
            raise not_acceptable()
    elif not _takes_json(request.headers.get(b"accept", b"")):
        raise not_acceptable()


def wants_resource(request: Request, content_type: str) -> bool:
    """Is a Binary of that type to be shown as a resource in JSON, and not as its bytes?

    Raises 406 where it is asked for as a resource in another format.
    """
    if asked := _formats(request):
        if not all(map(_is_json, asked)):
            raise not_acceptable()
        return True
    ranges = _ranges(request.headers.get(b"accept", b""))
    named = {one.name for one, _ in ranges}
    if named.isdisjoint(FHIR_JSON):
        if not named.isdisjoint(_FHIR_XML) and "*/*" not in named:
            raise not_acceptable()
        return False
    as_resource = max(_quality(ranges, name) for name in FHIR_JSON)
    kind = parse_media_type(content_type)
    return as_resource >= _quality(ranges, kind.name if kind else "")


def prefers_plain_json(request: Request) -> bool:
    """Is JSON asked for by its general name, and not by FHIR's?"""
    if asked := _formats(request):
        return parse_media_type(asked[0].replace(" ", "+")) in map(parse_media_type, _PLAIN)
    ranges = [
        pair for pair in _ranges(request.headers.get(b"accept", b"")) if pair[0].name in _JSON
    ]
    return bool(ranges) and max(ranges, key=lambda pair: pair[1])[0].name not in FHIR_JSON


def check_json(headers: Mapping[bytes, bytes], *more: str) -> None:
    """Raise 415 unless the body is said to be JSON, or one of the types ``more``; a body of
    which nothing is said is taken for JSON.
    """
    given = headers.get(b"content-type")
    if given is None:
        return
    kind = _parsed(given)
    if kind is None or kind.name not in (*_JSON, *more) or not _is_ours(kind):
        raise unsupported_media_type()


def is_form(headers: Mapping[bytes, bytes]) -> bool:
    """Is the body said to be a form?"""
    kind = _parsed(headers.get(b"content-type", b""))
    return kind is not None and kind.name == _FORM


def content_type_of(headers: Mapping[bytes, bytes]) -> MediaType | None:
    """The one media type of the body; ``None`` where nothing is said. Raises 415 for a text that
    is none.
    """
    given = headers.get(b"content-type")
    if given is None:
        return None
    kind = _parsed(given)
    if kind is None:
        raise unsupported_media_type()
    return kind


def not_acceptable() -> FhirError:
    """406: there is no other format than JSON, and no other version than R4."""
    return FhirError(406, [Issue("not-supported", "Only application/fhir+json of R4 is offered")])


def unsupported_media_type() -> FhirError:
    """415: the body's content type is none that this interaction takes."""
    return FhirError(
        415, [Issue("not-supported", "Unsupported content type")], "unsupported-media-type"
    )


def _formats(request: Request) -> list[str]:
    asked = formats(request.query)
    if not asked and request.method == "POST" and request.path.endswith("/_search"):
        asked = formats(request.body.decode("latin-1"))
    return asked


@lru_cache(maxsize=256)
def _is_json(text: str) -> bool:
    # "+json" loses its plus sign where it comes unescaped.
    name, mark, rest = text.strip().partition(";")
    kind = parse_media_type(name.replace(" ", "+") + mark + rest)
    if kind is None:
        return text == _SHORT
    return kind.name in _JSON and _is_ours(kind)


@lru_cache(maxsize=256)
def _takes_json(accept: bytes) -> bool:
    ranges = _ranges(accept)
    # A header that says nothing that can be understood asks for nothing (RFC 9110 §12.4.1).
    return not ranges or any(_quality(ranges, name) > 0 for name in _JSON)


@lru_cache(maxsize=256)
def _ranges(accept: bytes) -> Sequence[tuple[MediaType, float]]:
    """What an ``Accept`` header names, each with its weight."""
    return tuple(_read(accept.decode("latin-1")))


def _read(accept: str) -> Iterator[tuple[MediaType, float]]:
    for item in _ITEM.finditer(accept):
        one = parse_media_range(item[0].strip())
        if one is not None:
            weight = one.parameters.get("q", "1")
            yield one, float(weight) if _QUALITY.fullmatch(weight) else 0.0


def _quality(ranges: Sequence[tuple[MediaType, float]], name: str) -> float:
    """How much a type is wanted: the range that fits it best tells."""
    for fits in (name, f"{name.partition('/')[0]}/*", "*/*"):
        found = [weight for one, weight in ranges if one.name == fits and _is_ours(one)]
        if found:
            return max(found)
    return 0.0


def _is_ours(kind: MediaType) -> bool:
    """Is it R4, in UTF-8, if it says anything of these?"""
    version = kind.parameters.get("fhirversion", _VERSIONS[0])
    charset = kind.parameters.get("charset", "utf-8").lower()
    return version in _VERSIONS and charset in ("utf-8", "utf8", "us-ascii")


@lru_cache(maxsize=256)
def _parsed(content_type: bytes) -> MediaType | None:
    return parse_media_type(content_type.decode("latin-1"))
