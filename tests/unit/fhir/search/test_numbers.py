"""Numbers of a query imply the range that they are written to."""

from decimal import Decimal
from fractions import Fraction

import pytest

from threadwell.fhir.search.numbers import about, decimal, query_number


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("100", "99.5", "100.5"),
        ("100.00", "99.995", "100.005"),
        ("1e2", "50", "150"),
        ("1.00e2", "99.5", "100.5"),
        ("5.40e-3", "0.005395", "0.005405"),
        ("0.00540", "0.005395", "0.005405"),
        ("-2.5E+1", "-25.5", "-24.5"),
        ("-5.4", "-5.45", "-5.35"),
        ("+3", "2.5", "3.5"),
        ("0", "-0.5", "0.5"),
        # As many digits as anybody writes, and none is lost.
        (f"{9**40}", f"{9**40 - 1}.5", f"{9**40}.5"),
        (f"{9**40}.5", f"{9**40}.45", f"{9**40}.55"),
        (f"1.{'0' * 60}1", f"1.{'0' * 61}5", f"1.{'0' * 60}15"),
        (f"{'7' * 200}.{'3' * 200}", f"{'7' * 200}.{'3' * 199}25", f"{'7' * 200}.{'3' * 200}5"),
    ],
)
def test_the_implied_range(text, low, high):
    assert query_number(text) == (Decimal(text), Decimal(low), Decimal(high))


def test_about_is_a_tenth_to_either_side():
    value = Decimal(f"-{9**40}.5")
    tenth = Fraction(value) / 10
    assert [Fraction(end) for end in about(value)] == [
        Fraction(value) + tenth,
        Fraction(value) - tenth,
    ]


@pytest.mark.parametrize(
    "text", ["", "x", "1,5", "1.", ".5", "NaN", "Infinity", "1e", "1e9999", "٣"]
)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError):
        query_number(text)


@pytest.mark.parametrize("number", [True, "1", None])
def test_json_that_is_no_number_is_refused(number):
    with pytest.raises(ValueError):
        decimal(number)
