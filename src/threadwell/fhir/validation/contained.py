"""Contained resources, and the references that lead to them (FHIR R4 §2.3.0.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from threadwell.fhir.validation.invariants import broken
from threadwell.fhir.validation.problem import MOST, Problem
from threadwell.fhir.validation.reference import wrong_target


def settled(problems: list[Problem], resource: dict[str, Any]) -> list[Problem]:
    """The problems without those suspicions that the contained resources clear up."""
    if all(problem.fragment is None for problem in problems):
        return problems
    types: dict[str, set[str]] = {"": {resource["resourceType"]}}
    contained = resource.get("contained")
    for inner in contained if isinstance(contained, list) else ():
        if isinstance(inner, dict) and isinstance(inner.get("resourceType"), str):
            id_ = inner.get("id")
            if isinstance(id_, str) and id_:
                types.setdefault(id_, set()).add(inner["resourceType"])
    return [found for problem in problems for found in _without_suspicion(problem, types)]


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
        if len(problems) >= MOST:
            break
    return problems


def _without_suspicion(problem: Problem, types: Mapping[str, set[str]]) -> list[Problem]:
    """The problem, unless it is a ``#`` reference that leads to one of ``types``, by their ids."""
    if problem.fragment is None:
        return [problem]
    # A bare "#" leads from a contained resource to its container.
    leads_nowhere = problem.fragment == "" and not problem.path.startswith(".contained[")
    found = types.get(problem.fragment)
    if not found or leads_nowhere:
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
