"""What can be undone of what a spreadsheet does to a cell, and what cannot."""

from __future__ import annotations

import pytest

from threadwell.messages.spreadsheet import (
    is_damaged,
    is_difference,
    is_rounded_id,
    says_nothing,
    unguarded,
    whole_number,
)


@pytest.mark.parametrize(
    ("cell", "bare"),
    [
        ("'+15551230100", "+15551230100"),
        ('="+15551230100"', "+15551230100"),
        ('="say ""a"""', 'say "a"'),
        ("=+15551230100", "+15551230100"),
        ("'=1", "=1"),
        ("'00123", "00123"),
        ("\t+15551230100 ", "+15551230100"),
        ("'t Hooft", "'t Hooft"),
        ("O'Brien", "O'Brien"),
        ("'", "'"),
    ],
)
def test_a_guard_is_taken_off(cell: str, bare: str) -> None:
    assert unguarded(cell) == bare


@pytest.mark.parametrize(
    ("cell", "digits", "damaged"),
    [
        ("15551230100", "", False),
        ("15551230100.0", "15551230100", False),
        ("15551230100,00", "15551230100", False),
        ("15551230100.5", "", False),
        ("1.5551230100E+10", "15551230100", False),
        ("1.5551230100e10", "15551230100", False),
        ("5E+3", "", True),
        ("5E3", "", False),
        ("1e10", "", False),
        ("1.55512E+10", "", True),
        ("1.555123010E+10", "", True),
        ("1,55512E+10", "", True),
        ("+1.55512E+10", "", True),
        ("+1.5551230100E+10", "15551230100", False),
        ("15,551,230,100", "15551230100", False),
        ("555.123.0100", "", False),
        ("#####", "", True),
        ("#NAME?", "", True),
        ("#¿NOMBRE?", "", True),
        ("#N/A", "", True),
        ("#general", "", False),
        ("E10", "", False),
        ("", "", False),
    ],
)
def test_a_number_is_whole_or_damaged_or_none(cell: str, digits: str, damaged: bool) -> None:
    assert (whole_number(cell), is_damaged(cell)) == (digits, damaged)


@pytest.mark.parametrize(
    ("cell", "negative"), [("-872", True), ("-872,5", True), ("-", False), ("1-2", False)]
)
def test_what_is_left_of_a_number_taken_for_a_sum(cell: str, negative: bool) -> None:
    assert is_difference(cell) is negative


@pytest.mark.parametrize(
    ("cell", "rounded"),
    [
        ("1234567890123450000", True),
        ("123456789012345000", True),
        ("1234567890123450", False),
        ("1234567890123456789", False),
        ("1000000", False),
        ("a" * 20, False),
    ],
)
def test_a_rounded_id(cell: str, rounded: bool) -> None:
    assert is_rounded_id(cell) is rounded


@pytest.mark.parametrize(
    ("cell", "nothing"),
    [
        ("", True),
        ("NULL", True),
        ("<null>", True),
        ("None", True),
        ("\\N", True),
        ("0", False),
        ("none", False),
    ],
)
def test_what_programs_write_for_nothing(cell: str, nothing: bool) -> None:
    assert says_nothing(cell) is nothing
