"""Where a resource refers to definitions by a canonical that is no absolute URL.

R4 has none such (§2.24.0.1). HL7's own examples have some, and so do clients: they are stored, and
``$validate`` tells of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.structures import elements, primitive
from threadwell.fhir.outcome import Issue
from threadwell.fhir.resource import Resource

#: What forms are referred to by, as Medplum's clients do it.
_FORMS = "Questionnaire/"
_TEXT = "A canonical is an absolute URL, or # and the id of a contained resource"


def relative_canonicals(resource: Resource) -> list[Issue]:
    """An issue for each of a valid resource: a warning for that of a form, else an error."""
    type_ = str(resource.get("resourceType"))
    return [
        Issue("value", _TEXT, path, "warning" if value.startswith(_FORMS) else "error")
        for path, value in _found(resource, type_, type_)
    ]


class _Step(NamedTuple):
    name: str
    type: str


@cache
def _steps(type_: str) -> dict[str, _Step]:
    """JSON property → the element that it stands for, of those that may hold a canonical."""
    return {
        json_name: _Step(element.name, code)
        for element in elements(type_)
        for json_name, code in element.json_names().items()
        if code == "canonical" or not primitive(code) or code == "Resource"
    }


def _found(value: Any, type_: str, path: str) -> Iterator[tuple[str, str]]:
    if type_ == "canonical":
        if isinstance(value, str) and ":" not in value and not value.startswith("#"):
            yield path, value
        return
    if not isinstance(value, dict):
        return
    if type_ == "Resource":
        type_ = str(value.get("resourceType"))
        if type_ not in RESOURCE_TYPES:
            return
    steps = _steps(type_)
    for json_name, child in value.items():
        step = steps.get(json_name)
        if step is None:
            continue
        at = f"{path}.{step.name}"
        if isinstance(child, list):
            for index, item in enumerate(child):
                yield from _found(item, step.type, f"{at}[{index}]")
        else:
            yield from _found(child, step.type, at)
