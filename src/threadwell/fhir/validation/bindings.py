"""Required bindings (FHIR R4 §4.1.5): codes that must come from a value set."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from threadwell.fhir.definitions import load
from threadwell.fhir.validation.primitives import text_check
from threadwell.fhir.validation.problem import Check, Problem

_WORD = r"[A-Za-z0-9!#$&^_.+\-]+"

#: Value sets that no one can list: the code system of each, and what its codes look like.
_OPEN_SETS = {
    # CapabilityStatement.format also allows FHIR's own short names for its formats.
    "http://hl7.org/fhir/ValueSet/mimetypes": (
        "urn:ietf:bcp:13",
        re.compile(rf"{_WORD}/{_WORD}(?:\s*;\s*{_WORD}=(?:{_WORD}|\"[^\"]*\"))*|xml|json|ttl"),
    ),
    "http://hl7.org/fhir/ValueSet/currencies": ("urn:iso:std:iso:4217", re.compile("[A-Z]{3}")),
    "http://hl7.org/fhir/ValueSet/ucum-units": (
        "http://unitsofmeasure.org",
        re.compile("[!-~]+"),
    ),
    "http://loinc.org/vs/LL379-9": ("http://loinc.org", re.compile("LA[0-9]+-[0-9]")),
}


def bound(type_: str, check: Check, value_set: str) -> Check:
    """The check of a value of the type, narrowed to the codes of the value set."""
    if type_ == "code":
        return _bound_code(value_set)
    if type_ == "CodeableConcept":
        return _bound_concept(check, value_set)
    raise AssertionError(f"R4 binds no {type_} to a value set")


def outside(value_set: str) -> Problem:
    """The code is none of the value set, or there is none."""
    return Problem("code-invalid", f"Code is not in the required value set {value_set}")


def _bound_code(value_set: str) -> Check:
    if value_set in _OPEN_SETS:
        pattern = _OPEN_SETS[value_set][1]
        return text_check(lambda code: pattern.fullmatch(code) is not None, outside(value_set))
    listed = frozenset(code for codes in load("value_sets")[value_set].values() for code in codes)
    return text_check(listed.__contains__, outside(value_set))


def _bound_concept(check: Check, value_set: str) -> Check:
    """One coding out of the value set is enough: others may translate it."""
    contains = _contains(value_set)

    def check_concept(value: Any) -> list[Problem] | None:
        problems = check(value)
        if problems is not None:
            return problems
        codings = value.get("coding", ())
        if any(contains(coding.get("system"), coding.get("code")) for coding in codings):
            return None
        return [outside(value_set)]

    return check_concept


def _contains(value_set: str) -> Callable[[str | None, str | None], bool]:
    if value_set in _OPEN_SETS:
        system, pattern = _OPEN_SETS[value_set]
        return lambda s, code: s == system and pattern.fullmatch(code or "") is not None
    listed = {
        (system, code) for system, codes in load("value_sets")[value_set].items() for code in codes
    }
    return lambda s, code: (s, code) in listed
