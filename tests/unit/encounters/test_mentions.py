"""Whom a text names."""

from __future__ import annotations

import pytest

from threadwell.encounters.mentions import Names

CHILDREN = {
    "Patient/leo": ["Léo", "Maria"],
    "Patient/ana": ["Ana", "Maria"],
    "Patient/mary-jane": ["Mary-Jane"],
    "Patient/ming": ["小明"],
    "Patient/mark": ["Mark"],
    "Patient/hans": ["Hans"],
    "Patient/han": ["Han"],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He has a fever", ""),
        ("Léo has a fever", "leo"),
        ("LEO! leo?", "leo"),
        ("Le\u0301o, decomposed", "leo"),
        ("Ana's cough and Leo’s fever", "ana leo"),
        ("Leos Fieber", "leo"),
        ("Analysis of the banana", ""),
        ("their aunt Maria, whose name two of them have", ""),
        ("mary jane is fine", "mary-jane"),
        ("Mary is fine", ""),
        ("小明发烧了", "ming"),
        ("there are red marks", ""),
        ("Hans sleeps", "hans"),
        ("Han sleeps", "han"),
        ("", ""),
    ],
)
def test_mentioned(text, expected):
    found = Names(CHILDREN).mentioned(text)
    assert sorted(found) == [f"Patient/{name}" for name in expected.split()]


def test_an_initial_is_no_name():
    assert Names({"Patient/a": ["A", "Alma"]}).mentioned("A fever") == frozenset()
