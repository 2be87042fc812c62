"""A list of elements narrowed by arguments (FHIR R4 graphql.html#list)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from threadwell.api.graphql.schema import COUNT, FHIRPATH, OFFSET
from threadwell.fhir.fhirpath.logic import Truth
from threadwell.fhir.fhirpath.parse import parse
from threadwell.fhir.fhirpath.top import Top
from threadwell.fhir.fhirpath.tree import Binary, Call, Index, Literal, Member, Node, This, Typed
from threadwell.fhir.fhirpath.tree import Unsupported as UnsupportedPath
from threadwell.fhir.fhirpath.truth import truth
from threadwell.fhir.outcome import invalid
from threadwell.fhir.search.parse import natural

#: Characters of an expression.
_LONGEST = 300
#: What an expression of a client may call: nothing that looks back at the whole resource, or takes
#: more than a look at each value. Patterns may take any time.
_CALLS = frozenset(
    {
        "all", "contains", "count", "empty", "exists", "first", "hasValue", "isDistinct", "not",
        "select", "startsWith", "tail", "where",
    }
)  # fmt: skip


def narrowed(values: list[Any], type_: str, arguments: Mapping[str, Any]) -> list[Any]:
    """Those values of a list that the arguments choose; raises ``FhirError`` 400."""
    given = {name: value for name, value in arguments.items() if value is not None}
    start = natural(OFFSET, str(given.pop(OFFSET, 0)))
    count = given.pop(COUNT, None)
    expression = given.pop(FHIRPATH, None)
    found = values
    for name, wanted in given.items():
        found = [one for one in found if isinstance(one, dict) and _text(one.get(name)) == wanted]
    if expression is not None:
        holds = _condition(expression, type_)
        found = [one for one in found if one is not None and _is_true(holds, one)]
    end = None if count is None else start + natural(COUNT, str(count))
    return found[start:end]


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _is_true(holds: Truth, value: Any) -> bool:
    try:
        return holds(value, Top(value)) is True
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # What FHIRPath cannot compare is neither true nor false.
        return False


@lru_cache(maxsize=256)
def _condition(expression: str, type_: str) -> Truth:
    if len(expression) > _LONGEST:
        raise invalid(f"{FHIRPATH} has at most {_LONGEST} characters")
    try:
        node = parse(expression)
        _check(node)
        return truth(node, type_)
    except (UnsupportedPath, KeyError, RecursionError):
        raise invalid(f"{FHIRPATH} is not an expression that can be evaluated here") from None


def _check(node: Node) -> None:
    match node:
        case This() | Literal():
            return
        case Member(base) | Typed(base) | Index(base):
            _check(base)
        case Binary(left, _, right):
            _check(left)
            _check(right)
        case Call(base, name, arguments) if name in _CALLS:
            _check(base)
            for argument in arguments:
                _check(argument)
        case _:
            raise UnsupportedPath("not for clients")
