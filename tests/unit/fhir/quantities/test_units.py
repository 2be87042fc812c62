"""Units of measure by their codes: what they are worth in each other."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell.fhir.quantities.table import PREFIXES, UNITS
from threadwell.fhir.quantities.units import NoUnit, find_unit, unit


@pytest.mark.parametrize(
    ("one", "worth", "other"),
    [
        ("g", "1000", "mg"),
        ("kg", "1000", "g"),
        ("mg/dL", "10", "g/m3"),
        ("mg/dL", "1/100", "g/L"),
        ("mmol/L", "1000", "umol/L"),
        ("meq/L", "1", "mmol/L"),
        ("10*9/L", "1", "10*3/uL"),
        ("10*9/L", "1", "10^9/L"),
        ("cm3", "1", "mL"),
        ("/min", "60", "/h"),
        ("{beats}/min", "1/60", "Hz"),
        ("m[Hg]", "133322.387415", "Pa"),
        ("mm[Hg]", "133.322387415", "Pa"),
        ("[lb_av]", "453.59237", "g"),
        ("[in_i]", "2.54", "cm"),
        ("[foz_us]", "29.5735295625", "mL"),
        ("kg/m2", "1/10", "g/cm2"),
        ("mL/min/{1.73_m2}", "60", "mL/h"),
        ("mg/(kg.d)", "1/24", "mg/kg/h"),
        ("ug/(8.h)", "1/8", "ug/h"),
        ("%", "1/100", "1"),
        ("%{HbA1c}", "1", "%"),
        ("m[iU]/mL", "1", "[iU]/L"),
        ("k[IU]/L", "1000", "[iU]/L"),
        ("kcal_th", "4184", "J"),
        ("U/L", "1/60", "ukat/L"),
        ("mo", "2629800", "s"),
        ("deg", "1/360", "2.[pi].rad"),
        ("10*-3", "1/1000", "10*0"),
        ("2.5", "10", "1"),
        ("m-2", "1/10000", "cm-2"),
    ],
)
def test_what_one_is_worth_in_another(one: str, worth: str, other: str) -> None:
    found, wanted = unit(one), unit(other)
    assert found.dimension == wanted.dimension
    assert found.worth / wanted.worth == Fraction(worth)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("[iU]/L", "U/L"),
        ("[iU]", "1"),
        ("[CFU]/mL", "/mL"),
        ("mmol/L", "/L"),
        ("[pH]", "1"),
        ("dB", "1"),
        ("mg", "mL"),
        ("K", "m"),
    ],
)
def test_what_is_of_another_dimension(one: str, other: str) -> None:
    assert unit(one).dimension != unit(other).dimension


@pytest.mark.parametrize(
    ("code", "kelvins"), [("Cel", "310.15"), ("K", "37"), ("[degF]", "49667/180"), ("mK", "0.037")]
)
def test_where_a_scale_begins(code: str, kelvins: str) -> None:
    of = unit(code)
    assert of.worth * 37 + of.zero == Fraction(kelvins)


@pytest.mark.parametrize(
    "code",
    [
        *("", " ", "milligram", "mEq/L", "xx", "m/", "/", "(m", "m)", "m(", "()", "g m", "{", "g}"),
        *("0", "/0", "kmin", "g/{", "m+", "m--1", "m999", "10**3", "µg", "Gm99", "m^2", "m" * 300),
        *("(" * 20 + "m" + ")" * 20, ".".join(["Ym9"] * 40), "\0"),
    ],
)
def test_what_is_no_unit(code: str) -> None:
    with pytest.raises(NoUnit):
        unit(code)


def test_every_unit_of_the_table_is_read() -> None:
    codes = [line.split(" ")[0] for line in UNITS.splitlines() if line]
    assert len(codes) == len(set(codes))
    assert [code for code in codes if find_unit(code) is None] == []
    metric = [line.split(" ")[0] for line in UNITS.splitlines() if " *" in line]
    for prefix in PREFIXES:
        for code in metric:
            if f"{prefix}{code}" not in codes:
                of = find_unit(f"{prefix}{code}")
                assert of is not None, f"{prefix}{code}"


@given(st.text(alphabet="mgLs/.()10*[]{}k-+^iUd'%", max_size=40))
def test_any_text_is_a_unit_or_none(code: str) -> None:
    found = find_unit(code)
    if found is not None:
        twice = unit(f"2.({code})")
        assert (twice.dimension, twice.worth) == (found.dimension, 2 * found.worth)
