"""Copies of one message, of which one shows what is struck and raised, and others do not."""

from __future__ import annotations

from itertools import permutations

import pytest

from tests.unit.encounters.test_copies import OWN, message
from threadwell.encounters.copies import fingerprint, joined, same_words, tell_apart
from threadwell.encounters.said import said
from threadwell.messages import looks

NOTED = (looks.NOTE,)


@pytest.mark.parametrize(
    ("bare", "signed"),
    [
        ("Please take 51/2 mg now", "Please take 5\u202f¹/₂ mg now"),
        ("Please take 10 mg 5 mg now", "Please take ~~10 mg~~ 5 mg now"),
        ("Please take 105 mg now", "Please take ~~10~~\u202f5 mg now"),
        ("Count is 109/L, 10x", "Count is 10⁹/L, 10^(x)"),
    ],
)
def test_a_copy_with_looks_completes_one_without(bare: str, signed: str) -> None:
    one = said(message(text=bare))
    other = said(message(text=signed, notes=NOTED))
    copies = (one, other, said(message(text=bare[:22])))
    for several in permutations(copies):
        (group,) = tell_apart(several, OWN)
        assert (group.said.text, group.said.new_text) == (signed, signed)
        assert group.said.notes == NOTED
    assert joined(one, other) == joined(other, one)
    assert same_words(one, other)
    assert same_words(other, one)


def test_it_is_told_apart_as_it_ever_was() -> None:
    """By the words: what waits, or shares its id, is found as an earlier build read it."""
    bare, signed = message(text="take 10 mg 5 mg"), message(text="take ~~10 mg~~ 5 mg", notes=NOTED)
    assert fingerprint(said(bare)) == fingerprint(said(signed))
    typed = said(message(text="1.73 m², nº 5, ~~ten~~"))
    assert fingerprint(typed) == "9fb844fc66bb48b22d6845d85fe8d1b0"


def test_signs_that_people_type_are_their_words() -> None:
    doses = ["take 10² mg", "take 102 mg", "take ~~102~~ mg"]
    assert len(tell_apart([said(message(text=text)) for text in doses], OWN)) == 3


def test_what_is_longer_counts_and_says_of_signs_what_is_so() -> None:
    signed = said(message(text="Please take ~~10 mg~~ of", notes=NOTED))
    whole = said(message(text="Please take 10 mg of it daily"))
    (group,) = tell_apart([signed, whole], OWN)
    assert (group.said.text, group.said.notes) == (whole.text, ())
