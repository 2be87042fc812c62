"""Quantities in what their dimension is measured in, so that 1 g is found as 1000 mg."""

from __future__ import annotations

from functools import lru_cache
from typing import overload

from threadwell.fhir.numbers import is_reckonable
from threadwell.fhir.quantities.units import UCUM, common, find_unit
from threadwell.fhir.search.sought import QuantityMatch
from threadwell.fhir.search.values import QuantityValue


@overload
def in_common(quantity: QuantityMatch) -> QuantityMatch | None: ...
@overload
def in_common(quantity: QuantityValue) -> QuantityValue | None: ...
@lru_cache(maxsize=4096)
def in_common(quantity: QuantityMatch | QuantityValue) -> QuantityMatch | QuantityValue | None:
    """The quantity with its dimension as its code; ``None`` where UCUM does not say its unit, or
    the unit is not known, and for numbers far beyond what a resource may have: of those there may
    be some from earlier, and each would take minutes.
    """
    if quantity.system != UCUM or not quantity.code:
        return None
    unit = find_unit(quantity.code)
    if unit is None:
        return None
    numbers = (quantity.value, quantity.low, quantity.high)
    if not all(map(is_reckonable, numbers)):
        return None
    value, low, high = (common(number, unit) for number in numbers)
    if isinstance(quantity, QuantityMatch):
        return QuantityMatch(quantity.prefix, value, low, high, UCUM, unit.dimension)
    return QuantityValue(value, low, high, UCUM, unit.dimension, "")
