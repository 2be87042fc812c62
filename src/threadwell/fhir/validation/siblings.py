"""Primitive extensions: ``_birthDate`` beside ``birthDate`` (FHIR R4 §2.6.2.3)."""

from __future__ import annotations

from typing import Any

from threadwell.fhir.validation.primitives import PRIMITIVES
from threadwell.fhir.validation.problem import Check, Problem, given_up, wrong_type

#: Stands for a member that is not there, as opposed to ``null``.
ABSENT: Any = object()


def check_pair(value: Any, sibling: Any, check: Check, element: Check) -> list[Problem]:
    """The problems of one primitive and the element that carries its id and extensions.

    ``value`` is ``ABSENT`` where the sibling stands alone.
    """
    problems = [] if value is ABSENT else check(value) or []
    if value is not ABSENT and isinstance(sibling, dict) and sibling.keys() == {"id"}:
        found = PRIMITIVES["string"](sibling["id"])
        return [*problems, *(problem.under(".id") for problem in found or [])]
    return [*problems, *(element(sibling) or [])]


def check_pairs(values: Any, siblings: Any, check: Check, element: Check) -> list[Problem]:
    """As ``check_pair`` for two arrays, aligned and filled up with ``null``."""
    if not isinstance(siblings, list):
        return wrong_type("array", siblings)
    if values is ABSENT:
        values = [None] * len(siblings)
    elif not isinstance(values, list):
        return wrong_type("array", values)
    if len(values) != len(siblings) or not values:
        return [Problem("structure", "Values and their extensions differ in number")]
    problems: list[Problem] = []
    for index, (value, sibling) in enumerate(zip(values, siblings, strict=True)):
        if sibling is None:
            found = check(value) or []
        else:
            found = check_pair(ABSENT if value is None else value, sibling, check, element)
        problems += [problem.under(f"[{index}]") for problem in found]
        if given_up(problems):
            break
    return problems
