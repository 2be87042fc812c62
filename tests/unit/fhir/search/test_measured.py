"""Quantities in common units: which numbers are reckoned with at all."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from threadwell.fhir.quantities.units import UCUM
from threadwell.fhir.search.measured import in_common
from threadwell.fhir.search.numbers import compared
from threadwell.fhir.search.values import QuantityValue


def quantity(number: str, comparator: str = "") -> QuantityValue:
    value = Decimal(number)
    return QuantityValue(value, *compared(value, comparator), UCUM, "kg", "")


@pytest.mark.parametrize("number", ["1", "1E+999", "-1E-999", "9." + "9" * 199 + "E+999"])
@pytest.mark.parametrize("comparator", ["", "<", ">="])
def test_whatever_a_resource_may_have_is_turned_into_grams(number: str, comparator: str) -> None:
    found = in_common(quantity(number, comparator))
    assert found is not None
    assert Fraction(found.value) == Fraction(number) * 1000


@pytest.mark.parametrize("number", ["1E+5000", "1E-5000", "0E+5000"])
def test_what_is_stored_from_earlier_and_is_far_beyond_is_not(number: str) -> None:
    assert in_common(quantity(number)) is None
