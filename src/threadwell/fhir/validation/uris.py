"""The types ``uri``, ``url`` and ``canonical`` (FHIR R4 §2.24.0.1), and which must be absolute."""

from __future__ import annotations

import re
from typing import Any

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.validation.problem import Check, Problem, wrong_type

OID = r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"
UUID = "urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

_PREFIXES = ("urn:oid:", "urn:uuid:", "oid:", "uuid:")
_NAMED = re.compile(f"{OID}|{UUID}")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:.+")

#: Elements that must be absolute, beside the canonical urls that resources have themselves.
_MUST = {"Identifier.system", "Quantity.system", "Meta.profile"}

_BAD_NAME = "an OID is written as urn:oid:1.2.3, a UUID after urn:uuid: and in lower case"
_RELATIVE = "it must be absolute, with a scheme such as https: or urn:"


def uri_check(type_: str) -> Check:
    """The check of a uri or url: printable, without spaces, and a well-formed OID or UUID."""
    problem = Problem("value", f"Invalid {type_} format")
    bad_name = _invalid(type_, _BAD_NAME)

    def check(value: Any) -> list[Problem] | None:
        if not isinstance(value, str):
            return wrong_type("string", value)
        if not value or " " in value or not value.isprintable():
            return [problem]
        if value.startswith(_PREFIXES) and not _NAMED.fullmatch(value):
            return [bad_name]
        return None

    return check


def canonical_check() -> Check:
    """The check of a canonical: absolute, ``#`` and the id of a contained resource, or ``Type/id``.

    R4 knows no relative canonicals; Medplum's questionnaires are referred to by them.
    """
    check_uri = uri_check("canonical")

    def check(value: Any) -> list[Problem] | None:
        problems = check_uri(value)
        if problems is not None or ":" in value:
            return problems
        if value.startswith("#"):
            text = "Canonical of a resource that is not contained"
            return [Problem("structure", text, fragment=value[1:], targets=RESOURCE_TYPES)]
        if value.partition("/")[0] in RESOURCE_TYPES:
            return None
        return [_invalid("canonical", _RELATIVE)]

    return check


def absolute(check: Check, type_: str, owner: str, name: str) -> Check:
    """The check of an element of a type, narrowed to absolute ones where it must be absolute.

    The urls of extensions within extensions may be relative; those of others may not. So it is
    with the systems of codings within a CodeableConcept, of which there may be another.
    """
    if type_ == "Extension" and owner != "Extension":
        return _with_absolute(check, "url")
    if type_ == "Coding" and owner != "CodeableConcept":
        return _with_absolute(check, "system")
    if f"{owner}.{name}" in _MUST or (name == "url" and type_ == "uri" and owner in RESOURCE_TYPES):
        return _absolute(check, type_)
    return check


def _invalid(type_: str, why: str) -> Problem:
    return Problem("value", f"Invalid {type_} format: {why}")


def _absolute(check: Check, type_: str) -> Check:
    relative = _invalid(type_, _RELATIVE)

    def check_both(value: Any) -> list[Problem] | None:
        problems = check(value)
        if problems is None and not _ABSOLUTE.match(value):
            return [relative]
        return problems

    return check_both


def _with_absolute(check: Check, name: str) -> Check:
    relative = _invalid("uri", _RELATIVE).under(f".{name}")

    def check_both(value: Any) -> list[Problem] | None:
        problems = check(value)
        if problems is None and name in value and not _ABSOLUTE.match(value[name]):
            return [relative]
        return problems

    return check_both
