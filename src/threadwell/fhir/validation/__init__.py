"""Whether a resource is what the R4 definitions say (FHIR R4 §2.1.0, §2.6.2).

Checked are JSON types, unknown and missing elements, cardinality, choice types, the formats of
primitives, primitive extensions, required bindings, contained resources, the syntax and target
types of references, and R4's invariants. The definitions decide everything: no resource type is
named here.

Checks are closures, compiled from the definitions when a type is first met. A check returns
``None`` for a valid value, so that a valid resource costs no path and no list; the path of a
mistake is put together on the way back up. No message repeats a value, which could be a patient's.
"""

from __future__ import annotations

from typing import Any

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.outcome import Issue
from threadwell.fhir.resource import Resource
from threadwell.fhir.validation.problem import MOST
from threadwell.fhir.validation.resources import check_resource


def validate(resource: Resource) -> list[Issue]:
    """Every mistake of the resource, each with its FHIRPath; an empty list if it is valid.

    Of more than ``MOST`` it names the first.

    The resources of a Bundle and of Parameters are validated as resources of their own.
    """
    problems = check_resource(resource)
    if problems is None:
        return []
    value: Any = resource
    type_ = value.get("resourceType") if isinstance(value, dict) else None
    root = type_ if isinstance(type_, str) and type_ in RESOURCE_TYPES else ""
    return [Issue(problem.code, problem.text, root + problem.path) for problem in problems[:MOST]]
