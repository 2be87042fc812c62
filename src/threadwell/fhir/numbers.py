"""How long and how large a number may be (FHIR R4 §2.24.0.1 asks for 18 digits at least).

What a query can name is what a resource may hold. Beyond that a number of ten letters
(``1e999999``) would be a million digits for whoever reckons with it.
"""

from __future__ import annotations

from decimal import Decimal

#: Digits that a number may have, and the power of ten that its first and its last may stand for.
MOST_DIGITS, MOST_POWER = 200, 999


def is_within(number: Decimal | int) -> bool:
    """Whether a finite number has few enough digits, and of such powers of ten."""
    if isinstance(number, int) and -(2**63) <= number < 2**63:
        return True
    digits, power = _parts(Decimal(number))
    return digits <= MOST_DIGITS and power >= -MOST_POWER and power + digits - 1 <= MOST_POWER


def is_reckonable(number: Decimal) -> bool:
    """Whether what follows from such numbers, and no more than that, can be made a fraction of at
    once; infinite ones are left as they are.
    """
    if not number.is_finite():
        return True
    digits, power = _parts(number)
    return abs(power) <= 4 * MOST_POWER and digits + power <= 4 * MOST_POWER


def _parts(number: Decimal) -> tuple[int, int]:
    _, digits, power = number.as_tuple()
    assert isinstance(power, int), "it is finite"
    return len(digits), power
