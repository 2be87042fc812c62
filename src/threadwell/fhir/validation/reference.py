"""The syntax and target types of ``Reference.reference`` (FHIR R4 §2.3.0.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.validation.primitives import ID
from threadwell.fhir.validation.problem import Check, Problem, wrong_type
from threadwell.fhir.validation.uris import OID

_is_id = re.compile(ID).fullmatch
_LOCAL = re.compile(rf"(?P<type>[A-Za-z]+)/{ID}(?:/_history/{ID})?")
_CONDITIONAL = re.compile(r"(?P<type>[A-Za-z]+)\?\S+")
_REST_URL = re.compile(rf"https?://\S+/{_LOCAL.pattern}")
_OTHER_URL = re.compile(r"(?!urn:(?:uuid|oid):)[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_UUID = re.compile("urn:uuid:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_OID = re.compile(OID)


def reference_check(targets: Sequence[str]) -> Check:
    """The check of a reference that may lead to ``targets``, to any type where none is named."""
    allowed = frozenset(targets) or RESOURCE_TYPES

    def check(value: Any) -> list[Problem] | None:
        if not isinstance(value, str):
            return wrong_type("string", value)
        type_, _, id_ = value.partition("/")
        if type_ in allowed and _is_id(id_):
            return None
        return _check_others(value, allowed)

    return check


def _check_others(value: str, allowed: frozenset[str]) -> list[Problem] | None:
    if value.startswith("#"):
        text = "Reference to a resource that is not contained"
        return [Problem("structure", text, fragment=value[1:], targets=allowed)]
    if match := _LOCAL.fullmatch(value) or _CONDITIONAL.fullmatch(value):
        if match["type"] not in RESOURCE_TYPES:
            return [Problem("value", "Invalid reference: unknown resource type")]
        return None if match["type"] in allowed else [wrong_target(allowed)]
    if match := _REST_URL.fullmatch(value):
        # An address that only looks like FHIR's (…/files/1) tells nothing of a type.
        elsewhere = match["type"] not in RESOURCE_TYPES
        return None if elsewhere or match["type"] in allowed else [wrong_target(allowed)]
    if any(pattern.fullmatch(value) for pattern in (_UUID, _OID, _OTHER_URL)):
        return None
    return [Problem("value", "Invalid reference")]


def wrong_target(allowed: frozenset[str]) -> Problem:
    """The reference leads to a resource of a type that the element does not allow."""
    return Problem("value", f"Invalid reference target: expected {', '.join(sorted(allowed))}")
