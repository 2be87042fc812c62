"""``fixed[x]`` and ``pattern[x]`` of an element (FHIR R4 ElementDefinition)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from threadwell.fhir.profiles.tree import Node


def told(node: Node) -> Callable[[Any], bool] | None:
    """Whether a value is as the element says; ``None`` where it says nothing."""
    for name, value in node.says.items():
        if name.startswith("fixed"):
            return lambda given, wanted=value: equal(given, wanted)  # type: ignore[misc]
        if name.startswith("pattern"):
            return lambda given, wanted=value: fits(given, wanted)  # type: ignore[misc]
    return None


def equal(given: Any, wanted: Any) -> bool:
    """Whether both are the same; a number is not the same as a truth."""
    if isinstance(wanted, dict):
        return (
            isinstance(given, dict)
            and given.keys() == wanted.keys()
            and all(equal(given[name], value) for name, value in wanted.items())
        )
    if isinstance(wanted, list):
        return (
            isinstance(given, list) and len(given) == len(wanted) and all(map(equal, given, wanted))
        )
    return _same(given, wanted)


def fits(given: Any, wanted: Any) -> bool:
    """Whether all that is wanted is given: members by name, items in whatever place."""
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(
            name in given and fits(given[name], value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(given, list) and all(
            any(fits(one, value) for one in given) for value in wanted
        )
    return _same(given, wanted)


def _same(given: Any, wanted: Any) -> bool:
    numbers = (int, float, Decimal)
    if isinstance(given, bool) or isinstance(wanted, bool):
        return given is wanted
    if isinstance(given, numbers) and isinstance(wanted, numbers):
        return bool(given == wanted)
    return type(given) is type(wanted) and bool(given == wanted)
