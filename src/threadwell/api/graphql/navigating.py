"""A list of elements narrowed by arguments (FHIR R4 graphql.html#list)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from threadwell.api.graphql.schema import COUNT, FHIRPATH, OFFSET
from threadwell.fhir.fhirpath.clients import parse_from_client
from threadwell.fhir.fhirpath.logic import Truth
from threadwell.fhir.fhirpath.top import Top
from threadwell.fhir.fhirpath.tree import Unsupported as UnsupportedPath
from threadwell.fhir.fhirpath.truth import truth
from threadwell.fhir.outcome import invalid
from threadwell.fhir.search.parse import natural

#: Characters of an expression.
_LONGEST = 300


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
        return truth(parse_from_client(expression), type_)
    except (UnsupportedPath, KeyError, RecursionError):
        raise invalid(f"{FHIRPATH} is not an expression that can be evaluated here") from None
