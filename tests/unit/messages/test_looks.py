"""Signs for what words look like: read rightly, and taken off again."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell.messages import looks
from threadwell.messages.looks import HIDDEN, LOWERED, RAISED, STRUCK, mark, shown

N = "\u202f"


def up(text: str) -> str:
    return f"{mark(RAISED)}{text}{mark(0)}"


def down(text: str) -> str:
    return f"{mark(LOWERED)}{text}{mark(0)}"


def out(text: str) -> str:
    return f"{mark(STRUCK)}{text}{mark(0)}"


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        (f"{up('1')}/{down('2')} tablet", "¹/₂ tablet"),
        (f"5{up('1')}/{down('2')} mg", f"5{N}¹/₂ mg"),
        (f"5{up('1')}⁄{down('2')} mg", f"5{N}¹⁄₂ mg"),
        (f"5{up('1/2')} mg", f"5{N}¹/₂ mg"),
        (f"10{up('9')}/L", "10⁹/L"),
        (f"10{up('-3')} and 10{up('−3')}", "10⁻³ and 10⁻³"),
        (f"10{up(' 9 ')}x", "10 ⁹ x"),
        (f"1.73 m{up('2')}", "1.73 m²"),
        (f"Ca{up('2+')} K{up('+')}", "Ca²⁺ K⁺"),
        (f"H{down('2')}O, CO{down('2')}, C{down('max')}", "H₂O, CO₂, Cmax"),
        (f"T{down('1/2')}", "T_(1/2)"),
        (f"2{down('a')}", "2_(a)"),
        (f"10{up('2x')}, 10{up('1.5')}", "10^(2x), 10^(1.5)"),
        (f"10{up('a(1)')}", "10^{a(1)}"),
        (f"the 5{up('th')}, 1{up('st')}, 2{up('e')}", "the 5th, 1st, 2e"),
        (f"10{up('o')} 37{up('o')}C n{up('o')} 3{up('a')}", "10º 37ºC nº 3ª"),
        (f"D{up('r')} Okafor", "Dr Okafor"),
        (f"Aspirin{up('®')} daily{up('*')}", "Aspirin® daily*"),
        (f"as told{up('1')}", "as told¹"),
        (f"10 mg{up('a')}", "10 mg^(a)"),
        (up("1 See the leaflet"), "1 See the leaflet"),
        (f"{out('10 mg')} 5 mg", "~~10 mg~~ 5 mg"),
        (f"{out('10')}5 mg", f"~~10~~{N}5 mg"),
        (f"1{out('0')} mg", f"1{N}~~0~~ mg"),
        (f"{out('10 ')}5 mg", "~~10~~ 5 mg"),
        (f"take {mark(STRUCK)}10\n\nor 20{mark(0)} mg", "take ~~10~~\n\n~~or 20~~ mg"),
        (f"{mark(STRUCK)}10{mark(STRUCK | RAISED)}9{mark(0)}/L", "~~10⁹~~/L"),
        (f"{out(' ')}x", " x"),
        (f"5 mg{mark(HIDDEN)} not seen{mark(0)} now", "5 mg now"),
        ("5¹/₂, ~10 mg~, 10^9 as typed", "5¹/₂, ~10 mg~, 10^9 as typed"),
    ],
)
def test_a_look_is_shown_by_signs(marked: str, text: str) -> None:
    assert shown(marked) == text


@pytest.mark.parametrize(
    ("marked", "notes"),
    [
        ("10 mg", ()),
        (f"5{up('th')}", ()),
        (f"10{up('9')}/L", (looks.NOTE,)),
        (f"a{mark(HIDDEN)}b{mark(0)}", (looks.HID,)),
        (f"{out('a')}{mark(HIDDEN)}b", (looks.NOTE, looks.HID)),
    ],
)
def test_what_signs_stand_for_is_noted(marked: str, notes: tuple[str, ...]) -> None:
    assert looks.told(marked)[1] == notes


WORDS = st.text(st.sampled_from("0123456789abno /.\n+-µé%"), max_size=8)
LOOKS = st.sampled_from((0, RAISED, LOWERED, STRUCK, STRUCK | RAISED, STRUCK | LOWERED))


@given(st.lists(st.tuples(LOOKS, WORDS)))
def test_the_words_are_found_again(pieces: list[tuple[int, str]]) -> None:
    marked = "".join([mark(look) + words for look, words in pieces])
    bare = "".join([words for _, words in pieces])
    assert looks.without_marks(marked) == bare
    assert looks.without_looks(shown(marked)) == bare
    assert shown(bare) == looks.without_looks(bare) == bare


@given(st.lists(st.tuples(LOOKS, WORDS)))
def test_no_number_runs_into_another(pieces: list[tuple[int, str]]) -> None:
    """Where the look changes between two digits, these stand side by side no more."""
    pieces = [one for one in pieces if one[1]]
    runs = [(look, [*those]) for look, those in groupby(pieces, key=lambda one: one[0])]
    marked = "".join([mark(look) + "".join([one for _, one in those]) for look, those in runs])
    most = max(map(len, _digits(marked)), default=0)
    assert max(map(len, _digits(shown(marked))), default=0) <= most


def _digits(text: str) -> list[str]:
    """The runs of digits at one height; a mark, a sign and a space end one."""
    return "".join([one if one in "0123456789" else " " for one in text]).split()


@given(st.text("a😀b", max_size=9), st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20))))
def test_ranges_strike_and_change_no_word(text: str, ranges: list[tuple[int, int]]) -> None:
    marked = looks.with_struck(text, ranges)
    assert looks.without_marks(marked) == text
    units, halves = 0, {place for pair in ranges for place in pair}
    for look, piece in looks.pieces(marked):
        for character in piece:
            inside = any(first <= units < behind for first, behind in ranges)
            width = len(character.encode("utf-16-le")) // 2
            assert (width == 2 and units + 1 in halves) or inside == (look == STRUCK)
            units += width
