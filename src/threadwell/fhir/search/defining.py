"""A ``SearchParameter`` resource as a parameter that a store can index by (FHIR R4 §3.1.1.5).

It is in use while its ``status`` is ``active``. A draft, or one that is retired, only stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.search_parameters import (
    Component,
    SearchParameter,
    parameter_type,
    search_parameters,
)
from threadwell.fhir.fhirpath.parse import parse_outside
from threadwell.fhir.fhirpath.tree import Unsupported
from threadwell.fhir.outcome import Issue
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.convert import converter
from threadwell.fhir.search.steps import Key, ways

TYPE = "SearchParameter"
#: Types of which one parameter may be, and letters of its expression.
MAX_BASES, MAX_LETTERS = 20, 2000
_KINDS = frozenset({"number", "date", "string", "token", "reference", "quantity", "uri"})
_COMPOSITE = "composite"
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Defined:
    """A parameter of ``types``; of ``served`` R4 has what it is derived from."""

    parameter: SearchParameter
    types: tuple[str, ...]
    served: tuple[str, ...] = ()


class Undefined(Exception):
    """It cannot be searched by: ``issues`` say why."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__("; ".join(issue.text for issue in issues))
        self.issues = issues


def defined(resource: Resource) -> Defined | None:
    """The parameter that a valid SearchParameter defines; ``None`` where it is not in use.

    Raises ``Undefined``.
    """
    if resource.get("status") != "active":
        return None
    issues = list(_refusals(resource))
    if issues:
        raise Undefined(issues)
    code, bases = resource["code"], resource["base"]
    served = [type_ for type_ in bases if code in search_parameters(type_)]
    parameter = SearchParameter(
        code=code,
        type=resource["type"],
        expression=resource["expression"],
        targets=tuple(resource.get("target", ())),
        components=tuple(
            Component(one["definition"], one["expression"]) for one in resource.get("component", ())
        ),
        url=resource["url"],
        description=resource.get("description", ""),
    )
    types = tuple(type_ for type_ in dict.fromkeys(bases) if type_ not in served)
    return Defined(parameter, types, tuple(served))


def _refusals(resource: Resource) -> Iterator[Issue]:
    code, kind, bases = (resource.get(name) for name in ("code", "type", "base"))
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        text = "a code has letters, digits, - and _, no more than 64, and begins with a letter"
        yield _issue("SearchParameter.code", text)
        return
    if kind != _COMPOSITE and kind not in _KINDS:
        yield _issue("SearchParameter.type", "only what R4 searches by in its own way is special")
        return
    if not isinstance(bases, list) or not 0 < len(bases) <= MAX_BASES:
        yield _issue("SearchParameter.base", f"it is of one type at least and {MAX_BASES} at most")
        return
    expression = resource.get("expression", "")
    if not expression or len(expression) > MAX_LETTERS:
        text = f"what is indexed is found by an expression of at most {MAX_LETTERS:,} letters"
        yield _issue("SearchParameter.expression", text)
        return
    for at, type_ in enumerate(bases):
        path = f"SearchParameter.base[{at}]"
        if type_ not in RESOURCE_TYPES:
            yield _issue(path, "name the types that it is for: it is indexed for each of them")
        elif known := search_parameters(type_).get(code):
            if resource.get("derivedFrom") != known.url or kind != known.type:
                text = f"R4 has a parameter {code} of {type_}: choose another code"
                yield _issue("SearchParameter.code", text, "duplicate")
        else:
            yield from _without_values(resource, type_)


def _without_values(resource: Resource, type_: str) -> Iterator[Issue]:
    """What keeps a parameter from finding anything in a type."""
    path = "SearchParameter.expression"
    kind = resource["type"]
    try:
        found = ways(parse_outside(resource["expression"]), type_, type_)
    except Unsupported as error:
        yield _issue(path, f"for {type_} it cannot be worked out: {error}")
        return
    if not found:
        yield _issue(path, f"it leads to nothing in {type_}")
        return
    if kind != _COMPOSITE:
        if not any(converter(kind, way.type, way.name) for way in found):
            types = ", ".join(sorted({way.type for way in found}))
            text = f"in {type_} it leads to {types}, of which there are no values of type {kind}"
            yield _issue(path, text)
        return
    components = resource.get("component", ())
    if len(components) < 2:
        yield _issue("SearchParameter.component", "a composite has two parts or more")
    begins: list[bool] = []
    for at, one in enumerate(components):
        where = f"SearchParameter.component[{at}]"
        try:
            of = parameter_type(one["definition"])
            parts = [
                part
                for way in found
                for part in ways(parse_outside(one["expression"]), way.type, type_)
            ]
        except KeyError:
            yield _issue(f"{where}.definition", "it has to be the url of a parameter of R4")
            continue
        except Unsupported as error:
            yield _issue(f"{where}.expression", f"it cannot be worked out: {error}")
            continue
        if not any(converter(of, part.type, part.name) for part in parts):
            yield _issue(f"{where}.expression", f"it leads to no values of type {of}")
        begins = [isinstance(step, Key) for part in parts for step in part.steps[:1]]
    if not all(isinstance(way.steps[0], Key) if way.steps else all(begins) for way in found):
        yield _issue(path, "a composite begins with an element")


def _issue(path: str, text: str, code: str = "invalid") -> Issue:
    return Issue(code, f"{path}: {text}", path)
