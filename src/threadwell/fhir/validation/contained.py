"""Contained resources, and the references that lead to them (FHIR R4 §2.3.0.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threadwell.fhir.validation.invariants import broken
from threadwell.fhir.validation.problem import Problem
from threadwell.fhir.validation.reference import wrong_target


def settled(problems: list[Problem], resource: dict[str, Any]) -> list[Problem]:
    """The problems without those suspicions that the contained resources clear up."""
    return [found for problem in problems for found in _without_suspicion(problem, resource)]


def check_ids(resource: dict[str, Any]) -> list[Problem]:
    """Every contained resource has an id of its own, and something leads to it, or from it."""
    contained = resource["contained"]
    problems: list[Problem] = []
    met: set[str] = set()
    texts = set(_texts(resource))
    for index, inner in enumerate(contained if isinstance(contained, list) else ()):
        if not isinstance(inner, dict):
            continue
        id_ = inner.get("id")
        at = f".contained[{index}]"
        if "id" not in inner:
            problems.append(
                Problem("structure", "A contained resource must have an id", f"{at}.id")
            )
        elif isinstance(id_, str):
            if id_ in met:
                text = "Two contained resources have the same id"
                problems.append(Problem("structure", text, f"{at}.id"))
            elif f"#{id_}" not in texts and "#" not in _texts(inner):
                problems.append(broken("DomainResource", "dom-3").under(at))
            met.add(id_)
    return problems


def _without_suspicion(problem: Problem, resource: dict[str, Any]) -> list[Problem]:
    """The problem, unless it is a ``#`` reference that leads somewhere."""
    if problem.fragment is None:
        return [problem]
    if problem.fragment == "":
        # A bare "#" leads from a contained resource to its container.
        if not problem.path.startswith(".contained["):
            return [problem]
        found = {resource["resourceType"]}
    else:
        contained = resource.get("contained")
        found = {
            inner["resourceType"]
            for inner in (contained if isinstance(contained, list) else ())
            if isinstance(inner, dict)
            and inner.get("id") == problem.fragment
            and isinstance(inner.get("resourceType"), str)
        }
    if not found:
        return [problem]
    return [] if found & problem.targets else [wrong_target(problem.targets).under(problem.path)]


def _texts(value: Any) -> Iterator[str]:
    """Every string in the value.

    R4 names references, uris and canonicals; no other string is only "#" and an id.
    """
    rest = [value]
    while rest:
        inner = rest.pop()
        if isinstance(inner, str):
            yield inner
        elif isinstance(inner, dict):
            rest.extend(inner.values())
        elif isinstance(inner, list):
            rest.extend(inner)
