"""Conditions on conditions and on lists of values, as closures (FHIRPath N1 §5.1 and §6).

``None`` is an empty result: neither true nor false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from typing import Any, TypeAlias

from threadwell.fhir.fhirpath.compare import compare
from threadwell.fhir.fhirpath.top import Finder, Top, key
from threadwell.fhir.fhirpath.values import NO_VALUE, Collect
from threadwell.fhir.json import encode

#: Whether a condition holds for the item at hand.
Truth: TypeAlias = Finder[bool | None]


def both(left: Truth, right: Truth) -> Truth:
    """``left and right``."""

    def check(item: Any, top: Top) -> bool | None:
        one = left(item, top)
        if one is False:
            return False
        other = right(item, top)
        return other if other is False or one else None

    return check


def either(left: Truth, right: Truth) -> Truth:
    """``left or right``."""

    def check(item: Any, top: Top) -> bool | None:
        one = left(item, top)
        if one:
            return True
        other = right(item, top)
        return True if other else other if one is False else None

    return check


def one_of_two(left: Truth, right: Truth) -> Truth:
    """``left xor right``."""

    def check(item: Any, top: Top) -> bool | None:
        one, other = left(item, top), right(item, top)
        return None if one is None or other is None else one is not other

    return check


def implied(left: Truth, right: Truth) -> Truth:
    """``left implies right``."""
    return either(negation(left), right)


def negation(inner: Truth) -> Truth:
    """``inner.not()``."""

    def check(item: Any, top: Top) -> bool | None:
        held = inner(item, top)
        return None if held is None else not held

    return check


LOGIC: Mapping[str, Callable[[Truth, Truth], Truth]] = {
    "and": both,
    "or": either,
    "xor": one_of_two,
    "implies": implied,
}


def single(collect: Collect) -> Truth:
    """A value taken as a condition: a boolean is itself, anything else is true by being there."""

    def check(item: Any, top: Top) -> bool | None:
        for value in collect(item, top):
            return value if isinstance(value, bool) else True
        return None

    return check


def exists(present: Finder[Any], wanted: bool) -> Truth:
    """Whether anything is there, or with ``wanted`` false whether nothing is."""
    if wanted:
        return lambda item, top: bool(present(item, top))
    return lambda item, top: not present(item, top)


def for_all(tests: list[tuple[Collect, Truth]]) -> Truth:
    """Whether the condition of each is true of all that it is about."""
    return lambda item, top: all(
        holds(value, top) for collect, holds in tests for value in collect(item, top)
    )


def distinct(collect: Collect) -> Truth:
    """Whether no value is there twice."""

    def check(item: Any, top: Top) -> bool:
        values = [encode(value) for value in collect(item, top) if value is not NO_VALUE]
        return len(values) == len(set(values))

    return check


def equal(left: Collect, right: Collect, wanted: bool) -> Truth:
    """Whether both are the same, or with ``wanted`` false whether they differ."""

    def check(item: Any, top: Top) -> bool | None:
        one, other = left(item, top), right(item, top)
        if not one or not other or NO_VALUE in one or NO_VALUE in other:
            return None
        return (one == other) is wanted

    return check


def ordered(
    left: Collect, right: Collect, type_: str, holds: Callable[[int], bool], untold: bool | None
) -> Truth:
    """Whether the order of two single values of ``type_`` is as wanted; ``untold`` where that
    cannot be told.
    """

    def check(item: Any, top: Top) -> bool | None:
        one, other = left(item, top), right(item, top)
        if len(one) != 1 or len(other) != 1 or NO_VALUE in (one[0], other[0]):
            return None
        order = compare(one[0], other[0], type_)
        return untold if order is None else holds(order)

    return check


def within(one: Collect, many: Finder[Container[Any]]) -> Truth:
    """``one in many``, whose keys are given."""

    def check(item: Any, top: Top) -> bool | None:
        values = one(item, top)
        if not values or values[0] is NO_VALUE:
            return None
        return key(values[0]) in many(item, top)

    return check


def on_text(test: Callable[[str, str], bool], text: Collect, given: Collect) -> Truth:
    """Whether the text passes a test with what is given.

    No text passes none: FHIRPath has it neither pass nor fail, but R4's invariants are written as
    HL7's own evaluator takes them (``fullUrl.contains('/_history/').not()`` allows no ``fullUrl``).
    """

    def check(item: Any, top: Top) -> bool:
        texts, others = text(item, top), given(item, top)
        if not texts or not others:
            return False
        told, wanted = texts[0], others[0]
        return isinstance(told, str) and isinstance(wanted, str) and test(told, wanted)

    return check


#: The functions that say something of a text.
TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "contains": str.__contains__,
    "matches": lambda text, pattern: re.search(pattern, text, re.DOTALL) is not None,
}
