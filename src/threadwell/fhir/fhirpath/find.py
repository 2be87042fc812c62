"""The functions of FHIRPath that find or make values (FHIRPath N1 §5.2 to §5.8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from typing import Any

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.structures import elements, primitive
from threadwell.fhir.fhirpath.compare import is_number
from threadwell.fhir.fhirpath.logic import Truth
from threadwell.fhir.fhirpath.top import Finder, Top, key
from threadwell.fhir.fhirpath.tree import Unsupported
from threadwell.fhir.fhirpath.values import (
    ANYTHING,
    NO_VALUE,
    Collect,
    Part,
    gather,
    is_type,
    may_be,
    member,
    then,
)


def verdict(holds: Truth) -> Part:
    """Whether a condition holds, as a value; nothing where it is neither true nor false."""

    def collect(item: Any, top: Top) -> list[Any]:
        held = holds(item, top)
        return [] if held is None else [held]

    return Part("boolean", collect)


def of_type(parts: list[Part], name: str) -> list[Part]:
    """Those values that are of the named type."""
    return [_narrowed(part, name) for part in parts if may_be(part.type, name)]


def _narrowed(part: Part, name: str) -> Part:
    def collect(item: Any, top: Top) -> list[Any]:
        return [value for value in part.collect(item, top) if is_type(part.type, value, name)]

    return Part(part.type, collect)


def combined(parts: list[Part], others: list[Part], collect: Collect) -> list[Part]:
    """``parts.combine(others)``, whose values ``collect`` finds: one after the other where all are
    of one type.
    """
    if len({part.type for part in (*parts, *others)}) != 1:
        return [*parts, *others]
    first = gather(parts) if parts else _nothing
    type_ = (parts or others)[0].type
    return [Part(type_, lambda item, top: [*first(item, top), *collect(item, top)])]


def _nothing(_item: Any, _top: Top) -> list[Any]:
    return []


def common(part: Part, others: Finder[Container[Any]]) -> Part:
    """``part.intersect(others)``: those values whose keys are among the others'."""

    def find(item: Any, top: Top) -> list[Any]:
        wanted = others(item, top)
        return [value for value in part.collect(item, top) if key(value) in wanted]

    return Part(part.type, find)


def total(left: Collect, right: Collect) -> Part:
    """``left + right`` of numbers."""

    def collect(item: Any, top: Top) -> list[Any]:
        return [sum(v for v in (*left(item, top), *right(item, top)) if is_number(v))]

    return Part("integer", collect)


def text(left: Collect, right: Collect) -> Part:
    """``left & right``: both texts as one, nothing counting as no text."""

    def collect(item: Any, top: Top) -> list[Any]:
        return ["".join(v for v in (*left(item, top), *right(item, top)) if isinstance(v, str))]

    return Part("string", collect)


def _trace(parts: list[Part], *_: Collect) -> list[Part]:
    return parts


def _first(parts: list[Part]) -> list[Part]:
    return _sliced(parts, slice(1))


def _tail(parts: list[Part]) -> list[Part]:
    return _sliced(parts, slice(1, None))


def _sliced(parts: list[Part], which: slice) -> list[Part]:
    if len(parts) != 1:
        raise Unsupported("an order is known of the values of one type only")
    ((type_, collect),) = parts
    return [Part(type_, lambda item, top: collect(item, top)[which])]


def _count(parts: list[Part]) -> list[Part]:
    collect = gather(parts)
    return [Part("integer", lambda item, top: [len(collect(item, top))])]


def _children(parts: list[Part]) -> list[Part]:
    return [
        found
        for part in parts
        if not primitive(part.type)
        for element in elements(part.type)
        for found in member(part, element.name.removesuffix("[x]"))
    ]


def _descendants(parts: list[Part]) -> list[Part]:
    return [Part(ANYTHING, then(part.collect, _below)) for part in parts]


def _below(item: Any, _: Top) -> list[Any]:
    """Every object below the item."""
    found: list[Any] = []
    rest = list(item.values()) if isinstance(item, dict) else []
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            found.append(value)
            rest.extend(value.values())
        elif isinstance(value, list):
            rest.extend(value)
    return found


def _resolve(parts: list[Part]) -> list[Part]:
    """As much of the resources that references lead to as can be known without a look at them.

    That is all of a contained one, and of others the type, if the reference tells it.
    """

    def find(item: Any, top: Top) -> list[Any]:
        if not isinstance(item, dict):
            return []
        text = item.get("reference", "")
        if text.startswith("#"):
            return top.contained(text[1:])
        named = text.partition("/_history/")[0].split("/")[-2:-1]
        types = RESOURCE_TYPES.intersection(named) or {item.get("type", "")}
        return [{"resourceType": type_} for type_ in types]

    return [Part("Resource", then(part.collect, find)) for part in parts]


def _of_texts(change: Callable[..., Any], type_: str) -> Callable[..., list[Part]]:
    """A function of each text and of the first value of each argument; ``None`` is no value."""

    def function(parts: list[Part], *arguments: Collect) -> list[Part]:
        collect = gather(parts)

        def find(item: Any, top: Top) -> list[Any]:
            given = [found for argument in arguments for found in argument(item, top)[:1]]
            if len(given) < len(arguments) or not all(isinstance(one, str) for one in given):
                return []
            texts = [value for value in collect(item, top) if value is not NO_VALUE]
            made = [change(value, *given) for value in texts]
            return [value for value in made if value is not None]

        return [Part(type_, find)]

    return function


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return int(value)
    return int(value) if re.fullmatch(r"[+-]?[0-9]{1,10}", str(value)) else None


def _string(value: Any) -> str | None:
    """A primitive as FHIRPath writes it (N1 §5.5.4); what has members is no text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if isinstance(value, dict) else str(value)


def _replaced(value: Any, pattern: str, by: str) -> str | None:
    return re.sub(pattern, by, value) if isinstance(value, str) else None


FUNCTIONS: Mapping[str, Callable[..., list[Part]]] = {
    "children": _children,
    "count": _count,
    "descendants": _descendants,
    "first": _first,
    "replaceMatches": _of_texts(_replaced, "string"),
    "resolve": _resolve,
    "tail": _tail,
    "toInteger": _of_texts(_integer, "integer"),
    "toString": _of_texts(_string, "string"),
    "trace": _trace,
}
