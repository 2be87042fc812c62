"""Checks of whole resources: which type it is, and what it contains."""

from __future__ import annotations

from threading import Lock
from typing import Any

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.validation.contained import check_ids, settled
from threadwell.fhir.validation.invariants import broken
from threadwell.fhir.validation.objects import Compiler
from threadwell.fhir.validation.problem import Check, Problem, wrong_type


def check_resource(value: Any) -> list[Problem] | None:
    """The problems of a resource that stands for itself, ``None`` if there are none."""
    problems = _check_as_its_type(value)
    if problems is not None:
        problems = settled(problems, value)
    if isinstance(value, dict) and "contained" in value:
        problems = [*(problems or ()), *check_ids(value)]
    return problems or None


def _check_as_its_type(value: Any) -> list[Problem] | None:
    try:
        check = _checks[value["resourceType"]]
    except (KeyError, TypeError):
        return _check_unmet(value)
    return check(value)


def _check_unmet(value: Any) -> list[Problem] | None:
    """The problems of a resource of a type that is not compiled yet, or of no type at all."""
    if not isinstance(value, dict):
        return wrong_type("object", value)
    type_ = value.get("resourceType")
    if not isinstance(type_, str):
        return [Problem("structure", "Missing or invalid resourceType")]
    if type_ not in RESOURCE_TYPES:
        return [Problem("structure", "Unknown resourceType")]
    return _compile(type_)(value)


def _check_contained(value: Any) -> list[Problem] | None:
    """As above for a contained resource; its ``#`` references are for its container to settle."""
    problems = _check_as_its_type(value)
    if isinstance(value, dict) and "contained" in value:
        problems = [*(problems or []), broken("DomainResource", "dom-2").under(".contained")]
    return problems


# Published only once everything that a check leads to is compiled: threads may meet a new type
# at the same time.
_checks: dict[str, Check] = {}
_lock = Lock()
_compiler = Compiler({"": check_resource, "contained": _check_contained})


def _compile(type_: str) -> Check:
    with _lock:
        check = _checks[type_] = _compiler.compile(type_)
    return check
