"""Where a resource links to others: what a transaction leads anew (FHIR R4 §3.1.0.11.2).

Links are references, uris and urls, and the ``href`` and ``src`` of a narrative. A name that only
looks like one is no link: the ``url`` that a resource is known by, the ``system`` of a code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.structures import elements, primitive
from threadwell.fhir.resource import Resource

#: Where a link leads; ``None`` for one that is to stay as it is.
Lead: TypeAlias = Callable[[str], str | None]

#: Elements of type uri that name a thing instead of leading to it. An ``oid`` and a ``uuid`` are
#: names as well: what a link would become is neither.
_NAMES = frozenset({"system", "identifier", "implicitRules", "fullUrl", "url"})
_ATTRIBUTE = re.compile(r"""((?:href|src)=["'])([^"']+)""")


def relinked(resource: Any, lead: Lead) -> Any:
    """A copy of a resource, with every link led to where it goes.

    What does not fit the definitions stays as it is, as do the resources of a Bundle and of
    Parameters: they refer to each other.
    """
    return _led(resource, _RESOURCE, lead)


def relinked_patch(operations: Any, type_: str, lead: Lead) -> Any:
    """A copy of a patch of a resource of that type, with the links of its values led: of the
    operations of a JSON Patch, or the ``Parameters`` of a FHIRPath Patch.
    """
    if isinstance(operations, dict):
        return _relinked_parameters(operations, lead)
    led: list[Any] = []
    for operation in operations:
        copied = copy(operation)
        if isinstance(copied, dict) and "value" in copied and type_ in RESOURCE_TYPES:
            step = _place(type_, str(copied.get("path")).split("/")[1:])
            copied["value"] = _led(copied["value"], step, lead)
        led.append(copied)
    return led


def reference_parts(value: Any) -> Iterator[dict[str, Any]]:
    """The parts of a FHIRPath Patch that are to be the text of a reference: strings, by type."""
    if isinstance(value, list):
        for item in value:
            yield from reference_parts(item)
    if not isinstance(value, dict):
        return
    parts = value.get("part")
    if not isinstance(parts, list):
        yield from reference_parts(list(value.values()))
        return
    yield from reference_parts(parts)
    named = {
        part["name"]: part
        for part in parts
        if isinstance(part, dict) and isinstance(part.get("name"), str)
    }
    path = named.get("path", {}).get("valueString")
    at_reference = isinstance(path, str) and path.endswith(".reference")
    if at_reference or named.get("name", {}).get("valueString") == "reference":
        found = named.get("value")
    else:
        found = named.get("reference")
    if found is not None and isinstance(found.get("valueString"), str):
        yield found


def _relinked_parameters(parameters: Resource, lead: Lead) -> Resource:
    made: Resource = _with_resources(relinked(parameters, lead), lead)
    for part in reference_parts(made):
        part["valueString"] = _led_text(part["valueString"], lead)
    return made


def _with_resources(value: Any, lead: Lead) -> Any:
    """The same; what parameters hold is to be within the resource, and no other's."""
    if isinstance(value, list):
        return [_with_resources(item, lead) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: relinked(item, lead) if name == "resource" else _with_resources(item, lead)
        for name, item in value.items()
    }


def copy(value: Any) -> Any:
    """A copy of JSON that shares nothing with it that could be changed."""
    if isinstance(value, dict):
        return {name: copy(item) for name, item in value.items()}
    if isinstance(value, list):
        return [copy(item) for item in value]
    return value


class _Kind(Enum):
    LINK = "is a link"
    NARRATIVE = "has links in its attributes"
    WITHIN = "may have links within"
    NONE = "has no links"


class _Step(NamedTuple):
    """What a member holds; ``type`` is that of what may have links within."""

    kind: _Kind
    type: str = ""


_LINK, _NOTHING = _Step(_Kind.LINK), _Step(_Kind.NONE)
_RESOURCE = _Step(_Kind.WITHIN, "Resource")


def _led(value: Any, step: _Step, lead: Lead) -> Any:
    if isinstance(value, list):
        return [_led(item, step, lead) for item in value]
    if isinstance(value, str):
        if step.kind is _Kind.LINK:
            return _led_text(value, lead)
        return _in_narrative(value, lead) if step.kind is _Kind.NARRATIVE else value
    if not isinstance(value, dict) or step.kind is not _Kind.WITHIN:
        return copy(value)
    type_ = value.get("resourceType") if step is _RESOURCE else step.type
    if not isinstance(type_, str) or (step is _RESOURCE and type_ not in RESOURCE_TYPES):
        return copy(value)
    steps = _steps(type_)
    return {
        name: _led(item, steps[name], lead)
        if name in steps
        else copy(item)
        if isinstance(item, dict | list)
        else item
        for name, item in value.items()
    }


def _led_text(text: str, lead: Lead) -> str:
    # A link may name a place within the resource (#…).
    whole, mark, fragment = text.partition("#")
    to = lead(whole)
    return text if to is None else f"{to}{mark}{fragment}"


def _in_narrative(div: str, lead: Lead) -> str:
    return _ATTRIBUTE.sub(lambda found: found[1] + _led_text(found[2], lead), div)


def _place(type_: str, path: Sequence[str]) -> _Step:
    """What is at that place of a resource of that type."""
    step = _Step(_Kind.WITHIN, type_)
    for name in path:
        if name.isdigit() or name == "-":
            continue
        if step is _RESOURCE:
            # Of which type it is, only the resource tells; everywhere a reference is a link.
            step = _LINK if path[-1] == "reference" else _NOTHING
            break
        step = _steps(step.type).get(name, _NOTHING) if step.kind is _Kind.WITHIN else _NOTHING
    return step


@cache
def _steps(type_: str) -> dict[str, _Step]:
    """JSON member → what it holds, of those that may have links."""
    if type_ == "Reference":
        found = {"reference": _LINK}
    else:
        found = {
            json_name: step
            for element in elements(type_)
            for json_name, code in element.json_names().items()
            if (step := _step(element.name, code)) is not _NOTHING
        }
    siblings = {
        f"_{json_name}": _Step(_Kind.WITHIN, "Element")
        for element in elements(type_)
        for json_name, code in element.json_names().items()
        if primitive(code)
    }
    extensions = {"extension": _Step(_Kind.WITHIN, "Extension")}
    return found | siblings | extensions


def _step(name: str, code: str) -> _Step:
    if code == "Resource":
        return _RESOURCE if name == "contained" else _NOTHING
    if code == "url" or (code == "uri" and name not in _NAMES):
        return _LINK
    if code == "xhtml":
        return _Step(_Kind.NARRATIVE)
    return _NOTHING if primitive(code) else _Step(_Kind.WITHIN, code)
