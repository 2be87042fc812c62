"""Rules that R4 has in words alone, or not as constraints: what HL7's validator refuses for them.

They are held against a value as R4's own invariants are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.fhirpath.logic import Truth
from threadwell.fhir.fhirpath.top import Top
from threadwell.fhir.validation.problem import Problem

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
#: A URL as FHIR's servers have them; an address that only looks like one names no type.
_RESTFUL = re.compile(r"https?://.+/(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})")
_LITERAL = re.compile(r"(?:https?://.+/)?(?P<type>[A-Z][A-Za-z]+)/[^/?#]+(?:/_history/[^/]+)?")
#: Bundles of what is sent and what is answered: their resources may be without a name.
_NAMELESS = ("batch", "transaction", "batch-response", "transaction-response")
#: Links of which only one makes sense.
_SINGLE = ("self", "first", "previous", "next", "last")


class Rule(NamedTuple):
    """``steps`` lead from a value of the type to what ``holds`` is about.

    Without any of ``names`` in the value it holds anyway.
    """

    names: frozenset[str]
    steps: tuple[str, ...]
    holds: Truth
    problem: Problem


def _has_its_type(item: Any, _: Top) -> bool:
    text = item.get("reference", "")
    if text.startswith("#"):
        return True
    found = _LITERAL.fullmatch(text)
    return not found or found["type"] not in RESOURCE_TYPES or found["type"] == item["type"]


def _is_uri(item: Any, _: Top) -> bool:
    if item.get("system") != "urn:ietf:rfc:3986":
        return True
    value = item.get("value")
    return value is None or _URI.fullmatch(value) is not None


def _is_absolute(item: Any, _: Top) -> bool:
    return _URI.fullmatch(item["fullUrl"]) is not None


def _has_its_id(item: Any, _: Top) -> bool:
    resource = item.get("resource")
    found = _RESTFUL.fullmatch(item["fullUrl"]) if resource is not None else None
    if not found or found["type"] not in RESOURCE_TYPES:
        return True
    return bool(resource.get("resourceType") == found["type"] and resource.get("id") == found["id"])


def _is_named(item: Any, top: Top) -> bool:
    return "fullUrl" in item or "resource" not in item or top.value.get("type") in _NAMELESS


def _links_once(item: Any, _: Top) -> bool:
    relations = [link["relation"] for link in item["link"] if link.get("relation") in _SINGLE]
    return len(relations) == len(set(relations))


def _rule(names: str, holds: Truth, text: str, path: str, *steps: str) -> Rule:
    return Rule(frozenset(names.split()), steps, holds, Problem("invariant", text, path))


RULES: Mapping[str, Sequence[Rule]] = {
    "Reference": [_rule("type", _has_its_type, "The reference leads to another type", ".type")],
    "Identifier": [
        _rule("system", _is_uri, "The value under urn:ietf:rfc:3986 must be a URI", ".value")
    ],
    "Bundle": [
        _rule("link", _links_once, "A relation of links stands twice", ".link"),
        _rule("entry", _is_named, "An entry of such a Bundle has a fullUrl", ".fullUrl", "entry"),
    ],
    "Bundle.entry": [
        _rule("fullUrl", _is_absolute, "The fullUrl must be absolute", ".fullUrl"),
        _rule("fullUrl", _has_its_id, "The fullUrl names another type or id", ".fullUrl"),
    ],
}
